"""Checkpoints of training: written whole or not at all, and read without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import pickle
from typing import Any
import zipfile

from interwild_ros.errors import AssetError, TrainingError
from interwild_ros.train.whole_file import whole_file
import torch

FORMAT = 1
_ABSENT = '(absent)'


def write_snapshot(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint beside its place, then move it there.

    :raises TrainingError: when it cannot be written; what stood there before still does.
    """
    with whole_file(path, 'checkpoint') as file:
        torch.save({'format': FORMAT, **content}, file)


def read_snapshot(path: Path) -> dict[str, Any]:
    """Read a checkpoint of training onto the CPU.

    :raises AssetError: when it is missing, damaged or something else.
    """
    if not path.is_file():
        raise AssetError(f'checkpoint {path}: no such file')
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise AssetError(f'checkpoint {path}: damaged ({line})') from None
    found = content.get('format') if isinstance(content, dict) else None
    if found != FORMAT:
        raise AssetError(f'checkpoint {path}: has format {found}, wanted {FORMAT}')
    return dict(content)


def check_same_recipe(saved: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> None:
    """Refuse to resume another recipe's run.

    :raises TrainingError: naming every choice that differs, with both values.
    """
    differing = []
    for name in sorted(saved.keys() | wanted.keys()):
        was, now = (_plain(recipe.get(name, _ABSENT)) for recipe in (saved, wanted))
        if was != now:
            differing.append(f'{name} was {was}, is now {now}')
    if differing:
        raise TrainingError(f'checkpoint {path}: is of another recipe: {"; ".join(differing)}')


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
