"""Which boxes are read for which hand: those of the tracker, and what the detector proposes.

What the networks say of a pair of crops comes to the CPU in one piece, so that a GPU is waited for
once where hands are followed, and once more where the detector runs.

Networks that tell the kind of a crop are asked whether the sides are right, and whether there is
a hand at all: the detector sees a hand of a few pixels, SHNet its whole crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import itertools
from typing import cast

from interwild_ros.geometry import crops
from interwild_ros.geometry.upright import turn_to_upright
from interwild_ros.networks.detectnet import PLACES
from interwild_ros.networks.interwild import HandReadings, InterWild
from interwild_ros.networks.steps import parts_of, readings_of
from interwild_ros.pipeline.view import View
from interwild_ros.records import Array, Box, Candidate, Side
from interwild_ros.tracking.handedness import own_side_evidence
from interwild_ros.tracking.matching import assign, Slot, Sought
from interwild_ros.tracking.track import are_joints_of_one_hand
import numpy as np
import torch
from torch import Tensor

Slots = tuple[Slot, Slot]  # by side

_SURE = 4.0  # evidence, the log of odds, above which hands are not read as each other's side too
_LIKELY = 0.5  # score of a hand that is taken for one, so that it is not sought elsewhere
_WORTH_READING = 0.05  # score of a candidate


@dataclass(frozen=True, eq=False)
class Found:
    """The boxes of a frame, and what the networks say of them, on the CPU, right hand first.

    `boxes` (2, 4) input px; `scores` (2,); `joints_px` (2, 21, 2) input px; `left_from_right_m`
    (3,); `is_hand` as in HandReading; `detected` in image px, None where the detector did not run.
    """

    boxes: Tensor
    scores: Tensor
    input_from_crop: Tensor
    readings: HandReadings
    joints_px: Tensor
    left_from_right_m: Tensor
    is_hand: tuple[bool, bool]
    detected: tuple[Candidate, ...] | None


@dataclass(frozen=True, eq=False)
class _Place:
    """What one side reads of a place: the box that was proposed, and the hand's after that.

    `score`: how likely it is a hand of this side; `other_score`: one of the other side.
    """

    proposed: Box
    box: Box
    score: float
    other_score: float
    joints_px: Array

    def slot(self, *, is_hand: bool) -> Slot:
        """Return what to read next."""
        turn = turn_to_upright(self.joints_px)
        return Slot(
            self.box, is_expected=False, is_hand=is_hand, turn=turn, proposed=self.proposed
        )


class Finder:
    """Finds, reads and relates both hands of a view."""

    def __init__(self, networks: InterWild, crop_source: str) -> None:
        self._networks = networks
        self._crop_source = crop_source
        self._says_kinds = networks.hand_kind_net is not None
        self._precision = next(networks.parameters()).dtype

    def __call__(self, view: View, sought: Sought) -> Found:
        """Detect where that is wanted, and read both hands, under the sides that they are of."""
        detected = self._detected(view) if sought.detects else None
        slots = self._slots(view, sought, detected or ())
        found = self._read(view, slots, detected)
        if not self._says_kinds or any(slot.is_expected for slot in slots):
            return found
        return self._searched(view, found, slots)

    def _searched(self, view: View, found: Found, slots: Slots) -> Found:
        """Look for new hands in all places of the detector, and read them again where they seem.

        The detector's boxes are of a hand of a few pixels, and SHNet tells more of a hand that it
        sees whole: a hand that is followed has a box about its joints anyway. Where both hands
        are plain to see no other place is read; nor where none is, or a camera that sees no hands
        would read them all, all the time.
        """
        reads, detected = [(found, slots)], found.detected
        if not (is_plain := _evidence(found, slots) >= _SURE):
            exchanged = (slots[1], slots[0])
            reads.append((self._read(view, exchanged, detected), exchanged))
        if not any(_shows_a_hand(*read) for read in reads):
            return found
        if not (is_plain and all(_is_likely(found, side) for side in Side)):
            reads += self._elsewhere(view, slots, detected or ())
        return self._read(view, _best_slots(view, reads), detected)

    def _elsewhere(
        self, view: View, slots: Slots, detected: tuple[Candidate, ...]
    ) -> list[tuple[Found, Slots]]:
        """Read the places that the slots are not, as hands of either side."""
        read_before = {slot.box for slot in slots}
        places = [
            Slot(candidate.box, is_expected=False, is_hand=True)
            for candidate in detected
            if candidate.score >= _WORTH_READING and candidate.box not in read_before
        ]
        return [(self._read(view, (place, place), detected), (place, place)) for place in places]

    def _slots(self, view: View, sought: Sought, detected: tuple[Candidate, ...]) -> Slots:
        if detected and not self._says_kinds and sought.boxes == (None, None):
            right, left = (Slot(c.box, is_expected=False, is_hand=True) for c in detected)
            return right, left  # as the original does, whatever boxes these are
        return assign(sought, detected, fallback=view.middle_box())

    def _detected(self, view: View) -> tuple[Candidate, ...]:
        body = view.detector_input.to(self._precision)
        return self._of_any_side(view, body) if self._says_kinds else self._one_a_side(view, body)

    def _one_a_side(self, view: View, body: Tensor) -> tuple[Candidate, ...]:
        networks = self._networks
        detections = networks.detect(body)
        boxes = networks.spaces.input_from_body(networks.hand_boxes(detections)[0].view(2, 2, 2))
        scores = detections.score[0].tolist()
        return _candidates(view, boxes, scores, [1.0, 0.0])

    def _of_any_side(self, view: View, body: Tensor) -> tuple[Candidate, ...]:
        networks = self._networks
        proposed = networks.propose(body, PLACES)
        cells = crops.corners_from_centre(proposed.centre, proposed.size)[0].view(-1, 2, 2)
        boxes = networks.spaces.input_from_body(networks.spaces.body_from_cells(cells))
        return _candidates(
            view, boxes, proposed.score[0].tolist(), proposed.right_share[0].tolist()
        )

    def _read(self, view: View, slots: Slots, detected: tuple[Candidate, ...] | None) -> Found:
        boxes = _in_input(view, [slot.box for slot in slots]).to(self._precision)
        input_from_crop = self._input_from_crop(boxes, slots)
        hand_crops = view.hand_crops(input_from_crop, self._crop_source).to(self._precision)
        readings, joints_px, left_from_right_m = self._said(
            hand_crops, input_from_crop.to(hand_crops.device, non_blocking=True)
        )
        kinds = readings.kinds
        if kinds is None:
            scores = _detector_scores(slots, detected)
            is_hand = (slots[0].is_hand, slots[1].is_hand)
        else:
            if slots[0].place == slots[1].place:
                kinds = _agreed(kinds)
            scores = kinds[:, 0]
            is_hand = _are_hands(slots, scores, joints_px)
            boxes = _boxes(view, slots, joints_px)
        return Found(
            boxes=boxes,
            scores=scores,
            input_from_crop=input_from_crop,
            readings=readings._replace(kinds=kinds),
            joints_px=joints_px,
            left_from_right_m=left_from_right_m,
            is_hand=is_hand,
            detected=detected,
        )

    def _input_from_crop(self, boxes: Tensor, slots: Slots) -> Tensor:
        """Return the maps (2, 2, 3) of crops about hand boxes (2, 4), input px."""
        spaces = self._networks.spaces
        _, input_from_crop = crops.crop_maps(self._networks.around(boxes), spaces)
        if not spaces.upright:
            return input_from_crop
        turns = torch.tensor([slot.turn for slot in slots])
        return crops.turned_about_middle(input_from_crop, turns, spaces)

    def _said(
        self, hand_crops: Tensor, input_from_crop: Tensor
    ) -> tuple[HandReadings, Tensor, Tensor]:
        """Return what the networks say of two crops, on the CPU."""
        networks = self._networks
        readings = networks.read_hands(hand_crops)
        joints_px = networks.input_joints(readings.joints, input_from_crop)
        left_from_right_m = networks.relate(readings.joints, input_from_crop)[0]
        said = in_one_copy(joints_px, left_from_right_m, *parts_of(readings))
        joints_px, left_from_right_m, *parts = said
        return readings_of(parts), joints_px, left_from_right_m


def in_one_copy(*tensors: Tensor) -> list[Tensor]:
    """Return tensors on the CPU: they are put together first, so that a GPU is waited for once."""
    together = torch.cat([tensor.flatten() for tensor in tensors]).cpu()
    pieces = torch.split(together, [tensor.numel() for tensor in tensors])
    return [piece.view(like.shape) for piece, like in zip(pieces, tensors, strict=True)]


def _evidence(found: Found, slots: Slots) -> float:
    """Return how much more hands look like those that they should be than like the other one."""
    return sum(own_side_evidence(kinds) for kinds in _kinds_of_hands(found, slots))


def _agreed(kinds: Tensor) -> Tensor:
    """Return kinds (2, KINDS) of one place: the mean of what both sides say of it.

    A hand may look to either side like the other's. It is one all the same, and keeps its side if
    it has one.
    """
    own, other, none = kinds.flip(0).unbind(1)
    return (kinds + torch.stack([other, own, none], 1)) / 2


def _shows_a_hand(found: Found, slots: Slots) -> bool:
    """Return whether a crop likelier shows a hand, of either side, than none."""
    return any(none < 0.5 for _, _, none in _kinds_of_hands(found, slots))


def _is_likely(found: Found, side: Side) -> bool:
    return found.is_hand[side] and float(found.scores[side]) >= _LIKELY


def _best_slots(view: View, reads: Sequence[tuple[Found, Slots]]) -> Slots:
    """Return the two places, as they look after they were read, that likeliest show hands.

    Two sides that read one hand are worth no more than the likelier; where there is but one place,
    the other side is no hand.
    """
    said_right, said_left = zip(*(_places(view, *read) for read in reads), strict=True)
    rights = _with_the_word_of(said_left, said_right)
    lefts = _with_the_word_of(said_right, said_left)
    both = itertools.product(rights, lefts)
    pairs = [(right, left) for right, left in both if right.proposed != left.proposed]
    if pairs:
        right, left = max(pairs, key=lambda pair: _worth(*pair))
        return right.slot(is_hand=True), left.slot(is_hand=True)
    best = max((*rights, *lefts), key=lambda place: place.score)
    return best.slot(is_hand=best in rights), best.slot(is_hand=best in lefts)


def _places(view: View, found: Found, slots: Slots) -> tuple[_Place, _Place]:
    """Return what either side reads, right first."""
    boxes = view.image_points(found.boxes.view(2, 2, 2)).flatten(1).tolist()
    kinds = cast(Tensor, found.readings.kinds).tolist()
    right, left = (
        _Place(slot.box, _box(box), own, other, joints_px)
        for slot, box, (own, other, _), joints_px in zip(
            slots, boxes, kinds, found.joints_px.numpy(), strict=True
        )
    )
    return right, left


def _with_the_word_of(others: Sequence[_Place], own: Sequence[_Place]) -> list[_Place]:
    """Return a side's own places, each scored by the mean of what both sides say of it.

    A hand may look to either side like the other's. It is one all the same, and is not to be left
    out for something that hardly looks like a hand.
    """
    words = {place.proposed: place.other_score for place in others}
    return [
        replace(place, score=(place.score + words.get(place.proposed, place.score)) / 2)
        for place in own
    ]


def _worth(right: _Place, left: _Place) -> float:
    if are_joints_of_one_hand(right.joints_px, left.joints_px):
        return max(right.score, left.score)
    return right.score + left.score


def _kinds_of_hands(found: Found, slots: Slots) -> list[list[float]]:
    """Return the kinds of what was read for a hand; nothing of networks that do not say them."""
    kinds = [] if found.readings.kinds is None else found.readings.kinds.tolist()
    return [row for row, slot in zip(kinds, slots, strict=False) if slot.is_hand]


def _candidates(
    view: View, boxes: Tensor, scores: Sequence[float], right_shares: Sequence[float]
) -> tuple[Candidate, ...]:
    """Return candidates of boxes (K, 2, 2) in input px."""
    corners = view.image_points(boxes).flatten(1).tolist()
    return tuple(
        Candidate(_box(box), score, share)
        for box, score, share in zip(corners, scores, right_shares, strict=True)
    )


def _box(numbers: Sequence[float]) -> Box:
    x1, y1, x2, y2 = numbers
    return x1, y1, x2, y2


def _in_input(view: View, boxes: Sequence[Box]) -> Tensor:
    """Return boxes in image px as a tensor (B, 4) in input px."""
    return view.input_points(np.array(boxes).reshape(-1, 2, 2)).flatten(-2)


def _boxes(view: View, slots: Slots, joints_px: Tensor) -> Tensor:
    """Return the boxes (2, 4) of hands, input px.

    That of a new hand is the mean of the box that was proposed and the one about its joints:
    the detector and SHNet err in different ways.
    """
    about_joints = crops.about_joints(joints_px)
    if all(slot.is_expected for slot in slots):
        return about_joints
    proposed = _in_input(view, [slot.proposed or slot.box for slot in slots]).to(about_joints)
    is_new = torch.tensor([[not slot.is_expected] for slot in slots])
    return torch.where(is_new, (proposed + about_joints) / 2, about_joints)


def _detector_scores(slots: Slots, detected: tuple[Candidate, ...] | None) -> Tensor:
    """Return the score of the candidate that a slot's box is, 1 for boxes of the tracker."""
    by_box = {candidate.box: candidate.score for candidate in detected or ()}
    return torch.tensor([by_box.get(slot.box, float(slot.is_expected)) for slot in slots])


def _are_hands(slots: Slots, scores: Tensor, joints_px: Tensor) -> tuple[bool, bool]:
    """Return which slots are hands of their own: of two that read one hand the likelier is."""
    right, left = (slot.is_hand for slot in slots)
    if right and left and are_joints_of_one_hand(*joints_px.numpy()):
        right = bool(scores[Side.RIGHT] >= scores[Side.LEFT])
        left = not right
    return right, left
