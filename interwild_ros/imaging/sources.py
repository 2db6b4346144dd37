"""Where pictures come from: a video file, a folder of pictures, or a webcam; OpenCV alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
import math
from pathlib import Path
import re
import time

import cv2
from interwild_ros.errors import AssetError, InputError
from interwild_ros.imaging.containers import check_jpeg, JPEG_MAGIC
from interwild_ros.imaging.decode import decode_compressed
from interwild_ros.records import Image, NS_PER_SEC
import numpy as np

PICTURE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
USUAL_RATE_HZ = 30.0

_EXIF = b'Exif\0\0'


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a source, decoded when somebody asks for its pixels.

    `time_ns` is its time in the source, from 0. `grabbed_ns` is when a webcam took it, on
    `time.monotonic_ns`. One of `pixels` (RGB) and `jpeg` (the file's own bytes) is there.
    """

    width: int
    height: int
    time_ns: int
    pixels: Image | None = None
    jpeg: bytes | None = None
    grabbed_ns: int | None = None

    @cached_property
    def rgb(self) -> Image:
        """Return the pixels.

        :raises InputError: when the JPEG is corrupt.
        """
        if self.pixels is not None:
            return self.pixels
        return decode_compressed('jpeg', self.jpeg or b'')


class Source(ABC):
    """Something that gives pictures at a rate."""

    def __init__(self, name: str, rate_hz: float) -> None:
        """Keep what to call it and how fast it goes."""
        self.name = name
        self.rate_hz = rate_hz

    @abstractmethod
    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures from the beginning.

        :raises AssetError: when one cannot be read.
        """


def open_source(source: str, *, rate_hz: float = 0.0) -> Source:
    """Return a source whose first picture was seen to be readable.

    :param source: a video file, a folder of pictures, a picture, or the number of a webcam.
    :param rate_hz: frames a second; 0 takes the source's own, for pictures 30.
    :raises AssetError: when it is absent, empty or unreadable.
    """
    if not source:
        raise AssetError('no source: wanted a video file, a folder of pictures or a webcam number')
    if source.isdecimal():
        return Webcam(int(source), rate_hz)
    path = Path(source).expanduser()
    if not path.exists():
        raise AssetError(f'{path}: no such file or folder')
    holds_pictures = path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES
    opened = PictureFiles(path, rate_hz) if holds_pictures else VideoFile(path, rate_hz)
    next(opened.pictures())
    return opened


class PictureFiles(Source):
    """A picture, or the pictures of a folder in natural order: 9.jpg before 10.jpg."""

    def __init__(self, path: Path, rate_hz: float) -> None:
        """List them.

        :raises AssetError: when the folder holds none.
        """
        super().__init__(str(path), rate_hz or USUAL_RATE_HZ)
        self._files = _pictures_in(path) if path.is_dir() else [path]
        if not self._files:
            raise AssetError(f'{path} holds no pictures: wanted {", ".join(PICTURE_SUFFIXES)}')

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures, at the rate."""
        for index, file in enumerate(self._files):
            yield _read_picture(file, _time_ns(index / self.rate_hz))


class VideoFile(Source):
    """A video file, at its own times; where a rate is given, at that rate."""

    def __init__(self, path: Path, rate_hz: float) -> None:
        """Read its rate."""
        self._path = path
        self._is_retimed = rate_hz > 0
        own_rate_hz = self._open().get(cv2.CAP_PROP_FPS)
        is_known = math.isfinite(own_rate_hz) and own_rate_hz > 0
        super().__init__(str(path), rate_hz or (own_rate_hz if is_known else USUAL_RATE_HZ))

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures.

        :raises AssetError: when there is none; a damaged end cannot be told from the end.
        """
        capture, count = self._open(), 0
        first_sec = time_sec = 0.0
        while capture.grab():
            at_sec = capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
            if count == 0:
                first_sec = at_sec
            else:
                time_sec = self._next_time_sec(time_sec, at_sec - first_sec)
            count += 1
            yield _from_capture(capture, self.name, _time_ns(time_sec))
        if count == 0:
            raise AssetError(f'{self._path} holds no picture that can be read')

    def _next_time_sec(self, last_sec: float, own_sec: float) -> float:
        """Return the file's own time, unless it is not to be used or does not go forward."""
        if self._is_retimed or not own_sec > last_sec:
            return last_sec + 1 / self.rate_hz
        return own_sec

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            raise AssetError(f'{self._path} is no video that OpenCV can read')
        return capture


class Webcam(Source):
    """A camera of this machine, by number."""

    def __init__(self, number: int, rate_hz: float) -> None:
        """Open it, and ask it for the rate.

        :raises AssetError: when it cannot be opened.
        """
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise AssetError(f'webcam {number} cannot be opened')
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old picture is worth nothing
        if rate_hz:
            self._capture.set(cv2.CAP_PROP_FPS, rate_hz)
        own_rate_hz = self._capture.get(cv2.CAP_PROP_FPS)
        super().__init__(f'webcam {number}', rate_hz or own_rate_hz or USUAL_RATE_HZ)

    def pictures(self) -> Iterator[Picture]:
        """Yield pictures as they are taken, until the webcam fails.

        :raises AssetError: when it gives no more.
        """
        began_ns = time.monotonic_ns()
        while self._capture.grab():
            grabbed_ns = time.monotonic_ns()
            yield _from_capture(self._capture, self.name, grabbed_ns - began_ns, grabbed_ns)
        raise AssetError(f'{self.name} gives no more pictures')


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sorting key by which numbers in names count as numbers."""
    parts = re.findall(r'\d+|\D+', name.lower())
    return [(0, int(part), '') if part.isdecimal() else (1, 0, part) for part in parts]


def _pictures_in(folder: Path) -> list[Path]:
    files = (file for file in folder.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES)
    visible = (file for file in files if file.is_file() and not file.name.startswith('.'))
    return sorted(visible, key=lambda file: natural_key(file.name))


def _read_picture(file: Path, time_ns: int) -> Picture:
    """Read a file; a JPEG stays as it is, unless its EXIF data may say that it is turned."""
    try:
        content = file.read_bytes()
        if content.startswith(JPEG_MAGIC):
            width, height = check_jpeg(content)
            if _EXIF not in content:
                return Picture(width, height, time_ns, jpeg=content)
    except (OSError, InputError) as error:
        raise AssetError(f'{file} is no picture that can be read: {error}') from error
    return _from_bgr(_decode_upright(file, content), time_ns)


def _decode_upright(file: Path, content: bytes) -> Image:
    """Return BGR, turned as EXIF says: people hold phones as they like."""
    try:
        bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        bgr = None
    if bgr is None:
        raise AssetError(f'{file} is no picture that OpenCV can read')
    return np.asarray(bgr, dtype=np.uint8)


def _from_capture(
    capture: cv2.VideoCapture, name: str, time_ns: int, grabbed_ns: int | None = None
) -> Picture:
    is_good, bgr = capture.retrieve()
    if not is_good:
        raise AssetError(f'{name}: a picture at {time_ns / NS_PER_SEC:.3f} s cannot be decoded')
    return _from_bgr(np.asarray(bgr, dtype=np.uint8), time_ns, grabbed_ns)


def _from_bgr(bgr: Image, time_ns: int, grabbed_ns: int | None = None) -> Picture:
    rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    height, width = rgb.shape[:2]
    return Picture(width, height, time_ns, pixels=rgb, grabbed_ns=grabbed_ns)


def _time_ns(time_sec: float) -> int:
    return round(time_sec * NS_PER_SEC)
