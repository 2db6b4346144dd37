"""Count frames and measure their times: the numbers behind `/diagnostics`."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from statistics import median
import threading
import time
from typing import Generic, TypeVar

import numpy as np

WINDOW_SEC = 5.0

T = TypeVar('T')


@dataclass(frozen=True)
class FrameTimes:
    """How long one frame took in each stage.

    `overhead_ms` is everything but the networks, `latency_ms` the age of the image's stamp when
    the hands were published.
    """

    decode_ms: float
    networks_ms: float
    placement_ms: float
    messages_ms: float
    overhead_ms: float
    latency_ms: float


@dataclass(frozen=True)
class Figures:
    """What happened since the node was configured (counts) and in the last seconds (the rest).

    Frames that came in are out, dropped, skipped because they could not be used, or in work.
    `last_frame_age_sec` is None before the first frame, and `silent_sec` then counts from the
    beginning; `latency_ms` holds the median, the 95th
    percentile and the largest. Times are None when nothing was published lately.
    """

    frames_in: int
    frames_out: int
    frames_dropped: int
    frames_skipped: int
    bad_frames: Mapping[str, int]
    recent_bad_frames: Mapping[str, int]
    input_rate_hz: float
    output_rate_hz: float
    last_frame_age_sec: float | None
    silent_sec: float
    median: FrameTimes | None
    latency_ms: tuple[float, float, float] | None


class _Recent(Generic[T]):
    """What happened in the last seconds."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, T]] = deque()

    def add(self, now: float, event: T) -> None:
        self._events.append((now, event))
        self.until(now)

    def until(self, now: float) -> list[T]:
        while self._events and now - self._events[0][0] > WINDOW_SEC:
            self._events.popleft()
        return [event for _, event in self._events]


class Meter:
    """Collects what happens to frames, from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to count.

        :param clock: seconds since any beginning.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._since = clock()
        self._last_arrival: float | None = None
        self._in = self._out = self._dropped = self._skipped = 0
        self._bad: Counter[str] = Counter()
        self._recent_in: _Recent[None] = _Recent()
        self._recent_out: _Recent[FrameTimes] = _Recent()
        self._recent_bad: _Recent[str] = _Recent()

    def count_arrival(self) -> None:
        """Count a frame that came in."""
        with self._lock:
            self._in += 1
            self._last_arrival = self._clock()
            self._recent_in.add(self._last_arrival, None)

    def count_dropped(self, count: int) -> None:
        """Count frames that a newer one pushed out before they were worked on."""
        with self._lock:
            self._dropped += count

    def count_bad(self, cause: str) -> None:
        """Count a frame that could not be used, or that was odd."""
        with self._lock:
            self._bad[cause] += 1
            self._recent_bad.add(self._clock(), cause)

    def count_skipped(self, cause: str) -> None:
        """Count a frame that could not be used, and that therefore no hands answer."""
        with self._lock:
            self._skipped += 1
        self.count_bad(cause)

    def count_published(self, times: FrameTimes) -> None:
        """Count a frame whose hands were published."""
        with self._lock:
            self._out += 1
            self._recent_out.add(self._clock(), times)

    def forget_recent(self) -> None:
        """Begin rates and times anew, so that a pause does not count as slowness."""
        with self._lock:
            self._since = self._clock()
            self._last_arrival = None
            self._recent_in, self._recent_out, self._recent_bad = _Recent(), _Recent(), _Recent()

    def figures(self) -> Figures:
        """Return what was counted and measured up to now."""
        with self._lock:
            now = self._clock()
            seconds = min(WINDOW_SEC, max(now - self._since, 1e-3))
            recent_out = self._recent_out.until(now)
            last = self._last_arrival
            return Figures(
                frames_in=self._in,
                frames_out=self._out,
                frames_dropped=self._dropped,
                frames_skipped=self._skipped,
                bad_frames=dict(self._bad),
                recent_bad_frames=dict(Counter(self._recent_bad.until(now))),
                input_rate_hz=len(self._recent_in.until(now)) / seconds,
                output_rate_hz=len(recent_out) / seconds,
                last_frame_age_sec=None if last is None else now - last,
                silent_sec=now - (self._since if last is None else last),
                median=_median(recent_out),
                latency_ms=_latency(recent_out),
            )


def _median(times: list[FrameTimes]) -> FrameTimes | None:
    if not times:
        return None
    names = [field.name for field in fields(FrameTimes)]
    return FrameTimes(**{name: median(getattr(t, name) for t in times) for name in names})


def _latency(times: list[FrameTimes]) -> tuple[float, float, float] | None:
    if not times:
        return None
    p50, p95, longest = np.percentile([t.latency_ms for t in times], (50, 95, 100))
    return float(p50), float(p95), float(longest)
