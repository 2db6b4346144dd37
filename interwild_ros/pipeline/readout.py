"""From the networks' tensors to records on the CPU."""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.geometry.regions import overlap
from interwild_ros.networks.interwild import HandReadings
from interwild_ros.pipeline.posing import PosedHands
from interwild_ros.records import Array, HandBox, HandEstimate, PairEstimate, Side
import torch
from torch import Tensor


class Seen(NamedTuple):
    """Everything the networks say of one frame, right hand first.

    `boxes_px` (2, 2, 2) two corners in image px; `scores` (2,); `joints_px` (2, 21, 2) image px;
    `joint_depths_m` (2, 21); `left_from_right_m` (3,).
    """

    boxes_px: Tensor
    scores: Tensor
    joints_px: Tensor
    joint_depths_m: Tensor
    readings: HandReadings
    posed: PosedHands
    left_from_right_m: Tensor


def pair_estimate(seen: Seen) -> PairEstimate:
    """Turn the networks' words into a record."""
    right, left = (_hand_estimate(seen, side) for side in (Side.RIGHT, Side.LEFT))
    return PairEstimate(
        right=right,
        left=left,
        left_from_right_m=_numbers(seen.left_from_right_m),
        interacting=overlap(right.box.corners, left.box.corners) > 0,
    )


def _hand_estimate(seen: Seen, side: Side) -> HandEstimate:
    x1, y1, x2, y2 = seen.boxes_px[side].flatten().tolist()
    pose = torch.cat([seen.readings.pose.root[side], seen.readings.pose.fingers[side]])
    return HandEstimate(
        box=HandBox(side, (x1, y1, x2, y2), float(seen.scores[side])),
        joints_image_px=_numbers(seen.joints_px[side]),
        joint_depths_m=_numbers(seen.joint_depths_m[side]),
        pose=_numbers(pose),
        betas=_numbers(seen.readings.pose.betas[side]),
        joints_m=_numbers(seen.posed.joints[side]),
        vertices_m=_numbers(seen.posed.vertices[side]),
    )


def _numbers(tensor: Tensor) -> Array:
    array: Array = tensor.cpu().numpy()
    return array
