"""Which cameras a bag holds: their pictures, and the calibration and depth that belong to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from interwild_ros.bag.outgoing import TWO_HANDS
from interwild_ros.bag.read import CAMERA_INFO, IMAGES, TopicInfo
from interwild_ros.bag.sturdy import SturdyReader
from interwild_ros.errors import AssetError

_COMPRESSED, _RAW = IMAGES
_TRANSPORT = '/compressed'
_DEPTH_ENCODINGS = ('16UC1', '32FC1')
_DEPTH_FORMAT = 'compressedDepth'


@dataclass(frozen=True)
class CameraTopics:
    """The topics of one camera; `info` and `depth` are empty where there is none."""

    image: str
    info: str = ''
    depth: str = ''

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics that there are, those first that a picture waits for."""
        return tuple(topic for topic in (self.info, self.depth, self.image) if topic)

    @property
    def name(self) -> str:
        """Return the name of this camera's folder: the image topic, a dot for every slash.

        Topics hold no dots, so that no two have the same name.
        """
        return self.image.strip('/').replace('/', '.')


@dataclass(frozen=True)
class Wanted:
    """What is asked of a bag.

    `images` names the topics to work on, all where it is empty; `info` the topic with their
    CameraInfo; `depth` that with their depth, and `use_depth` that it be sought.
    """

    images: Sequence[str] = ()
    info: str = ''
    depth: str = ''
    use_depth: bool = False


@dataclass(frozen=True)
class Found:
    """The cameras of a bag, and what has to be said of how they were found."""

    cameras: tuple[CameraTopics, ...]
    remarks: tuple[str, ...] = field(default=())


def find_cameras(bag: SturdyReader, wanted: Wanted = Wanted()) -> Found:
    """Return the cameras to work on.

    Pictures with hands drawn over them and depth are no camera; of a picture that was recorded
    raw and compressed the raw one is taken.

    :raises AssetError: when there is none, or a topic that was asked for is not there.
    """
    firsts = _first_pictures(bag)
    depths = {topic: first for topic, first in firsts.items() if _is_depth(first)}
    images = _named(bag, wanted.images) or _without_twins(
        topic for topic in firsts if topic not in depths and not _is_overlay(topic, bag)
    )
    if not images:
        raise AssetError(f'the bag {bag.path} has no pictures of a camera; {content_of(bag)}')
    chosen = tuple(
        CameraTopics(
            image,
            info=_info_topic(bag, image, wanted.info, is_alone=len(images) == 1),
            depth=_depth_topic(bag, firsts[image], depths, wanted),
        )
        for image in images
    )
    return Found(chosen, _remarks(chosen, depths))


def content_of(bag: SturdyReader) -> str:
    """Return what is in a bag as a sentence."""
    topics = [
        f'{topic} ({info.kind or "several types"}, {info.count})'
        for topic, info in sorted(bag.topics.items())
    ]
    return f'it holds {", ".join(topics)}' if topics else 'it is empty'


def _first_pictures(bag: SturdyReader) -> dict[str, Any]:
    """Return the first picture of every topic that has one; None for one that is damaged."""
    firsts: dict[str, Any] = {}
    for topic, info in bag.topics.items():
        if info.kind in IMAGES and info.count:
            firsts[topic] = _first(bag, topic)
    return firsts


def _first(bag: SturdyReader, topic: str) -> Any:
    for message in bag.messages([topic]):
        try:
            return bag.deserialize(message)
        except AssetError:
            return None
    return None


def _is_depth(first: Any) -> bool:
    if hasattr(first, 'format'):
        return _DEPTH_FORMAT in str(first.format)
    return getattr(first, 'encoding', '') in _DEPTH_ENCODINGS


def _is_overlay(topic: str, bag: SturdyReader) -> bool:
    """Return whether a node of ours drew the pictures: they stand beside its hands."""
    namespace, _, name = topic.removesuffix(_TRANSPORT).rpartition('/')
    return name == 'overlay' and _kind(bag, f'{namespace}/two_hands') == TWO_HANDS


def _without_twins(images: Iterable[str]) -> list[str]:
    there = sorted(images)
    return [
        topic
        for topic in there
        if not (topic.endswith(_TRANSPORT) and topic.removesuffix(_TRANSPORT) in there)
    ]


def _named(bag: SturdyReader, topics: Sequence[str]) -> list[str]:
    for topic in topics:
        info = bag.topics.get(topic, TopicInfo('', 0))
        if info.kind not in IMAGES or not info.count:
            raise AssetError(f'the bag {bag.path} has no pictures on {topic}; {content_of(bag)}')
    return list(dict.fromkeys(topics))


def _info_topic(bag: SturdyReader, image: str, wanted: str, *, is_alone: bool) -> str:
    """Return where the camera is described: beside the image, below it, or in the only place."""
    if wanted:
        if _kind(bag, wanted) != CAMERA_INFO:
            raise AssetError(f'the bag {bag.path} has no CameraInfo on {wanted}')
        return wanted
    raw = image.removesuffix(_TRANSPORT)
    places = [f'{raw.rpartition("/")[0]}/camera_info', f'{raw}/camera_info']
    if is_alone:
        every = [topic for topic, info in bag.topics.items() if info.kind == CAMERA_INFO]
        places += every if len(every) == 1 else []
    there = (place for place in places if _kind(bag, place) == CAMERA_INFO)
    return next((place for place in there if bag.topics[place].count), '')


def _depth_topic(bag: SturdyReader, first: Any, depths: dict[str, Any], wanted: Wanted) -> str:
    """Return the depth that is aligned to a picture: it has the picture's size.

    :raises AssetError: when it is wanted and there is none, or there are several.
    """
    if wanted.depth:
        if _kind(bag, wanted.depth) != _RAW or not bag.topics[wanted.depth].count:
            raise AssetError(
                f'the bag {bag.path} has no depth pictures on {wanted.depth}; {content_of(bag)}'
            )
        return wanted.depth
    if not wanted.use_depth:
        return ''
    raw = {topic: depth for topic, depth in depths.items() if _kind(bag, topic) == _RAW}
    suitable = [topic for topic, depth in raw.items() if _is_of_size(depth, first)]
    if len(suitable) == 1:
        return suitable[0]
    found = ', '.join(suitable or raw) or 'none'
    raise AssetError(
        f'the bag {bag.path} has {len(suitable)} topics with depth of the size of the pictures '
        f'({found}), wanted one: name it with --depth'
    )


def _is_of_size(depth: Any, picture: Any) -> bool:
    """Return whether two pictures are of one size, as far as their messages say it."""
    if not hasattr(picture, 'width'):
        return True
    return bool((depth.width, depth.height) == (picture.width, picture.height))


def _kind(bag: SturdyReader, topic: str) -> str:
    return bag.topics.get(topic, TopicInfo('', 0)).kind


def _remarks(cameras: Sequence[CameraTopics], depths: dict[str, Any]) -> tuple[str, ...]:
    used = {camera.depth for camera in cameras}
    unused = sorted(topic for topic in depths if topic not in used)
    if not unused or used - {''}:
        return ()
    return (f'depth on {", ".join(unused)} is not used; --use-depth takes it',)
