"""Play a recording for a hands node, which runs beside as a process of its own or runs already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
import time
from typing import Any

from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.playlist import Playlist
from interwild_ros.bag.sturdy import SturdyReader
from interwild_ros.errors import AssetError, NodeError
from interwild_ros.ros.answers import Answers
from interwild_ros.ros.message_class import message_class
from interwild_ros.ros.node_process import NodeProcess, running
from interwild_ros.ros.own_node import own_node
from interwild_ros.ros.player import Pace, Player, Sent
from interwild_ros.ros.rviz import running_rviz
from interwild_ros.ros.stop_signals import Stopped, StopSignals
from interwild_ros.ros.subscribing import full_name
from interwild_ros.ros.without_own import sieves_for
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

HANDS_NODE = 'hands_node'
_START_SEC, _LISTENERS_SEC = 180.0, 600.0
_SLICE_SEC = 0.1
# A receiver may be known here a moment before it knows of us, and would miss the first message.
_SETTLING_SEC = 0.5
_LAST_ANSWER_SEC = 10.0
_LAST_WORK_SEC = 2.5  # diagnostics come once a second
# Receivers confirm, or ask for what they missed, when they are asked: Fast DDS does every 3 s.
_DELIVERY_SEC = 4.0


@dataclass(frozen=True)
class Replay:
    """What to play, and for whom.

    `node` is the full name of the hands node, empty when the bag is played alone. `parameters` are
    those that it is run with, None when it runs already; `inputs` are the topics that its own
    names of its inputs stand for. `listeners` are waited for before the first message. `rviz` is
    the command that starts RViz, empty for none.
    """

    playlist: Playlist
    camera: CameraTopics | None
    pace: Pace
    node: str = ''
    parameters: Mapping[str, Any] | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    listeners: int = 0
    rviz: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hands:
    """What the hands node said.

    `messages` with hands, in which `right`, `left` and `both` hands were tracked. Of the pictures
    `skipped` could not be used, by cause in `bad_frames`; `dropped` were not worked on; `open`
    were under way when the playing was broken off.
    """

    messages: int
    right: int
    left: int
    both: int
    skipped: int
    dropped: int
    open: int
    bad_frames: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Played:
    """What came of it.

    `is_over` says that it was played to the end; `hands` is None without a hands node.
    `rviz_problem` says why RViz ended before, empty where nothing was wrong.
    """

    is_over: bool
    sent: Sent
    seconds: float
    hands: Hands | None
    rviz_problem: str = ''


def replay(
    plan: Replay, bag: SturdyReader, stop: StopSignals, *, say: Callable[[str, int], None]
) -> Played:
    """Play a bag until its end, or until a signal comes.

    :param stop: is in force.
    :param say: called with what is being done, and the number of pictures (or messages) so far.
    :raises NodeError: when the hands node dies, or does not listen in time.
    :raises AssetError: when the bag cannot be read any more.
    """
    with ExitStack() as stack:
        node, executor = stack.enter_context(own_node('interwild_player'))
        answers = Answers(node, plan.node) if plan.node else None
        player = Player(node, bag, plan.playlist, plan.camera, plan.pace)
        process = None
        if plan.parameters is not None:
            process = stack.enter_context(_running_hands_node(plan, plan.parameters))
        rviz = stack.enter_context(running_rviz(list(plan.rviz))) if plan.rviz else None
        played = _Replaying(plan, player, answers, process, executor, node, stop, say).run()
        return played if rviz is None else replace(played, rviz_problem=rviz.problem())


def not_installed(kind: str) -> str:
    """Return that messages of a type cannot be published here, or nothing when they can."""
    try:
        message_class(kind)
    except AssetError as error:
        return str(error)
    return ''


class _Replaying:
    """Takes turns at playing and at looking whether all that it plays for still lives."""

    def __init__(
        self,
        plan: Replay,
        player: Player,
        answers: Answers | None,
        process: NodeProcess | None,
        executor: SingleThreadedExecutor,
        node: Node,
        stop: StopSignals,
        say: Callable[[str, int], None],
    ) -> None:
        self._plan, self._player, self._answers, self._process = plan, player, answers, process
        self._executor, self._node, self._stop, self._say = executor, node, stop, say
        self._was_alive = False

    def run(self) -> Played:
        """Play, and say what came of it; a signal ends that early."""
        began_sec, is_over = time.monotonic(), False
        try:
            self._wait_for_node()
            self._wait_for_listeners()
            began_sec = time.monotonic()
            self._player.play(self._wait, self._stop.breaking_off, self._say_count)
            is_over = True
        except Stopped:
            pass
        seconds = time.monotonic() - began_sec
        if is_over:
            with suppress(Stopped):
                self._finish()
        return Played(is_over, self._player.sent, seconds, self._hands())

    def _wait_for_node(self) -> None:
        """Wait until the hands node has loaded its networks and hears what is played for it."""
        if self._answers is None or self._plan.camera is None:
            return
        self._say(f'waiting for {self._plan.node}', 0)
        if not self._wait(self._is_ready, _START_SEC):
            raise NodeError(
                f'{self._plan.node} did not listen to {self._plan.camera.image} within '
                f'{_START_SEC:g} s{self._last_words()}'
            )
        self._wait(lambda: False, _SETTLING_SEC)
        self._check_that_it_is_the_only_one(self._answers)
        prefix = str((self._plan.parameters or {}).get('tf_prefix', ''))
        self._player.serve(self._answers, sieves_for(self._plan.node, tf_prefix=prefix))
        self._was_alive = True

    def _is_ready(self) -> bool:
        camera = self._plan.camera
        return (
            camera is not None
            and self._answers is not None
            and self._answers.has_told_of_work
            and all(map(self._is_heard_by_node, camera.topics))
        )

    def _is_heard_by_node(self, topic: str) -> bool:
        infos = self._node.get_subscriptions_info_by_topic(self._plan.playlist.names[topic])
        names = {full_name(info.node_namespace, info.node_name) for info in infos}
        return self._plan.node in names and self._player.is_heard(topic)

    def _check_that_it_is_the_only_one(self, answers: Answers) -> None:
        count = self._node.count_publishers(answers.topic)
        if count > 1:
            raise NodeError(
                f'{count} nodes are called {self._plan.node}, wanted one: end the others, or play '
                'for the one that runs by --hands-node'
            )

    def _wait_for_listeners(self) -> None:
        wanted = self._plan.listeners
        if not wanted:
            self._wait(lambda: False, _SETTLING_SEC)
            return
        self._say('waiting for subscribers', 0)
        if not self._wait(lambda: self._player.listeners >= wanted, _LISTENERS_SEC):
            raise NodeError(
                f'{self._player.listeners} subscribers came within {_LISTENERS_SEC:g} s, '
                f'wanted {wanted}'
            )
        self._wait(lambda: False, _SETTLING_SEC)

    def _finish(self) -> None:
        """Wait for what is still under way: answers, their account, and messages."""
        answers = self._answers
        if answers is not None:
            self._wait(lambda: not answers.open, _LAST_ANSWER_SEC)
            self._wait(lambda: answers.work.done >= answers.open.sent, _LAST_WORK_SEC)
        self._wait(self._player.is_delivered, _DELIVERY_SEC)

    def _hands(self) -> Hands | None:
        if self._answers is None:
            return None
        heard, work, under_way = self._answers.heard, self._answers.work, len(self._answers.open)
        lacking = self._player.sent.pictures - heard.messages - work.skipped - under_way
        return Hands(
            messages=heard.messages,
            right=heard.right,
            left=heard.left,
            both=heard.both,
            skipped=work.skipped,
            dropped=max(0, lacking),
            open=under_way,
            bad_frames=work.bad_frames,
        )

    def _say_count(self, count: int) -> None:
        self._say('', count)

    def _wait(self, is_over: Callable[[], object], timeout_sec: float) -> bool:
        """Work off callbacks and tell the time until the condition holds; return whether it does.

        :raises Stopped: when a signal came.
        :raises NodeError: when the hands node died.
        """
        end_sec = time.monotonic() + timeout_sec
        while True:
            self._check_life()
            to_clock_sec = self._player.tell_time()
            if is_over():
                return True
            left_sec = end_sec - time.monotonic()
            slice_sec = max(0.0, min(left_sec, to_clock_sec, _SLICE_SEC))
            self._executor.spin_once(timeout_sec=slice_sec)
            if left_sec <= 0:
                return bool(is_over())

    def _check_life(self) -> None:
        if self._stop.came:
            raise Stopped
        if self._process is not None and self._process.has_ended():
            raise NodeError(f'{self._plan.node} ended before its time{self._last_words()}')
        if self._was_alive and self._answers is not None and not self._is_there(self._answers):
            raise NodeError(f'{self._plan.node} is gone')

    def _is_there(self, answers: Answers) -> bool:
        return bool(self._node.count_publishers(answers.topic))

    def _last_words(self) -> str:
        return '' if self._process is None else self._process.last_lines()


@contextmanager
def _running_hands_node(plan: Replay, parameters: Mapping[str, Any]) -> Iterator[NodeProcess]:
    with (
        TemporaryDirectory(prefix='interwild_') as folder,
        running(
            HANDS_NODE, parameters, folder=Path(folder), environment={}, remappings=plan.inputs
        ) as process,
    ):
        yield process
