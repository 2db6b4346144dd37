"""DetectNet's head: one box and one score a hand, from the features of the whole picture.

Source: NETWORKS.md section 4. The trunk before it is a `Trunk`.
"""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.networks.layers import at_least_single, sample_features, soft_argmax_2d
from interwild_ros.networks.neck import Neck
from interwild_ros.networks.variants import Variant
import torch
from torch import nn, Tensor
import torch.nn.functional as F

PLACES = 4
"""Candidates that are worth reading; more find no more hands."""

_OWN = 0.3  # of a candidate's size to each side of it: no other candidate lies there
_PEAK_RADIUS = 4  # cells, for networks whose maps have none of their own


class Detections(NamedTuple):
    """Boxes in detector cells, right hand before left.

    `centre` (B, 2, 2); `size` (B, 2, 2) width and height, which may be negative (Q13);
    `score` (B, 2): the softmax map at its own centre, no probability.
    """

    centre: Tensor
    size: Tensor
    score: Tensor


class Candidates(NamedTuple):
    """Places of hands whatever their side, in detector cells, the highest peak first.

    `centre` and `size` (B, K, 2); `score` (B, K) the part of both maps about the place, 0 to 1,
    which counts for one place only; `right_share` (B, K) how much of it is of the right hand's
    map.
    """

    centre: Tensor
    size: Tensor
    score: Tensor
    right_share: Tensor


class BoxNet(nn.Module):
    """Fine features, a centre map a hand, and a size read at the centre."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        width = variant.box_width
        channels = [variant.body.stage_outputs(stage) for stage in range(len(variant.body.depths))]
        self.neck = Neck(channels, width) if variant.has_box_neck else None
        if self.neck is None:
            self.deconv = _deconvolutions(channels[-1], width)
        self._peak_radius = variant.peak_radius
        self.bbox_center = nn.Sequential(nn.Conv2d(width, 2, 1))
        self.rhand_size = _size_head(width)
        self.lhand_size = _size_head(width)

    def forward(self, stages: list[Tensor]) -> Detections:
        """Detect both hands in the features of the trunk's stages, the finest first."""
        return self.boxes(*self.centre_logits(stages))

    def centre_logits(self, stages: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return fine features (B, width, H, W), and both centre maps' logits over them.

        H and W are those of `Spaces.cells_size`.
        """
        fine = self.deconv(stages[-1]) if self.neck is None else self.neck(stages)
        return fine, self.bbox_center(fine)

    def boxes(self, fine: Tensor, logits: Tensor) -> Detections:
        """Read centres off the logits (B, 2, H, W), and sizes at the centres."""
        centre, maps = soft_argmax_2d(logits, radius=self._peak_radius)
        scores = torch.diagonal(sample_features(maps, centre), dim1=1, dim2=2)
        return Detections(centre, self.sizes(fine, centre.detach()), scores)

    def candidates(self, fine: Tensor, logits: Tensor, count: int) -> Candidates:
        """Read the highest peaks of both maps together, none within another's box."""
        maps = F.softmax(at_least_single(logits).flatten(2), dim=-1).reshape(logits.shape)
        left_over = maps.sum(1)
        found = []
        for _ in range(count):
            candidate = self._highest(fine, maps, left_over)
            found.append(candidate)
            left_over = left_over * ~_within(candidate.centre, _OWN * candidate.size, left_over)
        return Candidates(*(torch.stack(parts, dim=1) for parts in zip(*found, strict=True)))

    def _highest(self, fine: Tensor, maps: Tensor, left_over: Tensor) -> Candidates:
        """Read the highest peak of what is left over (B, H, W), without the axis of places."""
        width = left_over.shape[-1]
        peak = left_over.flatten(1).argmax(dim=1)
        peak_xy = torch.stack([peak % width, peak // width], dim=1)
        reach = torch.full_like(peak_xy, self._peak_radius or _PEAK_RADIUS)
        about = maps * (_within(peak_xy, reach, left_over) & (left_over > 0))[:, None]
        masses = about.sum(dim=(2, 3)).clamp(min=torch.finfo(about.dtype).tiny)
        right_share = masses[:, 0] / masses.sum(1)
        centre = _mean_cell(about.sum(1))
        at_centre = sample_features(fine, centre.to(fine)[:, None])[:, 0]
        right, left = self.rhand_size(at_centre), self.lhand_size(at_centre)
        size = left + right_share[:, None] * (right - left)
        return Candidates(centre, size, masses.mean(1), right_share)

    def sizes(self, fine: Tensor, centre: Tensor) -> Tensor:
        """Read sizes (B, 2, 2) off the fine features at centres (B, 2, 2)."""
        at_centre = sample_features(fine, centre)  # B x 2 x width
        right, left = self.rhand_size(at_centre[:, 0]), self.lhand_size(at_centre[:, 1])
        return torch.stack([right, left], dim=1)


def _within(centre: Tensor, reach: Tensor, maps: Tensor) -> Tensor:
    """Return which cells of maps (B, H, W) are within a reach (B, 2) of a centre (B, 2)."""
    height, width = maps.shape[1:]
    across = torch.arange(width, device=maps.device) - centre[:, :1]
    down = torch.arange(height, device=maps.device) - centre[:, 1:]
    near = (down.abs() <= reach[:, 1:].abs())[:, :, None]
    return near & (across.abs() <= reach[:, :1].abs())[:, None]


def _mean_cell(weights: Tensor) -> Tensor:
    """Return the mean x and y (B, 2) of cells by weights (B, H, W)."""
    height, width = weights.shape[1:]
    total = weights.sum(dim=(1, 2)).clamp(min=torch.finfo(weights.dtype).tiny)
    x = (weights.sum(1) * torch.arange(width, device=weights.device)).sum(1) / total
    y = (weights.sum(2) * torch.arange(height, device=weights.device)).sum(1) / total
    return torch.stack([x, y], dim=1)


def _deconvolutions(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        *_doubling(inputs, width), *_doubling(width, width), *_doubling(width, width)
    )


def _doubling(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def _size_head(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(inplace=True), nn.Linear(width, 2))
