"""A data set's picture files: their pixels, their size, and whether they are all there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
import os
from pathlib import Path
from typing import Protocol

from interwild_ros.errors import AssetError, InputError
from interwild_ros.imaging.containers import JPEG_MAGIC, PNG_MAGIC
from interwild_ros.imaging.decode import decode_compressed
from interwild_ros.records import Image
from interwild_ros.train.annotations import Annotation, AnnotationSet
from interwild_ros.train.datasets.files import read_bytes, shortened
import numpy as np

_SAMPLED = 1000
_PART = 10_000
_THREADS = 8  # the wait is for the disk, often a network's
_ENDS = {JPEG_MAGIC: b'\xff\xd9', PNG_MAGIC: b'IEND\xaeB`\x82'}


class PictureSet(AnnotationSet, Protocol):
    """An annotation set whose pictures are files."""

    def picture_path(self, index: int) -> Path:
        """Return the picture's file without making the annotation."""


def load_picture(annotation: Annotation) -> Image:
    """Return the picture (height, width, 3) uint8 RGB; EXIF orientation is ignored.

    :raises AssetError: when the file is missing, damaged or of another size than annotated.
    """
    if annotation.image is None:
        raise AssetError(f'{annotation.name} has no picture file')
    picture = _decoded(annotation.image)
    height, width = picture.shape[:2]
    if (width, height) != annotation.image_size:
        wanted = ' x '.join(map(str, annotation.image_size))
        raise AssetError(
            f'{annotation.image}: {width} x {height} px, {annotation.name} says {wanted} px'
        )
    return picture


def picture_size(path: Path) -> tuple[int, int]:
    """Return width and height in px.

    :raises AssetError: when the file is missing or damaged.
    """
    height, width = _decoded(path).shape[:2]
    return width, height


def check_pictures(pictures: PictureSet, *, thorough: bool = False) -> None:
    """Look for pictures that are missing, empty or cut short, without decoding the good ones.

    :param thorough: look at every picture; otherwise at 1000, evenly spread.
    :raises AssetError: saying how many of which kind, with the first names.
    """
    count = len(pictures)
    looked_at = count if thorough else min(count, _SAMPLED)
    places = np.linspace(0, count - 1, looked_at).round().astype(int).tolist()
    found: dict[str, dict[Path, None]] = {}  # in order, each once
    for path, problem in _problems([*map(pictures.picture_path, some)] for some in _parts(places)):
        found.setdefault(problem, {})[path] = None
    if found:
        kinds = '; '.join(
            f'{len(paths)} {problem}: {shortened(paths)}' for problem, paths in found.items()
        )
        raise AssetError(f'{pictures.name}: of {looked_at} pictures looked at, {kinds}')


def _parts(places: list[int]) -> Iterator[list[int]]:
    """Cut the work up: a million paths at once would take a gigabyte."""
    for start in range(0, len(places), _PART):
        yield places[start : start + _PART]


def _problems(parts: Iterable[list[Path]]) -> Iterator[tuple[Path, str]]:
    """Yield each picture that cannot be used, and why."""
    with ThreadPoolExecutor(_THREADS) as pool:
        for paths in parts:
            for path, problem in zip(paths, pool.map(_problem, paths), strict=True):
                if problem:
                    yield path, problem


def _problem(path: Path) -> str:
    try:
        with path.open('rb') as file:
            head = file.read(len(PNG_MAGIC))
            if not head:
                return 'empty'
            end = next((end for magic, end in _ENDS.items() if head.startswith(magic)), None)
            if end is not None:
                file.seek(-min(len(end), len(head)), os.SEEK_END)
                if file.read() == end:
                    return ''
        _decoded(path)  # something may follow the end, or it is another format
    except FileNotFoundError:
        return 'missing'
    except (OSError, AssetError):
        return 'damaged or cut short'
    return ''


def _decoded(path: Path) -> Image:
    content = read_bytes(path)
    try:
        return decode_compressed(path.suffix.lstrip('.'), content)
    except InputError as error:
        raise AssetError(f'{path}: {error}') from None
