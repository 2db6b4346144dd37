"""How far 2D joints are to be trusted: those that the networks did not see are guesses."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
from interwild_ros.records import Array
from interwild_ros.tracking.boxes import FARTHEST_PX
import numpy as np

OUTSIDE = 0.1  # weight of joints beyond the picture's edge
_TRIANGLE = 3
COVERED = 0.5  # weight of joints within the other hand: one of both hides the other


def joint_quality(joints_px: Sequence[Array], image_size: tuple[int, int]) -> list[Array]:
    """Return a weight, 0 to 1, for each joint of one or two hands; 1 for those in full view.

    :param joints_px: (21, 2) of each hand, image px.
    :param image_size: width and height, px.
    """
    weights = [np.where(_is_inside(joints, image_size), 1.0, OUTSIDE) for joints in joints_px]
    if len(joints_px) == 2:
        for mine, one, other in zip(weights, joints_px, joints_px[::-1], strict=True):
            mine[_is_covered(one, other)] *= COVERED
    return weights


def _is_inside(joints_px: Array, image_size: tuple[int, int]) -> Array:
    limit = np.subtract(image_size, 1)
    return np.asarray(((joints_px >= 0) & (joints_px <= limit)).all(axis=1))


def _is_covered(joints_px: Array, other_px: Array) -> Array:
    """Return which joints lie within the outline of the other hand's joints."""
    if not (np.abs(other_px) <= FARTHEST_PX).all():  # which NaN is not, either
        return np.zeros(len(joints_px), bool)
    outline = cv2.convexHull(other_px.astype(np.float32))
    if outline is None or len(outline) < _TRIANGLE:  # of joints on a line or a point
        return np.zeros(len(joints_px), bool)
    is_covered = [
        _is_place(x, y) and cv2.pointPolygonTest(outline, (x, y), False) > 0
        for x, y in joints_px.tolist()
    ]
    return np.array(is_covered, bool)


def _is_place(x: float, y: float) -> bool:
    return abs(x) <= FARTHEST_PX and abs(y) <= FARTHEST_PX
