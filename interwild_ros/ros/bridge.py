"""cv_bridge, where it is installed and works: the same pixels as our own decoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from interwild_ros.imaging.encodings import check_layout, PACKED
from interwild_ros.records import Image
import numpy as np
from sensor_msgs.msg import Image as ImageMsg

Bridge: TypeAlias = Callable[[ImageMsg], Image]

_COLOURS = ('bgr8', 'rgba8', 'bgra8', 'mono8', 'rgb16', 'bgr16', 'rgba16', 'bgra16', 'mono16')
_MOSAICS = tuple(
    f'bayer_{order}{bits}' for order in ('rggb', 'bggr', 'gbrg', 'grbg') for bits in (8, 16)
)
# Those that cv_bridge turns into RGB. With plain rgb8 there is nothing to do; the generic
# encodings and the newer names of YUV it refuses.
_ENCODINGS = frozenset((*_COLOURS, *_MOSAICS, 'yuv422', 'yuv422_yuy2'))


def load_bridge() -> Bridge | None:
    """Return cv_bridge's decoding to RGB, or None where it is not installed or does not work.

    It is tried on one picture: a cv_bridge that was built for another NumPy imports well, and
    fails when it converts.
    """
    try:
        from cv_bridge import CvBridge

        bridge = CvBridge()
        one_pixel = ImageMsg(height=1, width=1, step=1, encoding='mono8', data=[0])
        bridge.imgmsg_to_cv2(one_pixel, 'rgb8')
    except (ImportError, AttributeError, TypeError):
        return None

    def decode_by_bridge(message: ImageMsg) -> Image:
        check_layout(
            message.encoding, message.width, message.height, message.step, len(message.data)
        )
        return np.require(bridge.imgmsg_to_cv2(message, 'rgb8'), np.uint8, ('C', 'W'))

    return decode_by_bridge


def suits_bridge(message: ImageMsg) -> bool:
    """Say whether cv_bridge reads this message right.

    It shears rows whose step is no whole number of pixels, and its Python fails on big-endian
    data with NumPy 2.
    """
    if message.encoding not in _ENCODINGS or message.is_bigendian:
        return False
    packed = PACKED[message.encoding]
    return bool(message.step % (packed.channels * packed.bits // 8) == 0)
