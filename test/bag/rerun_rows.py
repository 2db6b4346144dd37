"""Read back what was written for rerun, with rerun: rows of entities, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import subprocess
import sys
from typing import Any

import numpy as np
from rerun.chunk import RrdReader


@dataclass(frozen=True)
class Row:
    """One row of a component; `stamp_ns` and `frame` are None of what holds at all times."""

    stamp_ns: int | None
    frame: int | None
    value: np.ndarray


class RerunFile:
    """What a file holds: `rows('hands/left/mesh', 'Mesh3D:vertex_positions')`."""

    def __init__(self, path: Path) -> None:
        reader = RrdReader(path)
        (self.recording,) = reader.recordings()
        self.blueprints = reader.blueprints()
        self._batches: dict[str, list[Any]] = {}
        for chunk in reader.stream(store=self.recording).to_chunks():
            batch = chunk.to_record_batch()
            self._batches.setdefault(chunk.entity_path.lstrip('/'), []).append(batch)

    @property
    def entities(self) -> set[str]:
        """Return every entity that has data."""
        return set(self._batches)

    @property
    def timelines(self) -> set[str]:
        """Return the timelines that rows are on."""
        return {
            field.name
            for batches in self._batches.values()
            for batch in batches
            for field in batch.schema
            if (field.metadata or {}).get(b'rerun:kind') == b'index'
        }

    def rows(self, entity: str, component: str) -> list[Row]:
        """Return the rows of a component in the order of time."""
        found = [
            row
            for batch in self._batches.get(entity, [])
            if component in batch.schema.names
            for row in _rows(batch, component)
        ]
        return sorted(found, key=lambda row: -1 if row.stamp_ns is None else row.stamp_ns)

    def static(self, entity: str, component: str) -> np.ndarray:
        """Return what holds at all times."""
        (row,) = self.rows(entity, component)
        assert row.stamp_ns is None
        return row.value

    def at(self, entity: str, component: str, stamp_ns: int) -> np.ndarray | None:
        """Return what a viewer shows at a time: the last row that was not cleared since."""
        shown = [row for row in self.rows(entity, component) if row.stamp_ns <= stamp_ns]
        if not shown:
            return None
        cleared = [row.stamp_ns for row in self._clears(entity) if row.stamp_ns <= stamp_ns]
        return None if cleared and max(cleared) >= shown[-1].stamp_ns else shown[-1].value

    def _clears(self, entity: str) -> list[Row]:
        parts = entity.split('/')
        own = self.rows(entity, 'Clear:is_recursive')
        above = ['/'.join(parts[:count]) for count in range(1, len(parts))]
        return own + [r for e in above for r in self.rows(e, 'Clear:is_recursive') if r.value[0]]


def verify(path: Path) -> None:
    """Let rerun's own program say whether a file is sound."""
    done = rerun_program('rrd', 'verify', path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '1 file verified without error' in done.stdout + done.stderr


def rerun_program(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the program that comes with rerun."""
    return subprocess.run(
        [sys.executable, '-m', 'rerun_cli', *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
    )


def _rows(batch: Any, component: str) -> list[Row]:
    names = batch.schema.names
    values = batch.column(component)
    count = batch.num_rows
    stamps = (
        batch.column('stamp').cast('int64').to_pylist() if 'stamp' in names else [None] * count
    )
    frames = batch.column('frame').to_pylist() if 'frame' in names else [None] * count
    return [
        Row(stamp, frame, np.array(value.as_py()))
        for stamp, frame, value in zip(stamps, frames, values, strict=True)
        if value.is_valid
    ]
