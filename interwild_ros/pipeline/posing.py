"""From SHNet's readings to meshes, wrist-relative, and back onto the crops."""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.geometry.weak_perspective import volume_from_virtual
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.pair_posing import PairPosing
from interwild_ros.networks.interwild import HandReadings, InterWild
from interwild_ros.records import HandEstimate, PairEstimate, PairReading
import numpy as np
import torch
from torch import Tensor


class PosedHands(NamedTuple):
    """Meshes of 2B hands, right ones first.

    `vertices` (2B, 778, 3) and `joints` (2B, 21, 3) metres relative to the wrist; `wrist`
    (2B, 1, 3) metres in the virtual camera; `projected` (2B, 21, 2) volume cells.
    """

    vertices: Tensor
    joints: Tensor
    wrist: Tensor
    projected: Tensor


def pose_hands(networks: InterWild, hand_models: HandPair, readings: HandReadings) -> PosedHands:
    """Pose the hand models, and project them by the virtual camera of their crops.

    Under autocast, too, the hand models run in their own precision: in half of it a fingertip
    would be millimetres off.
    """
    precision = hand_models.joint_regressor.dtype
    root, fingers, betas, virtual_wrist = (rows.to(precision) for rows in readings.pose)
    with torch.autocast(root.device.type, enabled=False):
        vertices, joints = hand_models(torch.cat([root, fingers], dim=1), betas)
        shift = virtual_wrist[:, None] - joints[:, :1]
        placed = joints + shift
        wrist = placed[:, :1]  # the virtual wrist up to rounding, as the original subtracts it
        projected = volume_from_virtual(placed, networks.spaces)
        return PosedHands(vertices + shift - wrist, placed - wrist, wrist, projected)


def posed_pair(pair: PairReading, pose: PairPosing) -> PairEstimate:
    """Return both hands of a frame with the meshes of their own poses and shapes."""
    hands = (pair.right, pair.left)
    meshes = pose(np.stack([h.pose for h in hands]), np.stack([h.betas for h in hands]))
    right, left = (
        HandEstimate(**vars(hand), joints_m=joints_m, vertices_m=vertices_m)
        for hand, joints_m, vertices_m in zip(hands, *meshes, strict=True)
    )
    return PairEstimate(**(vars(pair) | {'right': right, 'left': left}))
