"""From the networks' tensors to records on the CPU."""

from __future__ import annotations

from interwild_ros.geometry.regions import overlap
from interwild_ros.geometry.spaces import Spaces
from interwild_ros.pipeline.finding import Found
from interwild_ros.pipeline.sights import Sights
from interwild_ros.pipeline.view import View
from interwild_ros.records import (
    Array,
    HandBox,
    HandReading,
    OPTICAL_AXIS,
    PairReading,
    Side,
)
import numpy as np
from torch import Tensor


def pair_reading(view: View, found: Found, spaces: Spaces) -> PairReading:
    """Turn the networks' words of one frame into a record in the camera's axes."""
    sights, left_from_right_m = None, _numbers(found.left_from_right_m)
    if spaces.along_sight:
        sights = Sights(view, spaces, found.input_from_crop, found.joints_px)
        left_from_right_m = sights.turned_between(left_from_right_m)
    right, left = _hand_readings(view, found, spaces, sights)
    return PairReading(
        right=right,
        left=left,
        left_from_right_m=left_from_right_m,
        interacting=overlap(right.box.corners, left.box.corners) > 0,
        detected=found.detected,
    )


def _hand_readings(
    view: View, found: Found, spaces: Spaces, sights: Sights | None
) -> list[HandReading]:
    readings = found.readings
    boxes = _numbers(view.image_points(found.boxes.view(2, 2, 2)).flatten(1))
    joints_px = _numbers(view.image_points(found.joints_px))
    depths = _numbers(spaces.depth_m_from_volume(readings.joints[..., 2]))
    roots, fingers = _numbers(readings.pose.root), _numbers(readings.pose.fingers)
    along = np.stack([OPTICAL_AXIS] * len(Side))
    if sights is not None:
        roots, along = sights.turned_roots(roots), sights.directions()
    poses = np.concatenate([roots, fingers], axis=1)
    betas, scores = _numbers(readings.pose.betas), found.scores.tolist()
    return [
        HandReading(
            box=HandBox(side, tuple(boxes[side].tolist()), scores[side]),
            joints_image_px=joints_px[side],
            joint_depths_m=depths[side],
            depths_along=along[side],
            pose=poses[side],
            betas=betas[side],
            is_hand=found.is_hand[side],
            kinds=_kinds(found, side),
        )
        for side in Side
    ]


def _kinds(found: Found, side: Side) -> tuple[float, float, float] | None:
    if found.readings.kinds is None:
        return None
    own, other, none = found.readings.kinds[side].tolist()
    return own, other, none


def _numbers(tensor: Tensor) -> Array:
    array: Array = tensor.cpu().numpy()
    return array
