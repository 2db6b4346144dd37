"""Find and read a data set's files, each failure naming the file and what was wanted of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
import gc
import json
from pathlib import Path
from typing import Any

from interwild_ros.errors import AssetError

_LISTED = 8


def wanted_folder(path: Path, holds: str) -> Path:
    """Return the folder.

    :param holds: what should be in it, for the message.
    :raises AssetError: when there is none.
    """
    if not path.is_dir():
        found = 'a file' if path.exists() else 'nothing'
        raise AssetError(f'{path}: found {found}, wanted a folder with {holds}')
    return path


def read_bytes(path: Path) -> bytes:
    """Return what a file holds.

    :raises AssetError: when it is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise AssetError(f'{path}: no such file') from None
    except OSError as error:
        raise AssetError(f'{path}: cannot be read: {error.strerror}') from None


def read_object(path: Path) -> dict[str, Any]:
    """Return the object at the top of a JSON file.

    :raises AssetError: when the file is missing, cut short or holds something else.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise AssetError(f'{path}: holds a {type(content).__name__}, wanted an object with keys')
    return content


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    :raises AssetError: when the file is missing, or no whole JSON.
    """
    content = read_bytes(path)
    try:
        with _no_collecting():
            return json.loads(content)
    except json.JSONDecodeError as error:
        raise AssetError(
            f'{path}: not whole JSON ({error.msg} at character {error.pos} of {len(content)} '
            'bytes); if the download was cut short, fetch it again'
        ) from None
    except UnicodeDecodeError as error:
        raise AssetError(f'{path}: not JSON text ({error})') from None


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Keep the cycle collector from walking through millions of new objects again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_whole_numbers(path: Path) -> list[int]:
    """Return the numbers of a text file with one on each line.

    :raises AssetError: when the file is missing, empty or holds anything else.
    """
    words = read_bytes(path).split()
    wrong = [word for word in words if not word.isdigit()]
    if wrong or not words:
        found = f'holds {wrong[0]!r}' if wrong else 'is empty'
        raise AssetError(f'{path}: {found}, wanted a whole number on each line')
    return [int(word) for word in words]


def shortened(names: Iterable[object]) -> str:
    """Return the first few names, and how many more there are."""
    listed = [str(name) for name in names]
    rest = len(listed) - _LISTED
    return ', '.join(listed[:_LISTED]) + (f' and {rest} more' if rest > 0 else '')
