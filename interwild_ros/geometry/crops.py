"""From detected boxes to hand crops: box arithmetic, the crop's affine map, sampling.

Source: NETWORKS.md sections 4 to 6, Q2, Q5.
"""

from __future__ import annotations

from interwild_ros.geometry.regions import HAND_BOX_SCALE
from interwild_ros.geometry.spaces import invert_scaling, scaling_affine, Spaces
import torch
from torch import Tensor
import torch.nn.functional as F

_TINY = 1e-8  # the original's guard against empty boxes; it shifts results, so it stays (Q5)


def corners_from_centre(centre: Tensor, size: Tensor) -> Tensor:
    """Return boxes (..., 4) x1 y1 x2 y2; sizes may be negative and then give inverted boxes."""
    return torch.cat([centre - size / 2, centre + size / 2], dim=-1)


def squared(boxes: Tensor) -> Tensor:
    """Widen the shorter side of boxes (..., 4) to the longer one about the centre."""
    centre, size = _centre_and_size(boxes)
    side = size.amax(dim=-1, keepdim=True)
    return corners_from_centre(centre, side.expand_as(size))


def enlarged(boxes: Tensor, scale: float) -> Tensor:
    """Multiply both sides of boxes (..., 4) about the centre."""
    centre, size = _centre_and_size(boxes)
    return corners_from_centre(centre, size * scale)


def about_joints(joints_px: Tensor) -> Tensor:
    """Return the boxes (..., 4) that are called a hand's, about its joints (..., J, 2)."""
    return enlarged(torch.cat([joints_px.amin(-2), joints_px.amax(-2)], -1), HAND_BOX_SCALE)


def fit_box(boxes: Tensor, side: int) -> Tensor:
    """Return the affine maps (..., 2, 3) that lay boxes (..., 4) over a square of `side`."""
    low, high = boxes[..., :2], boxes[..., 2:]
    scale = side / (high - low + _TINY)
    centre = low + (high - low) / 2
    return scaling_affine(scale, side / 2 - scale * centre)


def crop_maps(boxes: Tensor, spaces: Spaces) -> tuple[Tensor, Tensor]:
    """Return crop_from_input and input_from_crop (..., 2, 3) for boxes (..., 4) in input px.

    Crop 0 and `crop_px` are the box's edges (not the outer pixel centres, Q2). The maps of a left
    hand belong to its crop before mirroring.
    """
    crop_from_input = fit_box(boxes, spaces.crop_px)
    return crop_from_input, invert_scaling(crop_from_input)


def sample(pictures: Tensor, picture_from_out: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample pictures (B, C, H, W) bilinearly; black outside.

    Integer coordinates are pixel centres on both sides.

    :param picture_from_out: affine maps (B, 2, 3) from output px to picture px.
    :param size: (width, height) of the result.
    """
    width, height = pictures.shape[-1], pictures.shape[-2]
    u = torch.arange(size[0], dtype=pictures.dtype, device=pictures.device)
    v = torch.arange(size[1], dtype=pictures.dtype, device=pictures.device)
    m = picture_from_out.to(pictures)[:, :, :, None, None]
    x = m[:, 0, 0] * u[None, None, :] + m[:, 0, 1] * v[None, :, None] + m[:, 0, 2]
    y = m[:, 1, 0] * u[None, None, :] + m[:, 1, 1] * v[None, :, None] + m[:, 1, 2]
    grid = torch.stack([x / (width - 1) * 2 - 1, y / (height - 1) * 2 - 1], dim=-1)
    return F.grid_sample(pictures, grid, mode='bilinear', padding_mode='zeros', align_corners=True)


def resample(pictures: Tensor, picture_from_out: Tensor, size: tuple[int, int]) -> Tensor:
    """Sample without losing pixels: where the output is coarser, blocks are averaged first.

    Equal to `sample` where one output pixel spans less than two pixels of the pictures. The maps
    (B, 2, 3) scale both axes alike; the finest of the batch decides for all.
    """
    spans = torch.linalg.vector_norm(picture_from_out[:, :, 0], dim=1)
    factor = int(spans.amin())
    if factor < 2:
        return sample(pictures, picture_from_out, size)
    # blocks at the right and lower edge average over what they have
    blocks = F.avg_pool2d(pictures, factor, ceil_mode=True, count_include_pad=False)
    block_from_out = picture_from_out.clone()
    block_from_out[:, :, 2] -= (factor - 1) / 2  # the centre of block 0 lies between its pixels
    return sample(blocks, block_from_out / factor, size)


def _centre_and_size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    low, high = boxes[..., :2], boxes[..., 2:]
    return low + (high - low) / 2, high - low
