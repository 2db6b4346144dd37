"""Record topics into a bag, as the bytes that came over the wire.

It subscribes to a topic when its publisher is known, and asks for what that one offers, as
`ros2 bag record` does: so reliable, best-effort and latched topics all come in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
import time

from interwild_ros.bag.write import BagWriter, OfferedQos
from interwild_ros.ros.message_class import message_class
from interwild_ros.ros.subscribing import Offer, offers_on
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from std_msgs.msg import Header

# Far more than the nodes publish while one message is written: nothing is lost on our side.
_DEPTH = 200
_LOOK_PERIOD_SEC = 0.1


@dataclass
class Tally:
    """How many messages of a topic were recorded, when the last one came, and the last one."""

    count: int = 0
    last_received_ns: int = 0
    last_data: bytes = b''

    @property
    def last_stamp_ns(self) -> int:
        """Return the stamp of the last message, whose first field is a header."""
        if not self.last_data:
            return 0
        stamp = deserialize_message(self.last_data, Header).stamp  # the rest is left unread
        return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


class Recorder:
    """Records topics from the moment their publishers are known.

    `tallies` is up to date after each turn of the node's executor.
    """

    def __init__(self, node: Node, bag: BagWriter, topics: Collection[str]) -> None:
        self.tallies = {topic: Tally() for topic in topics}
        self._node = node
        self._bag = bag
        self._awaited = list(topics)
        self._timer = node.create_timer(_LOOK_PERIOD_SEC, self.look)

    def is_subscribed(self, *topics: str) -> bool:
        """Return whether messages of all these topics are being recorded."""
        return not set(topics) & set(self._awaited)

    def look(self) -> None:
        """Subscribe to what has found a publisher since the last look."""
        for topic in list(self._awaited):
            offers = offers_on(self._node, topic)
            if offers:
                self._awaited.remove(topic)
                self._subscribe(topic, offers)

    def _subscribe(self, topic: str, offers: Sequence[Offer]) -> None:
        kind = offers[0].kind
        offered = [
            OfferedQos(reliable=o.is_reliable, transient_local=o.is_latched) for o in offers
        ]
        self._bag.add_topic(topic, kind, offered=offered)
        self._node.create_subscription(
            message_class(kind), topic, partial(self._take, topic), _profile(offers), raw=True
        )

    def _take(self, topic: str, data: bytes, info: dict[str, int]) -> None:
        # DDS's own time of arrival: what waits in our queue is no latency of the node's.
        received_ns = info['received_timestamp'] or time.time_ns()
        self._bag.write(topic, data, received_ns=received_ns)
        tally = self.tallies[topic]
        tally.count += 1
        tally.last_received_ns = received_ns
        tally.last_data = data


def _profile(offers: Sequence[Offer]) -> QoSProfile:
    """Return the most that all publishers offer."""
    reliable = all(offer.is_reliable for offer in offers)
    latched = all(offer.is_latched for offer in offers)
    return QoSProfile(  # type: ignore[no-untyped-call]
        depth=_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
