"""What networks would say of hands whose truth is known: a pipeline without pictures.

It stands in for the networks where following is tested and measured. Its errors are drawn, frame
by frame, from the seed and the frame's stamp, so that a frame is always read alike:

* the detector misses hands, proposes places without one, and hardly knows sides;
* a crop shows the visible hand that is nearest to its middle. A hand of the other side is read as
  the back of the own one, which looks much alike; where there is none, two made-up hands are read,
  one from each head;
* 2D joints, relative depths, rotations, shape and `left_from_right` are noisy; outliers are hands
  of a wrong size or at a wrong place.

How wrong real networks are without a hand is not known: what is made up there is a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from interwild_ros.config import Settings
from interwild_ros.geometry.camera import project
from interwild_ros.geometry.regions import HAND_BOX_SCALE, overlap
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.records import (
    Array,
    Box,
    Camera,
    Candidate,
    Frame,
    HandBox,
    HandReading,
    NS_PER_SEC,
    PairReading,
    Side,
)
from interwild_ros.testing.simulated_worlds import TrueHand, World
from interwild_ros.tracking.boxes import centre, cut, distance, enlarged, image_box, longer_side
from interwild_ros.tracking.handedness import own_side_evidence
from interwild_ros.tracking.matching import assign, Slot, Sought, WHOLE
from interwild_ros.tracking.track import ONE_HAND
import numpy as np
from scipy.spatial.transform import Rotation
import torch

_REACH = 0.6  # of the longer side of a crop's box: how far off its middle a hand is read
_COVERED = 0.6  # of a hand's box behind another hand: then it cannot be seen
_IN_PICTURE = 0.5  # of a hand's joints: with fewer it cannot be read
_CANDIDATES = 2
_BACK_FOR_PALM = Rotation.from_rotvec([0.0, 0.0, np.pi])  # about the fingers' axis: see _as_side

Kinds = tuple[float, float, float]


@dataclass(frozen=True)
class SightNoise:
    """How wrong the networks are: standard deviations, and probabilities a frame.

    `joints_px` is in x and in y; the part `shared` of its variance is common to a hand's joints.
    `side_told` is how often the side is told rightly, by a crop and by the detector.
    """

    joints_px: float = 3.0
    shared: float = 0.5
    depths_m: float = 0.006
    root_rad: float = 0.05
    fingers_rad: float = 0.06
    betas: float = 0.3
    relation_m: float = 0.03
    box: float = 0.06  # of the box's longer side
    side_told: float = 0.9
    missed: float = 0.1
    false_boxes: float = 0.1
    outliers: float = 0.0


EXACT = SightNoise(
    joints_px=0.0,
    depths_m=0.0,
    root_rad=0.0,
    fingers_rad=0.0,
    betas=0.0,
    relation_m=0.0,
    box=0.0,
    side_told=1.0,
    missed=0.0,
    false_boxes=0.0,
)


@dataclass(frozen=True, eq=False)
class SeenHand:
    """A true hand as the camera has it: joints (21, 3) relative to the wrist, and (21, 2) px."""

    truth: TrueHand
    joints_m: Array
    joints_px: Array
    is_visible: bool

    @property
    def box(self) -> Box:
        """Return the hand's box in px, as the networks have it."""
        return _box_about(self.joints_px)


class _Reading(NamedTuple):
    """What one crop says; `wrist_m` is of the hand that was read, None of none."""

    joints_px: Array
    depths_m: Array
    pose: Array
    betas: Array
    kinds: Kinds
    wrist_m: Array | None


class SimulatedSight(Pipeline):
    """A pipeline that knows the hands of a world, and says of them what networks might."""

    def __init__(
        self,
        pipeline: Pipeline,
        world: World,
        noise: SightNoise = EXACT,
        *,
        seed: int = 0,
        tells_kinds: bool = True,
    ) -> None:
        """Take the hand models and the settings of a pipeline.

        :param tells_kinds: whether crops say what they show, as the compact networks' do.
        """
        super().__init__(
            pipeline._networks, pipeline._hand_models, pipeline.settings, pipeline.card
        )
        self._world = world
        self._noise = noise
        self._seed = seed
        self._tells_kinds = tells_kinds

    @property
    def says_kinds(self) -> bool:
        """Return whether crops say what they show."""
        return self._tells_kinds

    def with_settings(self, settings: Settings) -> SimulatedSight:
        """Return the same sight under other settings."""
        return SimulatedSight(
            super().with_settings(settings),
            self._world,
            self._noise,
            seed=self._seed,
            tells_kinds=self._tells_kinds,
        )

    def seen(self, camera: Camera, stamp_ns: int) -> tuple[SeenHand, ...]:
        """Return the true hands at a time, as a camera has them."""
        hands = [self._seen_alone(h, camera) for h in self._world(stamp_ns / NS_PER_SEC)]
        return tuple(
            replace(hand, is_visible=hand.is_visible and not _is_covered(hand, hands))
            for hand in hands
        )

    def read(self, frame: Frame, sought: Sought = WHOLE) -> PairReading:
        """Return what networks might say of a frame, looking where that is wanted."""
        visible = [h for h in self.seen(frame.camera, frame.stamp_ns) if h.is_visible]
        detected = None
        if sought.detects:
            detected = self._detected(visible, frame, sought, self._draws(frame, 0))
        slots = self._slots(sought, detected or (), frame.camera)
        readings = self._readings(slots, visible, frame)
        if not any(slot.is_expected for slot in slots):
            exchanged = (slots[1], slots[0])
            others = self._readings(exchanged, visible, frame)
            if self._evidence(exchanged, others) > self._evidence(slots, readings):
                slots, readings = exchanged, others
        return self._pair(slots, readings, detected, self._draws(frame, 3))

    def _evidence(self, slots: Sequence[Slot], readings: Sequence[_Reading]) -> float:
        """Return how much more hands look like those that they should be than the other one."""
        if not self._tells_kinds:
            return 0.0
        pairs = zip(slots, readings, strict=True)
        return sum(own_side_evidence(read.kinds) for slot, read in pairs if slot.is_hand)

    def _draws(self, frame: Frame, purpose: int) -> np.random.Generator:
        return np.random.default_rng((self._seed, frame.stamp_ns, purpose))

    def _seen_alone(self, hand: TrueHand, camera: Camera) -> SeenHand:
        like = self._hand_models.joint_regressor
        pose, betas = (torch.from_numpy(a).to(like)[None] for a in (hand.pose, hand.betas))
        with torch.inference_mode():
            joints = self._hand_models.one_side(hand.side, pose, betas)[1][0].double().numpy()
        joints = joints - joints[0]
        joints_px = project(camera, joints + hand.wrist_m)
        size = (camera.width, camera.height)
        inside = ((joints_px >= 0) & (joints_px < size)).all(1).mean()
        return SeenHand(hand, joints, joints_px, not hand.is_hidden and inside >= _IN_PICTURE)

    def _slots(
        self, sought: Sought, detected: Sequence[Candidate], camera: Camera
    ) -> tuple[Slot, Slot]:
        if detected and not self._tells_kinds and sought.boxes == (None, None):
            right, left = (Slot(c.box, is_expected=False, is_hand=True) for c in detected)
            return right, left
        image = image_box((camera.width, camera.height))
        return assign(sought, detected, fallback=enlarged(image, 0.5))

    # What the detector proposes.

    def _detected(
        self,
        visible: Sequence[SeenHand],
        frame: Frame,
        sought: Sought,
        rng: np.random.Generator,
    ) -> tuple[Candidate, ...]:
        region = sought.region or image_box((frame.camera.width, frame.camera.height))
        hands = [h for h in visible if cut(enlarged(h.box, 0.1), region) is not None]
        found = [self._candidate(hand, rng) for hand in hands if self._is_found(rng)]
        if not self._tells_kinds:
            return tuple(_best_of(side, found, region, rng) for side in Side)
        if rng.random() < self._noise.false_boxes:
            found.append(_no_hand(region, rng, most_score=0.6))
        while len(found) < _CANDIDATES:
            found.append(_no_hand(region, rng, most_score=0.15))
        return tuple(sorted(found, key=lambda c: -c.score)[:_CANDIDATES])

    def _is_found(self, rng: np.random.Generator) -> bool:
        return rng.random() >= self._noise.missed

    def _candidate(self, hand: SeenHand, rng: np.random.Generator) -> Candidate:
        off = self._noise.box * longer_side(hand.box) * rng.standard_normal(4)
        x1, y1, x2, y2 = (float(v) for v in hand.box + off)
        share = self._told(rng) if hand.truth.side is Side.RIGHT else 1 - self._told(rng)
        return Candidate((x1, y1, x2, y2), score=rng.uniform(0.5, 0.95), right_share=share)

    def _told(self, rng: np.random.Generator) -> float:
        """Return the share of the true side."""
        share = rng.uniform(0.75, 0.98)
        return share if rng.random() < self._noise.side_told else 1 - share

    # What the crops say.

    def _readings(
        self, slots: Sequence[Slot], visible: Sequence[SeenHand], frame: Frame
    ) -> list[_Reading]:
        return [
            self._reading(side, slot.box, visible, self._draws(frame, 1 + side))
            for side, slot in zip(Side, slots, strict=True)
        ]

    def _reading(
        self, side: Side, box: Box, visible: Sequence[SeenHand], rng: np.random.Generator
    ) -> _Reading:
        hand = min(visible, key=lambda h: distance(h.box, box), default=None)
        if hand is None or distance(hand.box, box) > _REACH * longer_side(box):
            return self._made_up(side, box, rng)
        pose = _as_side(side, hand.truth)
        told = self._told(rng)
        none = rng.uniform(0.01, 0.1)
        own = (1 - none) * (told if hand.truth.side is side else 1 - told)
        return _Reading(
            joints_px=self._joints_px(hand, rng),
            depths_m=hand.joints_m[:, 2] + rng.normal(0, self._noise.depths_m, 21),
            pose=self._noisy_pose(pose, rng),
            betas=hand.truth.betas + rng.normal(0, self._noise.betas, 10),
            kinds=(own, 1 - none - own, none),
            wrist_m=hand.truth.wrist_m,
        )

    def _joints_px(self, hand: SeenHand, rng: np.random.Generator) -> Array:
        own, common = rng.standard_normal((21, 2)), rng.standard_normal(2)
        shared = self._noise.shared
        off = self._noise.joints_px * (np.sqrt(1 - shared) * own + np.sqrt(shared) * common)
        seen: Array = hand.joints_px + off
        if rng.random() >= self._noise.outliers:
            return seen
        if rng.random() < 0.5:  # a wrong size is a wrong distance
            scale = rng.uniform(1.25, 1.6) ** rng.choice([-1, 1])
            return np.asarray(seen.mean(0) + scale * (seen - seen.mean(0)))
        angle = rng.uniform(0, 2 * np.pi)
        off = rng.uniform(0.6, 1.5) * longer_side(hand.box)
        return np.asarray(seen + off * np.array([np.cos(angle), np.sin(angle)]))

    def _noisy_pose(self, pose: Array, rng: np.random.Generator) -> Array:
        turn = Rotation.from_rotvec(rng.normal(0, self._noise.root_rad, 3))
        root = (turn * Rotation.from_rotvec(pose[:3])).as_rotvec()
        return np.concatenate([root, pose[3:] + rng.normal(0, self._noise.fingers_rad, 45)])

    def _made_up(self, side: Side, box: Box, rng: np.random.Generator) -> _Reading:
        """Return what is read where there is no hand: each head makes up one of its own."""
        poses, betas = rng.normal(0, 0.5, (2, 48)), rng.normal(0, 1, 10)
        poses[:, :3] = Rotation.random(2, random_state=rng).as_rotvec()
        joints_m = self.pose(poses, np.stack([betas, betas]))[0][side]
        flat = joints_m[:, :2] - (joints_m[:, :2].max(0) + joints_m[:, :2].min(0)) / 2
        size_px = longer_side(box) / HAND_BOX_SCALE
        joints_px = centre(box) + flat * (size_px / np.ptp(flat, axis=0).max())
        none = rng.uniform(0.7, 0.98)
        if rng.random() > self._noise.side_told + (1 - self._noise.side_told) * 0.7:
            none = 1 - none
        own = (1 - none) * rng.uniform()
        return _Reading(
            joints_px=joints_px + rng.normal(0, 0.04 * size_px, (21, 2)),
            depths_m=joints_m[:, 2] + rng.normal(0, 0.02, 21),
            pose=poses[side.other],
            betas=betas,
            kinds=(own, 1 - none - own, none),
            wrist_m=None,
        )

    # The record.

    def _pair(
        self,
        slots: Sequence[Slot],
        readings: Sequence[_Reading],
        detected: tuple[Candidate, ...] | None,
        rng: np.random.Generator,
    ) -> PairReading:
        are_hands = self._are_hands(slots, readings)
        right, left = (
            HandReading(
                box=self._hand_box(side, slots[side], reading, detected or ()),
                joints_image_px=reading.joints_px,
                joint_depths_m=reading.depths_m,
                pose=reading.pose,
                betas=reading.betas,
                is_hand=are_hands[side],
                kinds=reading.kinds if self._tells_kinds else None,
            )
            for side, reading in zip(Side, readings, strict=True)
        )
        return PairReading(
            right=right,
            left=left,
            left_from_right_m=self._left_from_right_m(readings, rng),
            interacting=overlap(right.box.corners, left.box.corners) > 0,
            detected=detected,
        )

    def _hand_box(
        self, side: Side, slot: Slot, reading: _Reading, detected: Sequence[Candidate]
    ) -> HandBox:
        if self._tells_kinds:
            return HandBox(side, _box_about(reading.joints_px), reading.kinds[0])
        scores = {candidate.box: candidate.score for candidate in detected}
        return HandBox(side, slot.box, scores.get(slot.box, float(slot.is_expected)))

    def _are_hands(self, slots: Sequence[Slot], readings: Sequence[_Reading]) -> tuple[bool, bool]:
        right, left = (slot.is_hand for slot in slots)
        if self._tells_kinds and right and left and _is_one_hand(readings):
            right = readings[0].kinds[0] >= readings[1].kinds[0]
            left = not right
        return right, left

    def _left_from_right_m(self, readings: Sequence[_Reading], rng: np.random.Generator) -> Array:
        right_m, left_m = (reading.wrist_m for reading in readings)
        if right_m is None or left_m is None:
            return rng.normal(0, 0.15, 3)
        return np.asarray(left_m - right_m + rng.normal(0, self._noise.relation_m, 3))


def _as_side(side: Side, hand: TrueHand) -> Array:
    """Return the pose (48,) that a network for one side sees in a hand.

    The back of a right hand looks like the palm of a left one, the thumb where it is.
    """
    if hand.side is side:
        return hand.pose
    fingers = hand.mirrored().pose[3:]
    root = (Rotation.from_rotvec(hand.pose[:3]) * _BACK_FOR_PALM).as_rotvec()
    return np.concatenate([root, fingers])


def _box_about(joints_px: Array) -> Box:
    (x1, y1), (x2, y2) = joints_px.min(0), joints_px.max(0)
    return enlarged((float(x1), float(y1), float(x2), float(y2)), HAND_BOX_SCALE)


def _is_covered(hand: SeenHand, hands: Sequence[SeenHand]) -> bool:
    """Return whether a nearer hand is before most of a hand."""
    depth_m = hand.truth.wrist_m[2]
    x1, y1, x2, y2 = hand.box
    for other in hands:
        shared = cut(hand.box, other.box)
        if other.truth.wrist_m[2] < depth_m and not other.truth.is_hidden and shared:
            area = (shared[2] - shared[0]) * (shared[3] - shared[1])
            if area > _COVERED * (x2 - x1) * (y2 - y1):
                return True
    return False


def _is_one_hand(readings: Sequence[_Reading]) -> bool:
    right, left = (reading.joints_px for reading in readings)
    extent = min(np.ptp(joints, axis=0).max() for joints in (right, left))
    return bool(np.linalg.norm(right - left, axis=-1).mean() < ONE_HAND * extent)


def _best_of(
    side: Side, found: Sequence[Candidate], region: Box, rng: np.random.Generator
) -> Candidate:
    """Return the place that a detector of one box a side proposes, whatever there is."""
    share = float(side is Side.RIGHT)
    likely = [c for c in found if abs(c.right_share - share) < 0.5]
    best = max(likely, key=lambda c: c.score, default=None)
    if best is None:
        return replace(_no_hand(region, rng, most_score=0.03), right_share=share)
    return replace(best, score=0.5 * best.score, right_share=share)


def _no_hand(region: Box, rng: np.random.Generator, *, most_score: float) -> Candidate:
    x1, y1, x2, y2 = region
    x, y = rng.uniform(x1, x2), rng.uniform(y1, y2)
    half = 0.5 * rng.uniform(0.1, 0.4) * (y2 - y1)
    score, share = rng.uniform(0.01, most_score), rng.uniform(0.1, 0.9)
    return Candidate((x - half, y - half, x + half, y + half), score, share)
