"""A closer look at the places that the detector proposes: up to two hands in each.

Two hands that touch have one peak, or the higher one hides the other, and the box there is of
neither or of both. So each place says of two hands at once where they are, and how surely (one
proposal, several predictions: Chu et al. 2020, CrowdDet). Our own; the original has no such part.
"""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.networks.detectnet import Candidates
from interwild_ros.networks.layers import at_least_single, in_full, sample_features
from interwild_ros.networks.variants import Variant
import torch
from torch import nn, Tensor

HANDS = 2
_GRID = 4  # features are read at so many points along each side
_REACH = 0.7  # of a place's size to each side: what the points cover
_SMALLEST_SIDE = 2.0  # cells; the detector's sizes may be negative (Q13)
_LARGEST_LOG = 1.5  # of a hand's side over its place's


class HandsInPlaces(NamedTuple):
    """Two hands of each of K places, in no order.

    `centre` and `size` (B, K, HANDS, 2) detector cells; `is_hand` and `is_right` (B, K, HANDS)
    logits: that there is such a hand, and, if so, that it is a right one.
    """

    centre: Tensor
    size: Tensor
    is_hand: Tensor
    is_right: Tensor


class RoiNet(nn.Module):
    """Reads the fine features over a place, whatever its size."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        hidden = variant.roi_hidden
        self.hidden = nn.Sequential(
            nn.Linear(_GRID**2 * variant.box_width, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
        )
        self.out = nn.Sequential(nn.Linear(hidden, HANDS * 6))

    def forward(self, fine: Tensor, centre: Tensor, size: Tensor) -> HandsInPlaces:
        """Read places (B, K, 2) and their sizes (B, K, 2), cells, in features (B, C, H, W)."""
        centre, size = at_least_single(centre), at_least_single(size)
        size = size.abs().clamp(min=_SMALLEST_SIDE)
        points = centre[:, :, None] + size[:, :, None] * _points(centre)  # B x K x points x 2
        read = sample_features(at_least_single(fine), points.flatten(1, 2))
        read = read.reshape(fine.shape[0], centre.shape[1], -1)
        said = in_full(self.out, self.hidden(read)).reshape(*centre.shape[:2], HANDS, 6)
        centre, size = centre[:, :, None], size[:, :, None]
        return HandsInPlaces(
            centre=centre + said[..., :2] * size,
            size=size * said[..., 2:4].clamp(-_LARGEST_LOG, _LARGEST_LOG).exp(),
            is_hand=said[..., 4],
            is_right=said[..., 5],
        )

    def looked_at(self, fine: Tensor, places: Candidates) -> Candidates:
        """Return the K surest of the hands in K places."""
        count = places.score.shape[1]
        hands = self(fine, places.centre, places.size)
        score = (places.score[..., None] * hands.is_hand.sigmoid()).flatten(1)
        score, best = score.topk(count, dim=1)
        each = best[..., None].expand(-1, -1, 2)
        return Candidates(
            centre=hands.centre.flatten(1, 2).gather(1, each),
            size=hands.size.flatten(1, 2).gather(1, each),
            score=score,
            right_share=hands.is_right.sigmoid().flatten(1).gather(1, best),
        )


def _points(like: Tensor) -> Tensor:
    """Return where features are read (points, 2), in sizes of a place from its centre."""
    line = torch.linspace(-_REACH, _REACH, _GRID, dtype=like.dtype, device=like.device)
    down, across = torch.meshgrid(line, line, indexing='ij')
    return torch.stack([across, down], dim=-1).flatten(0, 1)
