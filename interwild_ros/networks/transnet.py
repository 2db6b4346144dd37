"""TransNet: where the left wrist is, seen from the right one, from 2.5D joints alone.

It never sees a pixel, so studio and wild pictures look the same to it. Source: NETWORKS.md
section 11.

The original draws 2688 Gaussian maps of 64 x 64 cells and convolves them: 6.3 GMAC and 44 MB a
pair. A Gaussian is a product over its axes, so the same sum is taken axis by axis here: over depth
into the kernel, over x, then over y. Nothing is drawn, and the result is equal to rounding: what
is under 1e-12 of a peak is left out.
"""

from __future__ import annotations

from typing import cast

from interwild_ros.geometry.crops import about_both, fit_box, squared
from interwild_ros.geometry.spaces import apply_affine, Spaces
from interwild_ros.networks.layers import conv_bn_relu, in_full, sample_features
from interwild_ros.networks.resnet import Trunk
from interwild_ros.networks.variants import Variant
from interwild_ros.records import JOINT_COUNT
import torch
from torch import nn, Tensor
import torch.nn.functional as F

SIGMA_OF_PAIR = 2.5 / 64  # of the cube's side: 2.5 cells of the official 64
HEATMAP_PEAK = 255.0
_JOINTS = 2 * JOINT_COUNT
# of a Gaussian's peak: less is taken for nothing. Products of three lines would else be too small
# for a normal float32, and CPUs take ten times as long over such numbers.
_NOTHING = 1e-12


class TransNet(nn.Module):
    """Relative translation from both hands' joints."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.spaces: Spaces = variant.spaces
        # the stem of this trunk is never run; it exists because the checkpoint has it (Q10)
        self.backbone = Trunk(variant.trans)
        cells = variant.spaces.pair_cells
        self.conv = conv_bn_relu(_JOINTS * cells, variant.trans.width, kernel=3)
        self.feature_count = 2 * (variant.trans.outputs + 2)
        self.fc = nn.Sequential(nn.Linear(self.feature_count, 3))

    def forward(self, joints: Tensor, input_from_crop: Tensor) -> Tensor:
        """Return the left wrist minus the right wrist (B, 3), metres, see `Spaces.along_sight`.

        :param joints: (2, B, 21, 3) volume cells, right hands before left ones, un-mirrored.
        :param input_from_crop: (2, B, 2, 3) of the un-mirrored crops.
        """
        return in_full(self.fc, self.features(joints, input_from_crop))

    def features(self, joints: Tensor, input_from_crop: Tensor) -> Tensor:
        """Return what the last layer reads at both wrists (B, 2 (C + 2))."""
        pair = self.pair_joints(joints, input_from_crop)  # B x 2 x 21 x 3
        drawn = self.draw_and_convolve(pair)
        coarse = self.backbone.after_stem(drawn)  # B x C x 8 x 8
        return self.at_wrists(coarse, pair)

    def at_wrists(self, coarse: Tensor, pair: Tensor) -> Tensor:
        """Read features (B, C, 8, 8) at the wrists of joints (B, 2, 21, 3) in pair cells."""
        wrists = pair[:, :, 0, :2] / (self.spaces.pair_cells / coarse.shape[-1])
        return torch.cat([sample_features(coarse, wrists), wrists], dim=2).flatten(1)

    def pair_joints(self, joints: Tensor, input_from_crop: Tensor) -> Tensor:
        """Map both hands' joints (2, B, 21, 3) into the common cube: (B, 2, 21, 3) pair cells."""
        crop_xy = self.spaces.crop_from_volume(joints[..., :2])
        input_xy = apply_affine(input_from_crop, crop_xy)
        both = squared(about_both(input_xy))
        pair_from_input = fit_box(both, self.spaces.pair_cells)
        pair_xy = apply_affine(pair_from_input, input_xy)
        pair_z = self.spaces.pair_from_volume_depth(joints[..., 2:])
        return torch.cat([pair_xy, pair_z], dim=-1).transpose(0, 1)

    def draw_and_convolve(self, pair: Tensor) -> Tensor:
        """Return `conv` of the Gaussian maps of joints (B, 2, 21, 3): (B, width, 64, 64).

        Equal to convolving the drawn maps (testing.dense_transnet), without drawing them.
        """
        convolution = cast(nn.Conv2d, self.conv[0])
        gx, gy, gz = self._gaussians(pair.flatten(1, 2)).unbind(2)  # B x 42 x 64 each
        kernel = _sum_over_depth(convolution.weight, HEATMAP_PEAK * gz)  # B x 42 x 3 x O x 3
        rows = _sum_over_x(kernel, gx)  # B x 42 x 3 x O x 64
        x = _sum_over_joints_and_y(rows, gy)  # B x O x 64 x 64
        x = x + cast(Tensor, convolution.bias)[:, None, None]
        out: Tensor = self.conv[2](self.conv[1](x))
        return out

    def _gaussians(self, points: Tensor) -> Tensor:
        """Return one-dimensional Gaussians (B, J, axis, cell) of points (B, J, 3)."""
        cells = torch.arange(self.spaces.pair_cells, dtype=points.dtype, device=points.device)
        lines = torch.exp(
            -((cells - points[..., None]) ** 2)
            / (2 * (SIGMA_OF_PAIR * self.spaces.pair_cells) ** 2)
        )
        return torch.where(lines > _NOTHING, lines, 0.0)


def _sum_over_depth(weight: Tensor, gz: Tensor) -> Tensor:
    """Contract a kernel (O, 42 * 64, 3, 3) over depth, for each sample's gz (B, 42, 64).

    Returns (B, 42, 3, O, 3): the kernel's rows before its outputs, as it is needed next.
    """
    by_joint = weight.reshape(weight.shape[0], _JOINTS, -1, 9)  # O x 42 x 64 x 9, no copy
    summed = torch.matmul(gz.transpose(0, 1)[None], by_joint)  # O x 42 x B x 9
    kernel: Tensor = summed.reshape(*summed.shape[:-1], 3, 3).permute(2, 1, 3, 0, 4)
    return kernel


def _sum_over_x(kernel: Tensor, gx: Tensor) -> Tensor:
    """Convolve lines gx (B, 42, 64) with the rows of kernels (B, 42, 3, O, 3)."""
    rows = torch.matmul(kernel.flatten(2, 3), _neighbours(gx).transpose(2, 3))
    return rows.reshape(*kernel.shape[:4], -1)


def _sum_over_joints_and_y(rows: Tensor, gy: Tensor) -> Tensor:
    """Contract rows (B, 42, 3, O, 64) with the neighbours of each cell of gy (B, 42, 64)."""
    lines = _neighbours(gy).permute(0, 2, 1, 3).flatten(2)  # B x 64 x 126
    summed = torch.matmul(lines, rows.flatten(1, 2).flatten(2))  # B x 64 x (O 64)
    return summed.reshape(*summed.shape[:2], *rows.shape[3:]).transpose(1, 2)


def _neighbours(line: Tensor) -> Tensor:
    """Return each cell of lines (B, J, C) between its neighbours (B, J, C, 3); zeros outside."""
    padded = F.pad(line, (1, 1))
    return torch.stack([padded[..., :-2], line, padded[..., 2:]], dim=-1)
