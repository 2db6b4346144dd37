"""Somebody behind the hands: shirt, neck, face, hair and a bare arm, as flat shapes.

To a network that looks for hands a face is what looks most like one.
"""

from __future__ import annotations

from interwild_ros.records import Array
from interwild_ros.train.synthetic.brushes import bar, ellipse, Point, rectangle
import numpy as np

Rng = np.random.Generator


def draw_person(picture: Array, head: Point, height_px: float, skin: Array, rng: Rng) -> None:
    """Draw a person whose head is at a place and so high; lengths are in heads."""
    shirt = rng.uniform(0.05, 0.9) + rng.normal(0, 0.12, 3)
    hair = rng.uniform(0.02, 0.45) * np.array([1.0, 0.8, 0.62])
    light = rng.uniform(0.75, 1.0)
    at = _Places(picture, head, height_px)
    at.ellipse((0, 1.75), (0.95, 0.85), shirt)
    at.rectangle((-0.95, 1.75), (1.9, 3.0), shirt)
    at.rectangle((-0.24, 0.2), (0.48, 0.75), 0.82 * light * skin)
    at.ellipse((0, 0.93), (0.3, 0.16), 0.9 * light * skin)
    _draw_head(at, light * skin, hair, long_hair=rng.random() < 0.4)
    if rng.random() < 0.5:
        _draw_arm(at, light * skin if rng.random() < 0.6 else 0.9 * shirt, rng)


class _Places:
    """Draws relative to the middle of a head, in heads."""

    def __init__(self, picture: Array, head: Point, height_px: float) -> None:
        self._picture = picture
        self._head = np.array(head)
        self._unit = height_px

    def ellipse(self, centre: Point, radii: Point, colour: Array) -> None:
        ellipse(self._picture, self._place(centre), np.multiply(radii, self._unit), colour)

    def rectangle(self, corner: Point, size: Point, colour: Array) -> None:
        rectangle(self._picture, self._place(corner), np.multiply(size, self._unit), colour)

    def bar(self, start: Point, end: Point, width: float, colour: Array) -> None:
        thick = width * self._unit
        bar(self._picture, self._place(start), self._place(end), thick, colour)

    def _place(self, point: Point) -> Array:
        return np.asarray(self._head + np.multiply(point, self._unit))


def _draw_head(at: _Places, skin: Array, hair: Array, *, long_hair: bool) -> None:
    at.ellipse((0, -0.1), (0.42, 0.5), hair)
    if long_hair:
        at.rectangle((-0.42, -0.1), (0.84, 0.75), hair)
        at.rectangle((-0.2, 0.3), (0.4, 0.5), 0.85 * skin)
    at.ellipse((0, 0), (0.35, 0.47), skin)
    at.ellipse((0.14, 0.1), (0.16, 0.3), 0.95 * skin)
    for side in (-1, 1):
        at.ellipse((side * 0.36, 0.0), (0.05, 0.1), 0.9 * skin)
        at.ellipse((side * 0.15, -0.05), (0.065, 0.03), 0.5 + 0.4 * skin)
        at.ellipse((side * 0.15, -0.05), (0.028, 0.028), 0.2 * skin)
        at.ellipse((side * 0.15, -0.13), (0.085, 0.018), hair)
    at.ellipse((0, 0.1), (0.05, 0.08), 0.87 * skin)
    at.ellipse((0, 0.26), (0.12, 0.028), skin * np.array([0.85, 0.55, 0.55]))


def _draw_arm(at: _Places, colour: Array, rng: Rng) -> None:
    side = rng.choice([-1.0, 1.0])
    shoulder = np.array([side * 0.85, 1.3])
    elbow = shoulder + rng.normal(0, 0.3, 2) + (0.2 * side, 1.1)
    at.bar(shoulder, elbow, 0.36, colour)
    at.bar(elbow, elbow + rng.normal(0, 0.8, 2), 0.28, colour)
