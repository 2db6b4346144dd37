"""Checkpoints and weights that are written whole or not at all, and are on the disk then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
from typing import BinaryIO

from interwild_ros import whole
from interwild_ros.errors import AssetError, TrainingError


@contextmanager
def whole_file(path: Path, what: str) -> Iterator[BinaryIO]:
    """Yield a file beside a place, which is moved there when it is complete and on the disk.

    :param what: what to call it in messages.
    :raises TrainingError: when it cannot be written; what stood there before still does.
    """
    try:
        with whole.whole_file(path) as part, open(part, 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except (AssetError, OSError, RuntimeError) as error:  # torch wraps a full disk
        kept = 'the last one is kept' if path.exists() else 'there is no earlier one'
        raise TrainingError(f'{what} {path}: cannot be written ({error}); {kept}') from None
