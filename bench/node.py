"""Measure what the hands node adds to its networks, and whether its memory stays put.

    python bench/node.py [--rate 30] [--size 640x480] [--compressed] [--frames 2000]

The node runs in a process of its own; this one is camera and listener, over real DDS. All hands,
markers and TF are listened to. The times are those that the node measures of itself, frame by
frame, and reports in /diagnostics. The last line is JSON: `overhead_ms` is the median time of
decoding, placement, making and publishing all messages; `rss_*_mb` the node's resident memory
after so many frames.
"""

from __future__ import annotations

import argparse
import array
from collections.abc import Iterator
import contextlib
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
from statistics import median
import subprocess
import sys
import time
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray
from interwild_ros.msg import TwoHands
from interwild_ros.ros.domain import free_domain_id, local_environment
import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

OVERHEAD_LIMIT_MS = 6.0
GROWTH_LIMIT_MB = 20.0
EARLY_FRAMES = 200
STAGES = ('overhead_ms', 'decode_ms', 'placement_ms', 'messages_ms', 'networks_ms')
RATES = ('output_rate_hz', 'latency_p50_ms', 'latency_p95_ms')
STALL_TIMEOUT_SEC = 60.0


@dataclass
class Measured:
    """What the node said of itself, once a second."""

    frames_out: int = 0
    moved_at_sec: float = field(default_factory=time.monotonic)
    values: dict[str, list[float]] = field(default_factory=dict)

    def take(self, message: DiagnosticArray) -> None:
        """Keep the figures of one report."""
        found = {pair.key: pair.value for status in message.status for pair in status.values}
        frames_out = int(found['frames_out'])
        if frames_out > self.frames_out:
            self.frames_out, self.moved_at_sec = frames_out, time.monotonic()
        for key in STAGES + RATES:
            with contextlib.suppress(KeyError, ValueError):  # 'unknown' before the first frame
                self.values.setdefault(key, []).append(float(found[key]))

    def medians(self) -> dict[str, float]:
        """Return the middle of what was reported."""
        return {key: round(median(values), 3) for key, values in self.values.items()}


class Camera(Node):
    """Publishes a changing picture and its camera_info, and listens to everything."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__('bench_camera')
        self.measured = Measured()
        self._pictures = [_message(picture, args.compressed) for picture in _pictures(args.size)]
        self._info = _camera_info(*args.size)
        self._sent = 0
        kind, topic = (CompressedImage, '/compressed') if args.compressed else (Image, '')
        self._images = self.create_publisher(kind, f'image{topic}', 1)
        self._infos = self.create_publisher(CameraInfo, 'camera_info', 1)
        self.create_subscription(DiagnosticArray, '/diagnostics', self.measured.take, 10)
        for kind, topic in (
            (TwoHands, '/hands_node/two_hands'),
            (MarkerArray, '/hands_node/markers'),
            (TFMessage, '/tf'),
        ):
            # Raw: reading markers in Python would take more time than the node has.
            self.create_subscription(kind, topic, lambda data: None, 10, raw=True)
        self.create_timer(1.0 / args.rate, self._send)

    def _send(self) -> None:
        picture = self._pictures[self._sent % len(self._pictures)]
        self._sent += 1
        for message in (self._info, picture):
            message.header.frame_id = 'bench_camera'
            message.header.stamp = self.get_clock().now().to_msg()
        self._info.header.stamp = picture.header.stamp
        self._infos.publish(self._info)
        self._images.publish(picture)


def _pictures(size: tuple[int, int]) -> list[Any]:
    """Return a few smooth pictures, which compress about as photographs do."""
    width, height = size
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (8, height // 8, width // 8, 3), dtype=np.uint8)
    return [cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC) for picture in coarse]


def _message(picture: Any, is_compressed: bool) -> Any:
    if is_compressed:
        _, data = cv2.imencode('.jpg', picture)
        return CompressedImage(format='jpeg', data=array.array('B', data.tobytes()))
    height, width = picture.shape[:2]
    message = Image(height=height, width=width, step=3 * width, encoding='bgr8')
    message.data = array.array('B', picture.tobytes())
    return message


def _camera_info(width: int, height: int) -> CameraInfo:
    cx, cy = (width - 1) / 2, (height - 1) / 2
    return CameraInfo(
        width=width,
        height=height,
        distortion_model='plumb_bob',
        d=[0.1, -0.05, 0.0, 0.0, 0.0],
        k=[600.0, 0.0, cx, 0.0, 600.0, cy, 0.0, 0.0, 1.0],
        p=[600.0, 0.0, cx, 0.0, 0.0, 600.0, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


@contextlib.contextmanager
def _hands_node(*, is_compressed: bool) -> Iterator[subprocess.Popen[bytes]]:
    transport = 'compressed' if is_compressed else 'raw'
    module = 'interwild_ros.ros.hands_node'
    parameters = ('--ros-args', '-p', f'image_transport:={transport}', '--log-level', 'error')
    process = subprocess.Popen([sys.executable, '-m', module, *parameters])
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _resident_mb(pid: int) -> float:
    status = Path(f'/proc/{pid}/status').read_text()
    (line,) = (line for line in status.splitlines() if line.startswith('VmRSS:'))
    return round(int(line.split()[1]) / 1024, 1)


def _run(camera: Camera, node: subprocess.Popen[bytes], frames: int) -> dict[str, float]:
    """Wait until so many frames were worked on, and return the memory on the way."""
    executor = SingleThreadedExecutor()
    executor.add_node(camera)
    resident_mb: dict[str, float] = {}
    for mark in (EARLY_FRAMES, frames):
        while camera.measured.frames_out < mark:
            executor.spin_once(timeout_sec=1.0)
            if node.poll() is not None:
                raise SystemExit(f'the node ended with exit code {node.returncode}')
            if time.monotonic() - camera.measured.moved_at_sec > STALL_TIMEOUT_SEC:
                raise SystemExit(f'the node finished no frame for {STALL_TIMEOUT_SEC:g} s')
        resident_mb[f'rss_{mark}_mb'] = _resident_mb(node.pid)
    executor.shutdown()
    return resident_mb


def _size(text: str) -> tuple[int, int]:
    width, height = text.split('x')
    return int(width), int(height)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--rate', type=float, default=30.0, help='pictures a second')
    parser.add_argument('--size', type=_size, default=(640, 480), help='width x height, px')
    parser.add_argument('--compressed', action='store_true', help='send JPEG')
    parser.add_argument('--frames', type=int, default=2000, help='frames to be worked on')
    return parser.parse_args()


def main() -> None:
    args = _arguments()
    os.environ.update(local_environment(free_domain_id()))
    with _hands_node(is_compressed=args.compressed) as node:
        rclpy.init()
        camera = Camera(args)
        resident_mb = _run(camera, node, args.frames)
        camera.destroy_node()
        rclpy.try_shutdown()
    medians = camera.measured.medians()
    for key, value in medians.items():
        print(f'{key:20}{value:10.2f}')
    early_mb, late_mb = resident_mb.values()
    result = {
        'name': 'node',
        **medians,
        'overhead_limit_ms': OVERHEAD_LIMIT_MS,
        **resident_mb,
        'growth_mb': round(late_mb - early_mb, 1),
        'growth_limit_mb': GROWTH_LIMIT_MB,
        'frames': args.frames,
        'size': '{}x{}'.format(*args.size),
        'transport': 'compressed' if args.compressed else 'raw',
    }
    print(json.dumps(result))


if __name__ == '__main__':
    main()
