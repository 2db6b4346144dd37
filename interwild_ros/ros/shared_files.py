"""Files that are installed beside the code, under share/interwild_ros, or lie in a clone of it."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import sys

_SOURCE = Path(__file__).resolve().parents[2]


def shared_file(name: str) -> Path | None:
    """Return a file such as 'config/hands.rviz', None where it is not installed."""
    return next((place for place in shared_places(name) if place.is_file()), None)


def shared_places(name: str) -> Iterator[Path]:
    """Yield where such a file may be: in what is sourced, in this Python's prefix, in a clone."""
    sourced = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    for prefix in (*filter(None, sourced), sys.prefix):
        yield Path(prefix) / 'share/interwild_ros' / name
    yield _SOURCE / name
