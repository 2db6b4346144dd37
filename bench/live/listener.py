"""The listener of a benchmark: hears all that the node says, and when."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
import contextlib
from dataclasses import dataclass, field
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from interwild_ros.msg import HandTopology, TwoHands
from interwild_ros.records import NS_PER_SEC
import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

NODE = '/hands_node'
KEPT_HANDS = 60
# Of a serialised message: after four bytes about the encoding comes the first field, a header,
# whose first field is the stamp. In a MarkerArray the number of markers comes before the first.
STAMP_PLACES = {TwoHands: 4, MarkerArray: 8}


@dataclass
class Report:
    """What the node said of itself in one message of /diagnostics."""

    at_sec: float
    values: dict[str, str]

    def number(self, key: str) -> float | None:
        """Return a figure; None where it is not known."""
        with contextlib.suppress(KeyError, ValueError):
            return float(self.values[key])
        return None


@dataclass
class Heard:
    """What was heard since it was emptied.

    `ages_ms` holds by topic the stamp (ns) of every message and its age on arrival; `hands` the
    last messages of both hands, serialised.
    """

    ages_ms: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    reports: list[Report] = field(default_factory=list)

    def ages_since(self, topic: str, since_ns: int) -> list[float]:
        """Return the ages of messages whose stamp is not earlier."""
        return [age for stamp_ns, age in self.ages_ms[topic] if stamp_ns >= since_ns]


class Listener(Node):
    """Subscribes to hands, markers, TF and diagnostics."""

    def __init__(self, tops: Sequence[str] = (NODE,)) -> None:
        """Listen from now on.

        :param tops: what hands and markers are published below.
        """
        super().__init__('bench_listener')
        self.heard = Heard()
        self.hands: deque[bytes] = deque(maxlen=KEPT_HANDS)
        self.topology: HandTopology | None = None
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(DiagnosticArray, '/diagnostics', self._take_report, 10)
        self.create_subscription(TFMessage, '/tf', lambda data: None, 10, raw=True)
        for top in tops:
            self.create_subscription(HandTopology, f'{top}/topology', self._take_topology, latched)
            self.listen(TwoHands, f'{top}/two_hands')
            self.listen(MarkerArray, f'{top}/markers')

    def listen(self, kind: type[Any], topic: str) -> None:
        """Note when the messages of a topic come, serialised.

        Reading markers in Python would take more time than the node has for a frame.
        """
        place = STAMP_PLACES[kind]

        def take(data: bytes) -> None:
            now_ns = time.time_ns()
            sec, nanosec = np.frombuffer(data, '<i4', 2, place).tolist()
            stamp_ns = sec * NS_PER_SEC + nanosec
            self.heard.ages_ms[topic].append((stamp_ns, 1e-6 * (now_ns - stamp_ns)))
            if kind is TwoHands:
                self.hands.append(data)

        self.create_subscription(kind, topic, take, 10, raw=True)

    def _take_report(self, message: DiagnosticArray) -> None:
        values = {pair.key: pair.value for status in message.status for pair in status.values}
        self.heard.reports.append(Report(time.monotonic(), values))

    def _take_topology(self, message: HandTopology) -> None:
        self.topology = message

    def empty(self) -> None:
        """Forget what was heard."""
        self.heard = Heard()

    def spin(self, seconds: float) -> None:
        """Listen for a while."""
        end_sec = time.monotonic() + seconds
        while (left_sec := end_sec - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_sec)

    def next_report(self, timeout_sec: float) -> Report | None:
        """Wait for what the node says of itself from now on; None when it says nothing."""
        now_sec = time.monotonic()
        while time.monotonic() - now_sec < timeout_sec:
            self.spin(0.05)
            if self.heard.reports and self.heard.reports[-1].at_sec > now_sec:
                return self.heard.reports[-1]
        return None

    def close(self) -> None:
        """Leave."""
        self._executor.shutdown()
        self.destroy_node()
