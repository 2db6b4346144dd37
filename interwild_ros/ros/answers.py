"""What the hands node says to the pictures that it is sent: which it has answered, which are open.

The node works in order, so that an answer settles all pictures that were sent before. A picture
that it cannot use has no answer; that is heard from its diagnostics, which count what is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray
from interwild_ros.bag.messages import stamp_ns
from interwild_ros.msg import TwoHands
from rclpy.node import Node
from rclpy.qos import QoSProfile

# The node works on one picture, and holds this many that wait in every-frame mode.
MOST_OPEN = 4
_DEPTH = 100
_DONE = ('frames_out', 'frames_dropped', 'frames_skipped')
_BAD = 'bad_frames.'


@dataclass
class Heard:
    """How many messages with hands came, and in how many each hand was tracked."""

    messages: int = 0
    right: int = 0
    left: int = 0
    both: int = 0


class OpenPictures:
    """The pictures that were sent and not answered yet, oldest first."""

    def __init__(self) -> None:
        """Begin without a picture."""
        self._stamps_ns: deque[int] = deque()
        self.sent = 0

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._stamps_ns)

    def add(self, picture_ns: int) -> None:
        """Take note of a picture that is sent."""
        self.sent += 1
        self._stamps_ns.append(picture_ns)

    def settle(self, answer_ns: int) -> None:
        """Close the picture of this stamp, and all before it; a stamp that is not open is none."""
        if answer_ns in self._stamps_ns:
            while self._stamps_ns.popleft() != answer_ns:
                pass

    def settle_all(self) -> None:
        """Close all."""
        self._stamps_ns.clear()


@dataclass(frozen=True)
class Work:
    """What the node has counted on: frames that it is done with, and bad ones by their cause."""

    done: int = 0
    dropped: int = 0
    skipped: int = 0
    bad_frames: Mapping[str, int] = field(default_factory=dict)


class Answers:
    """Listens to a hands node. `heard` counts its hands, `open` are the pictures without."""

    def __init__(self, node: Node, hands_node: str) -> None:
        """Listen from now on.

        :param hands_node: its full name.
        """
        self.topic = f'{hands_node}/two_hands'
        self.heard = Heard()
        self.open = OpenPictures()
        self._first: Work | None = None
        self._last = Work()
        self._prefix = f'{hands_node}: '
        qos = QoSProfile(depth=_DEPTH)
        node.create_subscription(TwoHands, self.topic, self._hear, qos)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._hear_of_work, qos)

    @property
    def has_told_of_work(self) -> bool:
        """Return whether the node has said where its counts stand."""
        return self._first is not None

    @property
    def work(self) -> Work:
        """Return what was counted since the first time that it was heard."""
        first = self._first or Work()
        bad = {
            cause: more
            for cause, count in self._last.bad_frames.items()
            if (more := count - first.bad_frames.get(cause, 0)) > 0
        }
        return Work(
            done=self._last.done - first.done,
            dropped=self._last.dropped - first.dropped,
            skipped=self._last.skipped - first.skipped,
            bad_frames=bad,
        )

    def _hear(self, message: TwoHands) -> None:
        right, left = bool(message.right.tracked), bool(message.left.tracked)
        self.heard.messages += 1
        self.heard.right += right
        self.heard.left += left
        self.heard.both += right and left
        self.open.settle(stamp_ns(message.header.stamp))

    def _hear_of_work(self, message: DiagnosticArray) -> None:
        values = {
            pair.key: pair.value
            for status in message.status
            if status.name.startswith(self._prefix)
            for pair in status.values
        }
        if 'frames_in' not in values:
            return
        self._last = _work_of(values)
        self._first = self._first or self._last
        if self.open.sent and self.work.done >= self.open.sent:
            self.open.settle_all()


def _work_of(values: Mapping[str, str]) -> Work:
    counts = {key: int(values.get(key, 0)) for key in _DONE}
    return Work(
        done=sum(counts.values()),
        dropped=counts['frames_dropped'],
        skipped=counts['frames_skipped'],
        bad_frames={
            key.removeprefix(_BAD): int(value)
            for key, value in values.items()
            if key.startswith(_BAD)
        },
    )
