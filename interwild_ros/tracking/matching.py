"""Which box is read for which hand: hands that are followed keep their place.

What the detector proposes near a followed hand is that hand, whatever side it looks like: so
neither the other hand that crosses nor another person's that passes takes its label. Only sides
that are not followed take what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import itertools
import math

from interwild_ros.geometry.regions import overlap
from interwild_ros.records import Box, Candidate, Side
from interwild_ros.tracking.boxes import distance, is_a_place, longer_side

Boxes = tuple[Box | None, Box | None]  # by side

_NEAR_OVERLAP = 0.2
_NEAR_DISTANCE = 0.5  # of the longer side of the followed hand's box
_SAME_OVERLAP = 0.5
_SAME_DISTANCE = 0.25  # likewise


@dataclass(frozen=True)
class Sought:
    """Where to look in a frame.

    `boxes` are the hand boxes predicted for each side, right first, None for one that is not
    followed. `detects` says to run the detector; `region` is where it looks, None for the whole
    region of interest. All in image px. `is_unsure` says of each side that its box is a guess,
    `turns` after what turn its hand is upright, rad (geometry/upright.py), 0 where not followed.
    """

    boxes: Boxes
    detects: bool
    region: Box | None
    is_unsure: tuple[bool, bool] = (False, False)
    turns: tuple[float, float] = (0.0, 0.0)


WHOLE = Sought((None, None), detects=True, region=None)


@dataclass(frozen=True)
class Slot:
    """What to read for one side.

    `is_expected` says that the hand was followed before; `is_hand` is False for a mere filler,
    because networks read two crops: nothing was sought or proposed there. `turn` rad, as in
    Sought. `proposed` is the detector's box that the one to read came from, None where that is
    this one.
    """

    box: Box
    is_expected: bool
    is_hand: bool
    turn: float = 0.0
    proposed: Box | None = None

    @property
    def place(self) -> tuple[Box, float]:
        """Return what decides the crop."""
        return self.box, self.turn


@dataclass(frozen=True, eq=False)
class Claims:
    """Which candidates are of followed hands.

    `own` are those of each side, None where none is; `free` are those that are neither a followed
    hand's own nor at the same place as one.
    """

    own: tuple[Candidate | None, Candidate | None]
    free: tuple[Candidate, ...]

    @property
    def is_supported(self) -> tuple[bool, bool]:
        """Return of each side whether a candidate is its own."""
        right, left = self.own
        return right is not None, left is not None


def assign(sought: Sought, candidates: Sequence[Candidate], fallback: Box) -> tuple[Slot, Slot]:
    """Return which box to read for each side, right first.

    A followed side keeps its predicted box, unless that is a guess and the detector knows better.
    Another one takes the free candidate that is best for
    it; with two such sides, the pair of candidates that is best for both. What is left without
    reads the other side's box again, which tells whose hand that is, or else the fallback.
    """
    claimed = claims(sought.boxes, candidates)
    fresh = _best_for_missing(sought.boxes, claimed.free)
    boxes = [_followed_box(sought, side, claimed) or fresh[side] for side in Side]
    found = [_slot(sought, side, boxes[side]) for side in Side]
    filler = (
        found[Side.RIGHT] or found[Side.LEFT] or Slot(fallback, is_expected=False, is_hand=False)
    )
    right, left = (slot or replace(filler, is_expected=False, is_hand=False) for slot in found)
    return right, left


def _slot(sought: Sought, side: Side, box: Box | None) -> Slot | None:
    if box is None:
        return None
    is_expected = sought.boxes[side] is not None
    return Slot(box, is_expected=is_expected, is_hand=True, turn=sought.turns[side])


def _followed_box(sought: Sought, side: Side, claimed: Claims) -> Box | None:
    box, own = sought.boxes[side], claimed.own[side]
    if box is None or own is None or not sought.is_unsure[side]:
        return box
    return box if _is_same_place(box, own.box) else own.box


def claims(boxes: Boxes, candidates: Sequence[Candidate]) -> Claims:
    """Share candidates out among followed hands: one each at most, the nearest pairs first.

    Candidates that are no place or have no score are left out. A second one near a followed hand
    is free, unless it is at the same place: it may be the other hand, that holds this one.
    """
    usable = [c for c in candidates if _is_usable(c)]
    owned: dict[Side, int] = {}
    for _, side, index in sorted(_near_pairs(boxes, usable)):
        if side not in owned and index not in owned.values():
            owned[side] = index
    free = tuple(
        candidate
        for index, candidate in enumerate(usable)
        if index not in owned.values()
        and not any(b and _is_same_place(b, candidate.box) for b in boxes)
    )
    right, left = (usable[owned[side]] if side in owned else None for side in Side)
    return Claims((right, left), free)


def weight(candidate: Candidate, side: Side) -> float:
    """Return how much a candidate speaks for a hand of a side, 0 to 1."""
    share = candidate.right_share if side is Side.RIGHT else 1.0 - candidate.right_share
    return candidate.score * share


def _best_for_missing(boxes: Boxes, free: Sequence[Candidate]) -> Boxes:
    if boxes == (None, None):
        pair = _best_pair(free)
        if pair is not None:
            return pair
    options = [(weight(c, side), side, c) for side in Side if boxes[side] is None for c in free]
    best_weight, side, candidate = max(options, key=lambda o: o[0], default=(0.0, None, None))
    if candidate is None or best_weight <= 0:
        return None, None
    return (candidate.box, None) if side is Side.RIGHT else (None, candidate.box)


def _best_pair(free: Sequence[Candidate]) -> tuple[Box, Box] | None:
    """Return the two candidates' boxes that are best for right and left; None when none is."""

    def product(pair: tuple[Candidate, Candidate]) -> float:
        return weight(pair[0], Side.RIGHT) * weight(pair[1], Side.LEFT)

    pair = max(itertools.permutations(free, 2), key=product, default=None)
    return None if pair is None or product(pair) <= 0 else (pair[0].box, pair[1].box)


def _near_pairs(boxes: Boxes, candidates: Sequence[Candidate]) -> list[tuple[float, Side, int]]:
    return [
        (distance(box, candidate.box), side, index)
        for side in Side
        for index, candidate in enumerate(candidates)
        if (box := boxes[side]) is not None and _is_near(box, candidate.box)
    ]


def _is_near(box: Box, other: Box) -> bool:
    return overlap(box, other) > _NEAR_OVERLAP or distance(
        box, other
    ) < _NEAR_DISTANCE * longer_side(box)


def _is_same_place(box: Box, other: Box) -> bool:
    return overlap(box, other) > _SAME_OVERLAP or distance(
        box, other
    ) < _SAME_DISTANCE * longer_side(box)


def _is_usable(candidate: Candidate) -> bool:
    numbers = (candidate.score, candidate.right_share)
    return is_a_place(candidate.box) and all(map(math.isfinite, numbers))
