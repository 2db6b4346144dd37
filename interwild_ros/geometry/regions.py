"""From a region of the picture to the networks' input, and the overlap of boxes.

Source: NETWORKS.md section 13 (process_bbox, the patch, IoU), Q1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interwild_ros.errors import InputError
import numpy as np
from numpy.typing import NDArray

Region = tuple[float, float, float, float]

HAND_BOX_SCALE = 1.2  # of the box around a hand's joints: what is called the hand's box


def view_box(
    region: Sequence[float],
    image_size: tuple[int, int],
    *,
    input_size: tuple[int, int] = (384, 512),
    scale: float = 1.25,
) -> NDArray[np.float32]:
    """Return the box (x, y, width, height; px) that fills the networks' input.

    The region is cut to the image, its short side widened to the input's aspect about the centre,
    and both sides multiplied by `scale`. Whole numbers stay whole at each step, truncated towards
    zero, because the original's demo works on integers there (Q1); any float switches that off.

    :param region: x, y, width, height in px of an image of `image_size` (width, height).
    :raises InputError: when nothing of the region lies in the image.
    """
    x, y, width, height = cut_to_image(region, image_size)
    whole = all(isinstance(v, (int, np.integer)) for v in region)
    box = np.array([x, y, width, height], dtype=np.int64 if whole else np.float64)
    centre = (box[0] + box[2] / 2.0, box[1] + box[3] / 2.0)
    aspect = input_size[0] / input_size[1]
    box[2] = max(width, height * aspect) * scale
    box[3] = max(height, width / aspect) * scale
    box[0] = centre[0] - box[2] / 2.0
    box[1] = centre[1] - box[3] / 2.0
    return box.astype(np.float32)


def cut_to_image(region: Sequence[float], image_size: tuple[int, int]) -> Region:
    """Cut a region (x, y, width, height) to the pixels 0 .. size - 1 of the image.

    The corners are pixel centres, so a full image loses its last row and column here, and the
    whole-image region of the original's demo with it.

    :raises InputError: when nothing is left.
    """
    x, y, width, height = region
    left, top = max(0, x), max(0, y)
    right = min(image_size[0] - 1, left + max(0, width - 1))
    bottom = min(image_size[1] - 1, top + max(0, height - 1))
    if width * height <= 0 or right < left or bottom < top:
        raise InputError(
            'empty_region',
            f'region x={x} y={y} {width} x {height} px has no pixel in an image of '
            f'{image_size[0]} x {image_size[1]} px',
        )
    return left, top, right - left, bottom - top


def input_from_image(
    box: NDArray[Any], input_size: tuple[int, int] = (384, 512)
) -> NDArray[np.float64]:
    """Return the affine map (2, 3) from image px to input px that lays the box over the input."""
    x, y, width, height = (float(v) for v in box)
    scale_x, scale_y = input_size[0] / width, input_size[1] / height
    shift_x = input_size[0] * 0.5 - (x + 0.5 * width) * scale_x
    shift_y = input_size[1] * 0.5 - (y + 0.5 * height) * scale_y
    return np.array([[scale_x, 0.0, shift_x], [0.0, scale_y, shift_y]])


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the intersection over union of two boxes (x1, y1, x2, y2)."""
    width = max(0.0, min(first[2], second[2]) - max(first[0], second[0]))
    height = max(0.0, min(first[3], second[3]) - max(first[1], second[1]))
    area_first = (first[2] - first[0]) * (first[3] - first[1])
    area_second = (second[2] - second[0]) * (second[3] - second[1])
    shared = width * height
    return float(shared / (area_first + area_second - shared + 1e-5))
