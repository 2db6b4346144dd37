"""A long recording cut into shares, whose pictures the networks see side by side.

Following is a chain: where hands are sought in a picture depends on all pictures before it. A
share is therefore foreseen: it is followed from somewhat before its beginning, without what came
before, and what the networks said is kept together with where they were told to look. The one run
over the whole recording then asks, picture by picture, for exactly that: it takes what was kept
where it would look there too, and asks the networks itself where not. So its result is the one
that it has without shares, to the bit; how many shares there were decides only how long it takes.
The boxes that are sought lie on whole pixels (`tracking.tracker`), so that two runs over the same
pictures do come together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
import math
from typing import Protocol

from interwild_ros.bag.ahead import ahead
from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.frames import FrameMaker
from interwild_ros.bag.ordered import in_order
from interwild_ros.bag.plan import Entry, Plan
from interwild_ros.bag.sturdy import SturdyReader
from interwild_ros.errors import InputError
from interwild_ros.pipeline.following import Follower
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.records import PairReading
from interwild_ros.tracking.matching import Sought

LEAD = 90
"""Pictures that are followed before a share: after so many two runs have mostly come together."""

FORESEEN_COST = 0.3
"""Time for a picture that was foreseen, of that for one which the networks have yet to see."""

_LEAST, _MOST = 600, 3000
_A_WORKER = 2  # shares: the last one to finish is then not waited for very long
_AHEAD = 4

Word = tuple[Sought, PairReading]
"""What the networks said of a picture, after where they were told to look."""

Said = dict[int, Word]
"""What the networks said of the pictures of a share, by stamp."""

_NOTHING: Said = {}


class Told(Protocol):
    """What a share says, asked in the order of the stamps: `Said`, or what is still to come."""

    def get(self, stamp_ns: int, /) -> Word | None:
        """Return what was said of a picture, None where nothing was."""


@dataclass(frozen=True)
class Share:
    """Rows of a plan, from `first` to before `last`; followed from `lead` on."""

    lead: int
    first: int
    last: int

    def __len__(self) -> int:
        """Return the number of pictures that are to be foreseen."""
        return self.last - self.first


def share_length(pictures: int, workers: int) -> int:
    """Return how many pictures a share has, of so many that so many workers share."""
    return min(max(math.ceil(pictures / max(_A_WORKER * workers, 1)), _LEAST), _MOST)


def shares_of(pictures: int, length: int) -> tuple[Share, ...]:
    """Cut pictures into shares of about the same length, none where one would hold them all."""
    count = math.ceil(pictures / length)
    if count < 2:
        return ()
    edges = [pictures * number // count for number in range(count + 1)]
    return tuple(Share(max(0, first - LEAD), first, last) for first, last in pairwise(edges))


def shares_beside(pictures: int, row: int, helpers: int, *, lead: int) -> tuple[Share, ...]:
    """Cut what helpers are to foresee for one who is at some row, and goes on meanwhile.

    None where that does not pay. He keeps the next rows for himself, as many as make every helper
    be done with his share just when it is over for him too. So each share is longer than the one
    before, whose pictures he passes at their FORESEEN_COST, r: with n helpers and R rows left, he
    keeps x of them, share k is (x - lead) / (1 - r)^k long, and all add up to R.
    """
    left = pictures - row
    if left <= lead or not helpers:
        return ()
    growth = (1 - FORESEEN_COST) ** -helpers - 1
    kept = (FORESEEN_COST * left + lead * growth) / (FORESEEN_COST + growth)
    lengths = [(kept - lead) * (1 - FORESEEN_COST) ** -number for number in range(1, helpers + 1)]
    edges = [row + round(length) for length in accumulate([kept, *lengths])]
    return tuple(
        Share(max(0, first - lead), first, last) for first, last in pairwise(edges) if first < last
    )


def foresee(
    bag: SturdyReader,
    camera: CameraTopics,
    plan: Plan,
    *,
    pipeline: Pipeline,
    lead: int,
    entry: Entry | None,
) -> Said:
    """Return what the networks say of the pictures of a plan, without its first `lead`.

    As `foreseen`, with its errors.
    """
    said: Said = {}
    for row, stamp_ns, word in foreseen(bag, camera, plan, pipeline=pipeline, entry=entry):
        if row >= lead:
            said.setdefault(stamp_ns, word)
    return said


def foreseen(
    bag: SturdyReader,
    camera: CameraTopics,
    plan: Plan,
    *,
    pipeline: Pipeline,
    entry: Entry | None,
) -> Iterator[tuple[int, int, Word]]:
    """Yield row, stamp and what the networks say of one picture of a plan after the other.

    Pictures that cannot be used are left out.

    :param entry: where in the bag to begin to read.
    :raises AssetError: when the bag cannot be read any more.
    """
    maker = FrameMaker(bag, pipeline.settings)
    before = int(plan.since_gap[0]) if len(plan) else 0
    follower = Follower(pipeline, frames_before=before)
    source = maker.decoded(in_order(bag, camera, plan, entry=entry))
    with ahead(source, size=_AHEAD) as pictures:
        for row, decoded in enumerate(pictures):
            if decoded.frame is None:
                continue
            try:
                glimpse = follower.look(decoded.frame)
                follower.place(glimpse)
            except InputError:  # counted where the whole is analysed
                continue
            yield row, decoded.recorded.stamp_ns, (glimpse.sought, glimpse.pair)


@dataclass
class Foresight:
    """Gives what shares said, one share after another; only one is held at a time.

    `used` counts the pictures that were foreseen as they came.
    """

    shares: Sequence[Callable[[], Told]]
    first_stamps_ns: Sequence[int]
    used: int = 0
    _number: int = field(default=-1, init=False)
    _said: Told = field(default_factory=lambda: _NOTHING, init=False)

    def __call__(self, stamp_ns: int, sought: Sought) -> PairReading | None:
        """Return what the networks said of a picture when they were told to look there."""
        while self._is_over(stamp_ns):
            self._number += 1
            self._said = _NOTHING  # before the next one comes
            self._said = self.shares[self._number]()
        word = self._said.get(stamp_ns)
        if word is None or word[0] != sought:
            return None
        self.used += 1
        return word[1]

    def _is_over(self, stamp_ns: int) -> bool:
        following = self._number + 1
        return following < len(self.shares) and stamp_ns >= self.first_stamps_ns[following]


def parts_of(plan: Plan, length: int) -> Iterator[tuple[Share, Plan]]:
    """Yield the shares of a plan, each with the rows that it is followed over."""
    for share in shares_of(len(plan), length):
        yield share, plan.rows(share.lead, share.last)
