"""`interwild play`: a recording on its topics again, with /clock, and the hands node beside it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import sys
from typing import Any

from interwild_ros.bag.sturdy import DamagedBagError, open_sturdy, SturdyReader
from interwild_ros.cli.flags import add_camera_info_flag, add_depth_flag, add_setting_flags
from interwild_ros.cli.play_plan import CONSUMED, HANDS_SETTINGS, plan_of, REAL_TIME, remarks_of
from interwild_ros.cli.progress import ProgressLine
from interwild_ros.config import Settings
from interwild_ros.ros.replay import Hands, Played, Replay, replay
from interwild_ros.ros.stop_signals import Stopped, StopSignals


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's flags; those of `ros2 bag play` are called as there."""
    parser.add_argument(
        'bag', type=Path, metavar='BAG', help='a rosbag2 folder, or one of its files'
    )
    _add_playing(parser.add_argument_group('playing, as ros2 bag play does'))
    _add_node(parser.add_argument_group('the hands node'))
    parser.add_argument(
        '--rviz', action='store_true', help='start RViz too, where it is installed'
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    add_setting_flags(parser, Settings, title='hands, as in the node', only=HANDS_SETTINGS)


def _add_playing(group: Any) -> None:
    group.add_argument(
        '--rate', type=float, default=1.0, metavar='R', help='2 plays twice as fast'
    )
    group.add_argument(
        '--start-offset', type=float, default=0.0, metavar='S', help='begin so far into the bag'
    )
    group.add_argument('--duration', type=float, metavar='S', help='end after so much of the bag')
    group.add_argument('--loop', action='store_true', help='begin again at the end')
    for flag, what in (
        ('--topics', 'play these alone (and what the hands node needs)'),
        ('--exclude-topics', 'leave these out'),
    ):
        group.add_argument(
            flag, nargs='+', action='extend', default=[], metavar='TOPIC', help=what
        )
    group.add_argument(
        '--remap',
        nargs='+',
        action='extend',
        default=[],
        metavar='OLD:=NEW',
        help='play topics under other names',
    )
    group.add_argument(
        '--clock',
        type=float,
        default=100.0,
        metavar='HZ',
        help='how often /clock is published; 0 never (default: %(default)g)',
    )
    group.add_argument(
        '--wait-for-subscribers',
        type=int,
        default=0,
        metavar='N',
        help='begin when the topics that are played have N subscriptions together',
    )


def _add_node(group: Any) -> None:
    who = group.add_mutually_exclusive_group()
    who.add_argument('--no-node', action='store_true', help='play alone: start no hands node')
    who.add_argument(
        '--hands-node',
        default='',
        metavar='NAME',
        help='play for this one, which runs already, such as /robot/hands_node',
    )
    group.add_argument(
        '--camera',
        default='',
        metavar='TOPIC',
        help='image topic to work on; must be given where the bag has several cameras',
    )
    add_camera_info_flag(group)
    add_depth_flag(group)
    group.add_argument(
        '--pace',
        choices=(CONSUMED, REAL_TIME),
        help='consumed holds pictures back until the node has answered, so that none is lost; '
        'real_time keeps the time of the bag, and the node drops what it cannot do (default: '
        'consumed, with --no-node real_time)',
    )


@dataclass(frozen=True)
class _Outcome:
    """What was played of which bag, and whether it turned out damaged."""

    bag: Path
    plan: Replay
    played: Played
    damage: tuple[str, ...]


def run(args: argparse.Namespace) -> int:
    """Play the bag, and print what came of it, also when it was broken off."""
    progress = ProgressLine()
    try:
        outcome = play(args, progress, remark=_remark)
    except Stopped:
        raise KeyboardInterrupt from None
    finally:
        progress.end()
    print(_as_json(outcome) if args.json else '\n'.join(_lines(outcome)), flush=True)
    if not outcome.played.is_over:
        raise KeyboardInterrupt
    return 0


def play(
    args: argparse.Namespace, progress: ProgressLine, *, remark: Callable[[str], None]
) -> _Outcome:
    """Play the bag for as long as it goes, or until a signal comes.

    :param remark: called with what has to be said before.
    :raises Stopped: when a signal comes before the playing begins.
    """
    path = args.bag.expanduser().absolute()
    with StopSignals() as stop, ExitStack() as stack:
        with stop.breaking_off():
            bag = stack.enter_context(open_sturdy(path))
            plan = _plan(args, bag)
        for text in remarks_of(bag, plan):
            remark(text)
        played = replay(plan, bag, stop, say=_saying(progress, bag, plan))
        return _Outcome(path, plan, played, tuple(map(str, bag.damage)))


def _plan(args: argparse.Namespace, bag: SturdyReader) -> Replay:
    try:
        return plan_of(args, bag)
    except DamagedBagError as error:
        bag.salvage(str(error))
        return plan_of(args, bag)


def _saying(progress: ProgressLine, bag: SturdyReader, plan: Replay) -> Callable[[str, int], None]:
    """Return what shows how far the playing is; the end is known where all is played once."""
    camera, pace = plan.camera, plan.pace
    topics = [camera.image] if camera else plan.playlist.names
    is_whole = not (pace.loop or pace.offset_sec or pace.length_sec)
    title_here = camera.image if camera else bag.path.name
    total = sum(bag.topics[topic].count for topic in topics) if is_whole else 0

    def say(title: str, count: int) -> None:
        if title:
            progress.show(title, 0, 0)
        else:
            progress.show(title_here, count, max(total, count) if is_whole else 0)

    return say


def _remark(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _as_json(outcome: _Outcome) -> str:
    plan, played = outcome.plan, outcome.played
    return json.dumps(
        {
            'bag': str(outcome.bag),
            'camera': plan.camera.image if plan.camera else None,
            'is_over': played.is_over,
            'seconds': round(played.seconds, 3),
            **asdict(played.sent),
            'hands': asdict(played.hands) if played.hands else None,
            'topics': dict(plan.playlist.names),
            'left_out': dict(plan.playlist.left_out),
            'damage': list(outcome.damage),
            'rviz_problem': played.rviz_problem,
        },
        indent=2,
    )


def _lines(outcome: _Outcome) -> Iterator[str]:
    plan, sent, hands = outcome.plan, outcome.played.sent, outcome.played.hands
    yield f'{outcome.bag.name} {plan.camera.image if plan.camera else ""}'.rstrip()
    end = '' if outcome.played.is_over else ', broken off'
    yield (
        f'  played      {sent.messages} messages on {len(plan.playlist.names)} topics in '
        f'{outcome.played.seconds:.1f} s{end}'
    )
    if plan.camera:
        yield f'  pictures    {sent.pictures}'
    if hands is not None:
        yield f'  hands       {hands.messages} messages{_lost(hands)}'
        yield f'  tracked     right {hands.right}, left {hands.left}, both {hands.both}'
    for topic, count in sent.taken_out.items():
        yield f'  !           {topic}: {count} messages were of {plan.node} alone, left out'
    if sent.unanswered:
        yield f'  !           {sent.unanswered} pictures were not answered in time'
    if sent.unreadable:
        yield f'  !           {sent.unreadable} messages could not be read'
    yield from (f'  !           {damage}' for damage in outcome.damage)
    if outcome.played.rviz_problem:
        yield f'  !           {outcome.played.rviz_problem}'


def _lost(hands: Hands) -> str:
    causes = ', '.join(f'{count} {cause}' for cause, count in hands.bad_frames.items())
    parts = [f'{hands.dropped} dropped']
    if hands.skipped:
        parts.append(f'{hands.skipped} skipped ({causes})')
    if hands.open:
        parts.append(f'{hands.open} under way')
    return ''.join(f', {part}' for part in parts)
