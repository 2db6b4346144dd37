"""Calm rooms behind the hands, with somebody in them as often as not."""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.records import Array
from interwild_ros.train.synthetic.brushes import blurred, polygon, rectangle
from interwild_ros.train.synthetic.people import draw_person
from interwild_ros.train.synthetic.textures import boards, plane, unevenly_lit
import numpy as np

Rng = np.random.Generator


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


def draw_room(scenery: Scenery, rng: Rng) -> Array:
    """Return a wall with furniture and, often, somebody before it; out of focus or not."""
    size = max(scenery.size)
    wall = rng.uniform(0.25, 0.9) + rng.normal(0, 0.05, 3)
    picture = plane(scenery.size, wall, rng, slope=0.25)
    if rng.random() < 0.3:
        picture *= boards(scenery.size, rng)
    things = scenery.head_height_px * rng.uniform(1.5, 4)
    for _ in range(int(rng.integers(0, 6))):
        _draw_furniture(picture, min(things, 3.0 * size), rng)
    picture = blurred(picture, size * rng.uniform(-0.003, 0.012))
    if rng.random() < 0.7:
        skin = human(scenery, rng) if rng.random() < 0.4 else scenery.skin
        draw_person(picture, scenery.head_px, scenery.head_height_px, skin, rng)
        picture = blurred(picture, size * rng.uniform(-0.004, 0.01))
    return unevenly_lit(picture, rng)


def draw_interior(scenery: Scenery, rng: Rng) -> Array:
    """Return a room seen into a corner: two walls, a floor in perspective, daylight, somebody."""
    width, height = scenery.size
    wall = rng.uniform(0.45, 0.85) + rng.normal(0, 0.04, 3)
    picture = plane(scenery.size, wall, rng, slope=0.12)
    corner = np.array([rng.uniform(-0.1, 1.1) * width, rng.uniform(0.5, 0.95) * height])
    _draw_other_wall(picture, corner, wall * rng.uniform(0.75, 0.92), rng)
    _draw_floor(picture, corner, rng.uniform(0.15, 0.55) + rng.normal(0, 0.06, 3), rng)
    if rng.random() < 0.6:
        _draw_window(picture, rng)
    picture = blurred(picture, max(scenery.size) * rng.uniform(0.0, 0.009))
    if rng.random() < 0.65:
        draw_person(picture, scenery.head_px, scenery.head_height_px, scenery.skin, rng)
        picture = blurred(picture, max(scenery.size) * rng.uniform(-0.003, 0.006))
    return picture


def human(scenery: Scenery, rng: Rng) -> Array:
    """Return the skin's colour in another light."""
    return np.asarray(scenery.skin * rng.uniform(0.45, 1.1) * rng.uniform(0.93, 1.07, 3))


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


def _draw_other_wall(picture: Array, corner: Array, colour: Array, rng: Rng) -> None:
    height, width = picture.shape[:2]
    far = width * 1.0 if corner[0] < width / 2 else -1.0
    drop = rng.uniform(0.05, 0.35) * height
    rise = corner[1] + drop
    polygon(picture, np.array([(corner[0], -1), corner, (far, rise), (far, -1)]), colour)


def _draw_floor(picture: Array, corner: Array, colour: Array, rng: Rng) -> None:
    """Draw a floor below a corner, and the joints of its tiles or boards, which meet far away."""
    height, width = picture.shape[:2]
    left, right = corner[1] + rng.uniform(0.05, 0.35, 2) * height
    below = 2.0 * height
    polygon(picture, np.array([(-1, left), corner, (-1, below)]), colour)
    polygon(picture, np.array([corner, (width, right), (width, below), (-1, below)]), colour)
    polygon(picture, np.array([(-1, left), corner, (width, right), (-1, below)]), colour)
    vanishing = corner - (0, 0.15 * height)
    for x in np.arange(-3, 4, rng.uniform(0.2, 0.7)) * width:
        start = vanishing + (np.array([x, below]) - vanishing) * 0.3
        ends = np.array([start, (x, below), (x + 2, below)])
        polygon(picture, ends, 0.8 * colour)


def _draw_window(picture: Array, rng: Rng) -> None:
    """Draw a bright window with bars and a curtain."""
    height, width = picture.shape[:2]
    corner = rng.uniform(-0.1, 0.7, 2) * (width, 0.6 * height)
    extent = rng.uniform(0.15, 0.4, 2) * max(width, height)
    rectangle(picture, corner - 0.04 * extent, 1.08 * extent, np.full(3, rng.uniform(0.5, 0.95)))
    rectangle(picture, corner, extent, rng.uniform(0.75, 1.0) + np.array([-0.06, 0.0, 0.05]))
    for share in (0.0, 0.5):
        bar_at = corner + extent * (share, 0)
        rectangle(picture, bar_at, extent * (0.03, 1), np.full(3, 0.7))
    rectangle(picture, corner, extent * (rng.uniform(0.0, 0.3), 1), rng.uniform(0.2, 0.8, 3))
