"""Boxes around joints, and boxes as arrays: a row of NaN is no box.

Source: NETWORKS.md section 16.
"""

from __future__ import annotations

from collections.abc import Sequence

from interwild_ros.errors import InputError
from interwild_ros.geometry.regions import cut_to_image, HAND_BOX_SCALE, Region
from interwild_ros.records import Array
from interwild_ros.train.annotations import Box
import numpy as np


def around_joints(joints_px: Array, counts: Array, *, scale: float = HAND_BOX_SCALE) -> Array:
    """Return x, y, width, height (..., 4) px around those joints that count, widened.

    :param joints_px: (..., N, 2).
    :param counts: (..., N) booleans; a hand without any gets NaN.
    """
    shown = counts[..., None]
    low = np.where(shown, joints_px, np.inf).min(axis=-2)
    high = np.where(shown, joints_px, -np.inf).max(axis=-2)
    is_there = np.any(counts, axis=-1, keepdims=True)
    low, high = np.where(is_there, low, np.nan), np.where(is_there, high, np.nan)
    size = (high - low) * scale
    return np.concatenate([(low + high - size) / 2, size], axis=-1)


def cut_region(region: Sequence[float], image_size: tuple[int, int]) -> Region | None:
    """Return x, y, width, height cut to the image, or None when nothing is left of it."""
    try:
        return cut_to_image(region, image_size)
    except InputError:
        return None


def cut_boxes(boxes: Array, image_sizes: Array) -> Array:
    """Cut boxes (N, 4) to their images (N, 2 px): NaN where there was none or nothing is left."""
    found = np.full(boxes.shape, np.nan)
    for row in np.flatnonzero(np.isfinite(boxes).all(axis=1)):
        width, height = image_sizes[row].tolist()
        cut = cut_region(boxes[row].tolist(), (width, height))
        if cut is not None:
            found[row] = cut
    return found


def with_corners(boxes: Array) -> Array:
    """Return x1, y1, x2, y2 (..., 4) of boxes x, y, width, height."""
    return np.concatenate([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], axis=-1)


def box_or_none(corners: Array) -> Box | None:
    """Return a row of numbers as a box, or None for a row of NaN."""
    if not np.isfinite(corners).all():
        return None
    x1, y1, x2, y2 = (float(value) for value in corners)
    return x1, y1, x2, y2


def both_boxes(corners: Array) -> tuple[Box | None, Box | None]:
    """Return two rows, right and left, as boxes."""
    return box_or_none(corners[0]), box_or_none(corners[1])
