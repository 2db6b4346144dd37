"""Read a rosbag2 recording as records, without ROS: the bag's own message definitions are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import struct
from typing import Any, Generic, TypeVar

from interwild_ros.bag.messages import (
    camera_of,
    card_of,
    picture_of,
    stamp_ns,
    topology_of,
    two_hands_of,
)
from interwild_ros.errors import AssetError
from interwild_ros.records import Camera, Image, ModelCard, Topology, TwoHands
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.rosbag2 import ReaderError
from rosbags.serde import SerdeError
from rosbags.typesys import TypesysError

TWO_HANDS = 'interwild_ros/msg/TwoHands'
RAW = '_raw'  # ends the name of the topic that says the same hands without filters
TOPOLOGY = 'interwild_ros/msg/HandTopology'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
DIAGNOSTICS = 'diagnostic_msgs/msg/DiagnosticArray'
IMAGES = ('sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/Image')

# rosbags checks much, but a damaged file still meets Python's own errors here and there
_DAMAGE = (
    AnyReaderError,
    ReaderError,
    SerdeError,
    TypesysError,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    struct.error,
)

T = TypeVar('T')


@dataclass(frozen=True)
class TopicInfo:
    """One topic of a bag: its message type (`package/msg/Name`) and how many messages it has."""

    kind: str
    count: int


@dataclass(frozen=True, eq=False)
class Received(Generic[T]):
    """What a message said, the stamp in its header, and when it arrived; nanoseconds."""

    stamp_ns: int
    received_ns: int
    value: T

    @property
    def latency_ms(self) -> float:
        """Return the time from stamp to arrival."""
        return (self.received_ns - self.stamp_ns) / 1e6


class Bag:
    """An open bag; made by `open_bag`.

    Where a topic is left out, the bag's only topic of that kind is read. Messages come in the
    order of their arrival.
    """

    def __init__(self, reader: AnyReader, folder: Path) -> None:
        self._reader = reader
        self._folder = folder
        self.topics: dict[str, TopicInfo] = {
            name: TopicInfo(kind=info.msgtype or '', count=info.msgcount)
            for name, info in reader.topics.items()
        }

    def two_hands(self, topic: str = '') -> Iterator[Received[TwoHands]]:
        """Return both hands of each frame that was worked on."""
        return self._stamped(topic or self.topic_of(TWO_HANDS), two_hands_of)

    def raw_two_hands(self) -> Iterator[Received[TwoHands]]:
        """Return both hands of each frame by itself, without filters; nothing in older bags."""
        topic = self.topic_of(TWO_HANDS) + RAW
        return self.two_hands(topic) if topic in self.topics else iter(())

    def pictures(self, topic: str = '') -> Iterator[Received[Image]]:
        """Return the decoded RGB pictures.

        :raises InputError: at a picture that cannot be decoded.
        """
        return self._stamped(topic or self.topic_of(*IMAGES), picture_of)

    def picture_stamps(self, topic: str = '') -> list[Received[None]]:
        """Return the stamp and arrival of every picture without decoding it."""
        return list(self._stamped(topic or self.topic_of(*IMAGES), lambda message: None))

    def picture_files(self, topic: str = '') -> Iterator[Received[bytes]]:
        """Return the bytes of every compressed picture: a JPEG or PNG file."""
        return self._stamped(
            topic or self.topic_of(IMAGES[0]), lambda message: bytes(message.data)
        )

    def answered(self) -> Iterator[tuple[Received[Image], Received[TwoHands]]]:
        """Return each picture that was worked on with the hands that bear its stamp.

        Hands whose picture is not in the bag are left out.
        """
        pictures = self.pictures()
        picture = next(pictures, None)
        for hands in self.two_hands():
            while picture is not None and picture.stamp_ns < hands.stamp_ns:
                picture = next(pictures, None)
            if picture is not None and picture.stamp_ns == hands.stamp_ns:
                yield picture, hands

    def camera(
        self, *, image_size: tuple[int, int], rectified: bool = False, topic: str = ''
    ) -> Camera:
        """Return the camera that the pictures were taken with: the first that was said.

        :param image_size: width and height of the pictures, px.
        :raises InputError: for numbers that no camera has.
        """
        _, message = self._first(topic or self.topic_of(CAMERA_INFO))
        return camera_of(message, image_size=image_size, rectified=rectified)

    def topology(self, topic: str = '') -> Topology:
        """Return how to draw the meshes."""
        return topology_of(self._first(topic or self.topic_of(TOPOLOGY))[1])

    def card(self, topic: str = '') -> ModelCard:
        """Return what ran; the device is that of the diagnostics, or empty without them."""
        device = self.diagnostics().get('device', '')
        return card_of(self._first(topic or self.topic_of(TOPOLOGY))[1], device=device)

    def diagnostics(self) -> dict[str, str]:
        """Return the last value of every key that the nodes reported; empty when none did."""
        values: dict[str, str] = {}
        for name, info in self.topics.items():
            if info.kind != DIAGNOSTICS:
                continue
            for _, message in self.messages(name):
                for status in message.status:
                    values.update({pair.key: pair.value for pair in status.values})
        return values

    def topic_of(self, *kinds: str) -> str:
        """Return the only topic of some message types; raw hands beside steadied ones aside.

        :raises AssetError: when there is none, or more than one.
        """
        names = [name for name, info in self.topics.items() if info.kind in kinds]
        if TWO_HANDS in kinds:
            names = without_raw(names)
        if len(names) == 1:
            return names[0]
        found = ', '.join(names) if names else 'none'
        raise AssetError(
            f'the bag {self._folder} has {len(names)} topics of type {" or ".join(kinds)} '
            f'({found}), wanted one'
        )

    def messages(self, topic: str) -> Iterator[tuple[int, Any]]:
        """Return arrival in nanoseconds and message, as rosbags makes it.

        :raises AssetError: when the bag lacks the topic or is damaged.
        """
        if topic not in self.topics:
            raise AssetError(
                f'the bag {self._folder} has no topic {topic}, only {", ".join(self.topics)}'
            )
        chosen = [c for c in self._reader.connections if c.topic == topic]
        with _damage_as_asset_error(self._folder):
            for connection, received_ns, data in self._reader.messages(connections=chosen):
                yield received_ns, self._reader.deserialize(data, connection.msgtype)

    def _stamped(self, topic: str, convert: Callable[[Any], T]) -> Iterator[Received[T]]:
        for received_ns, message in self.messages(topic):
            yield Received(
                stamp_ns=stamp_ns(message.header.stamp),
                received_ns=received_ns,
                value=convert(message),
            )

    def _first(self, topic: str) -> tuple[int, Any]:
        for found in self.messages(topic):
            return found
        raise AssetError(f'the bag {self._folder} has no message on {topic}')


def without_raw(topics: Sequence[str]) -> list[str]:
    """Return topics with hands, without those that say the same ones raw."""
    raw = {f'{topic}{RAW}' for topic in topics}
    return [topic for topic in topics if topic not in raw]


@contextmanager
def open_bag(folder: Path) -> Iterator[Bag]:
    """Open a bag for reading: a rosbag2 folder, or one of its files by itself.

    :raises AssetError: when there is none, or it is truncated, damaged or of another kind.
    """
    with _damage_as_asset_error(folder):
        reader = AnyReader([folder])
        reader.open()
    try:
        yield Bag(reader, folder)
    finally:
        reader.close()


@contextmanager
def _damage_as_asset_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise AssetError(f'cannot read the bag {folder}: {error}') from error
