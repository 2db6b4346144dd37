"""Streams of drawn samples that cost nothing to make: for tests of training, not for learning.

The pictures show what the targets say in the plainest way, a blot, so that losses can fall.
"""

from __future__ import annotations

from collections.abc import Sequence

from interwild_ros.geometry.spaces import Spaces
from interwild_ros.networks.variants import variant_named
from interwild_ros.records import JOINT_COUNT, VERTEX_COUNT
from interwild_ros.train.streams import BodyPictures, HandCrops, JointPairs
import torch
from torch import Tensor

_SIGMA_SHARE = 0.1  # of the picture's width


class SomeHandCrops:
    """A blot at each joint; the pose is that of rest."""

    def __init__(self, spaces: Spaces, seed: int = 0) -> None:
        self._spaces, self._seed = spaces, seed

    def draw(self, indices: Sequence[int]) -> HandCrops:
        """Return the samples of these indices."""
        cells = self._spaces.volume_cells
        rows = [torch.rand(JOINT_COUNT, 3, generator=_generator(self._seed, i)) for i in indices]
        joints = (0.2 + 0.6 * torch.stack(rows)) * cells
        side = self._spaces.crop_px
        count = len(joints)
        return HandCrops(
            pictures=_blots(self._spaces.crop_from_volume(joints[:, :3, :2]), side, side),
            joints=joints,
            joints_seen=torch.ones(count, JOINT_COUNT),
            joints_m=torch.zeros(count, JOINT_COUNT, 3),
            vertices_m=torch.zeros(count, VERTEX_COUNT, 3),
            pose=torch.zeros(count, 48),
            betas=torch.zeros(count, 10),
            counts=torch.ones(count),
            has_other=torch.arange(count).remainder(2).float(),
            kinds=torch.zeros(count, dtype=torch.int64),
        )


class SomeBodyPictures:
    """A blot at each hand, the right one red and the left one green; no left hand in a third."""

    def __init__(self, spaces: Spaces, seed: int = 0) -> None:
        self._spaces, self._seed = spaces, seed

    def draw(self, indices: Sequence[int]) -> BodyPictures:
        """Return the samples of these indices."""
        rows = [torch.rand(2, 2, generator=_generator(self._seed, i)) for i in indices]
        centres = (0.2 + 0.6 * torch.stack(rows)) * torch.tensor(self._spaces.cells_size)
        valid = torch.ones(len(centres), 2)
        valid[:, 1] = torch.tensor(list(indices)).remainder(3).gt(0).float()
        width, height = self._spaces.body_size
        pictures = torch.zeros(len(centres), 3, height, width, dtype=torch.uint8)
        for side in range(2):
            centre = self._spaces.body_from_cells(centres[:, side : side + 1])
            blot = _blots(centre, width, height)[:, 0] * valid[:, side, None, None]
            pictures[:, side] = blot.to(torch.uint8)
        boxes = torch.cat([centres - 5, centres + 5], dim=-1)
        return BodyPictures(pictures, boxes, valid, 1 - valid)


class SomeJointPairs:
    """Joints anywhere; the left wrist is where its depth says."""

    def __init__(self, spaces: Spaces, seed: int = 0) -> None:
        self._spaces, self._seed = spaces, seed

    def draw(self, indices: Sequence[int]) -> JointPairs:
        """Return the samples of these indices."""
        rows = [
            torch.rand(2, JOINT_COUNT, 3, generator=_generator(self._seed, i)) for i in indices
        ]
        joints = torch.stack(rows) * self._spaces.volume_cells
        return JointPairs(
            joints=joints,
            input_from_crop=torch.eye(2, 3).expand(len(joints), 2, 2, 3).contiguous(),
            left_from_right_m=(joints[:, 1, 0] - joints[:, 0, 0]) * 0.01,
            interacting=torch.arange(len(joints)).remainder(2).float(),
        )


def some_stream(
    task: str, variant: str = 'compact', seed: int = 0
) -> SomeHandCrops | SomeBodyPictures | SomeJointPairs:
    """Return the stream of a task; a function of a module, as loaders want it."""
    spaces = variant_named(variant).spaces
    if task == 'shnet':
        return SomeHandCrops(spaces, seed)
    return (SomeBodyPictures if task == 'detectnet' else SomeJointPairs)(spaces, seed)


def _blots(centres: Tensor, width: int, height: int) -> Tensor:
    """Return bytes (B, 3, height, width), bright about the first three of centres (B, K, 2)."""
    x, y = torch.arange(width), torch.arange(height)
    sigma = _SIGMA_SHARE * width
    across = torch.exp(-(((x - centres[..., :1]) / sigma) ** 2) / 2)
    along = torch.exp(-(((y - centres[..., 1:]) / sigma) ** 2) / 2)
    blots = 255 * along[..., :, None] * across[..., None, :]  # B x K x height x width
    return blots.expand(-1, 3, -1, -1).to(torch.uint8) if blots.shape[1] == 1 else blots.byte()


def _generator(seed: int, index: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 1_000_003 + index)
