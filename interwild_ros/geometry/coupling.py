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

from interwild_ros.config import Checked, setting
from interwild_ros.errors import InputError
from interwild_ros.geometry.placement import Translation
from interwild_ros.records import Array
import numpy as np

_PLAUSIBLE = 3.0  # standard deviations: 97 % of what is normal in three dimensions is nearer
_MOST_DOUBT = 1e6  # by which a covariance grows
_UNKNOWN_M = 1e3  # the standard deviation of what nobody knows: no camera shows a hand so far off
_LEAST_STD_M = 1e-4  # no difference between two wrists is known better
_STAY = np.eye(6)
_DIFFERENCE = np.hstack([-np.eye(3), np.eye(3)])  # left from right, of both in one column


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
    with np.errstate(all='ignore'):  # numbers that no camera gives: they pull nowhere
        placed = np.concatenate([right.metres, left.metres]).astype(np.float64)
        of_right, of_left, relation = _known(
            right.covariance_m2, left.covariance_m2, relation_covariance_m2
        )
        covariance = _covariance_apart_m2(placed, of_right, of_left, noise or PlacementNoise())
        disagreement = left_from_right_m - _DIFFERENCE @ placed
        of_difference = _DIFFERENCE @ covariance @ _DIFFERENCE.T
        inverse = _inverse(of_difference + relation)
        sigmas = float(np.sqrt(disagreement @ inverse @ disagreement))
        doubt = _MOST_DOUBT
        if (
            sigmas < _PLAUSIBLE * _MOST_DOUBT**0.5
        ):  # which NaN, of numbers beyond all bounds, is not
            doubt = max(sigmas / _PLAUSIBLE, 1.0) ** 2
        doubted = covariance * doubt
        expected = of_difference * doubt + relation
        if doubt > 1:
            inverse = _inverse(expected)
        gain = doubted @ _DIFFERENCE.T @ inverse
        covariance = covariance + weight * (doubted - covariance)
        share = weight
        wrists = placed + share * (gain @ disagreement)
        # Joseph's form: no variance is below 0 but by rounding, whatever the gain.
        kept = _STAY - share * gain @ _DIFFERENCE
        added = share**2 * relation + share * (1 - share) * expected
        fused = _nowhere_negative(kept @ covariance @ kept.T + gain @ added @ gain.T)
        return _coupled(wrists, fused, math.hypot(*disagreement.tolist()), sigmas)


def with_size_error(translation_m: Array, covariance_m2: Array, relative_std: float) -> Array:
    """Return a wrist's covariance (3, 3) with an error of the hand's size added.

    A hand that is a part larger than believed is that part farther away, along the ray to its
    wrist: the error of size lies along the translation (3,) and grows with it (F5).
    """
    off_m = _size_error_m(translation_m, relative_std)
    return np.asarray(covariance_m2 + _square(off_m))


def _coupled(wrists: Array, covariance: Array, disagreement_m: float, sigmas: float) -> Coupled:
    right_m, left_m = wrists[:3], wrists[3:]
    return Coupled(
        right_m=right_m,
        left_m=left_m,
        right_covariance_m2=covariance[:3, :3],
        left_covariance_m2=covariance[3:, 3:],
        left_from_right_m=left_m - right_m,
        left_from_right_covariance_m2=_nowhere_negative(_DIFFERENCE @ covariance @ _DIFFERENCE.T),
        disagreement_m=disagreement_m,
        disagreement_sigmas=sigmas,
    )


def _covariance_apart_m2(
    placed: Array, of_right_m2: Array, of_left_m2: Array, noise: PlacementNoise
) -> Array:
    """Return the covariance (6, 6) of both wrists before they know of each other."""
    right_m, left_m = placed[:3], placed[3:]
    shared = [_size_error_m(metres, noise.common) for metres in (right_m, left_m)]
    covariance = _square(np.concatenate(shared))
    covariance[:3, :3] += with_size_error(right_m, of_right_m2, noise.own)
    covariance[3:, 3:] += with_size_error(left_m, of_left_m2, noise.own)
    return covariance


def _size_error_m(translation_m: Array, relative_std: float) -> Array:
    """Return where one standard deviation of the relative error of size moves a wrist (3,)."""
    off_m = relative_std * np.asarray(translation_m, np.float64)
    length_m = math.hypot(*off_m.tolist())
    return off_m if length_m <= _UNKNOWN_M else off_m * (_UNKNOWN_M / length_m)


def _square(vector: Array) -> Array:
    square: Array = vector[:, None] * vector
    return square


def _known(*covariances_m2: Array) -> Array:
    """Return covariances (N, 3, 3) without infinities, symmetric, with no variance below 0."""
    covariances = np.array(covariances_m2, np.float64)
    symmetric = _symmetric(covariances)
    if _are_positive(symmetric) and (np.trace(symmetric, 0, 1, 2) <= _UNKNOWN_M**2).all():
        return symmetric
    return np.array([_bounded(covariance) for covariance in covariances])


def _bounded(covariance: Array) -> Array:
    """Return a covariance (3, 3) with _UNKNOWN_M in place of what is infinite or above."""
    endless = ~np.isfinite(covariance).all(axis=1)
    covariance[endless] = 0
    covariance[:, endless] = 0
    covariance[endless, endless] = _UNKNOWN_M**2
    return _nearest(covariance, _UNKNOWN_M**2)


def _nowhere_negative(covariance_m2: Array) -> Array:
    """Return a symmetric matrix with no variance below 0 of one that has none but by rounding."""
    symmetric = _symmetric(covariance_m2)
    return symmetric if _are_positive(symmetric) else _nearest(covariance_m2, np.inf)


def _nearest(covariance_m2: Array, most: float) -> Array:
    """Return the nearest symmetric matrix whose variances lie between 0 and `most`."""
    unit = max(float(np.abs(covariance_m2).max()), 1.0)  # so that no square is infinite
    variances, axes = np.linalg.eigh(_symmetric(covariance_m2 / unit))
    return _symmetric((axes * np.clip(variances * unit, 0, most)) @ axes.T)


def _are_positive(symmetric: Array) -> bool:
    """Return whether matrices (..., N, N) have variances above 0 only, at half eigh's price."""
    try:
        return bool(np.isfinite(np.linalg.cholesky(symmetric)).all())
    except np.linalg.LinAlgError:
        return False


def _inverse(covariance_m2: Array) -> Array:
    variances, axes = np.linalg.eigh(covariance_m2)
    inverse: Array = (axes / np.maximum(variances, _LEAST_STD_M**2)) @ axes.T
    return inverse


def _symmetric(matrix: Array) -> Array:
    symmetric: Array = (matrix + matrix.swapaxes(-1, -2)) / 2
    return symmetric


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
