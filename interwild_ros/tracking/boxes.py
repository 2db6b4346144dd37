"""Box arithmetic for following hands: boxes are (x1, y1, x2, y2) in image px.

An image's own box goes from the centre of its first pixel to that of its last.
"""

from __future__ import annotations

from collections.abc import Iterable
import math

from interwild_ros.records import Array, Box
import numpy as np

FARTHEST_PX = 1e6  # what is farther from the image's corner is no place in it


def hull(boxes: Iterable[Box]) -> Box:
    """Return the smallest box around one box or more."""
    x1, y1, x2, y2 = zip(*boxes, strict=True)
    return min(x1), min(y1), max(x2), max(y2)


def centre(box: Box) -> Array:
    """Return the middle (2,) of a box."""
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])


def distance(one: Box, other: Box) -> float:
    """Return how far the middles of two boxes are from each other."""
    return math.dist(centre(one), centre(other))


def longer_side(box: Box) -> float:
    """Return the longer side of a box."""
    return max(box[2] - box[0], box[3] - box[1])


def shifted(box: Box, shift_px: Array) -> Box:
    """Move a box by (2,)."""
    x, y = float(shift_px[0]), float(shift_px[1])
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def on_pixels(box: Box) -> Box:
    """Return a box with its edges on the nearest whole pixels."""
    x1, y1, x2, y2 = box
    return float(round(x1)), float(round(y1)), float(round(x2)), float(round(y2))


def enlarged(box: Box, scale: float, *, least_side: float = 0.0) -> Box:
    """Multiply both sides of a box about its middle, and make each at least so long."""
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    half_width = max(scale * (box[2] - box[0]), least_side) / 2
    half_height = max(scale * (box[3] - box[1]), least_side) / 2
    return x - half_width, y - half_height, x + half_width, y + half_height


def image_box(image_size: tuple[int, int]) -> Box:
    """Return the box of an image of a size (width, height)."""
    return 0.0, 0.0, float(image_size[0] - 1), float(image_size[1] - 1)


def cut(box: Box, around: Box) -> Box | None:
    """Return the part of a box that lies in another one; None when it has no area."""
    x1, y1 = max(box[0], around[0]), max(box[1], around[1])
    x2, y2 = min(box[2], around[2]), min(box[3], around[3])
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def is_a_place(box: Box) -> bool:
    """Return whether a box has an area, and no edge is NaN, infinite or absurdly far away."""
    near = all(math.isfinite(v) and abs(v) <= FARTHEST_PX for v in box)
    return near and box[0] < box[2] and box[1] < box[3]
