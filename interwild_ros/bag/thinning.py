"""Fewer points for drawing that show the same: pure functions over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from interwild_ros.bag.measures import Span
from interwild_ros.records import Array
import numpy as np

MOST_POINTS = 4000  # of a line: more than a screen has columns


def thinned(times: Array, values: Array, *, most: int = MOST_POINTS) -> tuple[Array, Array]:
    """Return the smallest and the largest value of each stretch of frames, so that peaks stay.

    A line that is short enough is returned as it is; a stretch with no value at all is one NaN.

    :param times: (T,) and `values` (T,) with NaN where there is none.
    """
    if len(times) <= most:
        return times, values
    edges = np.linspace(0, len(times), most // 2 + 1).astype(int)
    rows = np.concatenate([start + _extremes(values[start:end]) for start, end in pairwise(edges)])
    return times[rows], values[rows]


def evenly_thinned(points: Array, *, most: int = MOST_POINTS) -> Array:
    """Return every n-th of (T, ...) points, the first among them."""
    return points[:: max(1, -(-len(points) // most))]


def merged(spans: Sequence[Span], *, least_gap_sec: float) -> list[Span]:
    """Return spans with those put together between which there is less than a gap."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start_sec - joined[-1].end_sec < least_gap_sec:
            joined[-1] = Span(joined[-1].start_sec, span.end_sec)
        else:
            joined.append(span)
    return joined


def _extremes(values: Array) -> Array:
    """Return the rows of the smallest and the largest, in order; the first where all is NaN."""
    usable = np.flatnonzero(np.isfinite(values))
    if not usable.size:
        return np.zeros(1, int)
    ends = (usable[values[usable].argmin()], usable[values[usable].argmax()])
    return np.unique(ends)
