"""Subscribe to what publishers offer, and again when they come back with another offer.

A subscription that asks for more than a publisher offers never hears it, and one that asks for
less loses big messages; so the reliability follows the publishers. It cannot be left to
BEST_AVAILABLE: before there is a publisher that means reliable, for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    qos_policy_name_from_kind,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

_UNKNOWN = '_NODE_NAME_UNKNOWN_'


@dataclass(frozen=True)
class Offer:
    """What a publisher offers: its node, message type, and the two policies that matter."""

    node: str
    kind: str
    is_reliable: bool
    is_latched: bool

    def __str__(self) -> str:
        return f'{self.node} ({"reliable" if self.is_reliable else "best effort"})'


@dataclass(frozen=True)
class Ask:
    """What a subscription asks for."""

    is_reliable: bool
    is_latched: bool = False


@dataclass(frozen=True)
class Wish:
    """What a subscription should be like where the publishers leave a choice.

    `reliability` is auto, reliable or best_effort; `depth` None keeps all messages until they are
    taken; `takes_latched` asks latched publishers for what they said before.
    """

    reliability: str = 'auto'
    depth: int | None = 1
    takes_latched: bool = False

    def ask(self, offers: Sequence[Offer]) -> Ask | None:
        """Return what all publishers can give; None while nobody is there to ask."""
        if self.reliability != 'auto':
            return Ask(is_reliable=self.reliability == 'reliable')
        if not offers:
            return None
        return Ask(
            is_reliable=all(offer.is_reliable for offer in offers),
            is_latched=self.takes_latched and all(offer.is_latched for offer in offers),
        )


class Gate(CallbackGroup):
    """Leaves messages with the middleware while there is no room for them here.

    Call the executor's `wake` when there is room again.
    """

    def __init__(self, is_open: Callable[[], bool]) -> None:
        """Keep the question that is asked before a message is taken."""
        super().__init__()
        self._is_open = is_open

    def can_execute(self, entity: Any) -> bool:
        """Return whether the executor may wait for this."""
        return self._is_open()

    def beginning_execution(self, entity: Any) -> bool:
        """Return whether the executor may take the message."""
        return self._is_open()

    def ending_execution(self, entity: Any) -> None:
        """Do nothing: one executor thread runs one callback at a time."""


class FollowingSubscription:
    """A subscription that is made when publishers are there, and made anew when they change."""

    def __init__(
        self,
        node: Node,
        kind: type[Any],
        topic: str,
        callback: Callable[[Any], None],
        wish: Wish,
        gate: Gate | None = None,
        *,
        as_bytes: bool = False,
    ) -> None:
        """Prepare it; `follow` makes it.

        :param topic: the resolved name.
        :param gate: holds messages back.
        :param as_bytes: the callback takes messages serialised, as they came.
        """
        self.topic = topic
        self.offers: tuple[Offer, ...] = ()
        self.ask: Ask | None = None
        self.incompatible_events = 0
        self.incompatible_policy = ''
        self._node = node
        self._kind = kind
        self._callback = callback
        self._wish = wish
        self._gate = gate
        self._as_bytes = as_bytes
        self._subscription: Subscription | None = None

    @property
    def kind(self) -> str:
        """Return the message type as ROS writes it."""
        return kind_name(self._kind)

    def follow(self) -> bool:
        """Look who publishes, and return whether the subscription was made or made anew."""
        self.offers = offers_on(self._node, self.topic)
        ask = self._wish.ask([offer for offer in self.offers if offer.kind == self.kind])
        if ask is None or (ask == self.ask and self._subscription is not None):
            return False
        self.close()
        self.ask = ask
        self._subscription = self._subscribe(ask)
        return True

    def close(self) -> None:
        """Stop listening."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
            self.ask = None

    def _subscribe(self, ask: Ask) -> Subscription:
        is_fixed = self._wish.reliability != 'auto'
        return self._node.create_subscription(
            self._kind,
            self.topic,
            self._callback,
            _profile(ask, self._wish.depth),
            raw=self._as_bytes,
            callback_group=self._gate,
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._count_incompatible),
            # An override of the reliability would contradict following the publishers.
            qos_overriding_options=(
                QoSOverridingOptions.with_default_policies() if is_fixed else None
            ),
        )

    def _count_incompatible(self, event: Any) -> None:
        self.incompatible_events += event.total_count_change
        self.incompatible_policy = qos_policy_name_from_kind(event.last_policy_kind)


def offers_on(node: Node, topic: str) -> tuple[Offer, ...]:
    """Return who publishes on a resolved topic, and what they offer."""
    return tuple(
        Offer(
            node=_node_name(info),
            kind=info.topic_type,
            is_reliable=info.qos_profile.reliability == ReliabilityPolicy.RELIABLE,
            is_latched=info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL,
        )
        for info in node.get_publishers_info_by_topic(topic)
    )


def _node_name(info: TopicEndpointInfo) -> str:
    """Return a node's full name; DDS may know a publisher before its node, or without one."""
    if _UNKNOWN in info.node_name:
        return 'a node without a name'
    return full_name(info.node_namespace, info.node_name)


def full_name(namespace: str, name: str) -> str:
    """Return the name of a node with its namespace."""
    return f'{namespace.rstrip("/")}/{name}'


def kind_name(kind: type[Any]) -> str:
    """Return the name of a message class as ROS writes it: package/msg/Name."""
    package = kind.__module__.partition('.')[0]
    return f'{package}/msg/{kind.__name__}'


def _profile(ask: Ask, depth: int | None) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_ALL if depth is None else HistoryPolicy.KEEP_LAST,
        depth=depth or 0,
        reliability=(
            ReliabilityPolicy.RELIABLE if ask.is_reliable else ReliabilityPolicy.BEST_EFFORT
        ),
        durability=(
            DurabilityPolicy.TRANSIENT_LOCAL if ask.is_latched else DurabilityPolicy.VOLATILE
        ),
    )
