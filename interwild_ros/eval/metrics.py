"""The paper's measures, in millimetres, of one picture: plain functions over arrays in metres.

No scale and no rotation is fitted before comparing. Source: NETWORKS.md section 17.
"""

from __future__ import annotations

from interwild_ros.records import Array
import numpy as np

MM_PER_M = 1000.0


def mpvpe_mm(found_m: Array, truth_m: Array) -> float:
    """Return the mean distance of a hand's vertices (778, 3), relative to the wrist both."""
    return float(_distances_mm(found_m, truth_m).mean())


def mrrpe_mm(found_m: Array, truth_m: Array) -> float:
    """Return how far the left wrist (3,) is off, seen from the right one."""
    return float(_distances_mm(found_m, truth_m))


def rrve_mm(
    found_m: Array, found_left_from_right_m: Array, truth_m: Array, truth_left_from_right_m: Array
) -> float:
    """Return the mean distance of both hands' vertices, relative to the right wrist.

    :param found_m: (2, 778, 3) right first, each relative to its own wrist; `truth_m` likewise.
    """
    found = np.concatenate([found_m[0], found_m[1] + found_left_from_right_m])
    truth = np.concatenate([truth_m[0], truth_m[1] + truth_left_from_right_m])
    return float(_distances_mm(found, truth).mean())


def joint_errors_mm(found_m: Array, truth_m: Array, valid: Array) -> Array:
    """Return each joint's distance (42,), NaN where there is no truth.

    :param found_m: (42, 3) relative to the own wrist; `truth_m` likewise.
    :param valid: (42,) 0 or 1.
    """
    return np.where(valid > 0, _distances_mm(found_m, truth_m), np.nan)


def _distances_mm(found_m: Array, truth_m: Array) -> Array:
    distances: Array = np.linalg.norm(found_m - truth_m, axis=-1) * MM_PER_M
    return distances
