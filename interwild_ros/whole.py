"""Results on disk are whole or absent: made beside their place, and moved there at the end.

Where they are made is a hidden folder, which its process holds locked. One that nobody holds any
more was left behind by a process that was killed: whoever makes the same result next removes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import re
import shutil
import tempfile

from interwild_ros.errors import AssetError

_UNFINISHED = '.unfinished'
_BEFORE = 'before'


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the place of `folder` when nothing was raised.

    What stood there before is replaced at that moment and not earlier. Until then nothing but a
    hidden sibling exists, and that one is gone afterwards, or when the folder is made the next
    time: after a kill nobody is there to remove it.

    :raises AssetError: when the parent cannot be made or written to, or a file is in the way.
    """
    with _sibling(folder) as scratch:
        new = scratch / folder.name
        new.mkdir()
        yield new
        try:
            if folder.exists():
                folder.rename(scratch / _BEFORE)
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
        _remove_abandoned(path)
        scratch, lock = _locked_folder(path)
    except OSError as error:
        raise AssetError(f'cannot write to {path.parent}: {error}') from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        os.close(lock)


def _locked_folder(path: Path) -> tuple[Path, int]:
    """Make a hidden folder beside the path, and return it with the descriptor that holds it."""
    while True:
        name = tempfile.mkdtemp(prefix=f'.{path.name}-', suffix=_UNFINISHED, dir=path.parent)
        folder = Path(name)
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # another process took it for abandoned before it was locked
            continue
        if _is_locked(lock) is not False and folder.exists():
            return folder, lock
        os.close(lock)


def _remove_abandoned(path: Path) -> None:
    """Remove the hidden folders of the same result that no process holds.

    A process may have been killed while it exchanged the folders: then the one from before goes
    back to its place first.
    """
    # as mkdtemp names them
    named = re.compile(re.escape(f'.{path.name}-') + '[a-z0-9_]{8}' + re.escape(_UNFINISHED))
    for folder in [entry for entry in path.parent.iterdir() if named.fullmatch(entry.name)]:
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # it is gone, is no folder, or is another person's
            continue
        try:
            if _is_locked(lock):
                _put_back(folder / _BEFORE, path)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _put_back(before: Path, path: Path) -> None:
    if before.exists() and not path.exists():
        before.rename(path)


def _is_locked(descriptor: int) -> bool | None:
    """Lock a folder, and return whether it is ours now, or None where folders have no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # as on some network file systems: nothing is ever taken for abandoned there
        return None
    return True
