"""Depth pictures beside the images: kept for a while, and joined to an image by their stamps."""

from __future__ import annotations

from collections import deque
import threading

from interwild_ros.bag.messages import stamp_ns, with_depth
from interwild_ros.config import Settings
from interwild_ros.records import Frame
from sensor_msgs.msg import Image

_KEPT = 12
_NS_PER_MS = 1e6


class DepthInput:
    """The last depth pictures. `put` belongs to the executor's thread, `join` to the worker's."""

    def __init__(self) -> None:
        """Begin without a picture."""
        self._kept: deque[Image] = deque(maxlen=_KEPT)
        self._arrived = threading.Condition()

    def put(self, message: Image) -> None:
        """Keep a picture, and wake who waits for it."""
        with self._arrived:
            self._kept.append(message)
            self._arrived.notify_all()

    def join(self, frame: Frame, settings: Settings) -> Frame:
        """Return the frame with the depth picture that belongs to it, without where none comes.

        The picture with the nearest stamp belongs to it, when that is within `depth_slop_ms`. One
        that is not there yet is waited for, for `depth_wait_ms` at most.

        :raises InputError: when the picture that belongs to it cannot be used.
        """
        message = self._near(frame.stamp_ns, settings)
        if message is None:
            return frame
        return with_depth(frame, message, settings)

    def forget(self) -> None:
        """Forget all pictures."""
        with self._arrived:
            self._kept.clear()

    def _near(self, wanted_ns: int, settings: Settings) -> Image | None:
        slop_ns = settings.depth_slop_ms * _NS_PER_MS
        with self._arrived:
            self._arrived.wait_for(
                lambda: self._is_settled(wanted_ns), settings.depth_wait_ms / 1000
            )
            nearest = min(
                self._kept, key=lambda m: abs(stamp_ns(m.header.stamp) - wanted_ns), default=None
            )
        if nearest is None or abs(stamp_ns(nearest.header.stamp) - wanted_ns) > slop_ns:
            return None
        return nearest

    def _is_settled(self, wanted_ns: int) -> bool:
        """Return whether no later picture can be nearer."""
        return any(stamp_ns(message.header.stamp) >= wanted_ns for message in self._kept)
