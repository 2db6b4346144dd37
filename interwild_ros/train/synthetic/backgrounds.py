"""What is behind the hands: dark walls, gradients, noise, clutter, and calm rooms with people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
import math

import cv2
from interwild_ros.records import Array
from interwild_ros.train.synthetic.brushes import (
    bar,
    blurred,
    ellipse,
    polygon,
    rectangle,
    scribble,
)
from interwild_ros.train.synthetic.people import draw_person
import numpy as np

BACKGROUNDS = ('dark', 'gradient', 'noise', 'clutter', 'room')
Rng = np.random.Generator
_LARGEST_PX = 320  # larger ones are drawn at a whole fraction of their size, and enlarged


@dataclass(frozen=True, eq=False)
class Scenery:
    """What a background goes with.

    `size`: width and height px; `skin` (3,): the colour of hands, and so of what looks like them;
    `head_px`: where the person's head may be, and `head_height_px`: how high it is.
    """

    size: tuple[int, int]
    skin: Array
    head_px: tuple[float, float]
    head_height_px: float


def draw_background(kind: str, scenery: Scenery, rng: Rng) -> Array:
    """Return a picture (height, width, 3), float32, 0 to 1, of a kind of BACKGROUNDS."""
    parts = math.ceil(max(scenery.size) / _LARGEST_PX)
    drawn = _PAINTERS[kind](_smaller(scenery, parts), rng)
    drawn = np.clip(drawn, 0, 1, out=drawn)
    if parts == 1:
        return drawn
    return np.asarray(cv2.resize(drawn, scenery.size, interpolation=cv2.INTER_LINEAR))


def _smaller(scenery: Scenery, parts: int) -> Scenery:
    width, height = scenery.size
    x, y = scenery.head_px
    return replace(
        scenery,
        size=(math.ceil(width / parts), math.ceil(height / parts)),
        head_px=(x / parts, y / parts),
        head_height_px=scenery.head_height_px / parts,
    )


def _dark(scenery: Scenery, rng: Rng) -> Array:
    level = np.full(3, rng.uniform(0.0, 0.12))
    picture = _plane(scenery, level, rng, slope=0.05)
    return picture + np.float32(rng.uniform(0, 0.02)) * _octaves(scenery, rng, 3, 0.5)


def _gradient(scenery: Scenery, rng: Rng) -> Array:
    return _plane(scenery, _colour(scenery, rng), rng, slope=rng.uniform(0.02, 0.5))


def _noise(scenery: Scenery, rng: Rng) -> Array:
    picture = _plane(scenery, _colour(scenery, rng), rng, slope=0.3)
    grain = _octaves(scenery, rng, int(rng.integers(2, 6)), rng.uniform(0.4, 0.9))
    return picture + np.float32(rng.uniform(0.1, 0.7)) * grain


def _clutter(scenery: Scenery, rng: Rng) -> Array:
    picture = _noise(scenery, rng) if rng.random() < 0.5 else _gradient(scenery, rng)
    for _ in range(int(rng.integers(3, 16))):
        _draw_shape(picture, _colour(scenery, rng), rng)
    return blurred(_unevenly_lit(picture, rng), max(picture.shape) * rng.uniform(-0.01, 0.012))


def _room(scenery: Scenery, rng: Rng) -> Array:
    """Return a wall with furniture and, often, somebody before it; out of focus or not."""
    size = max(scenery.size)
    wall = rng.uniform(0.25, 0.9) + rng.normal(0, 0.05, 3)
    picture = _plane(scenery, wall, rng, slope=0.25)
    if rng.random() < 0.3:
        picture *= _boards(scenery, rng)
    things = scenery.head_height_px * rng.uniform(1.5, 4)
    for _ in range(int(rng.integers(0, 6))):
        _draw_furniture(picture, min(things, 3.0 * size), rng)
    picture = blurred(picture, size * rng.uniform(-0.003, 0.012))
    if rng.random() < 0.7:
        skin = _human(scenery, rng) if rng.random() < 0.4 else scenery.skin
        draw_person(picture, scenery.head_px, scenery.head_height_px, skin, rng)
        picture = blurred(picture, size * rng.uniform(-0.004, 0.01))
    return _unevenly_lit(picture, rng)


_PAINTERS: dict[str, Callable[[Scenery, Rng], Array]] = dict(
    zip(BACKGROUNDS, (_dark, _gradient, _noise, _clutter, _room), strict=True)
)


def _colour(scenery: Scenery, rng: Rng) -> Array:
    """Return a colour: grey, muted, loud, or of skin."""
    kind = rng.random()
    if kind < 0.3:
        return np.full(3, rng.uniform(0.02, 0.95)) + rng.normal(0, 0.03, 3)
    if kind < 0.62:
        return np.asarray(rng.uniform(0.1, 0.8) + rng.normal(0, 0.1, 3))
    if kind < 0.8:
        return rng.random(3)
    return _human(scenery, rng)


def _human(scenery: Scenery, rng: Rng) -> Array:
    """Return the skin's colour in another light."""
    return np.asarray(scenery.skin * rng.uniform(0.45, 1.1) * rng.uniform(0.93, 1.07, 3))


def _plane(scenery: Scenery, colour: Array, rng: Rng, *, slope: float) -> Array:
    """Return a colour that changes slowly across the picture."""
    width, height = scenery.size
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, height, dtype=np.float32) * np.float32(np.sin(angle))
    change = (slope * rng.uniform(0.3, 1.0) * rng.uniform(0.7, 1.3, 3)).astype(np.float32)
    ramp = cv2.merge([x[None] + y[:, None]] * 3)
    # OpenCV is several times as fast as NumPy with three channels
    offset = np.concatenate([np.diag(change), colour[:, None]], 1)
    return np.asarray(cv2.transform(ramp, offset.astype(np.float32)))


def _octaves(scenery: Scenery, rng: Rng, start: int, fading: float) -> Array:
    """Return noise (height, width, 3) around zero with detail of all sizes."""
    width, height = scenery.size
    channels = 1 if rng.random() < 0.5 else 3
    noise, strength, cells = np.zeros((height, width, 3), np.float32), 1.0, start
    while cells < max(width, height) / 1.5:
        grid = rng.random((cells, cells, channels), dtype=np.float32) - np.float32(0.5)
        layer = cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
        noise += np.float32(strength) * layer.reshape(height, width, channels)
        strength, cells = strength * fading, cells * 2
    return noise


def _boards(scenery: Scenery, rng: Rng) -> Array:
    """Return the factors (height, width, 1) of boards, tiles or stripes of cloth."""
    width, height = scenery.size
    period = rng.uniform(0.03, 0.3) * max(width, height)
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
    x, y = np.arange(width) * np.cos(angle), np.arange(height) * np.sin(angle)
    place = ((x[None] + y[:, None]) / period).astype(np.float32)
    shades = rng.uniform(0.75, 1.1, 512).astype(np.float32)
    boards = shades[np.floor(place).astype(int) % 512]
    return np.asarray(boards - np.float32(0.25) * ((place % 1) < 0.06))[..., None]


def _draw_shape(picture: Array, colour: Array, rng: Rng) -> None:
    """Draw an ellipse, a polygon, a bar or a scribble."""
    size = max(picture.shape)
    places = rng.uniform(-0.15, 1.15, (6, 2)) * size
    kind = rng.random()
    if kind < 0.3:
        radii = rng.uniform(0.02, 0.25, 2) * size
        ellipse(picture, places[0], radii, colour, angle_deg=rng.uniform(0, 180))
    elif kind < 0.55:
        corners = places[: int(rng.integers(3, 6))]
        polygon(picture, places[0] + (corners - places[0]) * rng.uniform(0.2, 0.7), colour)
    elif kind < 0.85:
        bar(picture, places[0], places[1], rng.uniform(0.005, 0.12) * size, colour)
    else:
        scribble(picture, places, int(rng.integers(1, 4)), colour)


def _draw_furniture(picture: Array, size: float, rng: Rng) -> None:
    """Draw a window, a frame, a board with things on it, or a table's edge."""
    height, width = picture.shape[:2]
    corner = rng.uniform(-0.3, 0.95, 2) * (width, height)
    extent = rng.uniform(0.08, 0.5, 2) * size
    colour = rng.uniform(0.1, 0.95) + rng.normal(0, 0.08, 3)
    kind = rng.random()
    if kind < 0.2:  # a table, or the lower part of the wall
        corner, extent = np.array([-1.0, corner[1]]), np.array([width + 2.0, 2.0 * height])
    rectangle(picture, corner, extent, colour)
    if 0.2 < kind < 0.5:
        inset = 0.06 * extent.min()
        rectangle(picture, corner + inset, extent - 2 * inset, colour * rng.uniform(0.4, 1.4))
    elif kind > 0.7:
        _draw_row(picture, corner, extent, rng)


def _draw_row(picture: Array, corner: Array, extent: Array, rng: Rng) -> None:
    """Draw upright things beside each other."""
    x = corner[0]
    for _ in range(int(rng.integers(3, 14))):
        thick = rng.uniform(0.05, 0.2) * extent[0]
        colour = rng.uniform(0.1, 0.8) + rng.normal(0, 0.12, 3)
        top = corner[1] + rng.uniform(0.0, 0.4) * extent[1]
        rectangle(picture, (x, top), (thick, corner[1] + extent[1] - top), colour)
        x += thick * rng.uniform(1.0, 1.25)


def _unevenly_lit(picture: Array, rng: Rng) -> Array:
    if rng.random() < 0.4:
        return picture
    light = rng.uniform(0.55, 1.2, (3, 3)).astype(np.float32)
    shape = (picture.shape[1], picture.shape[0])
    return np.asarray(picture * cv2.resize(light, shape, interpolation=cv2.INTER_CUBIC)[..., None])
