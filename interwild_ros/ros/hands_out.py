"""This package's messages as rclpy knows them; what stands in them is said in `bag.outgoing`."""

from __future__ import annotations

from typing import Any, Final

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, TransformStamped
from interwild_ros.bag import outgoing
from interwild_ros.bag.markers import MARKER, MARKERS, POINT
from interwild_ros.bag.outgoing import place, turn
from interwild_ros.msg import HandTopology
from interwild_ros.msg import TwoHands as TwoHandsMsg
from interwild_ros.records import ModelCard, NS_PER_SEC, Topology, TwoHands
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

__all__ = [
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
    outgoing.TRANSFORM: TransformStamped,
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


def topology_message(topology: Topology, card: ModelCard) -> HandTopology:
    """Return what does not change while the node runs as a message."""
    return outgoing.topology_message(new_message, topology, card)
