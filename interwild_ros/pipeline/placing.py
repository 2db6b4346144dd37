"""From estimates to placed hands: which hands are no hands, and where the others stand."""

from __future__ import annotations

from collections.abc import Mapping
import math

from interwild_ros.compiled import compiled
from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.geometry.camera import project
from interwild_ros.geometry.placement import MAX_DEPTH_M
from interwild_ros.geometry.wrist_frame import wrist_quaternion_xyzw
from interwild_ros.pipeline.wrists import place_wrists, Wrist, Wrists
from interwild_ros.records import (
    Array,
    Camera,
    Frame,
    Hand,
    HandEstimate,
    NoHand,
    PairEstimate,
    PairReading,
    Side,
    Topology,
    TwoHands,
)
from interwild_ros.tracking.boxes import FARTHEST_PX
import numpy as np

LIKELY = 0.5  # the score of a hand that is likelier there than not


def least_score(settings: Settings, *, says_kinds: bool) -> float:
    """Return the score under which a hand counts as absent: the setting, or what suits."""
    return settings.min_score or (LIKELY if says_kinds else 0.0)


def place_pair(
    frame: Frame, pair: PairEstimate, settings: Settings, topology: Topology
) -> TwoHands:
    """Place both hands of a frame by itself, together or apart, and drop what is no hand.

    A hand is absent when nothing proposed it or the other hand was read ('not_found'), when its
    score is too low ('low_score'), when it has no place in front of the camera ('not_placed') or
    when it does not fit its picture ('reprojection').
    """
    absent = {e.side: reason_of_absence(e, settings) for e in (pair.right, pair.left)}
    found = [e for e in (pair.right, pair.left) if not absent[e.side]]
    wrists = place_wrists(
        frame, found, pair.left_from_right_m, settings, topology, weight=float(pair.interacting)
    )
    hands = {
        e.side: NoHand(e.side, e.box.score, absent[e.side])
        if absent[e.side]
        else placed_hand(e, wrists.of(e.side), frame.camera, settings)
        for e in (pair.right, pair.left)
    }
    return two_hands_of_frame(frame, pair, hands, wrists)


def two_hands_of_frame(
    frame: Frame, pair: PairReading, hands: Mapping[Side, Hand | NoHand], wrists: Wrists
) -> TwoHands:
    """Return both hands of a frame; what lies between them is said only where both are there."""
    both = all(isinstance(hand, Hand) for hand in hands.values())
    return TwoHands(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        right=hands[Side.RIGHT],
        left=hands[Side.LEFT],
        interacting=pair.interacting and both,
        left_from_right_m=pair.left_from_right_m if both else None,
        disagreement_m=wrists.disagreement_m if both else None,
        was_detected=pair.detected is not None,
    )


def placed_hand(
    estimate: HandEstimate, wrist: Wrist | None, camera: Camera, settings: Settings
) -> Hand | NoHand:
    """Return a hand at its place, or why it has none."""
    side, score = estimate.side, estimate.box.score
    if wrist is None or not _is_in_reach(estimate):
        return NoHand(side, score, 'not_placed')
    joints_m = estimate.joints_m + wrist.metres
    error_px = reprojection_error_px(camera, joints_m, estimate.joints_image_px)
    if not math.isfinite(error_px) or 0 < settings.max_reprojection_px < error_px:
        return NoHand(side, score, 'reprojection')
    try:
        quaternion = wrist_quaternion_xyzw(joints_m, side)
    except InputError as error:
        return NoHand(side, score, error.cause)
    return Hand(
        box=estimate.box,
        joints_image_px=estimate.joints_image_px,
        pose=estimate.pose,
        betas=estimate.betas,
        joints_m=joints_m,
        vertices_m=estimate.vertices_m + wrist.metres,
        wrist_quaternion_xyzw=quaternion,
        reprojection_error_px=error_px,
        depth_source=wrist.depth_source,
        wrist_covariance_m2=wrist.covariance_m2,
        scale=estimate.scale,
    )


def _is_in_reach(estimate: HandEstimate) -> bool:
    """Return whether every joint is at a place, in the picture and in space; NaN is not."""
    in_picture = np.abs(estimate.joints_image_px) <= FARTHEST_PX
    in_space = np.abs(estimate.joints_m) <= MAX_DEPTH_M
    return bool(in_picture.all() and in_space.all())


def reason_of_absence(estimate: HandEstimate, settings: Settings) -> str:
    """Return why an estimate is no hand before it is placed, empty when it may be one."""
    if not estimate.is_hand:
        return 'not_found'
    least = least_score(settings, says_kinds=estimate.kinds is not None)
    return 'low_score' if estimate.box.score < least else ''


def reprojection_error_px(camera: Camera, joints_m: Array, joints_image_px: Array) -> float:
    """Return the root mean square distance in px between placed joints and the seen ones."""
    seen_px = np.ascontiguousarray(joints_image_px, np.float64)
    return _root_mean_square(project(camera, joints_m), seen_px)


@compiled
def _root_mean_square(shown_px: Array, seen_px: Array) -> float:
    total = 0.0
    for row in range(len(seen_px)):
        for axis in range(2):
            total += (shown_px[row, axis] - seen_px[row, axis]) ** 2
    return math.sqrt(total / len(seen_px))
