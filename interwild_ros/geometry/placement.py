"""Where hands stand in camera space, in metres: the translation that lays 3D joints on 2D ones.

A hand's own size in metres, its picture and the camera's intrinsics fix its distance. A linear
solve starts, damped steps on pixels finish: the linear one alone is biased by noise
(DEMANDS.md, metric placement, F2 and F6). A relative error of the hand's size is the same
relative error of its distance. The covariance that comes with a place is that of noise on the 2D
joints; an error that all joints share, such as one of size, is not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

from interwild_ros.geometry.translation_solve import (
    HUBER_PX,
    linear_start,
    MAX_DEPTH_M,
    MIN_DEPTH_M,
    MIN_JOINTS,
    NOISE_PX,
    solve,
)
from interwild_ros.records import Array
import numpy as np

__all__ = [
    'HUBER_PX',
    'MAX_DEPTH_M',
    'MIN_DEPTH_M',
    'MIN_JOINTS',
    'NOISE_PX',
    'Translation',
    'place_joints',
    'place_linearly',
    'place_together',
]


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
    quality = np.ones(len(joints_m)) if weights is None else weights
    metres, covariance_m2 = np.empty(3), np.empty((3, 3))
    residual_px = solve(
        _numbers(joints_m),
        _numbers(rays),
        _numbers((*focal_px, 1.0)),
        _numbers(quality),
        float(noise_px),
        metres,
        covariance_m2,
    )
    return None if math.isnan(residual_px) else Translation(metres, residual_px, covariance_m2)


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


def place_linearly(joints_m: Array, rays: Array) -> Array | None:
    """Return the translation (3,) of the linear solve that `place_joints` begins with.

    Noise makes it come out too near. None where there is none.

    :param joints_m: (K, 3), finite; `rays` (K, 2) likewise.
    """
    hand = np.column_stack([joints_m, rays, np.ones(len(rays))])
    metres = np.empty(3)
    linear_start(_numbers(hand), np.ones(3), metres)
    return metres if np.isfinite(metres).all() else None


def _numbers(values: Array | Sequence[float]) -> Array:
    return np.ascontiguousarray(values, np.float64)
