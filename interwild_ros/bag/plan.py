"""In which order the pictures of a bag are worked on, and what belongs to each; pure.

Pictures come in the order of their stamps, and where stamps repeat in the order of the bag. Of
the messages of a topic their stamps alone are kept: a few bytes each, however long the bag.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
import math
import struct

from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.records import Array, NS_PER_SEC
import numpy as np

NOTHING = -1
_NO_STAMP = -(2**63)
_HEADER = 12


class TopicTimes:
    """The stamps and times of arrival of a topic's messages, in the order of the bag."""

    def __init__(self) -> None:
        """Begin without a message."""
        self._stamps, self._received = array('q'), array('q')
        self.size_bytes = 0

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self._stamps)

    def add(self, data: bytes, received_ns: int) -> None:
        """Take in a message whose first field is a header."""
        stamp_ns = header_stamp_ns(data)
        self._stamps.append(_NO_STAMP if stamp_ns is None else stamp_ns)
        self._received.append(received_ns)
        self.size_bytes += len(data)

    @property
    def received_ns(self) -> Array:
        """Return when each message arrived."""
        return np.array(self._received, np.int64)

    @property
    def stamps_ns(self) -> Array:
        """Return the stamp of each message; that of no time in one that is no message at all."""
        return np.array(self._stamps, np.int64)

    @property
    def is_readable(self) -> Array:
        """Return which messages have a header."""
        return np.asarray(self.stamps_ns != _NO_STAMP)


@dataclass(frozen=True, eq=False)
class Plan:
    """What to work on, one row a picture, in the order of the work.

    `images`, `infos` and `depths` are positions in their topics, NOTHING where there is none;
    `stamps_ns` and `received_ns` are those of the pictures; `since_gap` counts the stamps before
    since following last began anew. `unreadable` counts picture messages
    without a header, `repeated` stamps that came before, `disordered` pictures that were recorded
    after one with a later stamp, `early` those from before the first CameraInfo, which holds for
    them too. `is_unstamped` says that no picture had a stamp, so that times of arrival are taken.
    """

    images: Array
    infos: Array
    depths: Array
    stamps_ns: Array
    received_ns: Array
    since_gap: Array
    unreadable: int
    repeated: int
    disordered: int
    early: int
    is_unstamped: bool

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.images)

    def rows(self, first: int, last: int) -> Plan:
        """Return the part from one row to before another; what is counted is that of the whole."""
        chosen = {
            name: getattr(self, name)[first:last]
            for name in ('images', 'infos', 'depths', 'stamps_ns', 'received_ns', 'since_gap')
        }
        return replace(self, **chosen)


@dataclass(frozen=True)
class Entry:
    """Where in a bag reading can begin.

    At a time of arrival; `at` says how many messages each topic had before.
    """

    received_ns: int
    at: Mapping[str, int]


@dataclass(frozen=True)
class CameraTimes:
    """What was recorded of one camera; no `infos` or no `depths` are empty."""

    images: TopicTimes
    infos: TopicTimes = field(default_factory=TopicTimes)
    depths: TopicTimes = field(default_factory=TopicTimes)


def plan_of(times: CameraTimes, *, depth_slop_ns: float, longest_gap_ns: float = math.inf) -> Plan:
    """Return the order of the work.

    A picture has the last CameraInfo whose stamp is not later than its own, and the depth whose
    stamp is nearest, the earlier of two, if that is within `depth_slop_ns`.

    :param longest_gap_ns: between two stamps, over which hands are followed.
    """
    readable = np.flatnonzero(times.images.is_readable)
    is_unstamped = bool(readable.size) and not times.images.stamps_ns[readable].any()
    stamps_ns = _times(times.images, is_unstamped)
    order = readable[np.argsort(stamps_ns[readable], kind='stable')]
    wanted_ns = stamps_ns[order]
    latest_ns = np.maximum.accumulate(stamps_ns[readable]) if readable.size else wanted_ns
    infos, early = _latest(times.infos, wanted_ns, is_unstamped)
    return Plan(
        images=order,
        infos=infos,
        depths=_nearest(times.depths, wanted_ns, is_unstamped, depth_slop_ns),
        stamps_ns=wanted_ns,
        received_ns=times.images.received_ns[order],
        since_gap=_since_gap(wanted_ns, longest_gap_ns),
        unreadable=len(times.images) - len(readable),
        repeated=int((np.diff(wanted_ns) == 0).sum()),
        disordered=int((stamps_ns[readable] < latest_ns).sum()),
        early=early,
        is_unstamped=is_unstamped,
    )


def _since_gap(stamps_ns: Array, longest_gap_ns: float) -> Array:
    """Return how many different stamps came before each since the last gap."""
    steps_ns = np.diff(stamps_ns, prepend=stamps_ns[:1])
    different = np.cumsum(steps_ns > 0)
    at_gap = np.where(steps_ns > longest_gap_ns, different, 0)
    return np.asarray(different - np.maximum.accumulate(at_gap))


def entry_of(plan: Plan, camera: CameraTopics, times: CameraTimes) -> Entry | None:
    """Return where reading may begin to find all that a plan needs; None where that is the start.

    Only where messages arrived in the order of the bag.
    """
    recorded = {
        camera.image: (times.images, plan.images),
        camera.info: (times.infos, plan.infos),
        camera.depth: (times.depths, plan.depths),
    }
    arrived = {topic: of.received_ns for topic, (of, _) in recorded.items() if len(of)}
    needed = [
        arrived[topic][wanted[wanted != NOTHING]]
        for topic, (_, wanted) in recorded.items()
        if topic in arrived
    ]
    needed_ns = np.concatenate(needed) if needed else np.array([], np.int64)
    if not needed_ns.size or any((np.diff(all_ns) < 0).any() for all_ns in arrived.values()):
        return None
    begin_ns = int(needed_ns.min())
    at = {topic: int(np.searchsorted(all_ns, begin_ns)) for topic, all_ns in arrived.items()}
    return Entry(begin_ns, at)


def header_stamp_ns(data: bytes) -> int | None:
    """Return the stamp of a serialised message whose first field is a header, None without."""
    if len(data) < _HEADER or data[0] or data[1] > 1:
        return None
    sec, nanosec = struct.unpack_from('<iI' if data[1] else '>iI', data, 4)
    return int(sec) * NS_PER_SEC + int(nanosec)


def _times(topic: TopicTimes, is_unstamped: bool) -> Array:
    return topic.received_ns if is_unstamped else topic.stamps_ns


def _sorted(topic: TopicTimes, is_unstamped: bool) -> tuple[Array, Array]:
    """Return the positions of a topic's readable messages by their times, and these."""
    readable = np.flatnonzero(topic.is_readable)
    times_ns = _times(topic, is_unstamped)[readable]
    order = np.argsort(times_ns, kind='stable')
    return readable[order], times_ns[order]


def _latest(topic: TopicTimes, wanted_ns: Array, is_unstamped: bool) -> tuple[Array, int]:
    """Return the last message up to each time, the first one before that; how often that was."""
    positions, times_ns = _sorted(topic, is_unstamped)
    if not positions.size:
        return np.full(len(wanted_ns), NOTHING), 0
    found = np.searchsorted(times_ns, wanted_ns, side='right') - 1
    return positions[np.maximum(found, 0)], int((found < 0).sum())


def _nearest(topic: TopicTimes, wanted_ns: Array, is_unstamped: bool, slop_ns: float) -> Array:
    positions, times_ns = _sorted(topic, is_unstamped)
    if not positions.size:
        return np.full(len(wanted_ns), NOTHING)
    after = np.clip(np.searchsorted(times_ns, wanted_ns), 0, len(times_ns) - 1)
    before = np.maximum(after - 1, 0)
    to_after, to_before = (np.abs(times_ns[at] - wanted_ns) for at in (after, before))
    nearest = np.where(to_before <= to_after, before, after)
    # of several with this stamp the first
    nearest = np.searchsorted(times_ns, times_ns[nearest])
    is_near = np.abs(times_ns[nearest] - wanted_ns) <= slop_ns
    return np.where(is_near, positions[nearest], NOTHING)
