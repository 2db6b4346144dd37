"""Run camera node and hands node as two processes over DDS, and record what they say.

The recorder is this process: its clock and its DDS reader are then those of a user's own node
beside the hands node, and a third process would take time from the other two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import time
from typing import Any

from interwild_ros.bag.write import write_bag
from interwild_ros.errors import NodeError
from interwild_ros.ros.domain import local_environment
from interwild_ros.ros.node_process import NodeProcess, running
from interwild_ros.ros.own_node import own_node
from interwild_ros.ros.recorder import Recorder
from rclpy.executors import SingleThreadedExecutor

PICTURES = '/image/compressed'
CAMERA_INFO = '/camera_info'
TWO_HANDS = '/hands_node/two_hands'
RAW = f'{TWO_HANDS}_raw'
TOPOLOGY = '/hands_node/topology'
MARKERS = '/hands_node/markers'
TF = '/tf'
DIAGNOSTICS = '/diagnostics'
TOPICS = (PICTURES, CAMERA_INFO, TWO_HANDS, RAW, TOPOLOGY, MARKERS, TF, DIAGNOSTICS)

_PROGRESS_PERIOD_SEC = 2.0
_LAST_DIAGNOSTICS_SEC = 2.5  # they come once a second
_ON_THE_WAY_SEC = 0.3


@dataclass(frozen=True)
class Plan:
    """What to run, and how long to wait for it.

    `camera` and `hands` are the ROS parameters of the nodes. `length_sec` ends a camera that has
    no end; `start_timeout_sec` is for loading networks, `picture_timeout_sec` for the first
    picture, `answer_timeout_sec` for the hands in one.
    """

    camera: Mapping[str, Any]
    hands: Mapping[str, Any]
    domain_id: int
    length_sec: float | None = None
    start_timeout_sec: float = 180.0
    picture_timeout_sec: float = 30.0
    answer_timeout_sec: float = 20.0


def record_nodes(plan: Plan, folder: Path, *, say: Callable[[str], None]) -> None:
    """Run both nodes until the camera is at its end and the last frame was worked on.

    Leaves `bag/` and `logs/` in the folder.

    :param say: called with a short line at each step, and every two seconds in between.
    :raises NodeError: when a node dies, or does not say in time what it was started for.
    """
    logs = folder / 'logs'
    logs.mkdir()
    environment = local_environment(plan.domain_id)
    os.environ.update(environment)
    with write_bag(folder / 'bag') as bag, own_node('interwild_recorder') as (node, executor):
        recorder = Recorder(node, bag, TOPICS)
        say('starting hands_node')
        with running('hands_node', plan.hands, folder=logs, environment=environment) as hands:
            watch = _Watch(plan, recorder, executor, hands, say)
            watch.wait_until_ready()
            say('starting camera_node')
            with running('camera_node', plan.camera, folder=logs, environment=environment) as cam:
                watch.wait_for_pictures(cam)
                watch.wait_for_answers()
                watch.wait_for_end(cam)
            watch.wait_for_last_answer()


class _Watch:
    """Takes turns at recording and at looking whether the hands node still lives."""

    def __init__(
        self,
        plan: Plan,
        recorder: Recorder,
        executor: SingleThreadedExecutor,
        hands: NodeProcess,
        say: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._recorder = recorder
        self._executor = executor
        self._hands = hands
        self._say = say
        self._said_at = time.monotonic()

    def wait_until_ready(self) -> None:
        """Wait until the networks are loaded and everything that is published is recorded."""

        def is_ready() -> bool:
            is_recorded = self._recorder.is_subscribed(TWO_HANDS, MARKERS, TF)
            return is_recorded and self._count(TOPOLOGY) > 0

        timeout_sec = self._plan.start_timeout_sec
        if not self._record_until(is_ready, timeout_sec):
            raise NodeError(
                f'hands_node was not ready within {timeout_sec:g} s{self._hands.last_lines()}'
            )

    def wait_for_pictures(self, camera: NodeProcess) -> None:
        """Wait for the first picture."""
        timeout_sec = self._plan.picture_timeout_sec
        self._record_until(lambda: self._count(PICTURES) or camera.has_ended(), timeout_sec)
        if not self._count(PICTURES):
            raise NodeError(
                f'camera_node published no picture within {timeout_sec:g} s{camera.last_lines()}'
            )

    def wait_for_answers(self) -> None:
        """Wait for the first message with hands."""
        timeout_sec = self._plan.answer_timeout_sec
        if not self._record_until(lambda: self._count(TWO_HANDS), timeout_sec):
            raise NodeError(
                f'hands_node published nothing within {timeout_sec:g} s of the first picture'
                f'{self._hands.last_lines()}'
            )

    def wait_for_end(self, camera: NodeProcess) -> None:
        """Wait until the camera has ended by itself, or its time is over."""
        self._record_until(camera.has_ended, self._plan.length_sec)

    def wait_for_last_answer(self) -> None:
        """Wait until the last picture was answered and counted, or nothing came for a while."""
        while self._comes_more(PICTURES, _ON_THE_WAY_SEC):
            pass  # the camera has ended, what it sent last may still be on its way
        while not self._is_last_answered():
            if not self._comes_more(TWO_HANDS, self._plan.answer_timeout_sec):
                break  # a frame that could not be worked on has no answer
        self._comes_more(DIAGNOSTICS, _LAST_DIAGNOSTICS_SEC)

    def _is_last_answered(self) -> bool:
        picture, answer = self._recorder.tallies[PICTURES], self._recorder.tallies[TWO_HANDS]
        return answer.last_stamp_ns >= picture.last_stamp_ns

    def _comes_more(self, topic: str, timeout_sec: float) -> bool:
        count = self._count(topic)
        return self._record_until(lambda: self._count(topic) > count, timeout_sec)

    def _record_until(self, condition: Callable[[], object], timeout_sec: float | None) -> bool:
        """Record until the condition holds, and return whether it came to hold in time."""
        deadline = time.monotonic() + (float('inf') if timeout_sec is None else timeout_sec)
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._executor.spin_once(timeout_sec=0.05)
            self._report_progress()
            if self._hands.has_ended():
                raise NodeError(f'hands_node ended before its time{self._hands.last_lines()}')
        return True

    def _report_progress(self) -> None:
        now = time.monotonic()
        if now - self._said_at > _PROGRESS_PERIOD_SEC and self._count(PICTURES):
            self._said_at = now
            self._say(f'{self._count(PICTURES)} frames in, {self._count(TWO_HANDS)} out')

    def _count(self, topic: str) -> int:
        return self._recorder.tallies[topic].count
