"""The camera node: a video, a folder of pictures or a webcam as image and camera_info topics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
import time

from interwild_ros.config import CameraSettings
from interwild_ros.errors import InterwildError, SettingError
from interwild_ros.geometry.camera_file import Calibration, read_calibration
from interwild_ros.imaging.sources import open_source, Picture
from interwild_ros.records import NS_PER_SEC
from interwild_ros.ros.pacing import Consumed, Pace, RealTime, Wait
from interwild_ros.ros.params import declare
from interwild_ros.ros.pictures_out import PicturesOut
from interwild_ros.ros.roomy_memory import use_roomy_memory
from interwild_ros.ros.stop_signals import StopSignals
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import ok, try_shutdown

NAME = 'camera_node'
_SPIN_SEC = 0.1
_REMIND_SEC = 3.0
# Receivers confirm, or ask for what they missed, when they are asked: Fast DDS does every 3 s.
_DELIVERY_SEC = 4.0
# A receiver may be known here a moment before it knows of us, and would miss the first picture.
_SETTLING_SEC = 0.3


class CameraNode(Node):
    """Sends the pictures of its source, each with its camera_info."""

    def __init__(self) -> None:
        """Read the settings, open the source, and announce the topics.

        :raises SettingError: for parameters that are refused.
        :raises AssetError: for a source or a calibration file that cannot be read.
        """
        super().__init__(NAME)
        self.settings = declare(self, CameraSettings)
        if self.settings.publish_clock and self.get_parameter('use_sim_time').value:
            raise SettingError('use_sim_time is true, wanted false where publish_clock is true')
        self._source = open_source(self.settings.source, rate_hz=self.settings.rate_hz)
        self._out = PicturesOut(self, self.settings, self._read_calibration())
        self.get_logger().info(
            f'{self._source.name} at {self._source.rate_hz:g} Hz on {", ".join(self._out.topics)}'
        )

    def play(self, wait: Wait, goes_on: Callable[[], bool]) -> None:
        """Send the pictures to those who listen, until the end of the source or of the process."""
        self._wait_for_listeners(wait, goes_on)
        pace, count, began_sec = self._pace(wait), 0, time.monotonic()
        for picture in self._pictures():
            pace.wait_for_turn(picture)
            if not goes_on():
                return
            stamp_ns = self._stamp_ns(picture)
            self._out.publish(picture, stamp_ns)
            pace.sent(stamp_ns)
            count += 1
        summary = f'sent {count} pictures in {time.monotonic() - began_sec:.1f} s'
        remark = pace.finish()
        if not pace.has_heard_all:
            wait(lambda: self._out.is_delivered, _DELIVERY_SEC)
        self.get_logger().info('; '.join(filter(None, [summary, remark])))

    def _read_calibration(self) -> Calibration | None:
        if self.settings.camera_info:
            return read_calibration(Path(self.settings.camera_info).expanduser())
        self.get_logger().warning(
            f'no calibration file: camera_info is made up from fov_deg = {self.settings.fov_deg:g}'
        )
        return None

    def _wait_for_listeners(self, wait: Wait, goes_on: Callable[[], bool]) -> None:
        wanted = self.settings.wait_for_subscribers
        if not wanted:
            return
        while goes_on() and self._out.listeners < wanted:
            wait(lambda: self._out.listeners >= wanted, _REMIND_SEC)
            if self._out.listeners < wanted and goes_on():
                self.get_logger().info(
                    f'waiting for {wanted} subscribers on {", ".join(self._out.topics)}: '
                    f'{self._out.listeners} so far'
                )
        wait(lambda: False, _SETTLING_SEC)

    def _pace(self, wait: Wait) -> Pace:
        if self.settings.pace == 'consumed':
            return Consumed(wait, self)
        return RealTime(wait, period_sec=1 / self._source.rate_hz)

    def _pictures(self) -> Iterator[Picture]:
        """Yield the pictures, again and again in a loop, with times that only go forward."""
        begin_ns = end_ns = 0
        while True:
            for picture in self._source.pictures():
                time_ns = begin_ns + picture.time_ns
                end_ns = time_ns + round(NS_PER_SEC / self._source.rate_hz)
                yield replace(picture, time_ns=time_ns)
            if not self.settings.loop:
                return
            begin_ns = end_ns

    def _stamp_ns(self, picture: Picture) -> int:
        if self.settings.stamps == 'file':
            return picture.time_ns
        age_ns = 0 if picture.grabbed_ns is None else time.monotonic_ns() - picture.grabbed_ns
        return int(self.get_clock().now().nanoseconds) - age_ns


def main(args: list[str] | None = None) -> int:
    """Run the node until its source ends or it is told to stop; return the exit code."""
    use_roomy_memory()
    with StopSignals() as stop:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        try:
            _run(stop)
            return 0
        except InterwildError as error:
            get_logger(NAME).error(f'cannot go on: {error}')
            return 1
        finally:
            try_shutdown()


def _run(stop: StopSignals) -> None:
    node = CameraNode()
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def goes_on() -> bool:
        return bool(ok()) and not stop.came

    def wait(is_over: Callable[[], bool], timeout_sec: float) -> bool:
        end_sec = time.monotonic() + timeout_sec
        while goes_on() and not is_over():
            left_sec = end_sec - time.monotonic()
            if left_sec <= 0:
                break
            executor.spin_once(timeout_sec=min(left_sec, _SPIN_SEC))
        return goes_on()

    try:
        node.play(wait, goes_on)
    finally:
        executor.shutdown()
        node.destroy_node()


if __name__ == '__main__':
    raise SystemExit(main())
