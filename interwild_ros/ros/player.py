"""Play a recording: every message at its time, /clock, and no more than a node can take."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
import time
from typing import TypeAlias

from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.damage import Stored
from interwild_ros.bag.forward import first_received_ns, forward
from interwild_ros.bag.plan import header_stamp_ns
from interwild_ros.bag.playlist import Playlist
from interwild_ros.bag.read import IMAGES
from interwild_ros.bag.sturdy import SturdyReader
from interwild_ros.errors import AssetError
from interwild_ros.records import NS_PER_SEC
from interwild_ros.ros.answers import Answers, MOST_OPEN, OpenPictures
from interwild_ros.ros.hands_out import time_message
from interwild_ros.ros.message_class import message_class
from interwild_ros.ros.timeline import Timeline
from interwild_ros.ros.without_own import Sieve
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock

ANSWER_TIMEOUT_SEC = 30.0
# Deep enough for bursts; pictures are large, and are held back where somebody needs them all.
_DEPTH, _PICTURE_DEPTH, _LATCHED_DEPTH = 100, 10, 1000

# wait(is_over, timeout_sec) works off callbacks until is_over() or until the time is over, and
# returns whether it is over; what ends the playing early is raised there.
Wait: TypeAlias = Callable[[Callable[[], object], float], bool]
# A context in which the bag is read: that may take a while, and may be broken off there.
Reading: TypeAlias = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Pace:
    """When a message's turn is.

    `rate` is how fast time goes. Playing begins `offset_sec` after the beginning of the bag and
    ends `length_sec` later, or at the end; then again in a `loop`. `clock_hz` is how often the
    time is told, 0 never. `waits` holds pictures back until the hands node has answered.
    """

    rate: float = 1.0
    offset_sec: float = 0.0
    length_sec: float | None = None
    loop: bool = False
    clock_hz: float = 100.0
    waits: bool = False


@dataclass
class Sent:
    """What was played so far.

    `taken_out` counts messages by topic that held only what the hands node says itself,
    `unreadable` those of a damaged bag that could not be read.
    """

    messages: int = 0
    pictures: int = 0
    passes: int = 0
    unanswered: int = 0
    taken_out: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0


class Player:
    """Plays an open bag; `sent` is up to date at any time."""

    def __init__(
        self,
        node: Node,
        bag: SturdyReader,
        playlist: Playlist,
        camera: CameraTopics | None,
        pace: Pace,
    ) -> None:
        """Announce the topics.

        :param camera: whose pictures are counted; those of all others are played all the same.
        """
        self.sent = Sent()
        self._bag = bag
        self._playlist = playlist
        self._camera = camera or CameraTopics('')
        self._pace = pace
        self._sieves: dict[str, Sieve] = {}
        self._answers: Answers | None = None
        self._knows_camera = False
        self._latched = self._latched_topics()
        self._publishers = {topic: self._announce(node, topic) for topic in playlist.names}
        self._clock = (
            node.create_publisher(Clock, '/clock', QoSProfile(depth=1)) if pace.clock_hz else None
        )
        self._told_sec = float('-inf')
        self._timeline: Timeline | None = None
        self._first_ns: int | None = None

    @property
    def listeners(self) -> int:
        """Return how many subscriptions the topics have."""
        return sum(p.get_subscription_count() for p in self._publishers.values())

    def is_heard(self, topic: str) -> bool:
        """Return whether anybody listens to a topic of the bag."""
        return bool(self._publishers[topic].get_subscription_count())

    def serve(self, answers: Answers, sieves: dict[str, Sieve]) -> None:
        """Play for a hands node.

        :param sieves: by the name under which a topic is played, what its messages go through.
        """
        self._answers = answers
        self._sieves = {
            topic: sieves[name] for topic, name in self._playlist.names.items() if name in sieves
        }

    def play(self, wait: Wait, reading: Reading, say: Callable[[int], None]) -> None:
        """Play to the end, or again and again.

        :param say: called with the number of pictures, without a camera that of messages.
        :raises AssetError: when a damaged bag cannot be salvaged, or there is nothing to play.
        """
        with reading():
            self._first_ns = first_received_ns(self._bag)
        while True:
            before = self.sent.messages
            self._play_once(wait, reading, say)
            if self.sent.messages == before:
                raise AssetError(f'the bag {self._bag.path} has nothing to play in that time')
            self._wait_for_answers(wait, most_open=0)
            self.sent.passes += 1
            if not self._pace.loop:
                return

    def is_delivered(self) -> bool:
        """Return whether every receiver has confirmed all that was published."""
        now = Duration(seconds=0)
        return all(publisher.wait_for_all_acked(now) for publisher in self._publishers.values())

    def tell_time(self, *, at_once: bool = False) -> float:
        """Publish the time of the recording if its turn is; return the seconds to the next."""
        if self._clock is None or self._timeline is None:
            return float('inf')
        now_sec = time.monotonic()
        if at_once or now_sec - self._told_sec >= 1 / self._pace.clock_hz:
            self._told_sec = now_sec
            self._clock.publish(Clock(clock=time_message(self._timeline.time_ns(now_sec))))
        return self._told_sec + 1 / self._pace.clock_hz - now_sec

    def _latched_topics(self) -> set[str]:
        """Return what late comers hear too; pictures are too large to be kept for them."""
        topics = {*self._playlist.latched, self._camera.info} & self._playlist.names.keys()
        return {topic for topic in topics if self._bag.topics[topic].kind not in IMAGES}

    def _announce(self, node: Node, topic: str) -> Publisher:
        info = self._bag.topics[topic]
        depth = _PICTURE_DEPTH if info.kind in IMAGES else _DEPTH
        qos = QoSProfile(depth=depth)
        if topic in self._latched:
            depth = max(_PICTURE_DEPTH, self._still_valid(topic))
            qos = QoSProfile(depth=depth, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        return node.create_publisher(message_class(info.kind), self._playlist.names[topic], qos)

    def _still_valid(self, topic: str) -> int:
        """Return how many messages of a latched topic hold: all, but of a camera the last."""
        if topic == self._camera.info:
            return 1
        return min(self._bag.topics[topic].count, _LATCHED_DEPTH)

    def _play_once(self, wait: Wait, reading: Reading, say: Callable[[int], None]) -> None:
        begin_ns = (self._first_ns or 0) + round(self._pace.offset_sec * NS_PER_SEC)
        self._timeline = Timeline(
            rate=self._pace.rate, begin_ns=begin_ns, now_sec=time.monotonic()
        )
        self._knows_camera = not self._camera.info
        self.tell_time(at_once=True)
        for message in self._from(begin_ns, reading):
            self._introduce_camera(message, reading)
            self._send(message, self._timeline, wait)
            if message.topic == self._camera.image:
                say(self.sent.pictures)
            elif not self._camera.image:
                say(self.sent.messages)

    def _from(self, begin_ns: int, reading: Reading) -> Iterator[Stored]:
        """Yield what is to be played; at first what was latched before, and still holds."""
        messages, before = forward(self._bag, self._playlist.names), _Before(self._still_valid)
        while True:
            with reading():
                message = next(messages, None)
            if message is None or self._is_past_end(message, begin_ns):
                return
            if message.received_ns >= begin_ns:
                yield from before.take()
                yield message
            elif message.topic in self._latched:
                before.put(message)

    def _is_past_end(self, message: Stored, begin_ns: int) -> bool:
        length_sec = self._pace.length_sec
        return length_sec is not None and message.received_ns > begin_ns + length_sec * NS_PER_SEC

    def _introduce_camera(self, message: Stored, reading: Reading) -> None:
        """Say what is known of the camera before its first picture: it holds for that one too."""
        if message.topic == self._camera.image and not self._knows_camera:
            with reading():
                first = next(forward(self._bag, [self._camera.info]), None)
            if first is not None:
                self._publish(first)
        self._knows_camera |= message.topic in (self._camera.info, self._camera.image)

    def _send(self, message: Stored, timeline: Timeline, wait: Wait) -> None:
        """Send a message when its turn is."""
        is_picture = message.topic == self._camera.image
        timeline.expect(message.received_ns)
        wait(lambda: False, timeline.left_sec(time.monotonic()))
        if is_picture:
            self._wait_for_answers(wait, most_open=MOST_OPEN - 1)
        timeline.pass_turn(time.monotonic())
        self.tell_time(at_once=is_picture)
        is_sent = self._publish(message)
        self.sent.messages += is_sent
        self.sent.pictures += is_sent and is_picture
        stamp_ns = header_stamp_ns(message.data)
        if is_sent and is_picture and self._answers is not None and stamp_ns is not None:
            self._answers.open.add(stamp_ns)

    def _publish(self, message: Stored) -> bool:
        """Publish what a message says that nobody else does; return whether it says anything."""
        if not self._can_be_read(message):
            self.sent.unreadable += 1
            return False
        sieve = self._sieves.get(message.topic)
        outgoing = message.data if sieve is None else sieve(message.data)
        if outgoing is None:
            taken_out = self.sent.taken_out
            taken_out[message.topic] = taken_out.get(message.topic, 0) + 1
            return False
        self._publishers[message.topic].publish(outgoing)
        return True

    def _can_be_read(self, message: Stored) -> bool:
        """Return whether receivers can read a message; those of a damaged bag are tried here."""
        if self._bag.is_whole:
            return True
        try:
            self._bag.deserialize(message)
        except AssetError:
            return False
        return True

    def _wait_for_answers(self, wait: Wait, *, most_open: int) -> None:
        """Wait until not more than so many pictures are without an answer."""
        answers = self._answers
        if answers is None or not self._pace.waits:
            return
        still = answers.open
        while (count := len(still)) > most_open:
            if not wait(partial(_has_shrunk, still, count), ANSWER_TIMEOUT_SEC):
                self.sent.unanswered += len(still)
                still.settle_all()


def _has_shrunk(pictures: OpenPictures, count: int) -> bool:
    return len(pictures) < count


class _Before:
    """Latched messages from before the beginning, which still hold there."""

    def __init__(self, still_valid: Callable[[str], int]) -> None:
        self._still_valid = still_valid
        self._kept: dict[str, deque[Stored]] = {}

    def put(self, message: Stored) -> None:
        """Keep a message, and of its topic as many as still hold."""
        if message.topic not in self._kept:
            self._kept[message.topic] = deque(maxlen=self._still_valid(message.topic))
        self._kept[message.topic].append(message)

    def take(self) -> Iterator[Stored]:
        """Give what was kept, once."""
        kept, self._kept = self._kept, {}
        for messages in kept.values():
            yield from messages
