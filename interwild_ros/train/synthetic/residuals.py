"""How wrong SHNet is, in a few numbers: for drawing joints that are about as wrong as its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import math
from typing import NamedTuple

from interwild_ros.geometry.spaces import Spaces
from interwild_ros.networks.interwild import InterWild
from interwild_ros.records import JOINT_COUNT
from interwild_ros.train.streams import HandCrops
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.shnet_reading import read_until, said_joints
import torch
from torch import Tensor

DrawCrops = Callable[[Sequence[int]], HandCrops]


class Residuals(NamedTuple):
    """How wrong SHNet is: standard deviations, in shares of the hand's size and in metres.

    `joint` and `hand`: px of each joint, and of all joints of a hand together; `depth_m` of each
    joint; `flattened`: of the logarithm by which all depths of a hand are too large or small.
    Every hand is between `least` and `most` times as wrong.
    """

    joint: float = 0.022
    hand: float = 0.008
    depth_m: float = 0.006
    flattened: float = 0.06
    least: float = 0.3
    most: float = 1.7

    def draw_wrong(self, draws: Draws, true_px: Tensor, depths_m: Tensor) -> tuple[Tensor, Tensor]:
        """Return px and depths as SHNet would say them; joints are wrong each by itself."""
        level = draws.uniform(2, 1, 1, low=self.least, high=self.most)
        each = draws.normal(2, JOINT_COUNT, 2, std=self.joint)
        together = draws.normal(2, 1, 2, std=self.hand)
        flattened = (level * draws.normal(2, 1, 1, std=self.flattened)).exp()
        off_m = level * draws.normal(2, JOINT_COUNT, 1, std=self.depth_m)
        size = extents(true_px)[..., None, None]
        return true_px + size * level * (each + together), depths_m * flattened + off_m


NO_BETTER_KNOWN = Residuals()
# Of normal numbers times a level from `least` to `most`: their median size is 0.587 of the
# deviation at level 1.
_SIGMA_OF_MEDIAN = 1 / 0.587


def read_joints(networks: InterWild, draw: DrawCrops, count: int) -> tuple[Tensor, Tensor]:
    """Return the joints (count, 21, 3) that SHNet finds and the true ones, in volume cells.

    They are those of the first hands that can be seen among the crops that are drawn.
    """

    def read(batch: HandCrops) -> tuple[Tensor, Tensor]:
        counts = batch.counts > 0.5
        return said_joints(networks, batch.pictures)[counts], batch.joints[counts]

    found, true = read_until(networks, draw, read, count)
    return found, true


def measure_residuals(found: Tensor, true: Tensor, spaces: Spaces) -> Residuals:
    """Measure how wrong joints (N, 21, 3) are that SHNet found; both in volume cells."""
    off = (found - true)[..., :2] / extents(true[..., :2])[:, None, None]
    together = off.mean(1)
    each = off - together[:, None]
    depths_m, wanted_m = (spaces.depth_m_from_volume(joints[..., 2]) for joints in (found, true))
    slope = (depths_m * wanted_m).sum(1) / wanted_m.square().sum(1).clamp(min=1e-6)
    slope = slope.clamp(0.2, 5)
    rest_m = depths_m - slope[:, None] * wanted_m
    of_joint, of_mean = _spread(each), _spread(together)
    of_joint *= math.sqrt(JOINT_COUNT / (JOINT_COUNT - 1))
    of_hand = math.sqrt(max(0.0, of_mean**2 - of_joint**2 / JOINT_COUNT))
    return Residuals(
        joint=of_joint,
        hand=of_hand,
        depth_m=_spread(rest_m),
        flattened=_spread(slope.log() - slope.log().median()),
    )


def _spread(numbers: Tensor) -> float:
    """Return the standard deviation of most numbers; hands that were misread do not count."""
    return float(numbers.abs().median()) * _SIGMA_OF_MEDIAN


def extents(points: Tensor) -> Tensor:
    """Return the longer sides (...) of the boxes around points (..., 21, 2)."""
    sides = points.amax(-2) - points.amin(-2)
    return sides.amax(-1).clamp(min=torch.finfo(points.dtype).tiny)
