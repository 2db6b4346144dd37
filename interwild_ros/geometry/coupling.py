"""Two hands that were placed each by itself, and what TransNet says of one from the other.

A linear Gaussian problem in six unknowns, solved in closed form: each wrist was seen where its
hand was placed, their difference is `left_from_right_m`. How sure each is of that decides who
moves. To a placed hand's own covariance comes an error of the hand's size, which is the same
relative error of its distance (DEMANDS.md, metric placement, F5); both hands are one person's, so
they share a part of it, and what they share hardly moves one from the other.

What disagrees by more than it can is held against the hands and not against TransNet: a hand that
is placed by its size can be metres off, TransNet never says more than two arms reach. So from
`_PLAUSIBLE` standard deviations on the covariance of the hands grows with the square of the
disagreement: their places count as normal with a deviation of their own, which is estimated
(iteratively reweighted least squares of a Student t, one step of it). It is continuous. On
pictures with trained networks this beat both no robustness and a redescending pull.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from interwild_ros.compiled import compiled
from interwild_ros.config import Checked, setting
from interwild_ros.errors import InputError
from interwild_ros.geometry.placement import Translation
from interwild_ros.records import Array
import numpy as np

_PLAUSIBLE = 3.0  # standard deviations: 97 % of what is normal in three dimensions is nearer
_MOST_DOUBT = 1e6  # by which a covariance grows
_UNKNOWN_M = 1e3  # the standard deviation of what nobody knows: no camera shows a hand so far off
_LEAST_STD_M = 1e-4  # no difference between two wrists is known better


@dataclass(frozen=True)
class PlacementNoise(Checked):
    """How far off hand sizes are, and so distances, beside what noise on the 2D joints does."""

    own: float = setting(
        0.06,
        'standard deviation of a relative error of size that each hand has by itself',
        low=0.0,
        high=1.0,
    )
    common: float = setting(
        0.05,
        'standard deviation of the relative error of size that both hands of a person share',
        low=0.0,
        high=1.0,
    )


@dataclass(frozen=True, eq=False)
class Coupled:
    """Both wrists (3,) in the camera's frame, and their covariances (3, 3) with errors of size.

    `left_from_right_m` (3,) is `left_m` - `right_m`. Its covariance (3, 3) is no sum of theirs,
    for their errors are no longer independent. `disagreement_m` is how far TransNet was from the
    hands as they were placed, and `disagreement_sigmas` the same in standard deviations.
    """

    right_m: Array
    left_m: Array
    right_covariance_m2: Array
    left_covariance_m2: Array
    left_from_right_m: Array
    left_from_right_covariance_m2: Array
    disagreement_m: float
    disagreement_sigmas: float


def couple(
    right: Translation,
    left: Translation,
    left_from_right_m: Array,
    relation_covariance_m2: Array,
    *,
    noise: PlacementNoise | None = None,
    weight: float = 1.0,
) -> Coupled:
    """Return both hands where their places and TransNet's word agree best.

    :param right: as it was placed by itself, its joints relative to its wrist; `left` likewise.
    :param left_from_right_m: (3,) left wrist minus right wrist, as TransNet sees it.
    :param relation_covariance_m2: (3, 3) of that; infinite where it says nothing.
    :param weight: from 0, where the hands stay, to 1: the part of the way that they go. This is
        as if TransNet were so much less sure: its covariance grows by (1/weight - 1) times that
        of the disagreement. In between all moves in proportion, so blending it in is smooth.
    :raises InputError: `not_finite` for a NaN anywhere or an infinite vector, `bad_shape`, or
        `bad_weight`.
    """
    _check(right, left, left_from_right_m, relation_covariance_m2, weight)
    noise = noise or PlacementNoise()
    wrists = np.concatenate([right.metres, left.metres], dtype=np.float64)
    covariances = np.array(
        [right.covariance_m2, left.covariance_m2, relation_covariance_m2], np.float64
    )
    fused, of_difference = np.empty((6, 6)), np.empty((3, 3))
    word = np.ascontiguousarray(left_from_right_m, np.float64)
    sizes = np.array([noise.own, noise.common])
    disagreement_m, sigmas = _fuse(
        wrists, covariances, word, sizes, float(weight), fused, of_difference
    )
    right_m, left_m = wrists[:3], wrists[3:]
    return Coupled(
        right_m=right_m,
        left_m=left_m,
        right_covariance_m2=fused[:3, :3],
        left_covariance_m2=fused[3:, 3:],
        left_from_right_m=left_m - right_m,
        left_from_right_covariance_m2=of_difference,
        disagreement_m=disagreement_m,
        disagreement_sigmas=sigmas,
    )


def with_size_error(translation_m: Array, covariance_m2: Array, relative_std: float) -> Array:
    """Return a wrist's covariance (3, 3) with an error of the hand's size added.

    A hand that is a part larger than believed is that part farther away, along the ray to its
    wrist: the error of size lies along the translation (3,) and grows with it (F5).
    """
    covariance = np.array(covariance_m2, np.float64)
    metres = np.ascontiguousarray(translation_m, np.float64)
    _add_size_error(metres, relative_std, covariance)
    return covariance


@compiled
def _fuse(
    wrists: Array,
    covariances: Array,
    word: Array,
    sizes: Array,
    weight: float,
    fused: Array,
    of_difference: Array,
) -> tuple[float, float]:
    """Move `wrists` (6,), and write their covariance (6, 6) and that of their difference (3, 3).

    Return how far TransNet was from them, in metres and in standard deviations.

    :param covariances: (3, 3, 3) of right, left and TransNet's word (3,); they are changed.
    :param sizes: the hand's own relative error of size, and the one that both share.
    """
    _know(covariances)
    relation = covariances[2]
    apart = _covariance_apart_m2(wrists, covariances, sizes)
    difference, expected, inverse = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    _subtract(apart, difference)
    for row in range(3):
        for column in range(3):
            expected[row, column] = difference[row, column] + relation[row, column]
    _invert(expected, inverse)
    off_m = np.empty(3)
    for axis in range(3):
        off_m[axis] = word[axis] - (wrists[3 + axis] - wrists[axis])
    sigmas = math.sqrt(_form(inverse, off_m))
    doubt = _MOST_DOUBT
    if sigmas < _PLAUSIBLE * _MOST_DOUBT**0.5:  # which NaN, of numbers beyond all bounds, is not
        doubt = max(sigmas / _PLAUSIBLE, 1.0) ** 2
    for row in range(3):
        for column in range(3):
            expected[row, column] = difference[row, column] * doubt + relation[row, column]
    if doubt > 1:
        _invert(expected, inverse)
    gain = _gain(apart, doubt, inverse)
    for row in range(6):
        for axis in range(3):
            wrists[row] += weight * gain[row, axis] * off_m[axis]
    _join(apart, 1 + weight * (doubt - 1), gain, weight, relation, expected, fused)
    _lift(fused)
    _subtract(fused, of_difference)
    _lift(of_difference)
    return math.sqrt(off_m[0] ** 2 + off_m[1] ** 2 + off_m[2] ** 2), sigmas


@compiled
def _covariance_apart_m2(wrists: Array, covariances: Array, sizes: Array) -> Array:
    """Return the covariance (6, 6) of both wrists before they know of each other."""
    own, common = sizes
    apart, shared = np.empty((6, 6)), np.empty(6)
    for hand in range(2):
        wrist, block = wrists[3 * hand : 3 * hand + 3], covariances[hand]
        _add_size_error(wrist, own, block)
        bound = _size_bound(wrist, common)
        for axis in range(3):
            shared[3 * hand + axis] = common * wrist[axis] * bound
    for row in range(6):
        for column in range(6):
            apart[row, column] = shared[row] * shared[column]
            if row // 3 == column // 3:
                apart[row, column] += covariances[row // 3, row % 3, column % 3]
    return apart


@compiled
def _add_size_error(translation_m: Array, relative_std: float, covariance: Array) -> None:
    """Add to a covariance (3, 3) an error of size along a translation (3,)."""
    scale = relative_std * _size_bound(translation_m, relative_std)
    for row in range(3):
        for column in range(3):
            off_m2 = scale * translation_m[row] * (scale * translation_m[column])
            covariance[row, column] += off_m2


@compiled
def _size_bound(translation_m: Array, relative_std: float) -> float:
    """Return 1, or the part of a wrist's error of size that leaves it at _UNKNOWN_M."""
    largest = 0.0
    for axis in range(3):
        largest = max(largest, abs(relative_std * translation_m[axis]))
    if largest == 0:
        return 1.0
    total = 0.0
    for axis in range(3):
        total += (relative_std * translation_m[axis] / largest) ** 2
    length_m = largest * math.sqrt(total)
    return 1.0 if length_m <= _UNKNOWN_M else _UNKNOWN_M / length_m


@compiled
def _gain(apart: Array, doubt: float, inverse: Array) -> Array:
    """Return by how much each wrist (6, 3) goes along with the disagreement."""
    gain = np.zeros((6, 3))
    for row in range(6):
        for axis in range(3):
            to_left = doubt * (apart[row, 3 + axis] - apart[row, axis])
            for column in range(3):
                gain[row, column] += to_left * inverse[axis, column]
    return gain


@compiled
def _join(
    apart: Array,
    growth: float,
    gain: Array,
    share: float,
    relation: Array,
    expected: Array,
    fused: Array,
) -> None:
    """Write the covariance (6, 6) of wrists that went a share of the gain.

    Joseph's form: no variance is below 0 but by rounding, whatever the gain.
    """
    kept, added, half = np.zeros((6, 6)), np.empty((3, 3)), np.zeros((6, 6))
    for row in range(6):
        kept[row, row] = 1
        for axis in range(3):
            kept[row, axis] += share * gain[row, axis]
            kept[row, 3 + axis] -= share * gain[row, axis]
    for row in range(3):
        for column in range(3):
            of_word = share**2 * relation[row, column]
            added[row, column] = of_word + share * (1 - share) * expected[row, column]
    for row in range(6):
        for column in range(6):
            for inner in range(6):
                half[row, column] += kept[row, inner] * apart[inner, column]
    for row in range(6):
        for column in range(6):
            total = 0.0
            for inner in range(6):
                total += growth * half[row, inner] * kept[column, inner]
            for one in range(3):
                for other in range(3):
                    total += gain[row, one] * added[one, other] * gain[column, other]
            fused[row, column] = total


@compiled
def _subtract(covariance: Array, difference: Array) -> None:
    """Write the covariance (3, 3) of the left wrist minus the right one."""
    for row in range(3):
        for column in range(3):
            both = covariance[row, 3 + column] + covariance[3 + row, column]
            own = covariance[row, column] + covariance[3 + row, 3 + column]
            difference[row, column] = own - both


@compiled
def _form(matrix: Array, vector: Array) -> float:
    total = 0.0
    for row in range(len(vector)):
        for column in range(len(vector)):
            total += vector[row] * matrix[row, column] * vector[column]
    return total


@compiled
def _know(covariances: Array) -> None:
    """Make covariances (N, 3, 3) finite and symmetric, with no variance below 0."""
    for covariance in covariances:
        trace = 0.0
        for axis in range(3):
            trace += covariance[axis, axis]
        symmetric = covariance.copy()
        _symmetrise(symmetric)
        if trace <= _UNKNOWN_M**2 and _is_positive(symmetric):
            _symmetrise(covariance)
        else:
            _bound(covariance)


@compiled
def _bound(covariance: Array) -> None:
    """Put _UNKNOWN_M in a covariance (3, 3) in place of what is infinite or above."""
    is_endless = np.zeros(3, np.bool_)
    for row in range(3):
        for column in range(3):
            is_endless[row] |= not math.isfinite(covariance[row, column])
    for row in range(3):
        for column in range(3):
            if is_endless[row] or is_endless[column]:
                covariance[row, column] = _UNKNOWN_M**2 if row == column else 0.0
    _put_nearest(covariance, _UNKNOWN_M**2)


@compiled
def _lift(covariance: Array) -> None:
    """Make a matrix symmetric, with no variance below 0 if it has none but by rounding."""
    _symmetrise(covariance)
    if not _is_positive(covariance):
        _put_nearest(covariance, math.inf)


@compiled
def _put_nearest(covariance: Array, most: float) -> None:
    """Put the nearest symmetric matrix there whose variances lie between 0 and `most`."""
    count, unit = len(covariance), 1.0  # so that no square is infinite
    for row in range(count):
        for column in range(count):
            unit = max(unit, abs(covariance[row, column]))
    for row in range(count):
        for column in range(count):
            covariance[row, column] /= unit
    _symmetrise(covariance)
    variances, axes = np.linalg.eigh(covariance)
    for axis in range(count):
        variances[axis] = min(max(variances[axis] * unit, 0.0), most)
    _compose(axes, variances, covariance)


@compiled
def _invert(covariance: Array, inverse: Array) -> None:
    variances, axes = np.linalg.eigh(covariance)
    for axis in range(len(variances)):
        variances[axis] = 1 / max(variances[axis], _LEAST_STD_M**2)
    _compose(axes, variances, inverse)


@compiled
def _compose(axes: Array, values: Array, matrix: Array) -> None:
    """Write the symmetric matrix of these eigenvectors, in columns, and eigenvalues."""
    for row in range(len(values)):
        for column in range(row + 1):
            total = 0.0
            for axis in range(len(values)):
                total += axes[row, axis] * values[axis] * axes[column, axis]
            matrix[row, column] = matrix[column, row] = total


@compiled
def _symmetrise(matrix: Array) -> None:
    for row in range(len(matrix)):
        for column in range(row):
            middle = matrix[row, column] / 2 + matrix[column, row] / 2
            matrix[row, column] = matrix[column, row] = middle


@compiled
def _is_positive(symmetric: Array) -> bool:
    """Return whether all variances are above 0, by Cholesky's decomposition."""
    count = len(symmetric)
    root = np.zeros((count, count))
    for row in range(count):
        for column in range(row + 1):
            left = symmetric[row, column]
            for inner in range(column):
                left -= root[row, inner] * root[column, inner]
            if column < row:
                root[row, column] = left / root[column, column]
            elif 0 < left < math.inf:  # which NaN is not
                root[row, row] = math.sqrt(left)
            else:
                return False
    return True


def _check(
    right: Translation,
    left: Translation,
    left_from_right_m: Array,
    relation_covariance_m2: Array,
    weight: float,
) -> None:
    vectors = {
        'right.metres': right.metres,
        'left.metres': left.metres,
        'left_from_right_m': left_from_right_m,
    }
    matrices = {
        'right.covariance_m2': right.covariance_m2,
        'left.covariance_m2': left.covariance_m2,
        'relation_covariance_m2': relation_covariance_m2,
    }
    for shape, named in (((3,), vectors), ((3, 3), matrices)):
        for name, value in named.items():
            if np.shape(value) != shape:
                raise InputError(
                    'bad_shape', f'{name} has shape {np.shape(value)}, wanted {shape}'
                )
            if _has_nan(value):
                raise InputError('not_finite', f'{name} holds NaN, wanted numbers')
    for name, value in vectors.items():
        if math.inf in map(abs, value):
            raise InputError('not_finite', f'{name} holds infinity, wanted metres')
    if not 0 <= weight <= 1:
        raise InputError('bad_weight', f'weight is {weight}, wanted 0 to 1')


def _has_nan(array: Array) -> bool:
    """Return whether there is NaN: nothing else, not even infinity, makes a sum of squares NaN."""
    return math.isnan(np.vdot(array, array))
