"""Where hands stand in camera space, in metres: the translation that lays 3D joints on 2D ones.

A hand's own size in metres, its picture and the camera's intrinsics fix its distance. A linear
solve starts, damped steps on pixels finish: the linear one alone is biased by noise
(DEMANDS.md, metric placement, F2 and F6). A relative error of the hand's size is the same
relative error of its distance. The covariance that comes with a place is that of noise on the 2D
joints; an error that all joints share, such as one of size, is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from interwild_ros.geometry.damped_step import damped_step
from interwild_ros.records import Array
import numpy as np

MIN_DEPTH_M = 0.05  # nearer joints are no hand that a camera shows
MAX_DEPTH_M = 20.0  # farther ones would be a few pixels: the solve has run away
MIN_JOINTS = 6
NOISE_PX = 3.0  # the usual noise of the 2D joints, in x and in y
HUBER_PX = 2 * NOISE_PX  # residuals above count linearly
_LEAST_WEIGHT = 1e-9
_STEPS = 20
_ENOUGH = 1e-5  # of the distance: what is left after such a step is a small part of it
_NEARBY = 0.1  # of the distance: so far Newton's step is trusted
_FIRST_DAMPING = 1e-6
_MOST_DAMPING = 1e8
_TINY = np.finfo(np.float64).tiny
_ONE = np.ones(1)


@dataclass(frozen=True, eq=False)
class Translation:
    """A solved translation (3,) in metres, its root mean square residual in px, its covariance.

    `covariance_m2` (3, 3) is finite: what is not known has a standard deviation of MAX_DEPTH_M.
    """

    metres: Array
    residual_px: float
    covariance_m2: Array


@dataclass(frozen=True, eq=False)
class _Hand:
    """Joints and the pixels that show them, in columns, pixels from the principal point.

    `per_metre` (3,), of both focal lengths and 1, takes metres to the units of `joints` (3, K):
    with x and y times focal lengths, no slope knows of these. `seen_px` (2, K), `weights` (K,).
    """

    joints: Array
    nearest_m: float
    farthest_m: float
    seen_px: Array
    weights: Array
    per_metre: Array


@dataclass(frozen=True, eq=False)
class _Fit:
    """A hand as it looks from one translation, and what that costs.

    `at` (3,) is the translation in the units of the joints; `per_m` (K,) is one over depth;
    `shown_px` (3, K) where joints are, with a row of 1; `off_px` (2, K) from where they were seen,
    `size_px` (K,) how far that is.
    """

    at: Array
    per_m: Array
    shown_px: Array
    off_px: Array
    size_px: Array
    cost: float


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
    if np.count_nonzero(usable) < MIN_JOINTS:
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
    hand = _hand(joints, rays, focal, weights)
    start = _fit_in_metres(hand, _linear_start(joints, rays, weights))
    if start is None:
        start = _fit_in_metres(hand, _extent_start(joints, rays))
    best = None if start is None else _refine(hand, start)
    return None if best is None else _translation(hand, best, noise_px)


def _hand(joints: Array, rays: Array, focal: Array, weights: Array) -> _Hand:
    per_metre = np.concatenate([focal, _ONE])
    depths = joints[:, 2]
    return _Hand(
        joints=(joints * per_metre).T,
        nearest_m=float(depths.min()),
        farthest_m=float(depths.max()),
        seen_px=(rays * focal).T,
        weights=weights,
        per_metre=per_metre,
    )


def _translation(hand: _Hand, fit: _Fit, noise_px: float) -> Translation | None:
    residual_px = math.sqrt(np.vdot(fit.size_px, fit.size_px) / len(fit.size_px))
    if not math.isfinite(residual_px):
        return None
    return Translation(fit.at / hand.per_metre, residual_px, _covariance_m2(hand, fit, noise_px))


def _linear_start(joints: Array, rays: Array, weights: Array | None = None) -> Array | None:
    """Solve t_x - x t_z = x Z - X and its twin in y by least squares, rid of t_x and t_y first."""
    share = np.ones(len(rays)) if weights is None else weights
    share = share / share.sum()
    wanted = rays * joints[:, 2:] - joints[:, :2]
    middle, wanted_middle = share @ rays, share @ wanted
    apart = rays - middle
    weighted = apart * share[:, None]
    spread = np.vdot(weighted, apart)
    if not spread > 0:
        return None
    depth = np.vdot(weighted, wanted_middle - wanted) / spread
    return np.array([*(wanted_middle + middle * depth), depth])


def _extent_start(joints: Array, rays: Array) -> Array | None:
    """Return the distance at which the joints look as wide as the rays are, in the mean ray."""
    width = joints[:, :2].std(axis=0).sum()
    angle = rays.std(axis=0).sum()
    if angle <= 0:
        return None
    depth = max(width / angle, MIN_DEPTH_M - joints[:, 2].min() + _ENOUGH)
    centre = joints.mean(axis=0)
    return np.append(rays.mean(axis=0) * (depth + centre[2]) - centre[:2], depth)


def _fit(hand: _Hand, at: Array) -> _Fit | None:
    """Return how a hand looks from a translation, None where no camera would show it so."""
    depth_m = float(at[2])
    in_front = hand.nearest_m + depth_m >= MIN_DEPTH_M  # which NaN is not
    if not (in_front and hand.farthest_m + depth_m <= MAX_DEPTH_M):
        return None
    moved = hand.joints + at[:, None]
    per_m = 1 / moved[2]
    shown = moved * per_m
    off = shown[:2] - hand.seen_px
    size = np.hypot(off[0], off[1])
    near = np.minimum(size, HUBER_PX)
    cost = float(hand.weights @ (near * (2 * size - near)))  # the square, beyond HUBER_PX linear
    return _Fit(at, per_m, shown, off, size, cost)


def _fit_in_metres(hand: _Hand, metres: Array | None) -> _Fit | None:
    return None if metres is None else _fit(hand, metres * hand.per_metre)


def _refine(hand: _Hand, start: _Fit) -> _Fit | None:
    """Take damped steps that never worsen the Huber cost or pass the camera.

    Newton's where they are near enough to be trusted, otherwise those of least squares.
    """
    best, damping, is_newton = start, _FIRST_DAMPING, True
    for _ in range(_STEPS):
        step, is_newton = _step(hand, best, damping, is_newton)
        if step is None:
            return None
        is_last = _share(hand, best, step) * (1 + damping) < _ENOUGH
        tried = _fit(hand, best.at - step)
        if tried is not None and tried.cost <= best.cost:
            best, damping, is_newton = tried, damping / 10, True
        elif is_newton:
            is_newton = False
        else:
            damping *= 10
        if is_last or damping > _MOST_DAMPING:
            break
    return best


def _step(hand: _Hand, fit: _Fit, damping: float, is_newton: bool) -> tuple[Array | None, bool]:
    """Return a step (3,) and whether it is Newton's; None where there is none.

    The steps of iteratively reweighted least squares lead from afar, for their parabolas touch
    Huber's cost and lie above it (Huber, Robust Statistics, 1981, section 7.8), but slowly at the
    end. Newton's matrix knows that the cost of a wild joint is straight along its residual and
    bends across only: it is right nearby. Both take the projection to be straight.
    """
    reach = np.maximum(fit.size_px, HUBER_PX)
    pull = hand.weights * HUBER_PX / reach
    slopes = _cost_slopes(fit)
    gradient, parabolas = slopes @ pull, _normal_matrix(fit, pull)
    if is_newton:
        straight = pull * (fit.size_px > HUBER_PX) / (reach * reach)
        step = damped_step(parabolas - (slopes * straight) @ slopes.T, gradient, damping)
        if step is not None and _share(hand, fit, step) < _NEARBY:
            return step, True
    return damped_step(parabolas, gradient, damping), False


def _share(hand: _Hand, fit: _Fit, step: Array) -> float:
    """Return how long a step is as a part of the distance of the nearest joint."""
    longest_m: float = max(map(abs, (step / hand.per_metre).tolist()))
    return longest_m / float(hand.nearest_m + fit.at[2])


def _covariance_m2(hand: _Hand, fit: _Fit, noise_px: float) -> Array:
    """Return the covariance (3, 3) of Huber's estimate: variance times inverse normal matrix.

    A joint counts by the curvature of its cost, a wild one next to nothing, both in the matrix
    and among the degrees of freedom (Huber, Robust Statistics, 1981, section 7.6).
    """
    size, weights = fit.size_px, hand.weights
    near = np.minimum(size, HUBER_PX)
    curvature = np.where(size <= HUBER_PX, 1, near / (2 * np.maximum(size, HUBER_PX)))
    weighted = weights * curvature
    seen = weights @ (near * near) / max(2 * curvature.sum() - 3, 1)
    assumed = noise_px**2 * weighted.sum() / weights.sum()  # were no joint wild
    variance = max(seen, assumed)
    of_metres = _normal_matrix(fit, weighted) * hand.per_metre * hand.per_metre[:, None]
    information, axes = np.linalg.eigh(of_metres)
    known = np.maximum(information, _TINY)
    covariance: Array = (axes * np.minimum(variance / known, MAX_DEPTH_M**2)) @ axes.T
    return covariance


def _cost_slopes(fit: _Fit) -> Array:
    """Return half the slope (3, K) of each joint's squared residual, in px^2 per unit of `at`."""
    across = fit.off_px * fit.per_m
    away = fit.shown_px[:2] * across
    return np.concatenate([across, -away[:1] - away[1:]])


def _normal_matrix(fit: _Fit, weights: Array) -> Array:
    """Return the sum (3, 3) of what each joint's pixels tell, from their slopes by `at`.

    A pixel shown at x moves by 1 / depth as the hand goes across, by -x / depth as it goes away.
    """
    shown = fit.shown_px
    (xx, _, x), (_, yy, y), (_, _, one) = ((shown * (weights * fit.per_m**2)) @ shown.T).tolist()
    return np.array([[one, 0, -x], [0, one, -y], [-x, -y, xx + yy]])
