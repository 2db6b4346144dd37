"""What there is to show of a recording: its hands, the pictures they were seen in, its transforms.

Hands and pictures may stand in one bag, as in a recording of the node, or in two: `interwild
analyze` leaves the pictures where they are. They are laid on each other by their stamps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass, field
import hashlib
import json
from pathlib import Path
from typing import Any, Final

from interwild_ros.bag.account import input_file
from interwild_ros.bag.analysis import HANDS_BAG
from interwild_ros.bag.cameras import CameraTopics, content_of, Wanted
from interwild_ros.bag.messages import topology_of
from interwild_ros.bag.one_camera import one_camera
from interwild_ros.bag.ordered import camera_times, times_of
from interwild_ros.bag.outgoing import TOPOLOGY, TWO_HANDS
from interwild_ros.bag.plan import Plan, plan_of
from interwild_ros.bag.read import CAMERA_INFO, IMAGES, without_raw
from interwild_ros.bag.sturdy import open_sturdy, storage_files, SturdyReader
from interwild_ros.bag.summary_file import SUMMARY_FILE
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError
from interwild_ros.records import Array, Topology
import numpy as np

TRANSFORMS: Final = 'tf2_msgs/msg/TFMessage'
_STATIC = '_static'  # ends the name of the topic with transforms that hold for all times
_READ_TOO = (TOPOLOGY, TRANSFORMS)
_LISTED = 5


@dataclass(frozen=True)
class Wish:
    """What is to be shown.

    `images` is the bag with the pictures, where that is another one. Topics are empty where there
    is only one to take. `settings` are those of the node that say how pictures were read; None
    takes them from the analysis.
    """

    bag: Path
    images: Path | None = None
    camera: str = ''
    info: str = ''
    hands: str = ''
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Stream:
    """One topic of an open bag, or the pictures of a camera, in the order of their stamps."""

    bag: SturdyReader
    topics: CameraTopics
    plan: Plan

    @property
    def topic(self) -> str:
        """Return where the messages are."""
        return self.topics.image


@dataclass(frozen=True, eq=False)
class Transforms:
    """A topic with transforms: they hold for all times, or from their stamp on."""

    bag: SturdyReader
    topic: str
    is_static: bool


@dataclass(frozen=True, eq=False)
class ExportInput:
    """What there is: None or empty where there is none.

    `infos` describe the camera where no picture does. `stamps_ns` are those of all pictures and
    hands, ascending, each once: its position there is the number of a frame. `frame_id` is the
    camera's optical frame. `identity` tells whether another export is of the same files and wish.
    """

    name: str
    identity: str
    pictures: Stream | None
    infos: Stream | None
    hands: Stream | None
    topology: Topology | None
    transforms: tuple[Transforms, ...]
    stamps_ns: Array
    frame_id: str
    settings: Settings
    warnings: tuple[str, ...]

    def frame_of(self, stamp_ns: int) -> int:
        """Return the number of the frame of a time: the last one that is not later, or the first.

        :param stamp_ns: nanoseconds.
        """
        return max(0, int(np.searchsorted(self.stamps_ns, stamp_ns, side='right')) - 1)


@contextmanager
def open_export_input(
    wish: Wish, say: Callable[[int], None] = lambda count: None
) -> Iterator[ExportInput]:
    """Open the bags, and find out what is in them.

    :param say: called with the number of messages so far.
    :raises AssetError: when a bag cannot be read, holds nothing to show, or holds several of what
        only one can be shown of.
    """
    path = _bag_of(wish.bag)
    with ExitStack() as stack:
        hands_bag = stack.enter_context(open_sturdy(path))
        pictures_bag = hands_bag
        if wish.images is not None:
            pictures_bag = stack.enter_context(open_sturdy(_bag_of(wish.images)))
        yield _Finder(wish, hands_bag, pictures_bag, _summary_beside(path)).found(say)


class _Finder:
    """Finds what is to be shown in one bag, or two."""

    def __init__(
        self,
        wish: Wish,
        hands_bag: SturdyReader,
        pictures_bag: SturdyReader,
        summary: dict[str, Any],
    ) -> None:
        self._wish, self._summary = wish, summary
        self._hands_bag, self._pictures_bag = hands_bag, pictures_bag
        self._warnings: list[str] = []

    def found(self, say: Callable[[int], None]) -> ExportInput:
        """Return what there is."""
        hands_topic = _hands_topic(self._hands_bag, self._wish.hands)
        camera = self._camera()
        pictures, infos, hands = self._streams(hands_topic, camera, say)
        streams = [stream for stream in (pictures, hands) if stream is not None]
        of_all = [np.empty(0, np.int64), *(stream.plan.stamps_ns for stream in streams)]
        stamps_ns = np.unique(np.concatenate(of_all))
        if not len(stamps_ns):
            raise AssetError(
                f'the bag {self._hands_bag.path} has neither hands nor pictures of a camera; '
                f'{content_of(self._hands_bag)}'
            )
        topology = self._topology() if hands else None
        self._warn(pictures, infos, hands)
        return ExportInput(
            name=_name(self._wish.bag),
            identity=self._identity(hands_topic, camera),
            pictures=pictures,
            infos=infos,
            hands=hands,
            topology=topology,
            transforms=tuple(self._transforms()),
            stamps_ns=stamps_ns,
            frame_id=_frame_id(hands) or _frame_id(pictures),
            settings=self._settings(),
            warnings=tuple(self._warnings),
        )

    def _bags(self) -> list[SturdyReader]:
        bags = [self._hands_bag, self._pictures_bag]
        return bags if bags[0] is not bags[1] else bags[:1]

    def _camera(self) -> CameraTopics | None:
        """Return the camera whose pictures are shown, None where there are no pictures."""
        bag, wish = self._pictures_bag, self._wish
        analysed = str(self._summary.get('camera', ''))
        chosen = wish.camera or (analysed if _has_pictures(bag, analysed) else '')
        is_asked = bool(chosen) or wish.images is not None
        if not is_asked and not any(_has_pictures(bag, topic) for topic in bag.topics):
            return None
        wanted = Wanted(images=[chosen] if chosen else [], info=wish.info)
        return one_camera(bag, wanted, remedy='name it with --camera')

    def _streams(
        self, hands_topic: str, camera: CameraTopics | None, say: Callable[[int], None]
    ) -> tuple[Stream | None, Stream | None, Stream | None]:
        """Return pictures, descriptions of the camera that no picture brings along, and hands."""
        hands = CameraTopics(hands_topic) if hands_topic else None
        info_topic = '' if camera and camera.info else self._info_topic()
        infos = CameraTopics(info_topic) if info_topic else None
        if self._pictures_bag is self._hands_bag:
            first, second, third = _planned(self._hands_bag, (camera, infos, hands), say)
            return first, second, third
        (first,) = _planned(self._pictures_bag, (camera,), say)
        second, third = _planned(self._hands_bag, (infos, hands), say)
        return first, second, third

    def _info_topic(self) -> str:
        """Return the only description of a camera in the bag with the hands."""
        if self._wish.info and self._pictures_bag is self._hands_bag:
            return self._wish.info
        topics = self._hands_bag.topics.items()
        found = [t for t, info in topics if info.kind == CAMERA_INFO and info.count]
        return found[0] if len(found) == 1 else ''

    def _topology(self) -> Topology | None:
        bag = self._hands_bag
        for topic in (t for t, info in bag.topics.items() if info.kind == TOPOLOGY):
            for message in bag.messages([topic]):
                return topology_of(bag.deserialize(message))
        self._warnings.append('no topology is in the bag: the meshes are left out')
        return None

    def _transforms(self) -> Iterator[Transforms]:
        for bag in self._bags():
            for topic, info in sorted(bag.topics.items()):
                if info.kind == TRANSFORMS and info.count:
                    yield Transforms(bag, topic, is_static=topic.endswith(_STATIC))

    def _settings(self) -> Settings:
        said = self._summary.get('settings')
        known = said if isinstance(said, dict) else {}
        taken = {
            name: known[name] for name in ('mirrored_image', 'image_is_rectified') if name in known
        }
        return Settings(**(taken | self._wish.settings))

    def _warn(self, pictures: Stream | None, infos: Stream | None, hands: Stream | None) -> None:
        said = self._warnings
        for bag in self._bags():
            said += [f'damaged: {damage}' for damage in bag.damage]
        if hands is None:
            said.append('there are no hands in the bag: `interwild analyze` makes them')
        if pictures is None:
            said.append('there are no pictures in the bag: --images names the one that has them')
        elif hands is not None:
            without = int(
                np.isin(hands.plan.stamps_ns, pictures.plan.stamps_ns, invert=True).sum()
            )
            if without:
                said.append(f'{without} of {len(hands.plan)} frames with hands have no picture')
        if infos is None and (pictures is None or not pictures.topics.info):
            said.append('no CameraInfo is there: pictures stand beside the hands, not behind them')

    def _identity(self, hands_topic: str, camera: CameraTopics | None) -> str:
        files = [
            [file.name, file.size_bytes, file.sha256_ends]
            for bag in self._bags()
            for file in map(input_file, storage_files(bag.path))
        ]
        shown = [files, hands_topic, camera.topics if camera else (), self._wish.settings]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def _bag_of(path: Path) -> Path:
    """Return the bag that is meant: in a folder of `interwild analyze` its hands.

    :raises AssetError: for a folder of several results.
    """
    path = path.expanduser().absolute()
    if (path / HANDS_BAG).is_file():
        return path / HANDS_BAG
    if path.is_dir() and not storage_files(path):
        inside = sorted(file.parent for file in path.glob(f'*/**/{HANDS_BAG}'))
        if inside:
            more = ', ...' if len(inside) > _LISTED else ''
            named = ', '.join(map(str, inside[:_LISTED]))
            raise AssetError(f'{path} holds {len(inside)} results, name one: {named}{more}')
    return path


def _summary_beside(path: Path) -> dict[str, Any]:
    """Return what an analysis says of itself beside its hands; empty elsewhere."""
    file = path.parent / SUMMARY_FILE
    if path.name != HANDS_BAG or not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise AssetError(f'cannot read {file}: {error}') from error
    return found if isinstance(found, dict) else {}


def _hands_topic(bag: SturdyReader, wanted: str) -> str:
    """Return where the hands are, raw ones beside steadied ones aside; empty without any.

    :raises AssetError: when that cannot be told, or the wanted topic holds none.
    """
    there = sorted(t for t, info in bag.topics.items() if info.kind == TWO_HANDS and info.count)
    if wanted:
        if wanted not in there:
            named = ', '.join(there) or 'none'
            raise AssetError(f'the bag {bag.path} has no hands on {wanted}; it has {named}')
        return wanted
    topics = without_raw(there)
    if len(topics) > 1:
        raise AssetError(
            f'the bag {bag.path} has {len(topics)} topics with hands ({", ".join(topics)}), '
            'wanted one: name it with --topic'
        )
    return topics[0] if topics else ''


def _has_pictures(bag: SturdyReader, topic: str) -> bool:
    info = bag.topics.get(topic)
    return info is not None and info.kind in IMAGES and info.count > 0


def _planned(
    bag: SturdyReader,
    wanted: Sequence[CameraTopics | None],
    say: Callable[[int], None],
) -> list[Stream | None]:
    """Go through a bag once, and return the order of the messages of some topics.

    Whatever else is read of it later is gone through too: so damage is met here, and not later.
    """
    others = [CameraTopics(t) for t, info in bag.topics.items() if info.kind in _READ_TOO]
    times = times_of(bag, (*others, *filter(None, wanted)), say)
    return [
        Stream(bag, topics, plan_of(camera_times(topics, times), depth_slop_ns=0))
        if topics
        else None
        for topics in wanted
    ]


def _frame_id(stream: Stream | None) -> str:
    """Return the frame of a stream's first message that can be read; empty without one."""
    if stream is None:
        return ''
    for message in stream.bag.messages([stream.topic]):
        try:
            return str(stream.bag.deserialize(message).header.frame_id)
        except AssetError:
            continue
    return ''


def _name(path: Path) -> str:
    path = path.expanduser().absolute()
    return path.parent.name if path.name == HANDS_BAG else path.name
