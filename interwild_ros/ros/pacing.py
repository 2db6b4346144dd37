"""When the next picture of a source is sent."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Protocol, TypeAlias

from interwild_ros.bag.messages import stamp_ns
from interwild_ros.imaging.sources import Picture
from interwild_ros.msg import TwoHands
from interwild_ros.records import NS_PER_SEC
from rclpy.node import Node
from rclpy.qos import QoSProfile

# wait(is_over, timeout_sec) works off callbacks until is_over() or until the time is over; it
# returns False at once when the process is to end.
Wait: TypeAlias = Callable[[Callable[[], bool], float], bool]

TWO_HANDS_TOPIC = 'hands_node/two_hands'
ANSWER_TIMEOUT_SEC = 10.0


class Pace(Protocol):
    """Decides when a picture's turn is."""

    def wait_for_turn(self, picture: Picture) -> None:
        """Wait until the picture may be sent."""

    def sent(self, stamp_ns: int) -> None:
        """Hear that a picture was sent with this stamp."""

    def finish(self) -> str:
        """Wait for what is still to come, and return what there is to say at the end, or ''."""

    @property
    def has_heard_all(self) -> bool:
        """Return whether every picture is known to have arrived."""


class RealTime:
    """Sends files at their own times; a webcam sets the pace itself."""

    def __init__(self, wait: Wait, *, period_sec: float) -> None:
        """Begin with the first picture.

        :param period_sec: a picture that is later than this moves all that follow, where a
            burst would only push pictures out of the receivers' queues.
        """
        self._wait = wait
        self._period_ns = round(period_sec * NS_PER_SEC)
        self._began_ns: int | None = None
        self._late = 0

    def wait_for_turn(self, picture: Picture) -> None:
        """Wait until it is as long since the first picture as in the file."""
        if picture.grabbed_ns is not None:
            return
        if self._began_ns is None:
            self._began_ns = time.monotonic_ns() - picture.time_ns
        early_ns = self._began_ns + picture.time_ns - time.monotonic_ns()
        if early_ns > 0:
            self._wait(lambda: False, early_ns / NS_PER_SEC)
        elif early_ns < -self._period_ns:
            self._began_ns -= early_ns
            self._late += 1

    def sent(self, stamp_ns: int) -> None:
        """Do nothing: time goes on by itself."""

    def finish(self) -> str:
        """Return how often the rate could not be kept."""
        return f'{self._late} were late by more than a frame' if self._late else ''

    @property
    def has_heard_all(self) -> bool:
        """Return no: nobody answers."""
        return False


class Consumed:
    """Sends the next picture when the hands node has answered the last one."""

    def __init__(self, wait: Wait, node: Node, *, timeout_sec: float = ANSWER_TIMEOUT_SEC) -> None:
        """Listen for answers.

        :param timeout_sec: after this time without an answer the next picture is sent.
        """
        self._wait = wait
        self._log = node.get_logger()
        self._timeout_sec = timeout_sec
        self._awaited_ns: int | None = None
        self._unanswered = 0
        self._subscription = node.create_subscription(
            TwoHands, TWO_HANDS_TOPIC, self._hear, QoSProfile(depth=5)
        )

    def wait_for_turn(self, picture: Picture) -> None:
        """Wait for the answer to the picture before this one."""
        self._wait_for_answer()

    def sent(self, stamp_ns: int) -> None:
        """Expect an answer with this stamp."""
        self._awaited_ns = stamp_ns

    def finish(self) -> str:
        """Wait for the last answer, and return how many never came."""
        self._wait_for_answer()
        return f'{self._unanswered} were not answered' if self._unanswered else ''

    @property
    def has_heard_all(self) -> bool:
        """Return whether every picture was answered."""
        return self._awaited_ns is None and self._unanswered == 0

    def _wait_for_answer(self) -> None:
        goes_on = self._wait(lambda: self._awaited_ns is None, self._timeout_sec)
        if goes_on and self._awaited_ns is not None:
            self._give_up(self._awaited_ns)

    def _give_up(self, awaited_ns: int) -> None:
        self._unanswered += 1
        self._awaited_ns = None
        self._log.warning(
            f'{self._subscription.topic_name} did not answer the picture of '
            f'{awaited_ns / NS_PER_SEC:.3f} s within {self._timeout_sec:g} s '
            f'({self._unanswered} times so far)'
        )

    def _hear(self, message: TwoHands) -> None:
        if stamp_ns(message.header.stamp) == self._awaited_ns:
            self._awaited_ns = None
