"""DetectNet's head: one box and one score a hand, from the features of the whole picture.

Source: NETWORKS.md section 4. The trunk before it is a `Trunk`.
"""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.networks.layers import sample_features, soft_argmax_2d
from interwild_ros.networks.neck import Neck
from interwild_ros.networks.variants import Variant
import torch
from torch import nn, Tensor


class Detections(NamedTuple):
    """Boxes in detector cells, right hand before left.

    `centre` (B, 2, 2); `size` (B, 2, 2) width and height, which may be negative (Q13);
    `score` (B, 2): the softmax map at its own centre, no probability.
    """

    centre: Tensor
    size: Tensor
    score: Tensor


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
        """Return fine features (B, width, 64, 48), and both centre maps' logits over them."""
        fine = self.deconv(stages[-1]) if self.neck is None else self.neck(stages)
        return fine, self.bbox_center(fine)

    def boxes(self, fine: Tensor, logits: Tensor) -> Detections:
        """Read centres off the logits (B, 2, 64, 48), and sizes at the centres."""
        centre, maps = soft_argmax_2d(logits, radius=self._peak_radius)
        scores = torch.diagonal(sample_features(maps, centre), dim1=1, dim2=2)
        return Detections(centre, self.sizes(fine, centre.detach()), scores)

    def sizes(self, fine: Tensor, centre: Tensor) -> Tensor:
        """Read sizes (B, 2, 2) off the fine features at centres (B, 2, 2)."""
        at_centre = sample_features(fine, centre)  # B x 2 x width
        right, left = self.rhand_size(at_centre[:, 0]), self.lhand_size(at_centre[:, 1])
        return torch.stack([right, left], dim=1)


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
