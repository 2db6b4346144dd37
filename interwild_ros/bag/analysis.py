"""Every frame of a camera in a bag, in order: decoded, seen, placed and filtered, written.

    Recorded -> Decoded -> Followed -> hands.mcap, hands.parquet -> summary.json, report.html

Decoding and writing each have a thread, which the networks wait for only where these are slower;
a few frames are on their way at a time, however long the bag.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
import time
from typing import Any, Final

from interwild_ros.bag.account import (
    FrameCounts,
    Source,
    Summary,
    times_of,
    Timings,
    Tracked,
    warnings_of_plan,
)
from interwild_ros.bag.ahead import ahead, behind
from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.columns import SeenFrame
from interwild_ros.bag.frames import Decoded, FrameMaker
from interwild_ros.bag.hands_bag import hands_file, HANDS_TOPIC, HandsBag
from interwild_ros.bag.least_certain import least_certain
from interwild_ros.bag.ordered import in_order, Recorded
from interwild_ros.bag.page import PAGE_FILE, write_page
from interwild_ros.bag.plan import Plan
from interwild_ros.bag.series import TABLE_FILE
from interwild_ros.bag.series_file import read_series
from interwild_ros.bag.shares import Foresight
from interwild_ros.bag.sturdy import SturdyReader
from interwild_ros.bag.summary_file import SUMMARY_FILE
from interwild_ros.bag.table import HandsTable, write_table
from interwild_ros.bag.thumbnails import Thumbnails
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError, InputError
from interwild_ros.pipeline.following import Followed, Follower, Foreseen
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.records import NoHand, Side, TwoHands

HANDS_BAG: Final = 'hands.mcap'
FILES: Final = (HANDS_BAG, TABLE_FILE, SUMMARY_FILE, PAGE_FILE)
_SHOWN = 12
_AHEAD = 4
_REPEATED = 'repeated_stamp'

Say = Callable[[int, int], None]  # frames done, frames in all


@dataclass(frozen=True, eq=False)
class Task:
    """One camera of a bag, and how it is to be analysed."""

    bag: SturdyReader
    camera: CameraTopics
    plan: Plan
    settings: Settings
    source: Source
    remarks: tuple[str, ...] = ()


def analyse(
    task: Task,
    pipeline: Pipeline,
    folder: Path,
    *,
    foresight: Foresight | None = None,
    say: Say = lambda done, total: None,
) -> Summary:
    """Analyse one camera of a bag into a folder, and return what has to be known of it.

    :param foresight: what the networks said elsewhere; it changes nothing but how long it takes.
    :param say: called after each picture.
    :raises AssetError: when the bag cannot be read any more, or the folder not be written to.
    """
    tally = Tally()
    began = time.perf_counter()
    with _outputs(task, pipeline, folder, tally) as write, _pictures(task) as pictures:
        seer = _Seer(pipeline, tally, foresight)
        for done, decoded in enumerate(pictures, 1):
            followed = seer.see(decoded)
            if followed is not None:
                recorded = decoded.recorded
                seen = SeenFrame(recorded.number, recorded.received_ns, followed)
                write((recorded, seen))
            say(done, len(task.plan))
    tally.foreseen = foresight.used if foresight else 0
    summary = _summary(task, pipeline, tally, wall_sec=time.perf_counter() - began)
    try:
        (folder / SUMMARY_FILE).write_text(summary.as_json(), encoding='utf-8')
    except OSError as error:
        raise AssetError(f'cannot write {SUMMARY_FILE}: {error}') from error
    _write_page(task, pipeline, folder)
    return summary


def _write_page(task: Task, pipeline: Pipeline, folder: Path) -> None:
    """Write the report, with pictures of the least certain frames."""
    chosen = least_certain(read_series(folder / TABLE_FILE), _SHOWN)
    thumbnails = Thumbnails(task.bag, task.camera, task.plan, task.settings, pipeline.topology)
    write_page(folder, list(thumbnails.draw(chosen, folder / HANDS_BAG, HANDS_TOPIC)))


@dataclass
class Tally:
    """What is counted on the way."""

    analysed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)
    bad_depth: Counter[str] = field(default_factory=Counter)
    nominal: int = 0
    with_depth: int = 0
    both: int = 0
    tracked: Counter[Side] = field(default_factory=Counter)
    absent: dict[Side, Counter[str]] = field(
        default_factory=lambda: {side: Counter() for side in Side}
    )
    foreseen: int = 0
    decode_sec: float = 0.0
    networks_sec: float = 0.0
    place_sec: float = 0.0
    write_sec: float = 0.0

    def skip(self, problem: InputError) -> None:
        """Count a picture that cannot be used, and keep the first reason of each kind."""
        self.skipped[problem.cause] += 1
        self.problems.setdefault(problem.cause, str(problem))

    def count(self, decoded: Decoded, hands: TwoHands) -> None:
        """Count a picture that was analysed."""
        self.analysed += 1
        if decoded.frame is not None:
            self.nominal += decoded.frame.camera.nominal
            self.with_depth += decoded.frame.depth_m is not None
        self.both += len(hands.hands) == len(Side)
        for hand in (hands.right, hands.left):
            if isinstance(hand, NoHand):
                self.absent[hand.side][hand.reason] += 1
            else:
                self.tracked[hand.side] += 1


class _Seer:
    """Sees the hands in one picture after another, as the node does."""

    def __init__(self, pipeline: Pipeline, tally: Tally, foreseen: Foreseen | None) -> None:
        self._follower = Follower(pipeline, foreseen)
        self._tally = tally
        self._last_ns: int | None = None

    def see(self, decoded: Decoded) -> Followed | None:
        """Return both hands, or None for a picture that is skipped and counted."""
        self._tally.decode_sec += decoded.decode_sec
        try:
            followed = self._followed(decoded)
        except InputError as problem:
            self._tally.skip(problem)
            return None
        self._last_ns = decoded.recorded.stamp_ns
        self._tally.count(decoded, followed.hands)
        return followed

    def _followed(self, decoded: Decoded) -> Followed:
        if decoded.recorded.stamp_ns == self._last_ns:
            raise InputError(_REPEATED, f'stamp {self._last_ns} ns came before')
        if decoded.problem is not None or decoded.frame is None:
            raise decoded.problem or InputError('bad_image', 'there is no picture')
        if decoded.depth_problem is not None:
            self._tally.bad_depth[decoded.depth_problem.cause] += 1
        began = time.perf_counter()
        glimpse = self._follower.look(decoded.frame)
        looked = time.perf_counter()
        followed = self._follower.place(glimpse)
        self._tally.networks_sec += looked - began
        self._tally.place_sec += time.perf_counter() - looked
        return followed


@contextmanager
def _pictures(task: Task) -> Iterator[Iterator[Decoded]]:
    """Give the decoded pictures, which another thread reads a few of in advance."""
    maker = FrameMaker(task.bag, task.settings)
    source = maker.decoded(in_order(task.bag, task.camera, task.plan))
    with ahead(source, size=_AHEAD) as pictures:
        yield pictures


@contextmanager
def _outputs(
    task: Task, pipeline: Pipeline, folder: Path, tally: Tally
) -> Iterator[Callable[[tuple[Recorded, SeenFrame]], None]]:
    """Give what writes a frame, in another thread."""
    image_kind = task.bag.topics[task.camera.image].kind if task.source.with_images else ''
    with hands_file(folder / HANDS_BAG) as bag, write_table(folder / TABLE_FILE) as table:
        hands = HandsBag(
            bag,
            task.camera,
            task.settings,
            pipeline.topology,
            pipeline.card,
            image_kind=image_kind,
        )
        with behind(_writing(hands, table, tally), size=_AHEAD) as write:
            yield write


def _writing(
    hands: HandsBag, table: HandsTable, tally: Tally
) -> Callable[[tuple[Recorded, SeenFrame]], None]:
    def write(item: tuple[Recorded, SeenFrame]) -> None:
        began = time.perf_counter()
        recorded, seen = item
        hands.add(recorded, seen)
        table.add(seen)
        tally.write_sec += time.perf_counter() - began

    return write


def _summary(task: Task, pipeline: Pipeline, tally: Tally, *, wall_sec: float) -> Summary:
    plan, bag = task.plan, task.bag
    return Summary(
        source=task.source,
        recorded=bag.topics,
        frames=FrameCounts(
            recorded=len(plan) + plan.unreadable,
            analysed=tally.analysed,
            skipped=_sorted(tally.skipped + _unreadable(plan)),
            calibrated=tally.analysed - tally.nominal,
            nominal=tally.nominal,
            with_depth=tally.with_depth,
        ),
        times=times_of(plan),
        tracked=Tracked(
            right=tally.tracked[Side.RIGHT],
            left=tally.tracked[Side.LEFT],
            both=tally.both,
            right_absent=_sorted(tally.absent[Side.RIGHT]),
            left_absent=_sorted(tally.absent[Side.LEFT]),
        ),
        damage=tuple(bag.damage),
        unknown_types=dict(sorted(bag.unknown.items())),
        warnings=tuple(_warnings(task, pipeline, tally)),
        timings=Timings(
            wall_sec=round(wall_sec, 3),
            fps=round(tally.analysed / wall_sec, 2) if tally.analysed else None,
            decode_sec=round(tally.decode_sec, 3),
            networks_sec=round(tally.networks_sec, 3),
            place_sec=round(tally.place_sec, 3),
            write_sec=round(tally.write_sec, 3),
            foreseen=tally.foreseen,
        ),
    )


def _warnings(task: Task, pipeline: Pipeline, tally: Tally) -> Iterator[str]:
    yield from (f'damaged: {damage}' for damage in task.bag.damage)
    yield from (f'{kind} is unknown: {why}' for kind, why in sorted(task.bag.unknown.items()))
    yield from warnings_of_plan(task.plan, task.camera)
    for cause, text in sorted(tally.problems.items()):
        if cause != _REPEATED:
            yield f'{tally.skipped[cause]} pictures are skipped, {cause}: {text}'
    if task.camera.info and tally.nominal:
        yield f'CameraInfo of {tally.nominal} pictures is of an uncalibrated camera'
    if task.camera.depth:
        yield from _depth_warnings(tally)
    yield from task.remarks
    yield from pipeline.card.warnings


def _depth_warnings(tally: Tally) -> Iterator[str]:
    for cause, count in sorted(tally.bad_depth.items()):
        yield f'{count} depth pictures are not used, {cause}'
    missing = tally.analysed - tally.with_depth - sum(tally.bad_depth.values())
    if missing:
        yield f'{missing} pictures have no depth near their stamp'


def _unreadable(plan: Plan) -> Counter[str]:
    return Counter({'bad_message': plan.unreadable} if plan.unreadable else {})


def _sorted(counts: Counter[str]) -> dict[str, Any]:
    return dict(sorted(counts.items()))
