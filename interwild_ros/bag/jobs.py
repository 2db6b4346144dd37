"""Bags to analyse: what they are called, whether they can be, and where the results go.

Results of a camera stand in <out>/<bag>/<camera>/: the bag is called as its folder, or as its file
without the ending; the camera as its image topic, a dot for every slash but the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
import json
from pathlib import Path
import shutil
import tempfile
from typing import Any

from interwild_ros.bag.account import assets_of, is_finished, Source, source_of
from interwild_ros.bag.analysis import analyse, FILES, Task
from interwild_ros.bag.cameras import CameraTopics, find_cameras, Found, Wanted
from interwild_ros.bag.ordered import camera_times, times_of
from interwild_ros.bag.plan import CameraTimes, Entry, entry_of, Plan, plan_of
from interwild_ros.bag.shares import Foresight
from interwild_ros.bag.sturdy import open_sturdy, SturdyReader
from interwild_ros.bag.summary_file import SUMMARY_FILE
from interwild_ros.bag.workers import Workers
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.whole import whole_folder

_NS_PER_MS = 1e6


@dataclass(frozen=True)
class Request:
    """What is to be done with each bag.

    `with_images` writes the pictures into hands.mcap too; `resume` leaves finished results be.
    """

    settings: Settings
    wanted: Wanted = field(default_factory=Wanted)
    with_images: bool = False
    resume: bool = False


@dataclass(frozen=True)
class NamedBag:
    """A bag and what it is called in the results."""

    path: Path
    name: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of one camera: its folder and its summary; `was_there` before."""

    folder: Path
    summary: dict[str, Any]
    was_there: bool


@dataclass(frozen=True)
class Progress:
    """How far one camera of a bag is; `total` is 0 while the bag is read for the first time."""

    bag: str
    camera: str
    done: int
    total: int


Say = Callable[[Progress], None]


def named_bags(paths: Sequence[Path]) -> list[NamedBag]:
    """Return what bags are called; those that share a name bear that of their folder before it.

    :raises AssetError: when two have the same name even so.
    """
    paths = [path.expanduser().absolute() for path in dict.fromkeys(paths)]
    counts = Counter(map(_name, paths))
    bags = [
        NamedBag(path, name if counts[name := _name(path)] == 1 else f'{path.parent.name}.{name}')
        for path in paths
    ]
    names = Counter(bag.name for bag in bags)
    for name, count in names.items():
        if count > 1:
            same = ', '.join(str(bag.path) for bag in bags if bag.name == name)
            raise AssetError(f'{same} would all be called {name}: analyse them into other folders')
    return bags


def check_bags(bags: Sequence[NamedBag], out: Path, request: Request) -> int:
    """See that every bag can be opened, has pictures, and that results can be written.

    Return how many pictures the longest recording of a camera announces.

    :raises AssetError: when something stands in the way, before any work is done.
    """
    longest = 0
    for bag in bags:
        with open_sturdy(bag.path) as opened:
            cameras = find_cameras(opened, request.wanted).cameras
            longest = max(longest, *(opened.topics[camera.image].count for camera in cameras))
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise AssetError(f'cannot write to {out}: {error}') from error
    return longest


def analyse_bags(
    bags: Sequence[NamedBag],
    out: Path,
    request: Request,
    pipeline: Pipeline,
    *,
    workers: Workers | None = None,
    say: Say = lambda progress: None,
) -> Iterator[Outcome]:
    """Analyse every camera of every bag, and yield each result when its folder stands.

    :param workers: who foresees long recordings; they change nothing but how long it takes.
    :raises AssetError: when a bag cannot be read or the disk is full; what is finished stays.
    """
    assets = assets_of(pipeline.card, request.settings)
    for bag in bags:
        with open_sturdy(bag.path) as opened:
            job = BagJob(bag, opened, out, request, pipeline, assets)
            yield from job.finished()
            for measured in job.measured(say):
                with _beside(workers, opened, measured) as foresight:
                    outcome = job.analysed(measured, foresight=foresight, say=say)
                yield outcome


@dataclass(frozen=True, eq=False)
class Measured:
    """A camera of a bag, and when its messages were recorded: what an analysis begins with."""

    camera: CameraTopics
    times: CameraTimes
    plan: Plan

    def entry_of(self, part: Plan) -> Entry | None:
        """Return where in the bag to begin to read for a part of the plan."""
        return entry_of(part, self.camera, self.times)


def _beside(
    workers: Workers | None, opened: SturdyReader, measured: Measured
) -> AbstractContextManager[Foresight | None]:
    if workers is None:
        return nullcontext()
    return workers.beside(opened, measured.camera, measured.plan, measured.entry_of)


class BagJob:
    """One bag that is open."""

    def __init__(
        self,
        bag: NamedBag,
        opened: SturdyReader,
        out: Path,
        request: Request,
        pipeline: Pipeline,
        assets: dict[str, Any],
    ) -> None:
        """Find the cameras that are asked for.

        :param assets: `assets_of` what the pipeline runs.
        :raises AssetError: when there are none, or a file cannot be read.
        """
        self._bag, self._opened, self._folder = bag, opened, out / bag.name
        self._request, self._pipeline = request, pipeline
        self._found: Found = find_cameras(opened, request.wanted)
        self._assets = assets
        self._done = tuple(filter(self._is_finished, self._found.cameras))

    def finished(self) -> list[Outcome]:
        """Return the results that are there already, when they are to be left."""
        return [
            Outcome(self._place(camera), _summary(self._place(camera)), was_there=True)
            for camera in self._done
        ]

    def measured(self, say: Say = lambda progress: None) -> Iterator[Measured]:
        """Go through the bag, and yield what an analysis of each other camera begins with."""
        left = tuple(camera for camera in self._found.cameras if camera not in self._done)
        if not left:
            return
        times = times_of(self._opened, left, self._saying(say))
        settings = self._request.settings
        for camera in left:
            recorded = camera_times(camera, times)
            plan = plan_of(
                recorded,
                depth_slop_ns=settings.depth_slop_ms * _NS_PER_MS,
                longest_gap_ns=settings.longest_gap_ms * _NS_PER_MS,
            )
            yield Measured(camera, recorded, plan)

    def analysed(
        self,
        measured: Measured,
        *,
        foresight: Foresight | None = None,
        say: Say = lambda progress: None,
    ) -> Outcome:
        """Analyse one camera.

        :raises AssetError: when the bag cannot be read any more, or the disk is full.
        """
        camera = measured.camera
        self._check_disk(measured.times)
        task = Task(
            bag=self._opened,
            camera=camera,
            plan=measured.plan,
            settings=self._request.settings,
            source=self._source(camera),
            remarks=self._found.remarks,
        )

        def say_count(done: int, total: int) -> None:
            say(Progress(self._bag.name, camera.image, done, total))

        place = self._place(camera)
        with whole_folder(place) as folder:
            analyse(task, self._pipeline, folder, foresight=foresight, say=say_count)
        return Outcome(place, _summary(place), was_there=False)

    def _place(self, camera: CameraTopics) -> Path:
        return self._folder / camera.name

    def _is_finished(self, camera: CameraTopics) -> bool:
        return self._request.resume and is_finished(
            self._place(camera), self._source(camera), FILES
        )

    def _source(self, camera: CameraTopics) -> Source:
        return source_of(
            self._opened,
            self._bag.name,
            camera,
            self._request.settings,
            self._assets,
            with_images=self._request.with_images,
        )

    def _saying(self, say: Say) -> Callable[[int], None]:
        return lambda count: say(Progress(self._bag.name, '', count, 0))

    def _check_disk(self, times: CameraTimes) -> None:
        """Refuse what is known not to fit: pictures do not get smaller by being copied."""
        needed = times.images.size_bytes if self._request.with_images else 0
        free = shutil.disk_usage(_existing(self._folder)).free
        if needed > free:
            raise AssetError(
                f'{self._folder} has {free / 1e9:.1f} GB left, the pictures alone take '
                f'{needed / 1e9:.1f} GB: leave out --with-images, or make room'
            )


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def _name(path: Path) -> str:
    return path.name if path.is_dir() else path.name.partition('.')[0]


def _summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / SUMMARY_FILE).read_text(encoding='utf-8'))
    return found
