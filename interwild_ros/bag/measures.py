"""What a series says in figures, each with its unit and definition: pure functions over arrays.

MEASURES names them all for pages and documents. NaN means that there is no figure for a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from interwild_ros.bag.figures import Percentiles, percentiles, rate_hz
from interwild_ros.bag.series import GAP_STEPS, HandSeries, Series
from interwild_ros.bag.steadiness import Jitter, SidePresence
from interwild_ros.records import Array, Side
import numpy as np

_MM_PER_M = 1000.0
_NS_PER_MS = 1e6
_LONGEST_LATENCY_MS = 60_000.0


@dataclass(frozen=True)
class Measure:
    """What a figure is called, its unit (empty for a share or a count) and what it means."""

    title: str
    unit: str
    definition: str


MEASURES: dict[str, Measure] = {
    'rate': Measure(
        'Frame rate',
        'Hz',
        'Frames a second between the first stamp and the last. Drawn: each second.',
    ),
    'step': Measure('Step', 'ms', 'Time since the stamp of the frame before.'),
    'gap': Measure(
        'Gap',
        's',
        f'A step longer than {GAP_STEPS:g} median steps: at least one frame is missing.',
    ),
    'latency': Measure(
        'Latency',
        'ms',
        'Arrival at the recorder minus the stamp of the picture: of the picture itself where it '
        'was analysed afterwards, of the message where hands were recorded. Shown only where both '
        'clocks can be the same one.',
    ),
    'presence': Measure(
        'Presence',
        '',
        'Share of the frames in which the hand is tracked, and how often it came and was lost.',
    ),
    'wrist_path': Measure(
        'Wrist path',
        'm',
        "Where the wrist joint is in the camera's optical frame: x right, y down, z forward. Its "
        'length is the sum over the steps in which the hand stays tracked.',
    ),
    'speed': Measure(
        'Wrist speed',
        'm/s',
        'Distance of the wrist from where it was a frame before, by the time between both stamps.',
    ),
    'wrist_distance': Measure('Wrists apart', 'm', 'From the right wrist joint to the left one.'),
    'pinch': Measure('Pinch', 'mm', 'From the tip of the thumb to the tip of the index finger.'),
    'jitter': Measure(
        'Jitter',
        'mm/frame²',
        'Mean length of the second difference of the 21 joints over three frames that follow each '
        'other. Raw: each frame by itself; filtered: as published. Motion adds to both alike. '
        'Drawn: means of at most a second.',
    ),
    'reprojection_error': Measure(
        'Reprojection error',
        'px',
        'Root mean square over the joints: the placed joints seen by the camera against those '
        'that the networks saw in the picture.',
    ),
    'wrist_std': Measure(
        'Wrist deviation',
        'mm',
        'Standard deviation that the hand states of its wrist, along the ray from the camera.',
    ),
    'score': Measure('Score', '', 'How likely the hand is there, 0 to 1, as the networks say it.'),
}


@dataclass(frozen=True)
class Span:
    """A stretch of time, seconds after the first stamp."""

    start_sec: float
    end_sec: float

    @property
    def duration_sec(self) -> float:
        """Return how long it is."""
        return self.end_sec - self.start_sec


@dataclass(frozen=True)
class HandFigures:
    """Of one hand over the whole series; the definitions are those of MEASURES."""

    presence: SidePresence
    path_length_m: float
    speed_m_s: Percentiles
    pinch_mm: Percentiles
    jitter: Jitter
    reprojection_error_px: Percentiles
    wrist_std_mm: Percentiles


@dataclass(frozen=True)
class SeriesFigures:
    """Of the whole series; `latency_ms` is None where the clocks are not the same."""

    frames: int
    duration_sec: float
    rate_hz: float | None
    gaps: int
    longest_gap_sec: float | None
    repeated_stamps: int
    both_share: float | None
    latency_ms: Percentiles | None
    wrist_distance_m: Percentiles
    right: HandFigures
    left: HandFigures


def measure(series: Series) -> SeriesFigures:
    """Return every figure of a series."""
    gaps = gap_spans(series)
    latencies = latency_ms(series)
    both = series.right.tracked & series.left.tracked
    return SeriesFigures(
        frames=len(series),
        duration_sec=round(float(series.times_sec[-1]), 3) if len(series) else 0.0,
        rate_hz=rate_hz(series.stamps_ns),
        gaps=len(gaps),
        longest_gap_sec=max((gap.duration_sec for gap in gaps), default=None),
        repeated_stamps=int((series.steps_sec == 0).sum()),
        both_share=round(float(both.mean()), 4) if len(series) else None,
        latency_ms=None if latencies is None else _percentiles(latencies),
        wrist_distance_m=_percentiles(wrist_distance_m(series)),
        right=_hand_figures(series, Side.RIGHT),
        left=_hand_figures(series, Side.LEFT),
    )


def gap_spans(series: Series) -> list[Span]:
    """Return where frames are missing: from the frame before to the frame after."""
    after = np.flatnonzero(series.after_gap)
    times = series.times_sec
    return [Span(float(times[row - 1]), float(times[row])) for row in after]


def rate_over_time(series: Series, *, window_sec: float = 1.0) -> tuple[Array, Array]:
    """Return the middle of each whole window, s, and the frames a second in it, Hz.

    What is left of the last window is not told.
    """
    windows = int(series.times_sec[-1] // window_sec) if len(series) else 0
    if not windows:
        return np.zeros(0), np.zeros(0)
    edges = window_sec * np.arange(windows + 1)
    counts, _ = np.histogram(series.times_sec[series.times_sec < edges[-1]], edges)
    return (edges[:-1] + edges[1:]) / 2, counts / window_sec


def latency_ms(series: Series) -> Array | None:
    """Return arrival minus stamp (T,), None where the two clocks cannot be the same one.

    They cannot where the median is below zero or above a minute: the stamps of a simulation, or of
    a camera's own clock.
    """
    latencies = (series.received_ns - series.stamps_ns) / _NS_PER_MS
    if not len(series) or not 0 <= float(np.median(latencies)) <= _LONGEST_LATENCY_MS:
        return None
    return latencies


def presence(hand: HandSeries) -> SidePresence:
    """Return the share of frames, how often the hand came and went, and why it was absent."""
    before = _earlier(hand.tracked)
    reasons, counts = np.unique(hand.reasons[~hand.tracked], return_counts=True)
    return SidePresence(
        tracked_share=round(float(hand.tracked.mean()), 4) if len(hand.tracked) else 0.0,
        appearances=int((hand.tracked & ~before).sum()),
        losses=int((before & ~hand.tracked).sum()),
        absent={str(reason): int(count) for reason, count in zip(reasons, counts, strict=True)},
    )


def present_spans(series: Series, side: Side) -> list[Span]:
    """Return when a hand is there."""
    return spans_of(series, series.of(side).tracked)


def spans_of(series: Series, holds: Array) -> list[Span]:
    """Return when something holds (T,): from its first frame to a usual step after its last one.

    A stretch ends where so many frames are missing that nothing is known.
    """
    goes_on = holds & _earlier(holds) & ~series.after_break
    starts = np.flatnonzero(holds & ~goes_on)
    ends = np.flatnonzero(holds & ~_later(goes_on))
    step_sec = 0.0 if np.isnan(series.median_step_sec) else series.median_step_sec
    times = series.times_sec
    return [
        Span(float(times[start]), float(times[end]) + step_sec)
        for start, end in zip(starts, ends, strict=True)
    ]


def wrist_steps_m(series: Series, side: Side) -> Array:
    """Return how far the wrist is from where it was a frame before (T,), metres.

    NaN unless the hand is tracked in both, and where nothing is known of what was between.
    """
    wrist_m = series.of(side).wrist_m
    steps_m = np.full(len(series), np.nan)
    steps_m[1:] = np.linalg.norm(np.diff(wrist_m, axis=0), axis=1)
    return np.where(series.after_break, np.nan, steps_m)


def path_length_m(series: Series, side: Side) -> float:
    """Return how far the wrist went while the hand was tracked, metres."""
    return float(np.nansum(wrist_steps_m(series, side)))


def speed_m_s(series: Series, side: Side) -> Array:
    """Return the wrist's speed since the frame before (T,), m/s; NaN at repeated stamps."""
    steps_sec = np.where(series.steps_sec > 0, series.steps_sec, np.nan)
    return np.asarray(wrist_steps_m(series, side) / steps_sec)


def wrist_distance_m(series: Series) -> Array:
    """Return the distance from the right wrist to the left one (T,), metres."""
    return np.asarray(np.linalg.norm(series.left.wrist_m - series.right.wrist_m, axis=1))


def pinch_mm(hand: HandSeries) -> Array:
    """Return the distance from the thumb's tip to the index finger's (T,), mm."""
    return np.asarray(_MM_PER_M * hand.pinch_m)


def jitter_mm(series: Series, bends_m: Array) -> float | None:
    """Return the jitter that bends (T,) of joints make, mm/frame^2: over no gap; None without."""
    return _jitter_mm(_over_no_gap(series, bends_m))


def jitter_over_time(
    series: Series, bends_m: Array, *, window_sec: float = 1.0
) -> tuple[Array, Array]:
    """Return the middle of each window, s, and the jitter of its frames, NaN without any."""
    if not len(series):
        return np.zeros(0), np.zeros(0)
    windows = int(series.times_sec[-1] // window_sec) + 1
    rows = np.searchsorted(series.times_sec, window_sec * np.arange(windows + 1))
    bends_m = _over_no_gap(series, bends_m)
    # the two frames that a bend needs before its own are to be of the same window
    found = [_jitter_mm(bends_m[start + 2 : end]) for start, end in pairwise(rows)]
    values = np.array([np.nan if value is None else value for value in found])
    return window_sec * (np.arange(windows) + 0.5), values


def wrist_std_mm(hand: HandSeries) -> Array:
    """Return the deviation that the hand states along the ray (T,), mm."""
    return np.asarray(_MM_PER_M * hand.wrist_std_m)


def _hand_figures(series: Series, side: Side) -> HandFigures:
    hand = series.of(side)
    return HandFigures(
        presence=presence(hand),
        path_length_m=round(path_length_m(series, side), 3),
        speed_m_s=_percentiles(speed_m_s(series, side)),
        pinch_mm=_percentiles(pinch_mm(hand)),
        jitter=Jitter(jitter_mm(series, hand.raw_bends_m), jitter_mm(series, hand.bends_m)),
        reprojection_error_px=_percentiles(hand.reprojection_error_px),
        wrist_std_mm=_percentiles(wrist_std_mm(hand)),
    )


def _over_no_gap(series: Series, bends_m: Array) -> Array:
    """Return bends (T,) without those over a gap: the first two frames after it have none."""
    return np.where(series.after_gap | _earlier(series.after_gap), np.nan, bends_m)


def _jitter_mm(bends_m: Array) -> float | None:
    usable = bends_m[np.isfinite(bends_m)]
    return round(float(usable.mean() * _MM_PER_M), 3) if usable.size else None


def _earlier(mask: Array) -> Array:
    """Return what held a frame before; nothing did before the first."""
    return np.concatenate([[False], mask])[:-1]


def _later(mask: Array) -> Array:
    return np.concatenate([mask, [False]])[1:]


def _percentiles(values: Array) -> Percentiles:
    return percentiles(values[np.isfinite(values)].astype(np.float64))
