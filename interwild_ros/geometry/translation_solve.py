"""The solve behind `placement`, compiled: a linear start, damped steps on pixels, a covariance.

A hand is a table (K, 6) with a row for each joint: x, y, z, where it was seen (x and y px from
the principal point), its weight. Its x and y, and those of a translation `at`, are times focal
lengths, so that no slope knows of these. `focal_px` (3,) takes metres there: fx, fy, 1.
"""

from __future__ import annotations

import math
from typing import Final

from interwild_ros.compiled import compiled
from interwild_ros.records import Array
import numpy as np

MIN_DEPTH_M: Final = 0.05  # nearer joints are no hand that a camera shows
MAX_DEPTH_M: Final = 20.0  # farther ones would be a few pixels: the solve has run away
MIN_JOINTS: Final = 6
NOISE_PX: Final = 3.0  # the usual noise of the 2D joints, in x and in y
HUBER_PX: Final = 2 * NOISE_PX  # residuals above count linearly
_LEAST_WEIGHT = 1e-9
_STEPS = 20
_ENOUGH = 1e-5  # of the distance: what is left after such a step is a small part of it
_NEARBY = 0.1  # of the distance: so far Newton's step is trusted
_FIRST_DAMPING = 1e-6
_MOST_DAMPING = 1e8
_TINY = float(np.finfo(np.float64).tiny)


@compiled
def solve(
    joints_m: Array,
    rays: Array,
    focal_px: Array,
    weights: Array,
    noise_px: float,
    metres: Array,
    covariance_m2: Array,
) -> float:
    """Solve for the translation of joints (K, 3) onto rays (K, 2); see `placement.place_joints`.

    Write `metres` (3,) and `covariance_m2` (3, 3), and return the root mean square residual in px;
    NaN where there is no solution.
    """
    hand = np.empty((len(joints_m), 6))
    count = _take_usable(joints_m, rays, focal_px, weights, hand)
    hand = hand[:count]
    at = np.empty(3)
    if count < MIN_JOINTS or not _begin(hand, focal_px, at) or not _refine(hand, focal_px, at):
        return math.nan
    residual_px = _residual_px(hand, at)
    is_bounded = _covariance(hand, focal_px, at, noise_px, covariance_m2)
    for axis in range(3):
        metres[axis] = at[axis] / focal_px[axis]
    return residual_px if is_bounded and math.isfinite(residual_px) else math.nan


@compiled
def _take_usable(
    joints_m: Array, rays: Array, focal_px: Array, weights: Array, hand: Array
) -> int:
    """Write rows of joints that are places, seen somewhere, with a weight within all bounds.

    Return how many there are.
    """
    count = 0
    for row in range(len(joints_m)):
        numbers = hand[count]
        for axis in range(3):
            numbers[axis] = joints_m[row, axis] * focal_px[axis]
        for axis in range(2):
            numbers[3 + axis] = rays[row, axis] * focal_px[axis]
        numbers[5] = weights[row]
        is_usable = _LEAST_WEIGHT < weights[row] < 1 / _LEAST_WEIGHT
        for number in numbers:
            is_usable = is_usable and math.isfinite(number)
        count += is_usable
    return count


@compiled
def _begin(hand: Array, focal_px: Array, at: Array) -> bool:
    """Write a translation to begin with; False where a camera would not show the hand there."""
    linear_start(hand, focal_px, at)
    if not _is_shown(hand, at[2]):
        _extent_start(hand, focal_px, at)
    return _is_shown(hand, at[2])


@compiled
def linear_start(hand: Array, focal_px: Array, at: Array) -> None:
    """Solve t_x - x t_z = x Z - X and its twin in y by least squares, rid of t_x and t_y first.

    On rays and metres, that is, not on pixels; write NaN where there is none.
    """
    total, depth, middle, wanted = 0.0, 0.0, np.zeros(2), np.zeros(2)
    for row in range(len(hand)):
        total += hand[row, 5]
    for row in range(len(hand)):
        share = hand[row, 5] / total
        depth += share * hand[row, 2]
        for axis in range(2):
            middle[axis] += share * hand[row, 3 + axis]
            wanted[axis] += share * (hand[row, 3 + axis] * hand[row, 2] - hand[row, axis])
    spread = slope = 0.0
    for row in range(len(hand)):
        for axis in range(2):
            ray = hand[row, 3 + axis]
            scale = hand[row, 5] / (total * focal_px[axis] * focal_px[axis])
            apart = ray - middle[axis]
            spread += scale * apart * apart
            slope += scale * apart * (wanted[axis] - (ray * hand[row, 2] - hand[row, axis]))
    at[2] = slope / spread if spread > 0 else math.nan  # NaN is not above 0, either
    for axis in range(2):
        at[axis] = wanted[axis] + middle[axis] * at[2]


@compiled
def _extent_start(hand: Array, focal_px: Array, at: Array) -> None:
    """Write the distance at which the joints look as wide as the rays are, in the mean ray.

    NaN where they have no width.
    """
    width = angle = 0.0
    nearest_m, middle_m = _nearest(hand), _mean(hand, 2)
    for axis in range(2):
        width += _deviation(hand, axis) / focal_px[axis]
        angle += _deviation(hand, 3 + axis) / focal_px[axis]
    at[2] = max(width / angle, MIN_DEPTH_M - nearest_m + _ENOUGH) if angle > 0 else math.nan
    for axis in range(2):
        at[axis] = _mean(hand, 3 + axis) * (at[2] + middle_m) - _mean(hand, axis)


@compiled
def _nearest(hand: Array) -> float:
    nearest = math.inf
    for row in range(len(hand)):
        nearest = min(nearest, hand[row, 2])
    return nearest


@compiled
def _mean(hand: Array, column: int) -> float:
    total = 0.0
    for row in range(len(hand)):
        total += hand[row, column]
    return total / len(hand)


@compiled
def _deviation(hand: Array, column: int) -> float:
    middle, total = _mean(hand, column), 0.0
    for row in range(len(hand)):
        total += (hand[row, column] - middle) ** 2
    return math.sqrt(total / len(hand))


@compiled
def _is_shown(hand: Array, depth_m: float) -> bool:
    """Return whether a camera would show all joints at a depth, which NaN is not."""
    is_shown = True
    for row in range(len(hand)):
        is_shown = is_shown and MIN_DEPTH_M <= hand[row, 2] + depth_m <= MAX_DEPTH_M
    return is_shown


@compiled
def _residual(joint: Array, at: Array) -> tuple[float, float, float, float, float]:
    """Return 1 / m of a joint's depth, where it is shown, and how far that is from where seen."""
    per_m = 1 / (joint[2] + at[2])
    x, y = (joint[0] + at[0]) * per_m, (joint[1] + at[1]) * per_m
    return per_m, x, y, x - joint[3], y - joint[4]


@compiled
def _cost(hand: Array, at: Array) -> float:
    """Return Huber's cost: of each joint the squared residual, linear beyond HUBER_PX."""
    cost = 0.0
    for row in range(len(hand)):
        _, _, _, off_x, off_y = _residual(hand[row], at)
        size = math.hypot(off_x, off_y)
        near = min(size, HUBER_PX)
        cost += hand[row, 5] * near * (2 * size - near)
    return cost


@compiled
def _residual_px(hand: Array, at: Array) -> float:
    total = 0.0
    for row in range(len(hand)):
        _, _, _, off_x, off_y = _residual(hand[row], at)
        total += off_x * off_x + off_y * off_y
    return math.sqrt(total / len(hand))


@compiled
def _refine(hand: Array, focal_px: Array, at: Array) -> bool:
    """Take damped steps that never worsen the Huber cost or pass the camera; change `at`.

    Newton's where they are near enough to be trusted, otherwise those of least squares. False
    where there is no step.
    """
    cost, damping, is_newton = _cost(hand, at), _FIRST_DAMPING, True
    step, tried = np.empty(3), np.empty(3)
    nearest_m = _nearest(hand)
    for _ in range(_STEPS):
        near = _NEARBY * (nearest_m + at[2])
        is_newton = is_newton and _newton_step(hand, at, damping, step)
        is_newton = is_newton and _longest_m(step, focal_px) < near
        if not is_newton and not _least_squares_step(hand, at, damping, step):
            return False
        share = _longest_m(step, focal_px) / (nearest_m + at[2])
        is_last = share * (1 + damping) < _ENOUGH
        for axis in range(3):
            tried[axis] = at[axis] - step[axis]
        tried_cost = _cost(hand, tried) if _is_shown(hand, tried[2]) else math.inf
        if tried_cost <= cost:
            for axis in range(3):
                at[axis] = tried[axis]
            cost, damping, is_newton = tried_cost, damping / 10, True
        elif is_newton:
            is_newton = False
        else:
            damping *= 10
        if is_last or damping > _MOST_DAMPING:
            break
    return True


@compiled
def _longest_m(step: Array, focal_px: Array) -> float:
    longest_m = 0.0
    for axis in range(3):
        longest_m = max(longest_m, abs(step[axis] / focal_px[axis]))
    return longest_m


@compiled
def _least_squares_step(hand: Array, at: Array, damping: float, step: Array) -> bool:
    """Write the step (3,) of iteratively reweighted least squares; False where there is none.

    These lead from afar, for their parabolas touch Huber's cost and lie above it (Huber, Robust
    Statistics, 1981, section 7.8), but slowly at the end. The projection is taken to be straight.
    """
    matrix, gradient = np.zeros((3, 3)), np.zeros(3)
    for row in range(len(hand)):
        per_m, x, y, off_x, off_y = _residual(hand[row], at)
        pull = hand[row, 5] * HUBER_PX / max(math.hypot(off_x, off_y), HUBER_PX)
        _add_slopes(gradient, pull * per_m, x, y, off_x, off_y)
        _add_parabola(matrix, pull * per_m * per_m, x, y)
    return damped_step(matrix, gradient, damping, step)


@compiled
def _newton_step(hand: Array, at: Array, damping: float, step: Array) -> bool:
    """Write Newton's step (3,); False where there is none.

    Its matrix knows that the cost of a wild joint is straight along its residual and bends across
    only: it is right nearby. The projection is taken to be straight.
    """
    matrix, gradient, slopes = np.zeros((3, 3)), np.zeros(3), np.empty(3)
    for row in range(len(hand)):
        per_m, x, y, off_x, off_y = _residual(hand[row], at)
        size = math.hypot(off_x, off_y)
        reach = max(size, HUBER_PX)
        pull = hand[row, 5] * HUBER_PX / reach
        _add_slopes(gradient, pull * per_m, x, y, off_x, off_y)
        _add_parabola(matrix, pull * per_m * per_m, x, y)
        if size > HUBER_PX:
            slopes.fill(0)
            _add_slopes(slopes, per_m, x, y, off_x, off_y)
            straight = pull / (reach * reach)
            for one in range(3):
                for other in range(one, 3):
                    matrix[one, other] -= straight * slopes[one] * slopes[other]
    return damped_step(matrix, gradient, damping, step)


@compiled
def _add_slopes(
    slopes: Array, weight: float, x: float, y: float, off_x: float, off_y: float
) -> None:
    """Add half the slope (3,) of a joint's squared residual by `at`, times its depth."""
    slopes[0] += weight * off_x
    slopes[1] += weight * off_y
    slopes[2] -= weight * (x * off_x + y * off_y)


@compiled
def _add_parabola(matrix: Array, weight: float, x: float, y: float) -> None:
    """Add to the upper half of a matrix (3, 3) what a joint's pixels tell, by their slopes.

    A pixel shown at x moves by 1 / depth as the hand goes across, by -x / depth as it goes away.
    """
    matrix[0, 0] += weight
    matrix[1, 1] += weight
    matrix[0, 2] -= weight * x
    matrix[1, 2] -= weight * y
    matrix[2, 2] += weight * (x * x + y * y)


@compiled
def damped_step(matrix: Array, gradient: Array, damping: float, step: Array) -> bool:
    """Solve (matrix + damping * its diagonal) step = gradient for a step (3,).

    By LDL^T (Golub and Van Loan, Matrix Computations, 4th edition, section 4.1); the diagonal is
    Marquardt's (1963), which makes steps independent of the unknowns' units. False where that
    matrix is not positive definite, so that there is no least point, or beyond all bounds.

    :param matrix: (3, 3) symmetric, of which the upper half is read; `gradient` (3,).
    """
    more = 1 + damping
    first = matrix[0, 0] * more
    if not first > 0:  # which NaN is not
        return False
    y_by_x, z_by_x = matrix[0, 1] / first, matrix[0, 2] / first
    second = matrix[1, 1] * more - y_by_x * matrix[0, 1]
    if not second > 0:
        return False
    left = matrix[1, 2] - y_by_x * matrix[0, 2]
    z_by_y = left / second
    third = matrix[2, 2] * more - z_by_x * matrix[0, 2] - z_by_y * left
    if not third > 0:
        return False
    y = gradient[1] - y_by_x * gradient[0]
    z = (gradient[2] - z_by_x * gradient[0] - z_by_y * y) / third
    step[2] = z
    step[1] = y / second - z_by_y * z
    step[0] = gradient[0] / first - y_by_x * step[1] - z_by_x * z
    return math.isfinite(step[0] + step[1] + z)


@compiled
def _covariance(
    hand: Array, focal_px: Array, at: Array, noise_px: float, covariance_m2: Array
) -> bool:
    """Write the covariance (3, 3) of Huber's estimate: variance times inverse normal matrix.

    A joint counts by the curvature of its cost, a wild one next to nothing, both in the matrix
    and among the degrees of freedom (Huber, Robust Statistics, 1981, section 7.6). False where it
    is beyond all bounds.
    """
    matrix = np.zeros((3, 3))
    seen = freedom = weighted = total = 0.0
    for row in range(len(hand)):
        per_m, x, y, off_x, off_y = _residual(hand[row], at)
        size, weight = math.hypot(off_x, off_y), hand[row, 5]
        near = min(size, HUBER_PX)
        curvature = 1.0 if size <= HUBER_PX else near / (2 * size)
        seen += weight * near * near
        freedom += 2 * curvature
        weighted += weight * curvature
        total += weight
        _add_parabola(matrix, weight * curvature * per_m * per_m, x, y)
    assumed = noise_px * noise_px * weighted / total  # were no joint wild
    variance = max(seen / max(freedom - 3, 1.0), assumed)
    bounded = variance
    for one in range(3):
        for other in range(one, 3):
            matrix[one, other] *= focal_px[one] * focal_px[other]
            matrix[other, one] = matrix[one, other]
            bounded += matrix[one, other]
    if not math.isfinite(bounded):
        return False
    information, axes = np.linalg.eigh(matrix)
    for one in range(3):
        for other in range(3):
            entry = 0.0
            for axis in range(3):
                known = min(variance / max(information[axis], _TINY), MAX_DEPTH_M * MAX_DEPTH_M)
                entry += axes[one, axis] * known * axes[other, axis]
            covariance_m2[one, other] = entry
    return True
