"""What is behind the hands of the demo clip, out of focus, and the grain of its camera."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
from interwild_ros.records import Array, Image
import numpy as np

_GRAIN_LEVELS = 2.2  # standard deviation, of 255
_GRAIN_PATTERNS = 4
# Outlines of somebody's right half, from the middle and from the top, in hundredths of the height.
_SHOULDER = ((0, 31), (7, 26), (10, 20), (18, 26), (30, 31), (37, 38), (42, 55), (46, 120))
_ARM = ((37, 40), (42, 55), (47, 120), (32, 120), (33, 70))


def demo_room(
    width: int,
    height: int,
    skin: tuple[float, float, float],
    cloth: tuple[float, float, float],
    rng: np.random.Generator,
) -> Array:
    """Return a picture (height, width, 3), 0 to 1, of a blurred room with a person in it."""
    room = _wall(width, height)
    _draw_shelf(room, rng)
    room = _blurred(room, 0.010)
    _draw_person(room, skin, cloth)
    room = _blurred(room, 0.013)
    return np.asarray(room * _vignette(width, height), np.float32)


class Grain:
    """The noise of a sensor: a few patterns, another shift for every frame."""

    def __init__(self, shape: tuple[int, ...], rng: np.random.Generator) -> None:
        patterns = rng.standard_normal((_GRAIN_PATTERNS, *shape), dtype=np.float32)
        self._patterns = patterns * _GRAIN_LEVELS
        self._shifts = rng.integers(0, min(shape[:2]), (256, 2))

    def developed(self, picture: Array, number: int) -> Image:
        """Return a picture of 0 to 1 as 8 bits, with grain."""
        pattern = self._patterns[number % len(self._patterns)]
        shift = self._shifts[number % len(self._shifts)]
        grain = np.roll(pattern, tuple(shift), (0, 1))
        developed: Image = np.clip(picture * 255 + grain + 0.5, 0, 255).astype(np.uint8)
        return developed


def _wall(width: int, height: int) -> Array:
    """Return a wall with daylight from the upper left."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x[..., None] / width, y[..., None] / height
    daylight = np.exp(-(((x - 0.05) / 0.42) ** 2 + ((y - 0.20) / 0.60) ** 2))
    wall = np.array([0.56, 0.54, 0.50]) * (1.05 - 0.30 * x - 0.12 * y)
    return np.asarray(wall + daylight * np.array([0.30, 0.31, 0.30]), np.float32)


def _draw_shelf(room: Array, rng: np.random.Generator) -> None:
    """Draw boards with books, right of the middle."""
    for board in (0.22, 0.50, 0.78):
        _rectangle(room, (0.66, board), (1.0, board + 0.025), (0.42, 0.33, 0.25))
        x = 0.675
        while x < 0.97:
            thickness, tallness = rng.uniform(0.012, 0.032), rng.uniform(0.12, 0.20)
            colour = np.array([0.48, 0.40, 0.33]) * rng.uniform(0.45, 1.5)
            colour += rng.uniform(-0.10, 0.10, 3)
            _rectangle(room, (x, board - tallness), (x + 0.85 * thickness, board), tuple(colour))
            x += thickness


def _draw_person(
    room: Array, skin: tuple[float, float, float], cloth: tuple[float, float, float]
) -> None:
    """Draw the chest and the neck of somebody whose head is above the picture."""
    shirt, neck = 0.80 * np.array(cloth), 0.80 * np.array(skin)
    _polygon(room, [(-8, -5), (8, -5), (9, 24), (0, 30), (-9, 24)], neck)
    _polygon(room, [(-8, -5), (8, -5), (6, 9), (0, 12), (-6, 9)], 0.82 * neck)  # below the chin
    _polygon(room, [*_SHOULDER, *((-x, y) for x, y in reversed(_SHOULDER))], shirt)
    for side in (-1, 1):
        _polygon(room, [(side * x, y) for x, y in _ARM], 0.86 * shirt)


def _rectangle(
    room: Array, start: tuple[float, float], end: tuple[float, float], colour: tuple[float, ...]
) -> None:
    """Fill a rectangle whose corners are shares of the width and height."""
    size = (room.shape[1], room.shape[0])
    low, high = (np.multiply(corner, size).astype(int).tolist() for corner in (start, end))
    cv2.rectangle(room, low, high, tuple(map(float, colour)), -1)


def _polygon(room: Array, points: Sequence[tuple[float, float]], colour: Array) -> None:
    """Fill a polygon; x from the middle and y from the top, in hundredths of the height."""
    unit = 0.01 * room.shape[0]
    pixels = np.array(points) * unit + (room.shape[1] / 2, 0)
    cv2.fillPoly(room, [np.round(pixels).astype(np.int32)], colour.tolist(), cv2.LINE_AA)


def _blurred(room: Array, share: float) -> Array:
    sigma = share * room.shape[1]
    return np.asarray(cv2.GaussianBlur(room, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def _vignette(width: int, height: int) -> Array:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(1 - 0.12 * (x**2 + y**2))[..., None]
