"""Draw what a bag says over its own pictures: a film, and one frame of it as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
from interwild_ros.bag.read import Bag
from interwild_ros.errors import AssetError
from interwild_ros.imaging.overlay import draw_overlay
from interwild_ros.records import Image
from interwild_ros.whole import whole_file

# MPEG-4 Part 2 is what OpenCV from PyPI can always encode: it brings no H.264 encoder.
_CODEC = 'mp4v'


@dataclass(frozen=True, eq=False)
class DrawnFrame:
    """A picture with hands drawn over it, how many there are, and how well they fit it.

    `error_px` is the largest reprojection error of its hands, 0 without any.
    """

    image: Image
    hand_count: int
    error_px: float


def draw_film(
    bag: Bag,
    folder: Path,
    *,
    rate_hz: float,
    notes: Sequence[str] = (),
    say: Callable[[int], None] = lambda count: None,
) -> int:
    """Write overlay.mp4 and overlay.png, and return how many frames the film has.

    Every picture that was worked on is shown, with the hands that bear its stamp: so the film
    proves what was published. The picture is the one with the most hands that fit it best.

    :param notes: lines written on every frame.
    :param say: called with the number of frames so far.
    :raises AssetError: when no picture was worked on, or the files cannot be written.
    """
    with _film_file(folder / 'overlay.mp4', rate_hz=rate_hz) as film:
        best = _write_frames(bag, film, notes, say)
    _write_picture(folder / 'overlay.png', best)
    return film.count


def draw_frames(bag: Bag, *, notes: Sequence[str] = ()) -> Iterator[DrawnFrame]:
    """Draw every picture that was worked on, in order."""
    topology = bag.topology()
    camera = None
    for picture, hands in bag.answered():
        if camera is None:
            height, width = picture.value.shape[:2]
            camera = bag.camera(image_size=(width, height))
        image = draw_overlay(picture.value, hands.value, topology, camera, notes)
        errors = [hand.reprojection_error_px for hand in hands.value.hands]
        yield DrawnFrame(image, len(errors), max(errors, default=0.0))


class _Film:
    """A video file that takes RGB frames of one size."""

    def __init__(self, path: Path, rate_hz: float) -> None:
        self.count = 0
        self._path = path
        self._rate_hz = rate_hz
        self._writer: cv2.VideoWriter | None = None

    def write(self, image: Image) -> None:
        """Add a frame; the last row or column of an odd size is lost to the encoder."""
        if self._writer is None:
            height, width = image.shape[:2]
            code = cv2.VideoWriter.fourcc(*_CODEC)
            self._writer = cv2.VideoWriter(str(self._path), code, self._rate_hz, (width, height))
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        self.count += 1

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()

    def check(self) -> None:
        """Read back how many frames there are: OpenCV is silent when it could not write."""
        reader = cv2.VideoCapture(str(self._path))
        found = max(0, int(reader.get(cv2.CAP_PROP_FRAME_COUNT)))
        reader.release()
        if found != self.count:
            raise AssetError(
                f'{self._path.name} has {found} frames, wanted {self.count}: '
                f'OpenCV could not encode {_CODEC}, or the disk is full'
            )


@contextmanager
def _film_file(path: Path, *, rate_hz: float) -> Iterator[_Film]:
    with whole_file(path) as new:
        film = _Film(new, rate_hz)
        try:
            yield film
        finally:
            film.close()
        film.check()


def _write_frames(
    bag: Bag, film: _Film, notes: Sequence[str], say: Callable[[int], None]
) -> Image:
    """Write every frame, and return the one with the most hands that fit it best."""
    best: DrawnFrame | None = None
    for frame in draw_frames(bag, notes=notes):
        film.write(frame.image)
        if best is None or _rank(frame) > _rank(best):
            best = frame
        say(film.count)
    if best is None:
        raise AssetError('no picture of the bag was worked on: there is nothing to draw')
    return best.image


def _rank(frame: DrawnFrame) -> tuple[int, float]:
    return frame.hand_count, -frame.error_px


def _write_picture(path: Path, image: Image) -> None:
    ok, data = cv2.imencode('.png', cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not ok:
        raise AssetError(f'OpenCV could not encode {path.name}')
    with whole_file(path) as new:
        new.write_bytes(data.tobytes())
