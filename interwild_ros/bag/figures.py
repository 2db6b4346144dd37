"""Small statistics of recordings: what is left of many numbers in a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from interwild_ros.records import Array
import numpy as np


@dataclass(frozen=True)
class Percentiles:
    """Of a figure over all frames; None when there was none."""

    p50: float | None
    p95: float | None
    p99: float | None


def percentiles(values: Sequence[float] | Array) -> Percentiles:
    """Return the percentiles 50, 95 and 99."""
    if not len(values):
        return Percentiles(None, None, None)
    p50, p95, p99 = (round(float(p), 3) for p in np.percentile(values, (50, 95, 99)))
    return Percentiles(p50, p95, p99)


def rate_hz(times_ns: Sequence[int] | Array) -> float | None:
    """Return events a second between the first and the last; None for fewer than two."""
    if len(times_ns) < 2 or times_ns[-1] <= times_ns[0]:
        return None
    return round((len(times_ns) - 1) * 1e9 / int(times_ns[-1] - times_ns[0]), 3)
