"""How wrong SHNet is: for drawing joints that are wrong as its own are.

Either as a few numbers, or as a bank of what it said of many hands: its errors on a hand belong
together (a hand too small, too flat, turned) and depend on how the hand is held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
import math
from typing import NamedTuple, Protocol

from interwild_ros.errors import TrainingError
from interwild_ros.geometry.mirror import mirror_points
from interwild_ros.geometry.spaces import Spaces
from interwild_ros.networks.interwild import InterWild
from interwild_ros.records import JOINT_COUNT, Side
from interwild_ros.train.streams import HandCrops
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.tasks.task import as_pictures
import torch
from torch import Tensor

DrawCrops = Callable[[Sequence[int]], HandCrops]


class Misreading(Protocol):
    """A way to be wrong as SHNet is."""

    def draw_wrong(self, draws: Draws, true_px: Tensor, depths_m: Tensor) -> tuple[Tensor, Tensor]:
        """Return px (B, 2, 21, 2) and depths from the wrist (B, 2, 21, 1) as SHNet would say them.

        :param true_px: of right hands, then left ones, as they are in the picture.
        """


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
        size = _extents(true_px)[..., None, None]
        return true_px + size * level * (each + together), depths_m * flattened + off_m


NO_BETTER_KNOWN = Residuals()
# Of normal numbers times a level from `least` to `most`: their median size is 0.587 of the
# deviation at level 1.
_SIGMA_OF_MEDIAN = 1 / 0.587

_CANDIDATES = 128
_HAND_M = 0.2  # about a hand's length: depths are compared in it, as x and y in sizes of the hand
_READ_AT_ONCE = 64


@dataclass(frozen=True)
class ResidualBank:
    """What SHNet said of N hands, for hands that are like them; left ones are kept mirrored.

    * `hands` (N, 21, 3) as they were: x, y in sizes of the hand about its middle, depths in metres
      from the wrist
    * `errors` (N, 21, 3): what it said of them minus that
    * `jitter`: deviation of what is added to each error, in shares of its usual size
    * `parametric`: how wrong all other hands are, `parametric_share` of all
    """

    hands: Tensor
    errors: Tensor
    jitter: float = 0.1
    parametric: Residuals = NO_BETTER_KNOWN
    parametric_share: float = 0.1

    def __post_init__(self) -> None:
        """Refuse a bank that nothing can be drawn from."""
        wanted = (max(1, len(self.hands)), JOINT_COUNT, 3)
        for name, rows in (('hands', self.hands), ('errors', self.errors)):
            if rows.shape != wanted:
                raise TrainingError(
                    f'{name} of a bank are of shape {tuple(rows.shape)}, wanted {wanted}'
                )

    def draw_wrong(self, draws: Draws, true_px: Tensor, depths_m: Tensor) -> tuple[Tensor, Tensor]:
        """Return px and depths as SHNet said those of the most similar of some hands."""
        errors = _left_mirrored(
            self._errors_of(draws, _left_mirrored(_normalised(true_px, depths_m)))
        )
        wrong_px = true_px + _extents(true_px)[..., None, None] * errors[..., :2]
        other_px, other_m = self.parametric.draw_wrong(draws, true_px, depths_m)
        is_other = draws.chance(self.parametric_share, 2, 1, 1)
        return (
            torch.where(is_other, other_px, wrong_px),
            torch.where(is_other, other_m, depths_m + errors[..., 2:]),
        )

    def _errors_of(self, draws: Draws, hands: Tensor) -> Tensor:
        """Return errors (B, 2, 21, 3) of normalised hands of that shape, all right ones."""
        rows = (draws.uniform(2, _CANDIDATES) * len(self.hands)).long()
        rows = rows.clamp(max=len(self.hands) - 1)  # single precision may round up to the end
        off = self._compared[rows] - _comparable(hands)[:, :, None]
        best = rows.gather(2, off.square().sum(-1).argmin(2, keepdim=True))[..., 0]
        jitter = self.jitter * draws.normal(2, JOINT_COUNT, 3)
        return self.errors[best] + self._usual * jitter

    @cached_property
    def _compared(self) -> Tensor:
        return _comparable(self.hands)

    @cached_property
    def _usual(self) -> Tensor:
        """Return the usual size (3,) of errors along x, y and depth."""
        return self.errors.flatten(0, 1).abs().median(0).values


def measure_bank(networks: InterWild, draw: DrawCrops, count: int) -> ResidualBank:
    """Ask SHNet about crops, from the first one on, until it has read `count` hands."""
    found, true = read_joints(networks, draw, count)
    return bank_of(found, true, networks.spaces)


def bank_of(found: Tensor, true: Tensor, spaces: Spaces) -> ResidualBank:
    """Keep how wrong joints (N, 21, 3) are that SHNet found; both in volume cells."""
    true_m, found_m = (spaces.depth_m_from_volume(joints[..., 2:]) for joints in (true, found))
    off = (found - true)[..., :2] / _extents(true[..., :2])[:, None, None]
    return ResidualBank(
        hands=_normalised(true[..., :2], true_m), errors=torch.cat([off, found_m - true_m], -1)
    )


def read_joints(networks: InterWild, draw: DrawCrops, count: int) -> tuple[Tensor, Tensor]:
    """Return the joints (count, 21, 3) that SHNet finds and the true ones, in volume cells.

    They are those of the first hands that can be seen among the crops that are drawn.
    """
    pairs: list[tuple[Tensor, Tensor]] = []
    start, was_training = 0, networks.training
    networks.eval()
    while (missing := count - sum(len(true) for _, true in pairs)) > 0:
        numbers = range(start, start + min(missing, _READ_AT_ONCE))
        batch = draw(numbers)
        counts = batch.counts > 0.5
        pairs.append((_said(networks, batch.pictures)[counts], batch.joints[counts]))
        start = numbers.stop
    networks.train(was_training)
    found, true = (torch.cat(parts)[:count] for parts in zip(*pairs, strict=True))
    return found, true


@torch.no_grad()
def _said(networks: InterWild, pictures: Tensor) -> Tensor:
    """Return the joints (N, 21, 3) that SHNet finds, on the CPU."""
    device = next(networks.parameters()).device
    features = networks.hand_roi_net(as_pictures(pictures.to(device)))
    found: Tensor = networks.hand_position_net(features)
    return found.cpu()


def measure_residuals(found: Tensor, true: Tensor, spaces: Spaces) -> Residuals:
    """Measure how wrong joints (N, 21, 3) are that SHNet found; both in volume cells."""
    off = (found - true)[..., :2] / _extents(true[..., :2])[:, None, None]
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


def _extents(points: Tensor) -> Tensor:
    """Return the longer sides (...) of the boxes around points (..., 21, 2)."""
    sides = points.amax(-2) - points.amin(-2)
    return sides.amax(-1).clamp(min=torch.finfo(points.dtype).tiny)


def _normalised(px: Tensor, depths_m: Tensor) -> Tensor:
    """Return joints (..., 21, 3) in the units of ResidualBank."""
    middle = (px.amin(-2, keepdim=True) + px.amax(-2, keepdim=True)) / 2
    return torch.cat([(px - middle) / _extents(px)[..., None, None], depths_m], -1)


def _left_mirrored(hands: Tensor) -> Tensor:
    """Return hands or errors (B, 2, 21, 3), the left ones mirrored."""
    return torch.stack([hands[:, Side.RIGHT], mirror_points(hands[:, Side.LEFT])], 1)


def _comparable(hands: Tensor) -> Tensor:
    """Return vectors (..., 63) of normalised hands, near each other where the hands are alike."""
    return (hands / hands.new_tensor([1.0, 1.0, _HAND_M])).flatten(-2)
