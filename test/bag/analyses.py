"""Analyse small bags in tests: rule-made weights, which see hands in any picture."""

from __future__ import annotations

from functools import lru_cache
import json
from pathlib import Path
from typing import Any

from interwild_ros.bag.cameras import Wanted
from interwild_ros.bag.jobs import analyse_bags, check_bags, named_bags, Outcome, Request
from interwild_ros.config import Settings
from interwild_ros.pipeline.pipeline import load_pipeline, Pipeline
import numpy as np
import pyarrow.parquet as pq

SETTINGS = Settings(weights='rule-made', follow=False, device='cpu')


@lru_cache(maxsize=1)
def rule_made() -> Pipeline:
    return load_pipeline(SETTINGS)


def analyse(
    *bags: Path,
    out: Path,
    settings: dict[str, Any] | None = None,
    wanted: Wanted | None = None,
    **options: Any,
) -> list[Outcome]:
    """Analyse bags as `interwild analyze` does."""
    changed: Settings = SETTINGS.changed(settings or {})
    request = Request(settings=changed, wanted=wanted or Wanted(), **options)
    named = named_bags(bags)
    check_bags(named, out, request)
    pipeline = rule_made().with_settings(changed)
    return list(analyse_bags(named, out, request, pipeline))


def table_of(folder: Path) -> dict[str, np.ndarray]:
    """Return the columns of a result, lists as rows."""
    table = pq.read_table(folder / 'hands.parquet')
    return {name: np.array(table.column(name).to_pylist()) for name in table.column_names}


def bytes_of(folder: Path) -> dict[str, Any]:
    """Return everything in a result but how long it took, in the summary."""
    found: dict[str, Any] = {
        file.name: file.read_bytes() for file in folder.iterdir() if file.name != 'summary.json'
    }
    summary = json.loads((folder / 'summary.json').read_text())
    summary.pop('timings')
    return found | {'summary.json': summary}
