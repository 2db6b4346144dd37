"""Work on one image after another, in the worker's thread, and publish what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import threading
import time
from typing import TypeAlias

from interwild_ros.bag.messages import stamp_ns
from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.records import TwoHands
from interwild_ros.ros.complaints import Complaints
from interwild_ros.ros.frame_in import FrameReader
from interwild_ros.ros.meter import FrameTimes, Meter
from interwild_ros.ros.outputs import Outputs
from interwild_ros.ros.overlay_out import OverlayOut
from interwild_ros.ros.stamps import Order, StampOrder
from sensor_msgs.msg import CompressedImage, Image

ImageMessage: TypeAlias = Image | CompressedImage


@dataclass(frozen=True)
class Sinks:
    """Where results, times and complaints go."""

    outputs: Outputs
    overlay: OverlayOut
    meter: Meter
    complaints: Complaints


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
        self, pipeline: Pipeline, reader: FrameReader, sinks: Sinks, *, now_ns: Callable[[], int]
    ) -> None:
        """Keep the parts; nothing is published before `open`.

        :param now_ns: the clock of the images' stamps.
        """
        self._pipeline = pipeline
        self._reader = reader
        self._sinks = sinks
        self._now_ns = now_ns
        self._order = StampOrder()
        self._lock = threading.Lock()  # held while publishing: after `close` nothing comes out
        self._is_open = False

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
            self._reader.use(settings)

    def work(self, message: ImageMessage) -> None:
        """See the hands in an image and publish them; count and skip an image that is unusable."""
        try:
            self._check_order(message)
            self._see(message)
        except InputError as error:
            self._sinks.meter.count_bad(error.cause)
            self._sinks.complaints.say(error.cause, f'frame skipped, {error.cause}: {error}')

    def _check_order(self, message: ImageMessage) -> None:
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

    def _see(self, message: ImageMessage) -> None:
        pipeline = self._pipeline
        watch = StopWatch()
        frame = self._reader.frame(message)
        decode_ms = watch.lap_ms()
        pair = pipeline.estimate(frame)
        networks_ms = watch.lap_ms()
        two_hands = pipeline.place(frame, pair)
        placement_ms = watch.lap_ms()
        if not self._publish(two_hands, pipeline.settings):
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
        quality = pipeline.settings.overlay_quality
        self._sinks.overlay.offer(frame, two_hands, jpeg_quality=quality)

    def _publish(self, two_hands: TwoHands, settings: Settings) -> bool:
        """Publish the hands unless that was forbidden meanwhile; return whether they are out."""
        with self._lock:
            if self._is_open:
                self._sinks.outputs.publish(two_hands, settings)
                self._order.accept(two_hands.stamp_ns)
            return self._is_open

    def _forget(self) -> None:
        self._order.forget()
        self._pipeline = self._pipeline.with_settings(self._pipeline.settings)
