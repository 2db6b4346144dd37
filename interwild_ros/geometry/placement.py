"""Where hands stand in camera space, in metres: the translation that lays 3D joints on 2D ones.

A hand's own size in metres, its picture and the camera's intrinsics fix its distance. A linear
solve starts, damped Gauss-Newton steps on pixels finish: the linear one alone is biased by noise
(DEMANDS.md, metric placement, F2 and F6). A relative error of the hand's size is the same
relative error of its distance.
"""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.records import Array
import numpy as np

MIN_DEPTH_M = 0.05  # nearer joints are no hand that a camera shows
MAX_DEPTH_M = 20.0  # farther ones would be a few pixels: the solve has run away
MIN_JOINTS = 6
HUBER_PX = 6.0  # residuals above count linearly: twice the usual noise of the 2D joints
_STEPS = 20
_ENOUGH = 1e-6  # of the distance
_MOST_DAMPING = 1e8


@dataclass(frozen=True, eq=False)
class Translation:
    """A solved translation (3,) in metres and its root mean square residual in px."""

    metres: Array
    residual_px: float


def place_joints(
    joints_m: Array, rays: Array, focal_px: tuple[float, float]
) -> Translation | None:
    """Return the translation that moves joints onto the rays that show them.

    None when it cannot be told: fewer than MIN_JOINTS usable joints, or no solution between
    MIN_DEPTH_M and MAX_DEPTH_M.

    :param joints_m: (K, 3) in any origin, camera axes.
    :param rays: (K, 2) x/z and y/z without distortion; NaN rays are left out.
    :param focal_px: weighs x and y, so that residuals are pixels.
    """
    usable = np.isfinite(rays).all(1) & np.isfinite(joints_m).all(1)
    if usable.sum() < MIN_JOINTS:
        return None
    joints = np.asarray(joints_m[usable], np.float64)
    seen = np.asarray(rays[usable], np.float64)
    for start in (_linear_start(joints, seen), _extent_start(joints, seen)):
        if start is not None and _in_front(joints, start):
            return _refine(joints, seen, np.asarray(focal_px, np.float64), start)
    return None


def place_together(
    right_m: Array,
    left_m: Array,
    left_from_right_m: Array,
    rays: Array,
    focal_px: tuple[float, float],
) -> Translation | None:
    """Solve both hands at once, the left one held at `left_from_right_m` from the right one.

    The result moves the right hand; the left one moves by it plus `left_from_right_m`.

    :param right_m: (21, 3) relative to its wrist; `left_m` likewise.
    :param rays: (42, 2), right hand first.
    """
    return place_joints(np.concatenate([right_m, left_m + left_from_right_m]), rays, focal_px)


def _linear_start(joints: Array, rays: Array) -> Array | None:
    """Solve t_x - x t_z = x Z - X and its twin in y by least squares."""
    rows = np.zeros((2 * len(joints), 3))
    rows[0::2, 0] = rows[1::2, 1] = 1.0
    rows[:, 2] = -rays.ravel()
    wanted = (rays * joints[:, 2:] - joints[:, :2]).ravel()
    return _solve(rows.T @ rows, rows.T @ wanted)


def _extent_start(joints: Array, rays: Array) -> Array | None:
    """Return the distance at which the joints look as wide as the rays are, in the mean ray."""
    width = joints[:, :2].std(axis=0).sum()
    angle = rays.std(axis=0).sum()
    if angle <= 0:
        return None
    depth = max(width / angle, MIN_DEPTH_M - joints[:, 2].min() + _ENOUGH)
    centre = joints.mean(axis=0)
    return np.append(rays.mean(axis=0) * (depth + centre[2]) - centre[:2], depth)


def _refine(joints: Array, rays: Array, focal: Array, start: Array) -> Translation | None:
    """Take damped Gauss-Newton steps that never worsen the Huber cost or pass the camera."""
    best, damping = start, 1e-6
    residual = _residual_px(joints, rays, focal, best)
    cost = _huber_cost(residual)
    for _ in range(_STEPS):
        step = _step(joints, focal, best, residual, damping)
        if step is None:
            return None
        candidate = best - step
        if _in_front(joints, candidate):
            tried = _residual_px(joints, rays, focal, candidate)
            tried_cost = _huber_cost(tried)
            if tried_cost <= cost:
                best, residual, cost, damping = candidate, tried, tried_cost, damping / 10
                if np.abs(step).max() < _ENOUGH * best[2]:
                    break
                continue
        damping *= 10
        if damping > _MOST_DAMPING:
            break
    return Translation(best, float(np.sqrt((residual**2).sum(1).mean())))


def _step(joints: Array, focal: Array, at: Array, residual: Array, damping: float) -> Array | None:
    moved = joints + at
    slope = focal / moved[:, 2:]  # K x 2: d px / d metre across
    along = -moved[:, :2] / moved[:, 2:] * slope
    weights = _huber_weights(residual)[:, None]
    normal = np.zeros((3, 3))
    normal[[0, 1], [0, 1]] = (weights * slope**2).sum(0)
    normal[:2, 2] = normal[2, :2] = (weights * slope * along).sum(0)
    normal[2, 2] = (weights * along**2).sum()
    weighted = weights * residual
    gradient = np.append((slope * weighted).sum(0), (along * weighted).sum())
    normal[np.diag_indices(3)] *= 1 + damping
    return _solve(normal, gradient)


def _residual_px(joints: Array, rays: Array, focal: Array, at: Array) -> Array:
    moved = joints + at
    residual: Array = (moved[:, :2] / moved[:, 2:] - rays) * focal
    return residual


def _huber_weights(residual: Array) -> Array:
    size = np.linalg.norm(residual, axis=1)
    weights: Array = HUBER_PX / np.maximum(size, HUBER_PX)
    return weights


def _huber_cost(residual: Array) -> float:
    size = np.linalg.norm(residual, axis=1)
    linear = HUBER_PX * (2 * size - HUBER_PX)
    return float(np.where(size <= HUBER_PX, size**2, linear).sum())


def _in_front(joints: Array, at: Array) -> bool:
    depths = joints[:, 2] + at[2]
    return bool(depths.min() >= MIN_DEPTH_M and depths.max() <= MAX_DEPTH_M)


def _solve(matrix: Array, right: Array) -> Array | None:
    try:
        found = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return None
    return found if np.isfinite(found).all() else None
