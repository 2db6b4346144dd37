"""How steady and how late a sequence is: the two figures that a filter trades for each other."""

from __future__ import annotations

from interwild_ros.errors import InputError
from interwild_ros.records import Array
import numpy as np

_MM_PER_M = 1000.0
_NS_PER_MS = 1e6
_LEAST_OVERLAP = 8  # samples: fewer correlate by chance


def jitter_mm_per_frame2(points_m: Array) -> float | None:
    """Return the mean length of the second difference over frames, in mm/frame^2.

    Steady motion has none. White noise of deviation s per axis has s * sqrt(6) per axis. None when
    no three frames in a row hold a whole point.

    :param points_m: (T, ..., 3) metres, NaN where there is no hand.
    :raises InputError: `bad_shape`.
    """
    points_m = np.asarray(points_m, dtype=np.float64)
    if points_m.ndim < 2 or points_m.shape[-1] != 3:
        raise InputError('bad_shape', f'points have shape {points_m.shape}, wanted (T, ..., 3)')
    lengths = np.linalg.norm(points_m[2:] - 2 * points_m[1:-1] + points_m[:-2], axis=-1)
    usable = lengths[np.isfinite(lengths)]
    return float(usable.mean() * _MM_PER_M) if usable.size else None


def lag_ms(
    found: Array, truth: Array, stamps_ns: Array, *, most_ms: float = 300.0
) -> float | None:
    """Return how much later the one sequence moves than the other, in ms, below 0 when earlier.

    The shift at which both correlate best, between frames by the parabola through the best three.
    Periodic motion must have a half period above `most_ms`. None when nothing moves, or when they
    correlate best at the end of the range or nowhere.

    :param found: (T,) or (T, D) numbers in any unit; `truth` likewise; no gaps.
    :param stamps_ns: (T,) rising; uneven ones are resampled at their median distance.
    :param most_ms: the longest shift tried, either way.
    :raises InputError: `bad_shape`, `not_finite` or `bad_stamp`.
    """
    found, truth = _as_columns(found), _as_columns(truth)
    stamps_ns = np.asarray(stamps_ns)
    _check(found, truth, stamps_ns)
    times = (stamps_ns - stamps_ns[0]) / _NS_PER_MS
    step_ms = float(np.median(np.diff(times)))
    even = np.arange(0.0, times[-1] + 1e-6, step_ms)
    most = min(int(most_ms / step_ms), len(even) - _LEAST_OVERLAP)
    if most < 1:
        return None
    one, other = _resampled(found, times, even), _resampled(truth, times, even)
    likeness = np.array([_correlation(one, other, shift) for shift in range(-most, most + 1)])
    best = int(likeness.argmax())
    if likeness[best] <= 0 or best in (0, 2 * most):
        return None
    return (best - most + _peak_offset(*likeness[best - 1 : best + 2])) * step_ms


def _as_columns(values: Array) -> Array:
    values = np.asarray(values, dtype=np.float64)
    return values[:, None] if values.ndim == 1 else values


def _check(found: Array, truth: Array, stamps_ns: Array) -> None:
    if found.ndim != 2 or found.shape != truth.shape or stamps_ns.shape != found.shape[:1]:
        raise InputError(
            'bad_shape',
            f'found {found.shape}, truth {truth.shape}, stamps {stamps_ns.shape}, '
            'wanted (T, D), (T, D), (T,)',
        )
    if len(stamps_ns) < 2 or not (np.diff(stamps_ns) > 0).all():
        raise InputError('bad_stamp', 'stamps do not rise, wanted at least two that do')
    if not (np.isfinite(found).all() and np.isfinite(truth).all()):
        raise InputError('not_finite', 'a sequence holds NaN or infinity')


def _resampled(values: Array, times: Array, even: Array) -> Array:
    return np.stack([np.interp(even, times, column) for column in values.T], axis=1)


def _correlation(found: Array, truth: Array, shift: int) -> float:
    """Return Pearson's correlation of what overlaps when `found` is moved back by a shift."""
    count = len(found) - abs(shift)
    one = found[max(shift, 0) :][:count]
    other = truth[max(-shift, 0) :][:count]
    one, other = one - one.mean(0), other - other.mean(0)
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / size if size > 0 else 0.0


def _peak_offset(before: float, peak: float, after: float) -> float:
    """Return where the parabola through three even samples peaks, from the middle one."""
    bend = before - 2 * peak + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
