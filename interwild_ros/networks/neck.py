"""Fine features that know the coarse ones (a feature pyramid, Lin et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence

from interwild_ros.networks.layers import conv_bn_relu
from torch import nn, Tensor
import torch.nn.functional as F


class Neck(nn.Module):
    """Fuses the stages of a trunk into features as fine as its first given stage."""

    def __init__(self, channels: Sequence[int], width: int) -> None:
        """Build the neck.

        :param channels: of the stages, the finest first, each half as fine as the one before.
        :param width: channels of the outcome.
        """
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        self.merge = nn.ModuleList(conv_bn_relu(width, width, kernel=3) for _ in channels[1:])

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        """Fuse stages, the finest (N, C, H, W) first, into (N, width, H, W)."""
        *finer, coarsest = (
            lateral(stage) for lateral, stage in zip(self.lateral, stages, strict=True)
        )
        x: Tensor = coarsest
        for merge, features in zip(reversed(self.merge), reversed(finer), strict=True):
            x = merge(features + F.interpolate(x, scale_factor=2.0, mode='nearest'))
        return x
