"""Results on disk are whole or absent: made beside their place, and moved there at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import shutil
import tempfile

from interwild_ros.errors import AssetError


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the place of `folder` when nothing was raised.

    What stood there before is replaced at that moment and not earlier. Until then nothing but a
    hidden sibling exists, and that one is gone afterwards in any case.

    :raises AssetError: when the parent cannot be made or written to, or a file is in the way.
    """
    with _sibling(folder) as scratch:
        new = scratch / folder.name
        new.mkdir()
        yield new
        try:
            if folder.exists():
                folder.rename(scratch / 'before')
            new.rename(folder)
        except OSError as error:
            raise AssetError(f'cannot put the finished folder at {folder}: {error}') from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, of the same name, which replaces `path` when nothing was raised.

    :raises AssetError: when the folder cannot be made or written to.
    """
    with _sibling(path) as scratch:
        new = scratch / path.name
        yield new
        try:
            new.replace(path)
        except OSError as error:
            raise AssetError(f'cannot put the finished file at {path}: {error}') from error


@contextmanager
def _sibling(path: Path) -> Iterator[Path]:
    """Give a hidden folder beside the path: a rename is whole only within one file system."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f'.{path.name}-', dir=path.parent))
    except OSError as error:
        raise AssetError(f'cannot write to {path.parent}: {error}') from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
