"""How far two series of hands are apart, frame by frame and in total: pure; B counts as the truth.

Frames belong together by their stamps. Distances are those of hands that both have; a hand of B
that A has not, in a frame that A lacks too, is one that was missed. Frames of A alone say nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import enum

from interwild_ros.bag.figures import Percentiles, percentiles
from interwild_ros.bag.measures import latency_ms, Measure
from interwild_ros.bag.series import Series
from interwild_ros.bag.sources import Source
from interwild_ros.errors import AssetError
from interwild_ros.eval.metrics import MM_PER_M
from interwild_ros.records import Array, NS_PER_SEC, Side
import numpy as np

_NS_PER_MS = 1e6
_Distance = Callable[[Array, Array], Array]

COMPARED: dict[str, Measure] = {
    'mpjpe': Measure(
        'MPJPE',
        'mm',
        'Mean distance of the 21 joints with both wrists laid on each other; no scale and no '
        'rotation is fitted.',
    ),
    'wrist_error': Measure('Wrist error', 'mm', "Distance of the wrists in the camera's frame."),
    'mrrpe': Measure(
        'MRRPE',
        'mm',
        'How far the left wrist is off, seen from the right one: left_from_right of A against '
        "that of B, against the wrists' difference where B is the truth.",
    ),
    'presence': Measure(
        'Presence',
        '',
        'Precision: share of the hands of A, in frames of both, that B has too. Recall: share of '
        'the hands of B that A has too. F1: their harmonic mean.',
    ),
    'latency': Measure(
        'Latency',
        'ms',
        'Arrival minus stamp; the difference is the median over frames of A minus B.',
    ),
}


class AlignBy(enum.Enum):
    """How the frames of A and B are laid on each other."""

    STAMPS = 'stamps'
    START = 'start'  # each one's first stamp is zero


@dataclass(frozen=True)
class Spread:
    """Of a distance over all frames that have it; None where none has."""

    count: int
    mean: float | None
    p50: float | None
    p95: float | None
    largest: float | None


@dataclass(frozen=True)
class PresenceScore:
    """Hands of both, of A alone and of B alone; None where there was nothing to count."""

    both: int
    only_a: int
    only_b: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class HandsCompared:
    """Of the right hand, the left one, or both taken together."""

    mpjpe_mm: Spread
    wrist_error_mm: Spread
    presence: PresenceScore


@dataclass(frozen=True)
class LatencyCompared:
    """Medians over the frames of both."""

    a_ms: float
    b_ms: float
    difference_ms: float


@dataclass(frozen=True)
class Totals:
    """Over everything; `matched` frames of B have one in A, `stamps_apart_ms` is how far off.

    `latency` is None unless both say when their messages arrived, by the clock of the stamps.
    """

    frames_a: int
    frames_b: int
    matched: int
    aligned_by: str
    tolerance_ms: float
    stamps_apart_ms: Percentiles
    right: HandsCompared
    left: HandsCompared
    hands: HandsCompared
    mrrpe_mm: Spread
    latency: LatencyCompared | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Frame by frame of B (T): NaN where the frame, or a hand that both have, is missing.

    `rows_a` (T,) the frame of A that belongs to it, -1 for none; `stamps_apart_ms` (T,);
    `mpjpe_mm` and `wrist_error_mm` (T, 2), the right hand first; `mrrpe_mm` (T,); `tracked_a` and
    `tracked_b` (T, 2); `latencies_ms` (2, T) of A and of B, NaN where they are not known.
    """

    a: Source
    b: Source
    align_by: AlignBy
    tolerance_ms: float
    rows_a: Array
    stamps_apart_ms: Array
    mpjpe_mm: Array
    wrist_error_mm: Array
    mrrpe_mm: Array
    tracked_a: Array
    tracked_b: Array
    latencies_ms: Array

    @property
    def matched(self) -> Array:
        """Return which frames of B (T,) have one in A."""
        return np.asarray(self.rows_a >= 0)


def compare(
    a: Source, b: Source, *, tolerance_ms: float = 10.0, align_by: AlignBy | None = None
) -> Comparison:
    """Compare two series of hands.

    :param tolerance_ms: how far apart two stamps may be that belong together.
    :param align_by: None takes stamps, and the start where one of both has no stamps.
    :raises AssetError: when there is nothing in common, or stamps are wanted where there are none.
    """
    by = _alignment(a, b, align_by)
    times_a, times_b = (_aligned_ns(source.series, by) for source in (a, b))
    rows_a = match(times_a, times_b, tolerance_ns=round(tolerance_ms * _NS_PER_MS))
    if not (rows_a >= 0).any():
        raise AssetError(_nothing_in_common(a, b, by, tolerance_ms))
    return Comparison(
        a=a,
        b=b,
        align_by=by,
        tolerance_ms=tolerance_ms,
        rows_a=rows_a,
        stamps_apart_ms=_taken(times_a, rows_a) / _NS_PER_MS - times_b / _NS_PER_MS,
        mpjpe_mm=_each_hand(_mpjpe_mm, a.joints_m, b.joints_m, rows_a),
        wrist_error_mm=_each_hand(_wrist_error_mm, a.joints_m, b.joints_m, rows_a),
        mrrpe_mm=_apart_mm(_taken(a.series.left_from_right_m, rows_a), b.series.left_from_right_m),
        tracked_a=_tracked(a.series)[rows_a] & (rows_a >= 0)[:, None],
        tracked_b=_tracked(b.series),
        latencies_ms=np.stack([_taken(_latencies_ms(a), rows_a), _latencies_ms(b)]),
    )


def match(stamps_a_ns: Array, stamps_b_ns: Array, *, tolerance_ns: int) -> Array:
    """Return for each stamp of B (T,) the row of A that belongs to it, -1 for none.

    That is the nearest stamp within the tolerance, each row of A at most once: of two stamps of B
    the nearer one has it, the earlier among equals. Repeated stamps go by their order.

    :param stamps_a_ns: in order, and so is `stamps_b_ns`.
    """
    unique_a, first_a, count_a = np.unique(stamps_a_ns, return_index=True, return_counts=True)
    unique_b, first_b, of_b = np.unique(stamps_b_ns, return_index=True, return_inverse=True)
    if not (len(unique_a) and len(unique_b)):
        return np.full(len(stamps_b_ns), -1)
    partner = _partners(unique_a, unique_b, tolerance_ns)[of_b]
    repeat = np.arange(len(stamps_b_ns)) - first_b[of_b]
    has = (partner >= 0) & (repeat < count_a[partner])
    return np.where(has, first_a[partner] + repeat, -1)


def totals_of(comparison: Comparison) -> Totals:
    """Return what the frames make together."""
    c = comparison
    right, left = ([side] for side in Side)
    return Totals(
        frames_a=len(c.a.series),
        frames_b=len(c.b.series),
        matched=int(c.matched.sum()),
        aligned_by=c.align_by.value,
        tolerance_ms=c.tolerance_ms,
        stamps_apart_ms=percentiles(np.abs(c.stamps_apart_ms[c.matched]).tolist()),
        right=_hands_compared(c, right),
        left=_hands_compared(c, left),
        hands=_hands_compared(c, [*Side]),
        mrrpe_mm=_spread(c.mrrpe_mm),
        latency=_latency_compared(c),
    )


def _alignment(a: Source, b: Source, wanted: AlignBy | None) -> AlignBy:
    unstamped = [source.path for source in (a, b) if not source.has_stamps]
    if wanted is AlignBy.STAMPS and unstamped:
        raise AssetError(
            f'{unstamped[0]} holds no stamps, only times after the first frame: wanted to align '
            f'by {AlignBy.START.value}'
        )
    return wanted or (AlignBy.START if unstamped else AlignBy.STAMPS)


def _aligned_ns(series: Series, by: AlignBy) -> Array:
    return series.stamps_ns - (series.stamps_ns[:1] if by is AlignBy.START else 0)


def _partners(unique_a: Array, unique_b: Array, tolerance_ns: int) -> Array:
    """Return for each of B the nearest of A within the tolerance, each of A once, -1 for none."""
    after = np.clip(np.searchsorted(unique_a, unique_b), 1, max(1, len(unique_a) - 1))
    after = np.minimum(after, len(unique_a) - 1)
    before = np.maximum(after - 1, 0)
    is_before = np.abs(unique_b - unique_a[before]) <= np.abs(unique_a[after] - unique_b)
    nearest = np.where(is_before, before, after)
    apart = np.abs(unique_a[nearest] - unique_b)
    partner = np.full(len(unique_b), -1)
    order = np.argsort(apart, kind='stable')
    order = order[apart[order] <= tolerance_ns]
    taken, first = np.unique(nearest[order], return_index=True)
    partner[order[first]] = taken
    return partner


def _each_hand(distance_mm: _Distance, a_m: Array, b_m: Array, rows_a: Array) -> Array:
    """Return a distance of each hand (T, 2)."""
    columns = [distance_mm(_taken(a_m[:, side], rows_a), b_m[:, side]) for side in Side]
    return np.stack(columns, axis=1)


def _mpjpe_mm(a_m: Array, b_m: Array) -> Array:
    return np.asarray(_apart_mm(a_m - a_m[:, :1], b_m - b_m[:, :1]).mean(1))


def _wrist_error_mm(a_m: Array, b_m: Array) -> Array:
    return _apart_mm(a_m[:, 0], b_m[:, 0])


def _apart_mm(a_m: Array, b_m: Array) -> Array:
    return np.asarray(MM_PER_M * np.linalg.norm(a_m.astype(np.float64) - b_m, axis=-1))


def _taken(values: Array, rows: Array) -> Array:
    """Return rows of an array, NaN for row -1."""
    there = (rows >= 0).reshape(-1, *[1] * (values.ndim - 1))
    return np.where(there, values[rows].astype(np.float64), np.nan)


def _tracked(series: Series) -> Array:
    return np.stack([hand.tracked for hand in series.hands], axis=1)


def _latencies_ms(source: Source) -> Array:
    found = latency_ms(source.series) if source.has_arrivals else None
    return np.full(len(source.series), np.nan) if found is None else found


def _hands_compared(comparison: Comparison, sides: list[Side]) -> HandsCompared:
    return HandsCompared(
        mpjpe_mm=_spread(comparison.mpjpe_mm[:, sides]),
        wrist_error_mm=_spread(comparison.wrist_error_mm[:, sides]),
        presence=_presence_score(comparison, sides),
    )


def _presence_score(comparison: Comparison, sides: list[Side]) -> PresenceScore:
    a, b = comparison.tracked_a[:, sides], comparison.tracked_b[:, sides]
    both, only_a, only_b = int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum())
    return PresenceScore(
        both=both,
        only_a=only_a,
        only_b=only_b,
        precision=_share(both, both + only_a),
        recall=_share(both, both + only_b),
        f1=_share(2 * both, 2 * both + only_a + only_b),
    )


def _latency_compared(comparison: Comparison) -> LatencyCompared | None:
    known = comparison.latencies_ms[:, np.isfinite(comparison.latencies_ms).all(0)]
    if not known.size:
        return None
    a_ms, b_ms = (round(float(median), 3) for median in np.median(known, axis=1))
    return LatencyCompared(a_ms, b_ms, round(float(np.median(known[0] - known[1])), 3))


def _spread(values: Array) -> Spread:
    usable = values[np.isfinite(values)]
    if not usable.size:
        return Spread(0, None, None, None, None)
    p50, p95 = np.percentile(usable, (50, 95))
    figures = (usable.mean(), p50, p95, usable.max())
    return Spread(usable.size, *(round(float(figure), 3) for figure in figures))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _nothing_in_common(a: Source, b: Source, by: AlignBy, tolerance_ms: float) -> str:
    said = '; '.join(f'{source.path} {_extent(source.series, by)}' for source in (a, b))
    return (
        f'nothing in common: no two frames are within {tolerance_ms:g} ms of each other, '
        f'aligned by {by.value}: {said}'
    )


def _extent(series: Series, by: AlignBy) -> str:
    if not len(series):
        return 'has no frames'
    first, last = _aligned_ns(series, by)[[0, -1]] / NS_PER_SEC
    return f'has {len(series)} frames from {first:.3f} to {last:.3f} s'
