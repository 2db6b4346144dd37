"""Raw image messages to RGB, by cv_bridge where it is installed and works: the same pixels."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
import importlib.util
import subprocess
import sys
from typing import TypeAlias

from interwild_ros.bag.messages import picture_of
from interwild_ros.imaging.encodings import check_layout, PACKED
from interwild_ros.records import Image
import numpy as np
from sensor_msgs.msg import Image as ImageMsg

Bridge: TypeAlias = Callable[[ImageMsg], Image]

_TRIAL = """
from cv_bridge import CvBridge
from sensor_msgs.msg import Image
image = Image(height=1, width=1, step=1, encoding='mono8', data=[0])
CvBridge().imgmsg_to_cv2(image, 'rgb8')
"""
_COLOURS = ('bgr8', 'rgba8', 'bgra8', 'mono8', 'rgb16', 'bgr16', 'rgba16', 'bgra16', 'mono16')
_MOSAICS = tuple(
    f'bayer_{order}{bits}' for order in ('rggb', 'bggr', 'gbrg', 'grbg') for bits in (8, 16)
)
# Those that cv_bridge turns into RGB. With plain rgb8 there is nothing to do; the generic
# encodings and the newer names of YUV it refuses.
_ENCODINGS = frozenset((*_COLOURS, *_MOSAICS, 'yuv422', 'yuv422_yuy2'))


@cache
def load_bridge() -> Bridge | None:
    """Return cv_bridge's decoding to RGB, or None where it is not installed or does not work."""
    if importlib.util.find_spec('cv_bridge') is None or not _converts_a_pixel():
        return None
    from cv_bridge import CvBridge, CvBridgeError

    bridge = CvBridge()

    def decode_by_bridge(message: ImageMsg) -> Image:
        check_layout(
            message.encoding, message.width, message.height, message.step, len(message.data)
        )
        try:
            rgb = bridge.imgmsg_to_cv2(message, 'rgb8')
        except CvBridgeError:  # older ones know fewer encodings
            return picture_of(message)
        return np.require(rgb, np.uint8, ('C', 'W'))

    return decode_by_bridge


def _converts_a_pixel() -> bool:
    """Try cv_bridge in a process of its own.

    One that was built for NumPy 1 imports well beside NumPy 2, as a virtual environment on top of
    ROS may have it, and takes the process down when it converts.
    """
    done = subprocess.run([sys.executable, '-c', _TRIAL], capture_output=True, check=False)
    return done.returncode == 0


def suits_bridge(message: ImageMsg) -> bool:
    """Say whether cv_bridge reads this message right.

    It shears rows whose step is no whole number of pixels, and its Python fails on big-endian
    data with NumPy 2.
    """
    if message.encoding not in _ENCODINGS or message.is_bigendian:
        return False
    packed = PACKED[message.encoding]
    return bool(message.step % (packed.channels * packed.bits // 8) == 0)
