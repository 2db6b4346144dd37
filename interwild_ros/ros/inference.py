"""Work on one image after another, in the worker's thread, and publish what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import threading
import time
from typing import Any

from interwild_ros.bag.messages import stamp_ns
from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.pipeline.following import Followed, Follower
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.records import Frame
from interwild_ros.ros.complaints import Complaints
from interwild_ros.ros.depth_in import DepthInput
from interwild_ros.ros.frame_in import FrameReader
from interwild_ros.ros.meter import FrameTimes, Meter
from interwild_ros.ros.outputs import Outputs
from interwild_ros.ros.overlay_out import OverlayOut
from interwild_ros.ros.stamps import Order, StampOrder
from interwild_ros.tracking.hand_size import Measured, NotMeasured

NO_DEPTH = 'no_depth'  # counted for images whose depth did not come in time


@dataclass(frozen=True)
class Sinks:
    """Where results, times and complaints go."""

    outputs: Outputs
    overlay: OverlayOut
    meter: Meter
    complaints: Complaints


@dataclass(frozen=True)
class Sources:
    """What turns messages into frames."""

    reader: FrameReader
    depth: DepthInput


class StopWatch:
    """Measures one stage after another."""

    def __init__(self) -> None:
        self._at_sec = time.perf_counter()

    def lap_ms(self) -> float:
        """Return the time since the last lap."""
        before, self._at_sec = self._at_sec, time.perf_counter()
        return 1e3 * (self._at_sec - before)


class Inference:
    """From image messages to published hands.

    `work` belongs to the worker's thread, everything else to the executor's.
    """

    def __init__(
        self, pipeline: Pipeline, sources: Sources, sinks: Sinks, *, now_ns: Callable[[], int]
    ) -> None:
        """Keep the parts; nothing is published before `open`.

        :param now_ns: the clock of the images' stamps.
        """
        self._pipeline = pipeline
        self._reader = sources.reader
        self._depth = sources.depth
        self._follower = Follower(pipeline)
        self._sinks = sinks
        self._now_ns = now_ns
        self._order = StampOrder()
        # Held while hands are placed and published: after `close` nothing comes out.
        self._lock = threading.Lock()
        self._is_open = False
        self._is_changed = self._is_forgotten = False
        self._last_ns = 0

    def open(self) -> None:
        """Let results out, beginning anew."""
        self.reset()
        with self._lock:
            self._is_open = True

    def close(self) -> None:
        """Let nothing out any more, not even the frame that is being worked on."""
        with self._lock:
            self._is_open = False
            self._sinks.outputs.take_back_markers()

    def reset(self) -> None:
        """Forget what earlier frames said."""
        with self._lock:
            self._forget()

    def apply(self, settings: Settings) -> None:
        """Work on the next frame with other settings."""
        with self._lock:
            self._pipeline = self._pipeline.with_settings(settings)
            self._is_changed = True
            self._reader.use(settings)

    def measure_palm(self) -> Measured | NotMeasured:
        """Return the operator's size, by the last frames with a known distance."""
        with self._lock:
            return self._follower.measure_palm(self._last_ns)

    def work(self, data: bytes) -> None:
        """See the hands in an image and publish them; count and skip an image that is unusable.

        :param data: the serialised message.
        """
        watch = StopWatch()
        message = self._reader.message(data)
        try:
            self._check_order(message)
            self._see(message, watch)
        except InputError as error:
            self._sinks.meter.count_skipped(error.cause)
            self._sinks.complaints.say(error.cause, f'frame skipped, {error.cause}: {error}')

    def _check_order(self, message: Any) -> None:
        """Refuse a stamp that repeats the last, and begin anew when time went backwards."""
        stamp = message.header.stamp
        order = self._order.compare(stamp_ns(stamp))
        text = f'{stamp.sec}.{stamp.nanosec:09d} s'
        if order is Order.REPEATED:
            raise InputError(order.value, f'stamp {text} came before, wanted a later one')
        if order is Order.BACKWARD:
            self._sinks.meter.count_bad(order.value)
            self._sinks.complaints.say(
                order.value, f'stamps went backwards, to {text}: what was seen before is forgotten'
            )
            self.reset()

    def _see(self, message: Any, watch: StopWatch) -> None:
        settings = self._up_to_date()
        frame = self._reader.frame(message)
        if settings.use_depth:
            frame = self._with_depth(frame, settings)
        decode_ms = watch.lap_ms()
        glimpse = self._follower.look(frame)
        networks_ms = watch.lap_ms()
        with self._lock:  # `measure_palm` reads what this writes
            followed = self._follower.place(glimpse)
        two_hands = followed.hands
        placement_ms = watch.lap_ms()
        if not self._publish(followed, settings):
            return
        messages_ms = watch.lap_ms()
        self._sinks.meter.count_published(
            FrameTimes(
                decode_ms=decode_ms,
                networks_ms=networks_ms,
                placement_ms=placement_ms,
                messages_ms=messages_ms,
                overhead_ms=decode_ms + placement_ms + messages_ms,
                latency_ms=1e-6 * (self._now_ns() - two_hands.stamp_ns),
            )
        )
        self._sinks.overlay.offer(frame, two_hands, jpeg_quality=settings.overlay_quality)

    def _up_to_date(self) -> Settings:
        """Take over what other threads changed since the last frame."""
        with self._lock:
            if self._is_changed:
                self._follower.use(self._pipeline)
            if self._is_forgotten:
                self._follower.reset()
            self._is_changed = self._is_forgotten = False
            return self._pipeline.settings

    def _with_depth(self, frame: Frame, settings: Settings) -> Frame:
        """Return the frame with its depth; a depth picture that is unusable is counted."""
        try:
            joined = self._depth.join(frame, settings)
        except InputError as error:
            self._sinks.meter.count_bad(error.cause)
            self._sinks.complaints.say(error.cause, f'depth not used, {error.cause}: {error}')
            return frame
        if joined.depth_m is None:
            self._sinks.meter.count_bad(NO_DEPTH)
        return joined

    def _publish(self, followed: Followed, settings: Settings) -> bool:
        """Publish the hands unless that was forbidden meanwhile; return whether they are out."""
        with self._lock:
            if self._is_open:
                self._sinks.outputs.publish(followed, settings)
                self._order.accept(followed.hands.stamp_ns)
                self._last_ns = followed.hands.stamp_ns
            return self._is_open

    def _forget(self) -> None:
        self._order.forget()
        self._is_forgotten = True
        self._depth.forget()
