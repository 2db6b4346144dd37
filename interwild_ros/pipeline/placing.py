"""From estimates to placed hands: who is solved with whom, and which hands are no hands."""

from __future__ import annotations

from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.geometry.camera import project, undistort_px
from interwild_ros.geometry.placement import place_joints, place_together
from interwild_ros.geometry.wrist_frame import wrist_quaternion_xyzw
from interwild_ros.records import (
    Array,
    Camera,
    DepthSource,
    Frame,
    Hand,
    HandEstimate,
    NoHand,
    PairEstimate,
    Side,
    TwoHands,
)
import numpy as np


def place_pair(frame: Frame, pair: PairEstimate, settings: Settings) -> TwoHands:
    """Place both hands of a frame, together or apart, and drop what is no hand.

    A hand is absent when its score is under `min_score` ('low_score'), when it has no place in
    front of the camera ('not_placed') or when it does not fit its picture ('reprojection').
    """
    found = [e for e in (pair.right, pair.left) if e.box.score >= settings.min_score]
    wrists = _wrists(found, pair, frame.camera, settings.placement)
    hands = {
        e.side: _placed(e, wrists.get(e.side), frame.camera, settings)
        for e in (pair.right, pair.left)
    }
    both = all(isinstance(hand, Hand) for hand in hands.values())
    return TwoHands(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        right=hands[Side.RIGHT],
        left=hands[Side.LEFT],
        interacting=pair.interacting and both,
        left_from_right_m=pair.left_from_right_m if both else None,
    )


def _wrists(
    found: list[HandEstimate], pair: PairEstimate, camera: Camera, mode: str
) -> dict[Side, Array | None]:
    """Return each found hand's wrist (3,) in metres, None where there is no solution."""
    focal = (camera.fx, camera.fy)
    if not found:
        return {}
    seen = undistort_px(camera, np.concatenate([e.joints_image_px for e in found]))
    rays = dict(zip((e.side for e in found), np.split(seen, len(found)), strict=True))
    if len(found) == 2 and (mode == 'together' or (mode == 'auto' and pair.interacting)):
        both = place_together(
            pair.right.joints_m,
            pair.left.joints_m,
            pair.left_from_right_m,
            seen,
            focal,
        )
        if both is not None:
            return {Side.RIGHT: both.metres, Side.LEFT: both.metres + pair.left_from_right_m}
    apart = {e.side: place_joints(e.joints_m, rays[e.side], focal) for e in found}
    return {side: None if t is None else t.metres for side, t in apart.items()}


def _placed(
    estimate: HandEstimate, wrist_m: Array | None, camera: Camera, settings: Settings
) -> Hand | NoHand:
    side, score = estimate.side, estimate.box.score
    if score < settings.min_score:
        return NoHand(side, score, 'low_score')
    if wrist_m is None:
        return NoHand(side, score, 'not_placed')
    joints_m = estimate.joints_m + wrist_m
    error_px = reprojection_error_px(camera, joints_m, estimate.joints_image_px)
    if not np.isfinite(error_px) or 0 < settings.max_reprojection_px < error_px:
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
        vertices_m=estimate.vertices_m + wrist_m,
        wrist_quaternion_xyzw=quaternion,
        reprojection_error_px=error_px,
        depth_source=DepthSource.NOMINAL if camera.nominal else DepthSource.INTRINSICS,
    )


def reprojection_error_px(camera: Camera, joints_m: Array, joints_image_px: Array) -> float:
    """Return the root mean square distance in px between placed joints and the seen ones."""
    offsets = project(camera, joints_m) - joints_image_px
    return float(np.sqrt((offsets**2).sum(axis=1).mean()))
