"""How far 2D joints are to be trusted: those that the networks did not see are guesses."""

from __future__ import annotations

from collections.abc import Sequence

from interwild_ros.compiled import compiled
from interwild_ros.records import Array
from interwild_ros.tracking.boxes import FARTHEST_PX
import numpy as np

OUTSIDE = 0.1  # weight of joints beyond the picture's edge
COVERED = 0.5  # weight of joints within the other hand: one of both hides the other


def joint_quality(joints_px: Sequence[Array], image_size: tuple[int, int]) -> list[Array]:
    """Return a weight, 0 to 1, for each joint of one or two hands; 1 for those in full view.

    :param joints_px: (21, 2) of each hand, image px.
    :param image_size: width and height, px.
    """
    hands = [np.ascontiguousarray(joints, np.float64) for joints in joints_px]
    weights = [np.empty(len(joints)) for joints in hands]
    for mine, joints in zip(weights, hands, strict=True):
        _weigh_inside(joints, *image_size, mine)
    if len(hands) == 2:
        for mine, one, other in zip(weights, hands, hands[::-1], strict=True):
            _weigh_covered(one, other, mine)
    return weights


@compiled
def _weigh_inside(joints_px: Array, width: int, height: int, weights: Array) -> None:
    for joint in range(len(joints_px)):
        x, y = joints_px[joint]
        is_inside = 0 <= x <= width - 1 and 0 <= y <= height - 1
        weights[joint] = 1.0 if is_inside else OUTSIDE


@compiled
def _weigh_covered(joints_px: Array, other_px: Array, weights: Array) -> None:
    """Lower the weights of joints that lie within the outline of the other hand's joints."""
    for joint in range(len(other_px)):
        if not _is_place(other_px[joint]):
            return
    outline = np.empty(len(other_px), np.int64)
    corners = _outline(other_px, outline)
    for joint in range(len(joints_px)):
        if corners > 2 and _is_place(joints_px[joint]):
            is_covered = True
            for corner in range(corners):
                one, two = outline[corner], outline[(corner + 1) % corners]
                side = _side(other_px[one], other_px[two], joints_px[joint])
                is_covered = is_covered and side > 0
            if is_covered:
                weights[joint] *= COVERED


@compiled
def _outline(points: Array, outline: Array) -> int:
    """Write the corners of the convex hull of points (N, 2), and return how many there are.

    By gift wrapping (Jarvis 1973): the rest lies on one side of each edge.
    """
    first = 0
    for point in range(1, len(points)):
        x, y = points[point]
        if x < points[first, 0] or (x == points[first, 0] and y < points[first, 1]):
            first = point
    at = first
    for corner in range(len(points)):
        outline[corner] = at
        following = at
        for point in range(len(points)):
            if _is_farther_out(points[at], points[following], points[point]):
                following = point
        at = following
        if points[at, 0] == points[first, 0] and points[at, 1] == points[first, 1]:
            return corner + 1
    return len(points)


@compiled
def _is_farther_out(corner: Array, best: Array, point: Array) -> bool:
    """Return whether a point follows a corner of an outline rather than the best so far."""
    across = _side(corner, best, point)
    best_px = (best[0] - corner[0]) ** 2 + (best[1] - corner[1]) ** 2
    point_px = (point[0] - corner[0]) ** 2 + (point[1] - corner[1]) ** 2
    return point_px > 0 and (best_px == 0 or across < 0 or (across == 0 and point_px > best_px))


@compiled
def _side(start: Array, end: Array, point: Array) -> float:
    """Return above 0 for a point to the one side of a line, below for the other, 0 on it."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    side: float = along_x * (point[1] - start[1]) - along_y * (point[0] - start[0])
    return side


@compiled
def _is_place(point: Array) -> bool:
    """Return whether a point is near enough to be one, which NaN is not."""
    return bool(abs(point[0]) <= FARTHEST_PX and abs(point[1]) <= FARTHEST_PX)
