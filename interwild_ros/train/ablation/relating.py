"""TransNet and its rivals: where the left hand is, from pixels, 2D or 2.5D joints, or both.

Source: the paper's ablation of TransNet's input, each with and without weak supervision.
"""

from __future__ import annotations

from interwild_ros.networks.layers import in_full
from interwild_ros.networks.resnet import Trunk
from interwild_ros.networks.transnet import TransNet
from interwild_ros.networks.variants import TrunkSize, Variant
from interwild_ros.train.ablation.views import PairViews, weak_distance_m
from interwild_ros.train.tasks.task import as_pictures
import torch
from torch import nn, Tensor

INPUTS = ('image', 'image + 2.5D', '2D', '2.5D')
_IMAGE_TRUNK = TrunkSize('basic', (2, 2, 2, 2), 16)
_MM_PER_M = 1000.0


class Relation(nn.Module):
    """Regresses the relative translation from one kind of input."""

    def __init__(self, variant: Variant, sees: str) -> None:
        """Build the network.

        :param sees: one of INPUTS.
        """
        super().__init__()
        self._sees = sees
        self._centre_cell = variant.spaces.volume_cells / 2
        self.trunk = Trunk(_IMAGE_TRUNK) if 'image' in sees else None
        self.joints = None if sees == 'image' else TransNet(variant)
        width = _IMAGE_TRUNK.outputs if self.trunk is not None else 0
        width += self.joints.feature_count if self.joints is not None else 0
        self.fc = nn.Linear(width, 3)
        nn.init.normal_(self.fc.weight, 0, 0.001)
        nn.init.zeros_(self.fc.bias)

    def forward(self, views: PairViews) -> Tensor:
        """Return the left wrist minus the right wrist (B, 3), metres."""
        features = []
        if self.trunk is not None:
            crops = as_pictures(views.pictures).contiguous(memory_format=torch.channels_last)
            features.append(self.trunk(crops).mean(dim=(2, 3)))
        if self.joints is not None:
            maps = views.input_from_crop.transpose(0, 1)
            features.append(self.joints.features(self._seen(views).transpose(0, 1), maps))
        return in_full(self.fc, torch.cat([part.float() for part in features], 1))

    def _seen(self, views: PairViews) -> Tensor:
        if self._sees != '2D':
            return views.joints
        flat = torch.full_like(views.joints[..., 2:], self._centre_cell)
        return torch.cat([views.joints[..., :2], flat], -1)


def relation_loss(found: Tensor, views: PairViews, *, is_weak: bool) -> Tensor:
    """Return the loss of relative translations (B, 3), metres.

    Truth in 3D supervises where there is any; elsewhere, with `is_weak`, the 2D joints do.
    """
    strong = (found - views.left_from_right_m).abs().mean(1) * views.has_3d
    if not is_weak:
        return strong.mean()
    return (strong + weak_distance_m(views, found) * (1 - views.has_3d)).mean()


def mrrpe_mm(found: Tensor, views: PairViews) -> Tensor:
    """Return how far each left wrist is off (B,)."""
    off_m: Tensor = (found - views.left_from_right_m).norm(dim=-1)
    return _MM_PER_M * off_m
