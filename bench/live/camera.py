"""The camera of a benchmark, in a process of its own: `camera.py PICTURES RATE raw|compressed`.

PICTURES is what `save` wrote. Pictures go out on time until SIGTERM, stamped with the moment of
sending; one whose moment has passed is never sent. The last line says how many were sent.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
import signal
import sys
import time
from typing import Any

from interwild_ros.records import Camera, NS_PER_SEC
from live.pictures import endless, STAMP, Take, take_of
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args
from sensor_msgs.msg import CameraInfo

LONGEST_WAIT_SEC = 30.0


def save(path: Path, pictures: list[Any], camera: Camera) -> None:
    """Write pictures and their camera for the process."""
    np.savez(path, pictures=np.stack(pictures), **asdict(camera))


def load(path: Path, *, is_compressed: bool) -> Take:
    """Read what `save` wrote."""
    with np.load(path) as saved:
        pictures = list(saved['pictures'])
        names = ('width', 'height', 'fx', 'fy', 'cx', 'cy')
        camera = Camera(*(saved[name].item() for name in names))
    return take_of(pictures, camera, is_compressed=is_compressed)


class Sender(Node):
    """Publishes the pictures of a take, each with its camera_info."""

    def __init__(self, take: Take) -> None:
        super().__init__('bench_camera')
        topic = 'image/compressed' if take.kind.__name__ == 'CompressedImage' else 'image'
        self.sent = 0
        self._take = endless(take)
        self._info = take.info
        self._images = self.create_publisher(take.kind, topic, 1)
        self._infos = self.create_publisher(CameraInfo, 'camera_info', 1)
        self._is_over = False
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, number: int, frame: Any) -> None:
        self._is_over = True

    def play(self, rate: float) -> None:
        """Send pictures until SIGTERM, as soon as both topics are listened to."""
        self._wait_for_listeners()
        period_sec = 1 / rate
        due_sec = time.monotonic()
        while not self._is_over:
            time.sleep(max(0.0, due_sec - time.monotonic()))
            self._send()
            late = max(0, int((time.monotonic() - due_sec) / period_sec))
            due_sec += (1 + late) * period_sec

    def _wait_for_listeners(self) -> None:
        end_sec = time.monotonic() + LONGEST_WAIT_SEC
        both = (self._images, self._infos)
        while not all(publisher.get_subscription_count() for publisher in both):
            if self._is_over or time.monotonic() > end_sec:
                raise SystemExit('nobody listens to the pictures')
            time.sleep(0.01)

    def _send(self) -> None:
        picture = next(self._take)
        stamp = {STAMP: np.array(divmod(time.time_ns(), NS_PER_SEC))}
        self._infos.publish(self._info.filled(stamp))
        self._images.publish(picture.filled(stamp))
        self.sent += 1


def main() -> None:
    path, rate, transport = remove_ros_args(sys.argv)[1:]
    take = load(Path(path), is_compressed=transport == 'compressed')
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    sender = Sender(take)
    sender.play(float(rate))
    print(sender.sent, flush=True)
    sender.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
