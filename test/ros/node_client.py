"""A ROS node beside the hands node in tests: camera, listener and service caller."""

from __future__ import annotations

import array
from collections import defaultdict
from collections.abc import Callable
from functools import partial
import time
from typing import Any

import numpy as np
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
import rclpy.utilities
from sensor_msgs.msg import CameraInfo, Image

WIDTH, HEIGHT = 160, 120


class NodeClient:
    """Publishes, listens and calls from one thread; `heard` holds what came in, by topic."""

    def __init__(self, domain_id: int, name: str = 'client') -> None:
        self.domain_id = domain_id
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self.node = Node(name, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.heard: dict[str, list[Any]] = defaultdict(list)

    def listen(self, kind: type[Any], topic: str, qos: QoSProfile | int = 50) -> Any:
        """Collect the messages of a topic in `heard`; return the subscription."""
        take = partial(self._take, topic)
        return self.node.create_subscription(kind, topic, take, qos)

    def _take(self, topic: str, message: Any) -> None:
        self.heard[topic].append(message)

    def wait_until(self, condition: Callable[[], Any], timeout_sec: float = 30.0) -> Any:
        """Work until the condition holds, and return what it said.

        :raises TimeoutError: when it does not come to hold in time.
        """
        deadline = time.monotonic() + timeout_sec
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError(f'did not come true in {timeout_sec} s')
            self._executor.spin_once(timeout_sec=0.02)
        return found

    def wait(self, seconds: float) -> None:
        """Work for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=0.02)

    def call(self, kind: type[Any], service: str, request: Any, timeout_sec: float = 30.0) -> Any:
        """Call a service and return its response."""
        client = self.node.create_client(kind, service)
        self.wait_until(client.service_is_ready, timeout_sec)
        future = client.call_async(request)
        self.wait_until(future.done, timeout_sec)
        self.node.destroy_client(client)
        return future.result()

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()


def noise_image(stamp_ns: int, *, seed: int = 0, frame_id: str = 'eye') -> Image:
    """Return a small picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, 3 * WIDTH * HEIGHT, dtype=np.uint8)
    image = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH)
    image.data = array.array('B', pixels.tobytes())
    stamp(image, stamp_ns, frame_id)
    return image


def calibration(
    width: int = WIDTH, height: int = HEIGHT, *, focal_px: float = 150.0
) -> CameraInfo:
    """Return the camera_info of a pinhole camera without distortion."""
    cx, cy = (width - 1) / 2, (height - 1) / 2
    return CameraInfo(
        width=width,
        height=height,
        distortion_model='plumb_bob',
        d=[0.0] * 5,
        k=[focal_px, 0.0, cx, 0.0, focal_px, cy, 0.0, 0.0, 1.0],
        p=[focal_px, 0.0, cx, 0.0, 0.0, focal_px, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def stamp(message: Any, stamp_ns: int, frame_id: str) -> None:
    """Write a message's header."""
    message.header.frame_id = frame_id
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
