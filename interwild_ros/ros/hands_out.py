"""This package's messages as rclpy knows them; what stands in them is said in `bag.outgoing`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, TransformStamped
from interwild_ros.bag import outgoing
from interwild_ros.bag.markers import MARKER, MARKERS, POINT
from interwild_ros.bag.outgoing import place, turn
from interwild_ros.bag.transforms import TF_MESSAGE, TRANSFORM
from interwild_ros.msg import HandTopology
from interwild_ros.msg import TwoHands as TwoHandsMsg
from interwild_ros.records import ModelCard, NS_PER_SEC, Topology, TwoHands
from rclpy.serialization import serialize_message
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

__all__ = [
    'HandsOut',
    'header_message',
    'new_message',
    'place',
    'time_message',
    'topology_message',
    'turn',
    'two_hands_message',
]

_CLASSES: Final[dict[str, Any]] = {
    outgoing.TWO_HANDS: TwoHandsMsg,
    outgoing.TOPOLOGY: HandTopology,
    TF_MESSAGE: TFMessage,
    TRANSFORM: TransformStamped,
    MARKERS: MarkerArray,
    MARKER: Marker,
    POINT: Point,
}


def new_message(kind: str) -> Any:
    """Return an empty message of a type that hands are published in."""
    return _CLASSES[kind]()


def time_message(stamp_ns: int) -> Time:
    """Return a stamp in nanoseconds as a message."""
    sec, nanosec = divmod(stamp_ns, NS_PER_SEC)
    return Time(sec=sec, nanosec=nanosec)


def header_message(stamp_ns: int, frame_id: str) -> Header:
    """Return the header of an image that was taken at this time in this frame."""
    return Header(stamp=time_message(stamp_ns), frame_id=frame_id)


def two_hands_message(two_hands: TwoHands) -> TwoHandsMsg:
    """Return both hands of one picture as a message."""
    return outgoing.two_hands_message(new_message, two_hands)


class HandsOut(outgoing.TwoHandsMessages):
    """Makes the messages of `~/two_hands`."""

    def __init__(self, *, on_fallback: Callable[[str], None]) -> None:
        """Begin without templates.

        :param on_fallback: told once, in a sentence, when patching cannot be used here.
        """
        super().__init__(new=new_message, serialize=serialize_message, on_fallback=on_fallback)


def topology_message(topology: Topology, card: ModelCard) -> HandTopology:
    """Return what does not change while the node runs as a message."""
    return outgoing.topology_message(new_message, topology, card)
