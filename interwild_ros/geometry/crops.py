"""From detected boxes to hand crops: box arithmetic, the crop's affine map, sampling.

Source: NETWORKS.md sections 4 to 6, Q2, Q5.
"""

from __future__ import annotations

from collections.abc import Sequence
import math

from interwild_ros.geometry.byte_sampling import sample_bytes
from interwild_ros.geometry.regions import HAND_BOX_SCALE
from interwild_ros.geometry.spaces import invert_scaling, scaling_affine, Spaces
from interwild_ros.geometry.upright import turn_matrices
import numpy as np
import torch
from torch import Tensor
import torch.nn.functional as F

_TINY = 1e-8  # the original's guard against empty boxes; it shifts results, so it stays (Q5)
_NEARLY = 0.01  # of a pixel: that of a view of 639 of 640 px is one


def corners_from_centre(centre: Tensor, size: Tensor) -> Tensor:
    """Return boxes (..., 4) x1 y1 x2 y2; sizes may be negative and then give inverted boxes."""
    return torch.cat([centre - size / 2, centre + size / 2], dim=-1)


def middles(boxes: Tensor) -> Tensor:
    """Return the middles (..., 2) of boxes (..., 4)."""
    return (boxes[..., :2] + boxes[..., 2:]) / 2


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


def about_both(joints_px: Tensor) -> Tensor:
    """Return the boxes (..., 4) about the boxes of both hands' joints (2, ..., J, 2)."""
    boxes = about_joints(joints_px)
    return torch.cat([boxes[..., :2].amin(0), boxes[..., 2:].amax(0)], dim=-1)


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


def turned_about_middle(input_from_crop: Tensor, turns: Tensor, spaces: Spaces) -> Tensor:
    """Return maps (..., 2, 3) of the crops' squares turned about their middles.

    :param input_from_crop: (..., 2, 3) of crops that are not turned.
    :param turns: (...) rad, clockwise: how what the crops show turns, see geometry/upright.py.
    """
    back = turn_matrices(-turns).to(input_from_crop)
    linear = input_from_crop[..., :2] @ back
    middle = torch.full((2, 1), spaces.crop_centre_px).to(input_from_crop)
    shift = input_from_crop[..., 2:] + (input_from_crop[..., :2] - linear) @ middle
    return torch.cat([linear, shift], dim=-1)


def sample(pictures: Tensor, picture_from_out: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample pictures (B, C, H, W) bilinearly; black outside.

    Integer coordinates are pixel centres on both sides.

    :param picture_from_out: affine maps (B, 2, 3) from output px to picture px.
    :param size: (width, height) of the result.
    """
    width, height = pictures.shape[-1], pictures.shape[-2]
    u = torch.arange(size[0], dtype=pictures.dtype, device=pictures.device)
    v = torch.arange(size[1], dtype=pictures.dtype, device=pictures.device)
    m = picture_from_out.to(pictures, non_blocking=True)[:, :, :, None, None]
    x = m[:, 0, 0] * u[None, None, :] + m[:, 0, 1] * v[None, :, None] + m[:, 0, 2]
    y = m[:, 1, 0] * u[None, None, :] + m[:, 1, 1] * v[None, :, None] + m[:, 1, 2]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    return F.grid_sample(
        pictures, grid, mode='bilinear', padding_mode='zeros', align_corners=False
    )


def resample(picture: Tensor, picture_from_out: Tensor, size: tuple[int, int]) -> Tensor:
    """Sample one picture without losing pixels: where the output is coarser, blocks are averaged.

    Equal to `sample` where an output pixel spans less than nearly two pixels of the picture. Only
    the part of the picture that is looked at is worked on.

    :param picture: (3, H, W), 0 to 1, or bytes of 0 to 255.
    :param picture_from_out: (2, 3), scales both axes alike; on the CPU, so that nobody waits for
        a GPU to know which part that is.
    :return: (1, 3, height, width), black outside.
    """
    block_from_out = picture_from_out.double().numpy().copy()
    factor = max(1, int(_NEARLY + math.hypot(*block_from_out[:, 0])))
    left, top, right, bottom = _looked_at(block_from_out.tolist(), size, factor, picture.shape)
    if left >= right or top >= bottom:
        width, height = size
        return picture.new_zeros((1, 3, height, width), dtype=_kind_of(picture))
    # the centre of block 0 lies between its pixels
    block_from_out[:, 2] -= np.array([left, top]) + (factor - 1) / 2
    block_from_out /= factor
    part = picture[:, top:bottom, left:right]
    if part.dtype == torch.uint8 and part.device.type == 'cpu':
        pixels = part.permute(1, 2, 0).numpy()
        return torch.from_numpy(sample_bytes(pixels, factor, block_from_out, size))[None]
    return sample(_averaged(part[None], factor), torch.from_numpy(block_from_out)[None], size)


def _averaged(part: Tensor, factor: int) -> Tensor:
    """Return the means, 0 to 1, of blocks of a part (1, 3, H, W) of a picture."""
    if part.dtype == torch.uint8:
        part = part.to(_kind_of(part)) / 255
    if factor == 1:
        return part
    # blocks at the right and lower edge average over what they have
    return F.avg_pool2d(part, factor, ceil_mode=True, count_include_pad=False)


def _looked_at(
    rows: Sequence[Sequence[float]], size: tuple[int, int], factor: int, shape: torch.Size
) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of whole blocks that are read, and one more at each side.

    :param rows: 2 of 3 numbers, from output px to px of a picture of this shape.
    """
    edges = []
    for (of_u, of_v, shift), limit in zip(rows, (shape[-1], shape[-2]), strict=True):
        seen = [shift + of_u * u + of_v * v for u in (0, size[0] - 1) for v in (0, size[1] - 1)]
        first = max(0, math.floor(min(seen) / factor) - 1) * factor
        edges.append((first, min(limit, (math.floor(max(seen) / factor) + 2) * factor)))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom


def _kind_of(picture: Tensor) -> torch.dtype:
    return torch.float32 if picture.dtype == torch.uint8 else picture.dtype


def _centre_and_size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    low, high = boxes[..., :2], boxes[..., 2:]
    return low + (high - low) / 2, high - low
