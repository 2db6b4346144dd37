"""Surfaces to paint on and over: slow changes of colour, noise, boards, uneven light."""

from __future__ import annotations

import cv2
from interwild_ros.records import Array
import numpy as np

Rng = np.random.Generator
Size = tuple[int, int]  # width and height, px


def plane(size: Size, colour: Array, rng: Rng, *, slope: float) -> Array:
    """Return a colour that changes slowly across the picture."""
    width, height = size
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, height, dtype=np.float32) * np.float32(np.sin(angle))
    change = (slope * rng.uniform(0.3, 1.0) * rng.uniform(0.7, 1.3, 3)).astype(np.float32)
    ramp = cv2.merge([x[None] + y[:, None]] * 3)
    # OpenCV is several times as fast as NumPy with three channels
    offset = np.concatenate([np.diag(change), colour[:, None]], 1)
    return np.asarray(cv2.transform(ramp, offset.astype(np.float32)))


def octaves(size: Size, rng: Rng, start: int, fading: float) -> Array:
    """Return noise (height, width, 3) around zero with detail of all sizes."""
    width, height = size
    channels = 1 if rng.random() < 0.5 else 3
    noise, strength, cells = np.zeros((height, width, 3), np.float32), 1.0, start
    while cells < max(width, height) / 1.5:
        grid = rng.random((cells, cells, channels), dtype=np.float32) - np.float32(0.5)
        layer = cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
        noise += np.float32(strength) * layer.reshape(height, width, channels)
        strength, cells = strength * fading, cells * 2
    return noise


def boards(size: Size, rng: Rng) -> Array:
    """Return the factors (height, width, 1) of boards, tiles or stripes of cloth."""
    width, height = size
    period = rng.uniform(0.03, 0.3) * max(width, height)
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
    x, y = np.arange(width) * np.cos(angle), np.arange(height) * np.sin(angle)
    place = ((x[None] + y[:, None]) / period).astype(np.float32)
    shades = rng.uniform(0.75, 1.1, 512).astype(np.float32)
    boards = shades[np.floor(place).astype(int) % 512]
    return np.asarray(boards - np.float32(0.25) * ((place % 1) < 0.06))[..., None]


def unevenly_lit(picture: Array, rng: Rng) -> Array:
    """Return the picture brighter here than there, more often than not."""
    if rng.random() < 0.4:
        return picture
    light = rng.uniform(0.55, 1.2, (3, 3)).astype(np.float32)
    shape = (picture.shape[1], picture.shape[0])
    return np.asarray(picture * cv2.resize(light, shape, interpolation=cv2.INTER_CUBIC)[..., None])
