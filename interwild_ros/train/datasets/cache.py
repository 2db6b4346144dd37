"""Keep parsed annotations as one .npz, so that gigabytes of JSON are parsed once.

A cached file holds when the files it came from have the same sizes and times as then; else it is
made again. It is written whole or not at all, and a damaged one counts as none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
import hashlib
import json
import os
from pathlib import Path
import tempfile
from typing import Any, TypeVar
import zipfile
import zlib

from interwild_ros.errors import AssetError
import numpy as np

_LAYOUT = 1  # to be raised whenever a reader changes what its columns mean
_STAMP = 'stamp'

Columns = TypeVar('Columns')


def cached(
    cache_dir: Path | None,
    *,
    identity: str,
    sources: Iterable[Path],
    kind: type[Columns],
    build: Callable[[], Columns],
) -> Columns:
    """Return the columns from the cache, or build them and put them there.

    :param cache_dir: folder for cached files, made when absent; None builds every time.
    :param identity: what is read and with which options: another identity, another file.
    :param sources: files and folders whose change makes the cached file void.
    :param kind: dataclass of arrays alone.
    :raises AssetError: when the cache cannot be written; whatever `build` raises.
    """
    if cache_dir is None:
        return build()
    digest = hashlib.sha256(f'{kind.__name__} {identity}'.encode()).hexdigest()[:16]
    path = cache_dir / f'{kind.__name__}-{digest}.npz'
    stamp = _stamp_of(sources)
    columns = _load(path, stamp, kind)
    if columns is None:
        columns = build()
        _save(path, stamp, columns)
    return columns


def _stamp_of(sources: Iterable[Path]) -> str:
    digest = hashlib.sha256(f'layout {_LAYOUT}'.encode())
    for source in sources:
        digest.update(json.dumps([str(source), *_size_and_time(source)]).encode())
    return digest.hexdigest()


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return -1, -1  # the reader will say what is wrong, in its own words
    return found.st_size, found.st_mtime_ns


def _load(path: Path, stamp: str, kind: type[Columns]) -> Columns | None:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    try:
        with path.open('rb') as file, np.load(file, allow_pickle=False) as content:
            if str(content[_STAMP]) != stamp:
                return None
            return kind(**{name: content[name] for name in names})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def _save(path: Path, stamp: str, columns: Any) -> None:
    arrays: dict[str, Any] = {f.name: getattr(columns, f.name) for f in fields(columns)}
    partial = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix='.part', delete=False) as file:
            partial = Path(file.name)
            np.savez(file, allow_pickle=False, **{_STAMP: np.array(stamp), **arrays})
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise AssetError(
            f'{path}: cannot write the cache: {error.strerror}; make room or give another folder'
        ) from None
