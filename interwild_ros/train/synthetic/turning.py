"""Crops turned until the fingers point up, more or less, with all that is true of them."""

from __future__ import annotations

import math

from interwild_ros.geometry.crops import sample
from interwild_ros.geometry.rotations import about_viewing_axis, with_turned_wrist
from interwild_ros.geometry.spaces import apply_affine
from interwild_ros.geometry.upright import turn_matrices, turns_to_upright
from interwild_ros.train.synthetic.draws import Draws
import torch
from torch import Tensor

_MARGIN = math.sqrt(2)  # how much larger a square is that holds another one however it is turned
_WRONG_STD, _VERY_WRONG_STD = 0.2, 0.7  # rad: as an earlier look tells the turn
_VERY_WRONG = 0.15


def turnable_px(side_px: int) -> int:
    """Return the side of a square, even, that holds one of `side_px` however that is turned."""
    return 2 * math.ceil(_MARGIN * side_px / 2)


def draw_turns(draws: Draws, joints_px: Tensor, share: float) -> Tensor:
    """Return the turns (B,), rad, of crops of hands (B, 21, 2): none but of a share of them."""
    std = torch.where(draws.chance(_VERY_WRONG), _VERY_WRONG_STD, _WRONG_STD)
    turns = turns_to_upright(joints_px) + std * draws.normal()
    return torch.where(draws.chance(share), turns, 0.0)


class Turning:
    """Turns what is seen in squares of one size about their middles, and cuts smaller ones out.

    `old_from_new` (B, 2, 3): maps from the smaller squares back to the others, px.
    """

    def __init__(self, turns: Tensor, from_px: int, to_px: int) -> None:
        """Prepare turns (B,), rad, clockwise.

        :param from_px: the side of the squares before; `to_px` after.
        """
        self._to_px = to_px
        linear = turn_matrices(turns)
        shift = to_px / 2 - linear @ torch.full((2, 1), from_px / 2)
        self._new_from_old = torch.cat([linear, shift], 2)
        back = linear.transpose(1, 2)
        self.old_from_new = torch.cat([back, -back @ shift], 2)
        self._about_axis = about_viewing_axis(turns)

    def pictures(self, pictures: Tensor) -> Tensor:
        """Return pictures (B, 3, S, S) of bytes."""
        size = (self._to_px, self._to_px)
        turned = sample(pictures.float(), self.old_from_new, size)
        return turned.round().clamp(0, 255).to(torch.uint8)

    def points_px(self, points: Tensor) -> Tensor:
        """Return points (B, N, 2) of the squares."""
        return apply_affine(self._new_from_old, points)

    def points_m(self, points: Tensor) -> Tensor:
        """Return points (B, N, 3) in the axes of the turned camera."""
        return points @ self._about_axis.transpose(1, 2)

    def pose(self, pose: Tensor) -> Tensor:
        """Return poses (B, 48), of which the wrist's rotation turns."""
        return with_turned_wrist(pose, self._about_axis)
