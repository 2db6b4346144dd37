"""Where hands stand in camera space, in metres: the translation that lays 3D joints on 2D ones.

A hand's own size in metres, its picture and the camera's intrinsics fix its distance. A linear
solve starts, damped Gauss-Newton steps on pixels finish: the linear one alone is biased by noise
(DEMANDS.md, metric placement, F2 and F6). A relative error of the hand's size is the same
relative error of its distance. The covariance that comes with a place is that of noise on the 2D
joints; an error that all joints share, such as one of size, is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.records import Array
import numpy as np

MIN_DEPTH_M = 0.05  # nearer joints are no hand that a camera shows
MAX_DEPTH_M = 20.0  # farther ones would be a few pixels: the solve has run away
MIN_JOINTS = 6
NOISE_PX = 3.0  # the usual noise of the 2D joints, in x and in y
HUBER_PX = 2 * NOISE_PX  # residuals above count linearly
_LEAST_WEIGHT = 1e-9
_STEPS = 20
_ENOUGH = 1e-6  # of the distance
_MOST_DAMPING = 1e8


@dataclass(frozen=True, eq=False)
class Translation:
    """A solved translation (3,) in metres, its root mean square residual in px, its covariance.

    `covariance_m2` (3, 3) is finite: what is not known has a standard deviation of MAX_DEPTH_M.
    """

    metres: Array
    residual_px: float
    covariance_m2: Array


def place_joints(
    joints_m: Array,
    rays: Array,
    focal_px: tuple[float, float],
    *,
    weights: Array | None = None,
    noise_px: float = NOISE_PX,
) -> Translation | None:
    """Return the translation that moves joints onto the rays that show them.

    None when it cannot be told: fewer than MIN_JOINTS usable joints, or no solution between
    MIN_DEPTH_M and MAX_DEPTH_M.

    :param joints_m: (K, 3) in any origin, camera axes.
    :param rays: (K, 2) x/z and y/z without distortion; NaN rays are left out.
    :param focal_px: weighs x and y, so that residuals are pixels.
    :param weights: (K,) how good each 2D joint is: the inverse variance of its noise, 1 where
        that is `noise_px`; joints of weight 0, NaN or
        beyond all bounds are left out. All 1 when not given.
    :param noise_px: noise of a joint of weight 1 in x and in y that the covariance assumes at
        least, however well the joints fit.
    """
    quality = np.ones(len(joints_m)) if weights is None else np.asarray(weights, np.float64)
    usable = np.isfinite(rays).all(1) & np.isfinite(joints_m).all(1)
    usable &= (quality > _LEAST_WEIGHT) & (quality < 1 / _LEAST_WEIGHT)
    if usable.sum() < MIN_JOINTS:
        return None
    joints = np.asarray(joints_m[usable], np.float64)
    seen = np.asarray(rays[usable], np.float64)
    with np.errstate(all='ignore'):  # numbers that no camera gives: they end as None
        return _solved(joints, seen, np.asarray(focal_px, np.float64), quality[usable], noise_px)


def place_together(
    right_m: Array,
    left_m: Array,
    left_from_right_m: Array,
    rays: Array,
    focal_px: tuple[float, float],
    *,
    weights: Array | None = None,
    noise_px: float = NOISE_PX,
) -> Translation | None:
    """Solve both hands at once, the left one held at `left_from_right_m` from the right one.

    The result moves the right hand; the left one moves by it plus `left_from_right_m`, whose own
    error is not in the covariance.

    :param right_m: (21, 3) relative to its wrist; `left_m` likewise.
    :param rays: (42, 2), right hand first; `weights` (42,) likewise.
    """
    with np.errstate(all='ignore'):  # numbers that no camera gives: their joints are left out
        joints_m = np.concatenate([right_m, left_m + left_from_right_m])
    return place_joints(joints_m, rays, focal_px, weights=weights, noise_px=noise_px)


def _solved(
    joints: Array, rays: Array, focal: Array, weights: Array, noise_px: float
) -> Translation | None:
    for start in (_linear_start(joints, rays, weights), _extent_start(joints, rays)):
        if start is not None and _in_front(joints, start):
            at = _refine(joints, rays, focal, weights, start)
            return None if at is None else _translation(joints, rays, focal, weights, at, noise_px)
    return None


def _translation(
    joints: Array, rays: Array, focal: Array, weights: Array, at: Array, noise_px: float
) -> Translation | None:
    residual = _residual_px(joints, rays, focal, at)
    residual_px = float(np.sqrt((residual**2).sum(1).mean()))
    if not np.isfinite(residual_px):
        return None
    covariance_m2 = _covariance_m2(joints, focal, at, residual, weights, noise_px)
    return Translation(at, residual_px, covariance_m2)


def _linear_start(joints: Array, rays: Array, weights: Array | None = None) -> Array | None:
    """Solve t_x - x t_z = x Z - X and its twin in y by least squares."""
    rows = np.zeros((2 * len(joints), 3))
    rows[0::2, 0] = rows[1::2, 1] = 1.0
    rows[:, 2] = -rays.ravel()
    wanted = (rays * joints[:, 2:] - joints[:, :2]).ravel()
    weighted = rows if weights is None else rows * np.repeat(weights, 2)[:, None]
    return _solve(weighted.T @ rows, weighted.T @ wanted)


def _extent_start(joints: Array, rays: Array) -> Array | None:
    """Return the distance at which the joints look as wide as the rays are, in the mean ray."""
    width = joints[:, :2].std(axis=0).sum()
    angle = rays.std(axis=0).sum()
    if angle <= 0:
        return None
    depth = max(width / angle, MIN_DEPTH_M - joints[:, 2].min() + _ENOUGH)
    centre = joints.mean(axis=0)
    return np.append(rays.mean(axis=0) * (depth + centre[2]) - centre[:2], depth)


def _refine(
    joints: Array, rays: Array, focal: Array, weights: Array, start: Array
) -> Array | None:
    """Take damped Gauss-Newton steps that never worsen the Huber cost or pass the camera."""
    best, damping = start, 1e-6
    residual = _residual_px(joints, rays, focal, best)
    cost = _huber_cost(residual, weights)
    for _ in range(_STEPS):
        step = _step(joints, focal, best, residual, weights, damping)
        if step is None:
            return None
        candidate = best - step
        if _in_front(joints, candidate):
            tried = _residual_px(joints, rays, focal, candidate)
            tried_cost = _huber_cost(tried, weights)
            if tried_cost <= cost:
                best, residual, cost, damping = candidate, tried, tried_cost, damping / 10
                if np.abs(step).max() < _ENOUGH * best[2]:
                    break
                continue
        damping *= 10
        if damping > _MOST_DAMPING:
            break
    return best


def _step(
    joints: Array, focal: Array, at: Array, residual: Array, weights: Array, damping: float
) -> Array | None:
    slope, along = _slopes(joints, focal, at)
    robust = weights * _huber_weights(residual)
    normal = _normal_matrix(slope, along, robust)
    weighted = robust[:, None] * residual
    gradient = np.append((slope * weighted).sum(0), (along * weighted).sum())
    normal[np.diag_indices(3)] *= 1 + damping
    return _solve(normal, gradient)


def _covariance_m2(
    joints: Array, focal: Array, at: Array, residual: Array, weights: Array, noise_px: float
) -> Array:
    """Return the covariance (3, 3) of Huber's estimate: variance times inverse normal matrix.

    A joint counts by the curvature of its cost, a wild one next to nothing, both in the matrix
    and among the degrees of freedom (Huber, Robust Statistics, 1981, section 7.6).
    """
    size = np.linalg.norm(residual, axis=1)
    curvature = _huber_weights(residual) * np.where(size <= HUBER_PX, 1, 0.5)
    pulls = weights * np.minimum(size, HUBER_PX) ** 2
    seen = pulls.sum() / max(2 * curvature.sum() - 3, 1)
    assumed = noise_px**2 * np.average(curvature, weights=weights)  # were no joint wild
    variance = max(seen, assumed)
    normal = _normal_matrix(*_slopes(joints, focal, at), weights * curvature)
    information, axes = np.linalg.eigh(normal)
    known = np.maximum(information, np.finfo(np.float64).tiny)
    covariance: Array = (axes * np.minimum(variance / known, MAX_DEPTH_M**2)) @ axes.T
    return covariance


def _slopes(joints: Array, focal: Array, at: Array) -> tuple[Array, Array]:
    """Return d px / d metre across and in depth, (K, 2) each."""
    moved = joints + at
    slope = focal / moved[:, 2:]
    return slope, -moved[:, :2] / moved[:, 2:] * slope


def _normal_matrix(slope: Array, along: Array, weights: Array) -> Array:
    weights = weights[:, None]
    normal = np.zeros((3, 3))
    normal[[0, 1], [0, 1]] = (weights * slope**2).sum(0)
    normal[:2, 2] = normal[2, :2] = (weights * slope * along).sum(0)
    normal[2, 2] = (weights * along**2).sum()
    return normal


def _residual_px(joints: Array, rays: Array, focal: Array, at: Array) -> Array:
    moved = joints + at
    residual: Array = (moved[:, :2] / moved[:, 2:] - rays) * focal
    return residual


def _huber_weights(residual: Array) -> Array:
    size = np.linalg.norm(residual, axis=1)
    weights: Array = HUBER_PX / np.maximum(size, HUBER_PX)
    return weights


def _huber_cost(residual: Array, weights: Array) -> float:
    size = np.linalg.norm(residual, axis=1)
    linear = HUBER_PX * (2 * size - HUBER_PX)
    return float((weights * np.where(size <= HUBER_PX, size**2, linear)).sum())


def _in_front(joints: Array, at: Array) -> bool:
    depths = joints[:, 2] + at[2]
    return bool(depths.min() >= MIN_DEPTH_M and depths.max() <= MAX_DEPTH_M)


def _solve(matrix: Array, right: Array) -> Array | None:
    try:
        found = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return None
    return found if np.isfinite(found).all() else None
