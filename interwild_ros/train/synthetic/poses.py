"""Hand poses and shapes for the stand-in, drawn by gesture, free of fingers within fingers.

Every sample draws a few candidates; the one kept is the least entangled, and of pinches the one
whose finger meets the thumb.
"""

from __future__ import annotations

from collections.abc import Sequence
import math
from typing import NamedTuple

from interwild_ros.geometry.mirror import mirror_axis_angle
from interwild_ros.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from interwild_ros.hand_model.articulation import Articulation
from interwild_ros.hand_model.joints import MANO_FIRST_JOINTS
from interwild_ros.hand_model.mano_file import BETA_COUNT, read_stand_in
from interwild_ros.records import Side
from interwild_ros.train.synthetic.domains import Hands
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.gestures import draw_fingers, GESTURES
from interwild_ros.train.synthetic.skeleton import entanglement_m, pinch_gap_m, Skeleton
import numpy as np
import torch
from torch import Tensor

_CANDIDATES = 4
_TREMOR_RAD = math.radians(1.8)
_SHAPE_STD, _SHAPE_LIMIT = 0.9, 2.3
_THUMB = MANO_FIRST_JOINTS[0] - 1  # among the 15 joints that have a rotation


class FingerPoses(NamedTuple):
    """Poses of fingers as of a right hand.

    `rotations` (N, 15, 3) axis-angle rad, the mean pose included; `gestures` (N,) of GESTURES.
    """

    rotations: Tensor
    gestures: Tensor


class PoseMaker:
    """Draws finger poses for the stand-in hand."""

    def __init__(self) -> None:
        models = [read_stand_in(side) for side in Side]
        self._articulation = Articulation(models[Side.RIGHT])
        self._means = [torch.from_numpy(m.hands_mean.reshape(-1, 3)).float() for m in models]
        self.skeleton = Skeleton(models[Side.RIGHT])

    def draw(self, draws: Draws, hands: Hands) -> FingerPoses:
        """Draw a pose for each sample, by the gestures of a domain's hands."""
        pose = self._draw_gesture(draws, hands.gestures)
        if not hands.moving:
            return pose
        target = self._draw_gesture(draws.part('target'), hands.gestures)
        done = draws.uniform(1, 1)
        gestures = torch.where(done[:, 0, 0] < 0.5, pose.gestures, target.gestures)
        return FingerPoses(torch.lerp(pose.rotations, target.rotations, done), gestures)

    def _draw_gesture(self, draws: Draws, weights: Sequence[float]) -> FingerPoses:
        gestures = draws.choice(weights)
        options = torch.stack([self._option(draws, gestures) for _ in range(_CANDIDATES)], 1)
        joints = self.skeleton.joints(options.flatten(0, 1))
        is_pinch = (gestures == GESTURES.index('pinch')).repeat_interleave(_CANDIDATES)
        cost = entanglement_m(joints) + pinch_gap_m(joints) * is_pinch
        best = cost.view(-1, _CANDIDATES).argmin(1)
        return FingerPoses(options[torch.arange(len(best)), best], gestures)

    def mano_fingers(self, rotations: Tensor, side: Side) -> Tensor:
        """Return rotations (N, 15, 3) as MANO has them for a side: (N, 45), the mean taken off."""
        if side is Side.LEFT:
            rotations = mirror_axis_angle(rotations)
        return (rotations - self._means[side]).flatten(1)

    def _option(self, draws: Draws, gestures: Tensor) -> Tensor:
        fingers = draw_fingers(draws, gestures)
        bends_rad = np.radians(fingers.bends_deg.double().numpy())
        spreads_rad = np.radians(fingers.spreads_deg.double().numpy())
        pose = torch.from_numpy(self._articulation.pose(bends_rad, spreads_rad)[:, 3:]).float()
        rotations = pose.view(-1, 15, 3) + self._means[Side.RIGHT]
        rotations = rotations + draws.normal(15, 3, std=_TREMOR_RAD)
        turned = self.skeleton.thumb_turns(torch.deg2rad(fingers.thumb_deg))
        thumb = turned @ matrix_from_axis_angle(rotations[:, _THUMB])
        rotations[:, _THUMB] = axis_angle_from_matrix(thumb)
        return rotations


def draw_shapes(draws: Draws) -> Tensor:
    """Draw shapes (B, 10); both hands of a person have the same."""
    return draws.normal(BETA_COUNT, std=_SHAPE_STD).clamp(-_SHAPE_LIMIT, _SHAPE_LIMIT)
