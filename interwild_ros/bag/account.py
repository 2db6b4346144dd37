"""summary.json: what was analysed, how, and what has to be known of it.

Everything but `timings` is the same whenever the same bag is analysed with the same settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
import hashlib
from importlib import metadata
import json
from pathlib import Path
import platform
from typing import Any, Final

from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.damage import Damage
from interwild_ros.bag.plan import Plan
from interwild_ros.bag.read import TopicInfo
from interwild_ros.bag.series import GAP_STEPS
from interwild_ros.bag.sturdy import storage_files, SturdyReader
from interwild_ros.bag.summary_file import SUMMARY_FILE
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError
from interwild_ros.hand_model.mano_file import find_hand_models
from interwild_ros.networks.checkpoint import file_sha256, SHIPPED, SHIPPED_NAME
from interwild_ros.records import Array, ModelCard, NS_PER_SEC
import numpy as np

FORMAT: Final = 1
# settings of the node that have no meaning where every recorded frame is worked on in order
NODE_ONLY: Final = (
    'cameras',
    'image_transport',
    'qos_reliability',
    'every_frame',
    'autostart',
    'calibration_distance_m',
    'depth_wait_ms',
    'silence_sec',
    'overlay_quality',
)
_END_BYTES = 2**20
_LISTED_GAPS = 100
_SOFTWARE = ('interwild_ros', 'torch', 'numpy', 'opencv-python-headless', 'rosbags', 'pyarrow')


@dataclass(frozen=True)
class InputFile:
    """A file of the bag. `sha256_ends` is the sum of its first and its last mebibyte."""

    name: str
    size_bytes: int
    sha256_ends: str


@dataclass(frozen=True)
class Source:
    """What was analysed and how: it tells whether a result is of this bag and these settings.

    `bag` is the bag's name, `files` what it consists of; `topics` are those of the camera.
    """

    bag: str
    files: tuple[InputFile, ...]
    topics: CameraTopics
    with_images: bool
    settings: dict[str, Any]
    assets: dict[str, Any]
    software: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return its part of summary.json."""
        return {'format': FORMAT, 'camera': self.topics.image, **asdict(self)}


@dataclass(frozen=True)
class FrameCounts:
    """How many pictures there were, how many were analysed, the others by cause.

    `calibrated` and `nominal` count the analysed ones by what their camera rests on, `with_depth`
    those that had depth.
    """

    recorded: int
    analysed: int
    skipped: dict[str, int]
    calibrated: int
    nominal: int
    with_depth: int

    def as_dict(self) -> dict[str, Any]:
        """Return its part of summary.json."""
        counts = asdict(self)
        return {'in': counts.pop('recorded'), **counts}


@dataclass(frozen=True)
class Gap:
    """A time without a picture: when it begins after the first one, and how long it is."""

    start_sec: float
    duration_sec: float


@dataclass(frozen=True)
class Times:
    """What the stamps of all pictures say; repeated ones count once.

    `gaps` are steps of more than GAP_STEPS times the median step, the longest hundred in their
    order; `gap_count` counts all.
    """

    first_stamp_ns: int | None
    last_stamp_ns: int | None
    duration_sec: float | None
    rate_hz: float | None
    median_step_ms: float | None
    gap_count: int
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Tracked:
    """In how many frames each hand was tracked, and why it was not in the others."""

    right: int
    left: int
    both: int
    right_absent: dict[str, int]
    left_absent: dict[str, int]


@dataclass(frozen=True)
class Timings:
    """How long it took: the one thing that differs from run to run.

    `wall_sec` is from the first picture to the last file, without finding out what is in the bag;
    the stages overlap, since each has a thread of its own. `foreseen` counts the pictures that the
    networks had seen before, as shares of a long recording.
    """

    wall_sec: float
    fps: float | None
    decode_sec: float
    networks_sec: float
    place_sec: float
    write_sec: float
    foreseen: int = 0


@dataclass(frozen=True)
class Summary:
    """What summary.json says; `recorded` are the topics of the bag."""

    source: Source
    recorded: dict[str, TopicInfo]
    frames: FrameCounts
    times: Times
    tracked: Tracked
    damage: tuple[Damage, ...]
    unknown_types: dict[str, str]
    warnings: tuple[str, ...]
    timings: Timings

    def as_dict(self) -> dict[str, Any]:
        """Return the keys of the file."""
        return {
            **self.source.as_dict(),
            'frames': self.frames.as_dict(),
            **asdict(self.times),
            'tracked': asdict(self.tracked),
            'recorded': {topic: asdict(info) for topic, info in sorted(self.recorded.items())},
            'damage': [asdict(damage) for damage in self.damage],
            'unknown_types': self.unknown_types,
            'warnings': list(self.warnings),
            'timings': asdict(self.timings),
        }

    def as_json(self) -> str:
        """Return the text of the file."""
        return json.dumps(self.as_dict(), indent=2) + '\n'


def source_of(
    bag: SturdyReader,
    name: str,
    camera: CameraTopics,
    settings: Settings,
    assets: dict[str, Any],
    *,
    with_images: bool,
) -> Source:
    """Return what identifies an analysis.

    :param name: what the bag is called in the results.
    :raises AssetError: when a file of the bag cannot be read.
    """
    return Source(
        bag=name,
        files=tuple(input_file(file) for file in storage_files(bag.path)),
        topics=camera,
        with_images=with_images,
        settings=relevant(settings),
        assets=assets,
        software=software(),
    )


def input_file(path: Path) -> InputFile:
    """Return what tells whether a file is the same: reading all of 16 GB would take as long.

    :raises AssetError: when it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        size = path.stat().st_size
        with path.open('rb') as file:
            digest.update(file.read(_END_BYTES))
            file.seek(max(0, size - _END_BYTES))
            digest.update(file.read(_END_BYTES))
    except OSError as error:
        raise AssetError(f'cannot read {path}: {error}') from error
    return InputFile(path.name, size, digest.hexdigest())


def relevant(settings: Settings) -> dict[str, Any]:
    """Return the settings that results depend on."""
    return {
        field.name: getattr(settings, field.name)
        for field in fields(settings)
        if field.name not in NODE_ONLY
    }


def assets_of(card: ModelCard, settings: Settings) -> dict[str, Any]:
    """Return what ran, with the sums of its files; the device too, since results depend on it."""
    weights = SHIPPED if card.weights == SHIPPED_NAME else Path(settings.weights)
    models = find_hand_models(settings.mano_dir)
    return {
        **asdict(card),
        'weights_sha256': file_sha256(weights) if card.weights_meaningful else '',
        'hand_model_sha256': {model.side.label: model.sha256 for model in models},
    }


def times_of(plan: Plan) -> Times:
    """Return the figures of the stamps."""
    if not len(plan):
        return Times(None, None, None, None, None, 0, ())
    stamps_ns = np.unique(plan.stamps_ns)
    duration_sec = float(stamps_ns[-1] - stamps_ns[0]) / NS_PER_SEC
    steps_ns = np.diff(stamps_ns)
    gaps = _gaps(stamps_ns, steps_ns)
    return Times(
        first_stamp_ns=int(stamps_ns[0]),
        last_stamp_ns=int(stamps_ns[-1]),
        duration_sec=round(duration_sec, 6),
        rate_hz=round(len(steps_ns) / duration_sec, 3) if duration_sec else None,
        median_step_ms=round(float(np.median(steps_ns)) / 1e6, 3) if len(steps_ns) else None,
        gap_count=len(gaps),
        gaps=tuple(sorted(gaps[:_LISTED_GAPS], key=lambda gap: gap.start_sec)),
    )


def _gaps(stamps_ns: Array, steps_ns: Array) -> list[Gap]:
    """Return where pictures are missing, the longest first."""
    if not len(steps_ns):
        return []
    found = np.flatnonzero(steps_ns > GAP_STEPS * float(np.median(steps_ns)))
    longest_first = found[np.argsort(-steps_ns[found], kind='stable')]
    return [
        Gap(
            start_sec=round(float(stamps_ns[at] - stamps_ns[0]) / NS_PER_SEC, 6),
            duration_sec=round(float(steps_ns[at]) / NS_PER_SEC, 6),
        )
        for at in longest_first
    ]


def warnings_of_plan(plan: Plan, camera: CameraTopics) -> list[str]:
    """Return what has to be said of the recording."""
    said = {
        f'no CameraInfo belongs to {camera.image}: places are nominal': not camera.info,
        'no picture has a stamp: times of arrival are taken': plan.is_unstamped,
        f'{plan.repeated} stamps repeat an earlier one: these pictures are skipped': plan.repeated,
        f'{plan.disordered} pictures are out of the order of their stamps': plan.disordered,
        f'{plan.early} pictures are older than the first CameraInfo, which is taken': plan.early,
        f'{plan.unreadable} pictures have no readable header': plan.unreadable,
    }
    return [text for text, holds in said.items() if holds]


def software() -> dict[str, str]:
    """Return the versions of what takes part."""
    versions = {'python': platform.python_version()}
    for name in _SOFTWARE:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = 'not installed'
    return versions


def is_finished(folder: Path, source: Source, files: Sequence[str]) -> bool:
    """Return whether a folder holds the whole result of an analysis."""
    if not all((folder / name).is_file() for name in files):
        return False
    try:
        found = json.loads((folder / SUMMARY_FILE).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return False
    wanted = json.loads(json.dumps(source.as_dict()))
    return isinstance(found, Mapping) and wanted.items() <= found.items()
