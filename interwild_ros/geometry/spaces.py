"""The spaces that the networks think in, and every map between two of them.

A map is named out_from_in. Half pixels are ignored between the spaces, as in the original
(NETWORKS.md Q2): cells and pixels differ by a plain factor, although the pictures are resized
with half-pixel centres. Source: NETWORKS.md sections 1, 5, 7, 9 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FOCAL_VIRTUAL_PX = 5000.0  # of the crop; nearly orthographic, and no real camera's
CAMERA_SIZE_M = 0.6  # sets the distance at which the virtual camera sees a hand


@dataclass(frozen=True)
class Spaces:
    """The sizes of the spaces, (width, height) in their own units, and the maps between them.

    * input: px, the picture given to the networks
    * body: px, the same picture at half its size, which the detector sees
    * cells: the detector's heatmap over the body space
    * crop: px, one hand; its box is `crop_box_scale` times the hand's
    * volume: cells, the cube that holds one hand's 2.5D joints
    * pair: cells, the cube common to both hands which TransNet sees

    `along_sight`: rotations, depths and the relative translation are about the line of sight
    through the middle of the crop, or of the pair's square; else about the camera's axis, as the
    original has it. See geometry/sight.py. `whole_px`: the view of a region of whole pixels is of
    whole pixels too, as in the original (Q1), and so by a little not as wide as high.
    `halved`: the body picture is made of the input, as in the original, and not of the frame.
    `upright`: crops of hands that were seen before are turned until the fingers point up, see
    geometry/upright.py.
    """

    input_size: tuple[int, int] = (384, 512)
    body_size: tuple[int, int] = (192, 256)
    cells_size: tuple[int, int] = (48, 64)
    crop_px: int = 256
    volume_cells: int = 8
    pair_cells: int = 64
    depth_range_m: float = 0.3
    crop_box_scale: float = 2.0
    along_sight: bool = False
    whole_px: bool = True
    halved: bool = True
    upright: bool = False

    @property
    def crop_centre_px(self) -> float:
        """Return the virtual principal point, the same for x and y."""
        return self.crop_px / 2

    @property
    def virtual_depth_m(self) -> float:
        """Return k of section 1: the distance whose sigmoid fraction the networks regress."""
        return FOCAL_VIRTUAL_PX * CAMERA_SIZE_M / self.crop_px

    def input_from_body(self, xy: Tensor) -> Tensor:
        """Map (..., 2) body px to input px."""
        return _scaled(xy, self.input_size, self.body_size)

    def body_from_input(self, xy: Tensor) -> Tensor:
        """Map (..., 2) input px to body px."""
        return _scaled(xy, self.body_size, self.input_size)

    def body_from_cells(self, xy: Tensor) -> Tensor:
        """Map (..., 2) detector cells to body px."""
        return _scaled(xy, self.body_size, self.cells_size)

    def cells_from_body(self, xy: Tensor) -> Tensor:
        """Map (..., 2) body px to detector cells."""
        return _scaled(xy, self.cells_size, self.body_size)

    def crop_from_volume(self, xy: Tensor) -> Tensor:
        """Map (..., 2) volume cells to crop px."""
        return xy / self.volume_cells * self.crop_px

    def volume_from_crop(self, xy: Tensor) -> Tensor:
        """Map (..., 2) crop px to volume cells."""
        return xy / self.crop_px * self.volume_cells

    def depth_m_from_volume(self, z: Tensor) -> Tensor:
        """Map depth cells to metres relative to the wrist."""
        return (z / self.volume_cells * 2 - 1) * (self.depth_range_m / 2)

    def volume_from_depth_m(self, depth_m: Tensor) -> Tensor:
        """Map metres relative to the wrist to depth cells."""
        return (depth_m / (self.depth_range_m / 2) + 1) / 2 * self.volume_cells

    def pair_from_volume_depth(self, z: Tensor) -> Tensor:
        """Map depth cells of one hand to depth cells of the common cube."""
        return z / self.volume_cells * self.pair_cells


OFFICIAL_SPACES = Spaces()


def _scaled(xy: Tensor, out: tuple[int, int], into: tuple[int, int]) -> Tensor:
    """Map (..., 2) between pictures of two sizes; numbers stay on the CPU, so no GPU waits."""
    x, y = xy.unbind(-1)
    return torch.stack([x * (out[0] / into[0]), y * (out[1] / into[1])], dim=-1)


def apply_affine(out_from_in: Tensor, points: Tensor) -> Tensor:
    """Map points (..., K, 2) by affine maps (..., 2, 3).

    No matrix product, because autocast would round coordinates to half precision in one.
    """
    linear = out_from_in[..., None, :, :2]  # ... x 1 x 2 x 2
    return (points[..., None, :] * linear).sum(-1) + out_from_in[..., None, :, 2]


def compose_affine(out_from_mid: Tensor, mid_from_in: Tensor) -> Tensor:
    """Return out_from_in (..., 2, 3): first the second map, then the first."""
    linear = out_from_mid[..., :2] @ mid_from_in[..., :2]
    shift = out_from_mid[..., :2] @ mid_from_in[..., 2:] + out_from_mid[..., 2:]
    return torch.cat([linear, shift], dim=-1)


def invert_affine(out_from_in: Tensor) -> Tensor:
    """Invert affine maps (..., 2, 3)."""
    inverse = torch.linalg.inv(out_from_in[..., :2])
    return torch.cat([inverse, -inverse @ out_from_in[..., 2:]], dim=-1)


def invert_scaling(out_from_in: Tensor) -> Tensor:
    """Invert affine maps (..., 2, 3) that only scale the axes and shift."""
    scale = torch.diagonal(out_from_in[..., :2], dim1=-2, dim2=-1)
    return scaling_affine(1 / scale, -out_from_in[..., 2] / scale)


def scaling_affine(scale: Tensor, shift: Tensor) -> Tensor:
    """Return maps (..., 2, 3) that multiply x and y by scale (..., 2) and add shift (..., 2)."""
    is_diagonal = torch.eye(2, dtype=torch.bool, device=scale.device)
    linear = scale[..., None].where(is_diagonal, 0)  # compilers lack diag_embed
    return torch.cat([linear, shift[..., None]], dim=-1)
