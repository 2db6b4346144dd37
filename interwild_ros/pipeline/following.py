"""The hands of one camera from frame to frame: followed, present or not, and steady."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.pipeline.followed_hand import (
    Decided,
    FollowedHand,
    presence_limits,
    steadied_estimate,
)
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.pipeline.placing import placed_hand, two_hands_of_frame
from interwild_ros.pipeline.steady_wrists import SteadyWrists
from interwild_ros.pipeline.wrists import Wrists
from interwild_ros.records import (
    Array,
    Box,
    Camera,
    DepthSource,
    Frame,
    Hand,
    HandEstimate,
    NoHand,
    PairReading,
    Side,
    TwoHands,
)
from interwild_ros.tracking.boxes import hull, image_box
from interwild_ros.tracking.hand_size import HandSize, Measured, NotMeasured, palm_length_m
from interwild_ros.tracking.interacting import (
    APART,
    Interacting,
    InteractingSettings,
    Interaction,
    nearness,
)
from interwild_ros.tracking.matching import Sought, WHOLE
from interwild_ros.tracking.steady import HandParameters
from interwild_ros.tracking.track import are_joints_of_one_hand, Observed
from interwild_ros.tracking.tracker import Tracker, TrackerSettings
import numpy as np


@dataclass(frozen=True, eq=False)
class Followed:
    """What is said of one frame: `hands` to go by, and `raw`, the same frame by itself.

    `place_raw` places the latter, which costs time, and is called when somebody asks for it.
    """

    hands: TwoHands
    place_raw: Callable[[], TwoHands]

    @cached_property
    def raw(self) -> TwoHands:
        """Return both hands by this frame alone, without memory and filters."""
        return self.place_raw()


@dataclass(frozen=True, eq=False)
class Glimpse:
    """A frame, where the hands were sought in it, and what the networks say."""

    frame: Frame
    sought: Sought
    pair: PairReading


Foreseen = Callable[[int, Sought], PairReading | None]
"""Gives what `Pipeline.read` says of the frame of a stamp, or None where nobody asked it."""


class Follower:
    """Sees the frames of one camera in the order of their stamps.

    Everything is driven by stamps, so that the same frames give the same hands, live and replayed.
    Not thread-safe.
    """

    def __init__(
        self, pipeline: Pipeline, foreseen: Foreseen | None = None, *, frames_before: int = 0
    ) -> None:
        """Begin without hands.

        :param foreseen: what the networks are known to say; they are asked where it is None.
        :param frames_before: how many frames another one has seen since the last gap before the
            first, so that both run the detector in the same frames.
        """
        self._pipeline = pipeline
        self._foreseen = foreseen
        settings = pipeline.settings
        limits = presence_limits(settings, says_kinds=pipeline.says_kinds)
        self._tracker = Tracker(_tracker_settings(settings), frames_before=frames_before)
        self._hands = tuple(FollowedHand(settings, limits) for _ in Side)
        self._interacting = Interacting(_interacting_settings(settings))
        self._wrists = SteadyWrists(settings, pipeline.topology)
        self._hand_size = HandSize()
        self._stamp_ns: int | None = None

    @property
    def exchanges(self) -> int:
        """Return how often evidence exchanged the labels of hands."""
        return self._tracker.exchanges

    def use(self, pipeline: Pipeline) -> None:
        """Go on with other settings: hands and their owner are kept, motion begins anew."""
        self._tracker.use(_tracker_settings(pipeline.settings))
        self._interacting.use(_interacting_settings(pipeline.settings))
        self._wrists.use(pipeline.settings)
        self._pipeline = pipeline
        limits = presence_limits(pipeline.settings, says_kinds=pipeline.says_kinds)
        for hand in self._hands:
            hand.use(pipeline.settings, limits)

    def reset(self) -> None:
        """Forget everything that earlier frames said, the owner's shape too."""
        self._tracker.reset()
        self._interacting.reset()
        self._wrists.reset()
        self._hand_size.reset()
        self._stamp_ns = None
        for hand in self._hands:
            hand.reset()

    def measure_palm(self, now_ns: int) -> Measured | NotMeasured:
        """Return the operator's size by the last frames whose true distance is known."""
        return self._hand_size.measure(now_ns)

    def __call__(self, frame: Frame) -> Followed:
        """See one frame: `look`, then `place`."""
        return self.place(self.look(frame))

    def look(self, frame: Frame) -> Glimpse:
        """Run the networks where the hands are expected.

        :raises InputError: when the frame cannot be used; then nothing is remembered of it.
        """
        if not self._pipeline.settings.follow:
            return self._glimpse(frame, WHOLE)
        if self._stamp_ns is not None and frame.stamp_ns < self._stamp_ns:
            self.reset()
        sought = self._tracker.seek(frame.stamp_ns, (frame.camera.width, frame.camera.height))
        return self._glimpse(frame, sought)

    def _glimpse(self, frame: Frame, sought: Sought) -> Glimpse:
        known = self._foreseen(frame.stamp_ns, sought) if self._foreseen else None
        return Glimpse(frame, sought, known or self._pipeline.read(frame, sought))

    def place(self, glimpse: Glimpse) -> Followed:
        """Place what was seen, and make it steady."""
        place_raw = partial(self._place_raw, glimpse)
        if not self._pipeline.settings.follow:
            raw = place_raw()
            return Followed(raw, lambda: raw)
        self._stamp_ns = glimpse.frame.stamp_ns
        return Followed(self._followed(glimpse), place_raw)

    def _place_raw(self, glimpse: Glimpse) -> TwoHands:
        return self._pipeline.place(glimpse.frame, self._pipeline.posed(glimpse.pair))

    def _followed(self, glimpse: Glimpse) -> TwoHands:
        frame, pair = glimpse.frame, glimpse.pair
        self._drop_what_is_not_followed(glimpse.sought)
        pair = self._one_reading_a_hand(pair)
        found = self._of_their_owner(pair)
        hands = [found[side] for side in Side if found[side].is_hand]
        interaction = self._interaction(hands, frame.stamp_ns)
        left_from_right_m = _scaled(pair.left_from_right_m, hands)
        wrists = self._wrists(frame, hands, left_from_right_m, weight=interaction.weight)
        decided = {side: self._decided(found[side], wrists, frame) for side in Side}
        self._learn_shapes(pair, decided)
        if all(of.is_good for of in decided.values()):
            self._wrists.learn(frame.stamp_ns)
        self._tell_tracker(frame.stamp_ns, pair, decided)
        placed = self._placed(found, wrists, decided, frame)
        self._note_sizes(found, wrists, decided, frame.stamp_ns)
        followed = replace(
            pair, interacting=interaction.interacting, left_from_right_m=left_from_right_m
        )
        return replace(
            two_hands_of_frame(frame, followed, placed, wrists),
            region=_region(glimpse.sought, frame.camera),
        )

    def _drop_what_is_not_followed(self, sought: Sought) -> None:
        """Have a hand that the tracker gave up appear anew, by the evidence of new frames."""
        for box, hand in zip(sought.boxes, self._hands, strict=True):
            if box is None:
                hand.vanish()

    def _one_reading_a_hand(self, pair: PairReading) -> PairReading:
        """Drop one of two readings of the same hand: that which turned farther from before.

        A right hand that is read as a left one is seen from the other side. Networks that tell
        kinds know better which of both it is.
        """
        right, left = pair.right, pair.left
        both = right.is_hand and left.is_hand and right.kinds is None
        if not both or not are_joints_of_one_hand(right.joints_image_px, left.joints_image_px):
            return pair
        turned = [hand.turned_rad(e) for hand, e in zip(self._hands, (right, left), strict=True)]
        if turned[Side.RIGHT] <= turned[Side.LEFT]:
            return replace(pair, left=replace(left, is_hand=False))
        return replace(pair, right=replace(right, is_hand=False))

    def _of_their_owner(self, pair: PairReading) -> dict[Side, HandEstimate]:
        """Return both hands with the shape and the size of the person whose hands they are."""
        readings = (pair.right, pair.left)
        betas = np.stack([hand.shape(r) for hand, r in zip(self._hands, readings, strict=True)])
        joints_m, vertices_m = self._pipeline.pose(np.stack([r.pose for r in readings]), betas)
        found = {}
        for reading in readings:
            side, scale = reading.side, self._scale(joints_m[reading.side])
            posed = {'joints_m': scale * joints_m[side], 'vertices_m': scale * vertices_m[side]}
            own = vars(reading) | {'betas': betas[side], 'scale': scale} | posed
            found[side] = HandEstimate(**own)
        return found

    def _scale(self, joints_m: Array) -> float:
        wanted_m = self._pipeline.settings.palm_length_m
        return wanted_m / palm_length_m(joints_m) if wanted_m else 1.0

    def _interaction(self, hands: list[HandEstimate], stamp_ns: int) -> Interaction:
        if len(hands) < len(Side):
            return APART
        right, left = (hand.box.corners for hand in hands)
        try:
            return self._interacting(nearness(right, left), stamp_ns)
        except InputError:  # a box without a size is no hand near another
            return APART

    def _decided(self, estimate: HandEstimate, wrists: Wrists, frame: Frame) -> Decided:
        wrist = wrists.of(estimate.side)
        return self._hands[estimate.side].decide(estimate, wrist, frame)

    def _learn_shapes(self, pair: PairReading, decided: Mapping[Side, Decided]) -> None:
        for hand, reading in zip(self._hands, (pair.right, pair.left), strict=True):
            of = decided[reading.side]
            if of.parameters is not None and of.is_good:
                hand.learn_shape(reading.betas, of.parameters.stamp_ns)

    def _tell_tracker(
        self, stamp_ns: int, pair: PairReading, decided: Mapping[Side, Decided]
    ) -> None:
        right, left = (
            Observed(
                joints_px=reading.joints_image_px,
                is_present=decided[reading.side].is_followed,
                is_doubtful=decided[reading.side].is_doubtful,
                kinds=reading.kinds,
            )
            for reading in (pair.right, pair.left)
        )
        before = self._tracker.exchanges
        self._tracker.take(stamp_ns, right, left, detected=pair.detected)
        if self._tracker.exchanges != before:
            self._hands = self._hands[::-1]  # a hand stays there when its label changes
            self._wrists.exchange()
            for hand in self._hands:
                hand.lose()

    def _placed(
        self,
        found: Mapping[Side, HandEstimate],
        wrists: Wrists,
        decided: Mapping[Side, Decided],
        frame: Frame,
    ) -> dict[Side, Hand | NoHand]:
        """Return both hands, each made from its steadied parameters."""
        steadied = {side: self._hands[side].steadied(decided[side]) for side in Side}
        posed = self._posed(steadied)
        placed: dict[Side, Hand | NoHand] = {}
        for side, estimate in found.items():
            parameters, wrist = steadied[side], wrists.of(side)
            if parameters is None or wrist is None:
                placed[side] = NoHand(side, estimate.box.score, decided[side].reason)
                continue
            at = replace(wrist, metres=parameters.wrist_cam_m)
            moved = steadied_estimate(estimate, parameters, *posed[side])
            placed[side] = placed_hand(moved, at, frame.camera, self._pipeline.settings)
        return placed

    def _posed(
        self, steadied: Mapping[Side, HandParameters | None]
    ) -> dict[Side, tuple[Array, Array]]:
        """Return joints and vertices of the hands that have parameters, relative to the wrist."""
        if all(parameters is None for parameters in steadied.values()):
            return {}
        poses, betas = np.zeros((len(Side), 48)), np.zeros((len(Side), 10))
        for side, parameters in steadied.items():
            if parameters is not None:
                poses[side, :3] = parameters.root_rad
                poses[side, 3:] = parameters.fingers_rad.ravel()
                betas[side] = parameters.betas
        joints_m, vertices_m = self._pipeline.pose(poses, betas)
        return {side: (joints_m[side], vertices_m[side]) for side in Side}

    def _note_sizes(
        self,
        found: Mapping[Side, HandEstimate],
        wrists: Wrists,
        decided: Mapping[Side, Decided],
        stamp_ns: int,
    ) -> None:
        """Keep what good frames with a known distance say of the operator's size."""
        known_m = self._pipeline.settings.calibration_distance_m
        for side, of in decided.items():
            wrist, by_size_m = wrists.of(side), wrists.by_size_m[side]
            if of.reason != 'good' or wrist is None or by_size_m is None:
                continue
            true_m = known_m or float(wrist.metres[2])
            if known_m or wrist.depth_source is DepthSource.DEPTH_IMAGE:
                palm_m = palm_length_m(found[side].joints_m)
                self._hand_size.observe(stamp_ns, side, palm_m, by_size_m, true_m)


def _scaled(left_from_right_m: Array, hands: Sequence[HandEstimate]) -> Array:
    """Return what lies between hands as networks see them between hands of the owner's size."""
    scales = [hand.scale for hand in hands]
    return left_from_right_m * (sum(scales) / len(scales)) if scales else left_from_right_m


def _tracker_settings(settings: Settings) -> TrackerSettings:
    return TrackerSettings(
        detect_every=settings.detect_every,
        look_every=min(TrackerSettings().look_every, settings.detect_every),
        longest_gap_ms=settings.longest_gap_ms,
    )


def _interacting_settings(settings: Settings) -> InteractingSettings:
    return InteractingSettings(longest_gap_sec=settings.longest_gap_ms / 1000)


def _region(sought: Sought, camera: Camera) -> Box:
    """Return where the detector looks, or the box about what is followed, or all of the image."""
    if sought.region is not None:
        return sought.region
    followed = [box for box in sought.boxes if box is not None]
    if followed and not sought.detects:
        return hull(followed)
    return image_box((camera.width, camera.height))
