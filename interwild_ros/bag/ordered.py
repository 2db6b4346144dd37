"""Go through a bag, and give its pictures in the order of the work, with what belongs to each.

What comes before its turn is kept: in memory while it is little, as it is in a bag that was
recorded live, else in a temporary file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
import tempfile
from typing import BinaryIO, cast

from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.damage import Stored
from interwild_ros.bag.plan import CameraTimes, Entry, NOTHING, Plan, TopicTimes
from interwild_ros.bag.sturdy import DamagedBagError, SturdyReader
from interwild_ros.errors import AssetError
from interwild_ros.records import Array
import numpy as np

KEPT_BYTES = 128 * 2**20
_SAID_EVERY = 500


@dataclass(frozen=True, eq=False)
class Recorded:
    """One picture and what belongs to it, as recorded.

    `number` is the picture's position in its topic; `info_number` that of its CameraInfo there.
    """

    number: int
    stamp_ns: int
    received_ns: int
    image: Stored
    info: Stored | None
    info_number: int
    depth: Stored | None


def times_of(
    bag: SturdyReader,
    cameras: tuple[CameraTopics, ...],
    say: Callable[[int], None] = lambda count: None,
) -> dict[str, TopicTimes]:
    """Go through a bag, and return the times of the cameras' topics.

    A bag that turns out damaged is salvaged, and gone through again.

    :param say: called with the number of messages so far.
    """
    topics = sorted({topic for camera in cameras for topic in camera.topics})
    try:
        return _times(bag, topics, say)
    except DamagedBagError as error:
        bag.salvage(str(error))
        return _times(bag, topics, say)


def camera_times(camera: CameraTopics, times: Mapping[str, TopicTimes]) -> CameraTimes:
    """Return the times of one camera."""
    infos, depths = (times.get(topic, TopicTimes()) for topic in (camera.info, camera.depth))
    return CameraTimes(times[camera.image], infos, depths)


def in_order(
    bag: SturdyReader,
    camera: CameraTopics,
    plan: Plan,
    *,
    entry: Entry | None = None,
    kept_bytes: int = KEPT_BYTES,
) -> Iterator[Recorded]:
    """Yield the pictures in the order of a plan.

    :param entry: where to begin to read; at the start if not given.
    :param kept_bytes: what may be kept in memory before its turn.
    :raises AssetError: when the bag is not any more what the plan was made of.
    """
    kept = _Kept(
        kept_bytes,
        {
            camera.image: np.bincount(plan.images),
            camera.info: _counts(plan.infos),
            camera.depth: _counts(plan.depths),
        },
    )
    at: Counter[str] = Counter(entry.at if entry else {})
    row = 0
    try:
        for message in bag.messages(camera.topics, entry.received_ns if entry else None):
            kept.put(message, at[message.topic])
            at[message.topic] += 1
            while row < len(plan) and _is_there(kept, camera, plan, row):
                yield _recorded(kept, camera, plan, row)
                row += 1
            if row == len(plan):
                return
    finally:
        kept.close()
    if row < len(plan):
        raise AssetError(f'the bag {bag.path} has changed while it was read')


def _times(
    bag: SturdyReader, topics: list[str], say: Callable[[int], None]
) -> dict[str, TopicTimes]:
    times = {topic: TopicTimes() for topic in topics}
    for count, message in enumerate(bag.messages(topics)):
        times[message.topic].add(message.data, message.received_ns)
        if count % _SAID_EVERY == 0:
            say(count)
    bag.check_all_came({topic: len(of_topic) for topic, of_topic in times.items()})
    return times


def _counts(positions: Array) -> Array:
    return np.bincount(positions[positions != NOTHING])


def _is_there(kept: _Kept, camera: CameraTopics, plan: Plan, row: int) -> bool:
    return (
        kept.has(camera.image, int(plan.images[row]))
        and kept.has(camera.info, int(plan.infos[row]))
        and kept.has(camera.depth, int(plan.depths[row]))
    )


def _recorded(kept: _Kept, camera: CameraTopics, plan: Plan, row: int) -> Recorded:
    number = int(plan.images[row])
    image = kept.take(camera.image, number)
    return Recorded(
        number=number,
        stamp_ns=int(plan.stamps_ns[row]),
        received_ns=int(plan.received_ns[row]),
        image=cast('Stored', image),
        info=kept.take(camera.info, int(plan.infos[row])),
        info_number=int(plan.infos[row]),
        depth=kept.take(camera.depth, int(plan.depths[row])),
    )


class _Kept:
    """Messages that wait for their turn, each until it was taken as often as it is needed."""

    def __init__(self, kept_bytes: int, uses: Mapping[str, Array]) -> None:
        self._free = kept_bytes
        self._uses = uses
        self._messages: dict[tuple[str, int], Stored] = {}
        self._places: dict[tuple[str, int], tuple[Stored, int, int]] = {}
        self._file: BinaryIO | None = None

    def put(self, message: Stored, position: int) -> None:
        """Keep a message, if it is needed."""
        uses = self._uses[message.topic]
        if position >= len(uses) or not uses[position]:
            return
        key, size = (message.topic, position), len(message.data)
        if size <= self._free or not self._messages:
            self._free -= size
            self._messages[key] = message
        else:
            self._places[key] = self._put_aside(message)

    def has(self, topic: str, position: int) -> bool:
        """Return whether a message is there, or none is needed."""
        key = (topic, position)
        return position == NOTHING or key in self._messages or key in self._places

    def take(self, topic: str, position: int) -> Stored | None:
        """Return a message; the last time that it is needed it is forgotten."""
        if position == NOTHING:
            return None
        key = (topic, position)
        message = self._messages.get(key) or self._put_aside_before(key)
        self._uses[topic][position] -= 1
        if not self._uses[topic][position]:
            if self._messages.pop(key, None) is not None:
                self._free += len(message.data)
            self._places.pop(key, None)
        return message

    def close(self) -> None:
        """Forget everything."""
        if self._file is not None:
            self._file.close()

    def _put_aside(self, message: Stored) -> tuple[Stored, int, int]:
        try:
            if self._file is None:
                self._file = cast('BinaryIO', tempfile.TemporaryFile())  # noqa: SIM115
            at = self._file.seek(0, 2)
            self._file.write(message.data)
        except OSError as error:
            raise AssetError(f'cannot put pictures aside that come too early: {error}') from error
        return message._replace(data=b''), at, len(message.data)

    def _put_aside_before(self, key: tuple[str, int]) -> Stored:
        message, at, size = self._places[key]
        file = cast('BinaryIO', self._file)
        file.seek(at)
        return message._replace(data=file.read(size))
