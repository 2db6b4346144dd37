"""What is behind the hands: dark walls, gradients, noise, clutter, and calm rooms with people."""

from __future__ import annotations

from collections.abc import Callable

import cv2
from interwild_ros.records import Array
import numpy as np

BACKGROUNDS = ('dark', 'gradient', 'noise', 'clutter', 'room')
Rng = np.random.Generator


def draw_background(kind: int, width: int, height: int, skin: Array, rng: Rng) -> Array:
    """Return a picture (height, width, 3), float32, 0 to 1.

    :param kind: of BACKGROUNDS. :param skin: (3,) colour for things that look like hands.
    """
    drawn = _PAINTERS[kind](width, height, skin, rng)
    return np.clip(drawn, 0, 1, out=drawn)


def _dark(width: int, height: int, skin: Array, rng: Rng) -> Array:
    level = rng.uniform(0.0, 0.12)
    picture = _plane(width, height, np.full(3, level), rng, slope=0.05)
    return picture + np.float32(rng.uniform(0, 0.02)) * _octaves(width, height, rng, 3, 0.5)


def _gradient(width: int, height: int, skin: Array, rng: Rng) -> Array:
    return _plane(width, height, _colour(rng, skin), rng, slope=rng.uniform(0.02, 0.5))


def _noise(width: int, height: int, skin: Array, rng: Rng) -> Array:
    picture = _plane(width, height, _colour(rng, skin), rng, slope=0.3)
    grain = _octaves(width, height, rng, int(rng.integers(2, 6)), rng.uniform(0.4, 0.9))
    return picture + np.float32(rng.uniform(0.1, 0.7)) * grain


def _clutter(width: int, height: int, skin: Array, rng: Rng) -> Array:
    picture = (
        _noise(width, height, skin, rng)
        if rng.random() < 0.5
        else _gradient(width, height, skin, rng)
    )
    size = max(width, height)
    for _ in range(int(rng.integers(3, 16))):
        _draw_shape(picture, size, _colour(rng, skin), rng)
    return _lit_and_blurred(picture, size, rng)


def _room(width: int, height: int, skin: Array, rng: Rng) -> Array:
    """Return a wall with furniture and, often, somebody before it, seen from near or far."""
    zoom, size = rng.uniform(0.8, 2.2), max(width, height)
    picture = _plane(
        width, height, rng.uniform(0.25, 0.9) + rng.normal(0, 0.05, 3), rng, slope=0.25
    )
    for _ in range(int(rng.integers(0, 5))):
        _draw_furniture(picture, size * zoom, rng)
    picture = _blurred(picture, size * rng.uniform(0.001, 0.02))
    if rng.random() < 0.75:
        _draw_person(picture, size * zoom, _human(rng, skin), rng)
        picture = _blurred(picture, size * rng.uniform(0.0, 0.012))
    return picture


_PAINTERS: tuple[Callable[[int, int, Array, Rng], Array], ...] = (
    *(_dark, _gradient, _noise, _clutter, _room),
)


def _colour(rng: Rng, skin: Array) -> Array:
    """Return a colour: grey, muted, loud, or of skin."""
    kind = rng.random()
    if kind < 0.3:
        return np.full(3, rng.uniform(0.02, 0.95)) + rng.normal(0, 0.03, 3)
    if kind < 0.62:
        return rng.uniform(0.1, 0.8) + rng.normal(0, 0.1, 3)
    if kind < 0.8:
        return rng.random(3)
    return _human(rng, skin)


def _human(rng: Rng, skin: Array) -> Array:
    """Return the skin's colour in another light."""
    return np.asarray(skin * rng.uniform(0.45, 1.1) * rng.uniform(0.93, 1.07, 3))


def _plane(width: int, height: int, colour: Array, rng: Rng, *, slope: float) -> Array:
    """Return a colour that changes slowly across the picture."""
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, height, dtype=np.float32) * np.float32(np.sin(angle))
    change = (slope * rng.uniform(0.3, 1.0) * rng.uniform(0.7, 1.3, 3)).astype(np.float32)
    ramp = (x[None] + y[:, None])[..., None]
    return np.asarray(colour.astype(np.float32) + ramp * change)


def _octaves(width: int, height: int, rng: Rng, start: int, fading: float) -> Array:
    """Return noise (height, width, 3) around zero with detail of all sizes."""
    channels = 1 if rng.random() < 0.5 else 3
    noise, strength, cells = np.zeros((height, width, 3), np.float32), 1.0, start
    while cells < max(width, height) / 1.5:
        grid = rng.random((cells, cells, channels), dtype=np.float32) - 0.5
        layer = cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
        noise += np.float32(strength) * layer.reshape(height, width, channels)
        strength, cells = strength * fading, cells * 2
    return noise


def _draw_shape(picture: Array, size: float, colour: Array, rng: Rng) -> None:
    """Draw an ellipse, a polygon, a bar or a scribble."""
    shade = tuple(map(float, np.clip(colour, 0, 1)))
    at = rng.uniform(-0.15, 1.15, (6, 2)) * size
    points = at.astype(np.int32)
    kind = rng.random()
    if kind < 0.3:
        radii = (rng.uniform(0.02, 0.25, 2) * size).astype(int).tolist()
        cv2.ellipse(
            picture, points[0].tolist(), radii, rng.uniform(0, 180), 0, 360, shade, -1, cv2.LINE_AA
        )
    elif kind < 0.55:
        near = (at[0] + (at[: int(rng.integers(3, 6))] - at[0]) * rng.uniform(0.2, 0.7)).astype(
            np.int32
        )
        cv2.fillConvexPoly(picture, cv2.convexHull(near), shade, cv2.LINE_AA)
    elif kind < 0.85:
        cv2.line(
            picture,
            points[0].tolist(),
            points[1].tolist(),
            shade,
            max(1, int(rng.uniform(0.005, 0.12) * size)),
            cv2.LINE_AA,
        )
    else:
        cv2.polylines(picture, [points], False, shade, int(rng.integers(1, 4)), cv2.LINE_AA)


def _draw_furniture(picture: Array, size: float, rng: Rng) -> None:
    """Draw a window, a picture, a board with things on it, or a table's edge."""
    height, width = picture.shape[:2]
    x, y = rng.uniform(-0.2, 1.0) * width, rng.uniform(-0.2, 1.0) * height
    wide, tall = rng.uniform(0.1, 0.5, 2) * size
    colour = rng.uniform(0.1, 0.95) + rng.normal(0, 0.08, 3)
    _rectangle(picture, x, y, wide, tall, colour)
    kind = rng.random()
    if kind < 0.35:  # a frame around it
        _rectangle(
            picture,
            x + 0.06 * wide,
            y + 0.06 * wide,
            0.88 * wide,
            tall - 0.12 * wide,
            colour * rng.uniform(0.4, 1.4),
        )
    elif kind < 0.7:  # upright things beside each other
        at = x
        while at < x + wide:
            thick = rng.uniform(0.015, 0.06) * size
            shade = rng.uniform(0.1, 0.8) + rng.normal(0, 0.12, 3)
            _rectangle(picture, at, y + rng.uniform(0.0, 0.4) * tall, thick, tall, shade)
            at += thick * rng.uniform(1.0, 1.3)


def _draw_person(picture: Array, size: float, skin: Array, rng: Rng) -> None:
    """Draw somebody's shirt, neck, face, hair, and at times a bare arm."""
    height, width = picture.shape[:2]
    unit = 0.3 * size * rng.uniform(0.7, 1.4)  # the height of a head
    x, y = width * rng.uniform(0.1, 0.9), height * rng.uniform(-0.3, 0.6)
    shirt = rng.uniform(0.05, 0.9) + rng.normal(0, 0.12, 3)
    _ellipse(picture, (x, y + 1.75 * unit), (1.15 * unit, 1.0 * unit), shirt)
    _rectangle(picture, x - 1.15 * unit, y + 1.75 * unit, 2.3 * unit, 3 * unit, shirt)
    _rectangle(picture, x - 0.22 * unit, y + 0.2 * unit, 0.44 * unit, 0.75 * unit, 0.82 * skin)
    hair = rng.uniform(0.02, 0.45) * np.array([1.0, 0.8, 0.62])
    _ellipse(picture, (x, y - 0.12 * unit), (0.43 * unit, 0.5 * unit), hair)
    _ellipse(picture, (x, y), (0.36 * unit, 0.48 * unit), skin)
    for side in (-1, 1):
        _ellipse(picture, (x + side * 0.37 * unit, y), (0.05 * unit, 0.1 * unit), 0.9 * skin)
        _ellipse(
            picture,
            (x + side * 0.15 * unit, y - 0.05 * unit),
            (0.06 * unit, 0.03 * unit),
            0.25 * skin,
        )
        _ellipse(
            picture, (x + side * 0.15 * unit, y - 0.14 * unit), (0.08 * unit, 0.02 * unit), hair
        )
    _ellipse(picture, (x, y + 0.08 * unit), (0.05 * unit, 0.09 * unit), 0.88 * skin)
    _ellipse(
        picture,
        (x, y + 0.25 * unit),
        (0.12 * unit, 0.03 * unit),
        skin * np.array([0.85, 0.55, 0.55]),
    )
    if rng.random() < 0.5:
        start, end = (
            rng.uniform(-1.5, 1.5, 2) * unit + (x, y + 1.8 * unit),
            rng.uniform(-1.5, 1.5, 2) * unit + (x, y + 1.8 * unit),
        )
        bare = (
            np.clip(skin * rng.uniform(0.8, 1.05), 0, 1)
            if rng.random() < 0.6
            else np.clip(shirt * 0.9, 0, 1)
        )
        cv2.line(
            picture,
            start.astype(int).tolist(),
            end.astype(int).tolist(),
            bare.tolist(),
            max(2, int(0.25 * unit)),
            cv2.LINE_AA,
        )


def _rectangle(
    picture: Array, x: float, y: float, wide: float, tall: float, colour: Array
) -> None:
    cv2.rectangle(
        picture,
        (int(x), int(y)),
        (int(x + wide), int(y + tall)),
        np.clip(colour, 0, 1).tolist(),
        -1,
    )


def _ellipse(
    picture: Array, at: tuple[float, float], radii: tuple[float, float], colour: Array
) -> None:
    centre, axes = (tuple(int(v) for v in pair) for pair in (at, radii))
    cv2.ellipse(picture, centre, axes, 0, 0, 360, np.clip(colour, 0, 1).tolist(), -1, cv2.LINE_AA)


def _lit_and_blurred(picture: Array, size: float, rng: Rng) -> Array:
    if rng.random() < 0.5:
        light = rng.uniform(0.5, 1.25, (3, 3)).astype(np.float32)
        shape = (picture.shape[1], picture.shape[0])
        picture = picture * cv2.resize(light, shape, interpolation=cv2.INTER_CUBIC)[..., None]
    return _blurred(picture, size * max(0.0, rng.uniform(-0.01, 0.015)))


def _blurred(picture: Array, sigma: float) -> Array:
    if sigma < 0.3:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))
