"""What is behind the hands: dark walls, gradients, noise, clutter, and rooms with people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import math

import cv2
from interwild_ros.records import Array
from interwild_ros.train.synthetic.brushes import bar, blurred, ellipse, polygon, scribble
from interwild_ros.train.synthetic.rooms import draw_interior, draw_room, human, Scenery
from interwild_ros.train.synthetic.textures import octaves, plane, unevenly_lit
import numpy as np

BACKGROUNDS = ('dark', 'gradient', 'noise', 'clutter', 'room', 'interior')
Rng = np.random.Generator
_LARGEST_PX = 320  # larger ones are drawn at a whole fraction of their size, and enlarged


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
    picture = plane(scenery.size, level, rng, slope=0.05)
    return picture + np.float32(rng.uniform(0, 0.02)) * octaves(scenery.size, rng, 3, 0.5)


def _gradient(scenery: Scenery, rng: Rng) -> Array:
    return plane(scenery.size, _colour(scenery, rng), rng, slope=rng.uniform(0.02, 0.5))


def _noise(scenery: Scenery, rng: Rng) -> Array:
    picture = plane(scenery.size, _colour(scenery, rng), rng, slope=0.3)
    grain = octaves(scenery.size, rng, int(rng.integers(2, 6)), rng.uniform(0.4, 0.9))
    return picture + np.float32(rng.uniform(0.1, 0.7)) * grain


def _clutter(scenery: Scenery, rng: Rng) -> Array:
    picture = _noise(scenery, rng) if rng.random() < 0.5 else _gradient(scenery, rng)
    for _ in range(int(rng.integers(3, 16))):
        _draw_shape(picture, _colour(scenery, rng), rng)
    return blurred(unevenly_lit(picture, rng), max(picture.shape) * rng.uniform(-0.01, 0.012))


_PAINTERS: dict[str, Callable[[Scenery, Rng], Array]] = dict(
    zip(
        BACKGROUNDS,
        (_dark, _gradient, _noise, _clutter, draw_room, draw_interior),
        strict=True,
    )
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
    return human(scenery, rng)


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
