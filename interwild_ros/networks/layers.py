"""The small pieces that several networks share.

Source: NETWORKS.md sections 3, 4 and 7.
"""

from __future__ import annotations

import torch
from torch import nn, Tensor
import torch.nn.functional as F


def conv_bn_relu(inputs: int, outputs: int, *, kernel: int) -> nn.Sequential:
    """Return a convolution with bias, batch normalisation and ReLU; the size stays."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def soft_argmax_2d(logits: Tensor, *, radius: int = 0) -> tuple[Tensor, Tensor]:
    """Return the expected cell (B, J, 2) as x, y and the softmax maps (B, J, H, W).

    :param radius: cells around the highest one that count, so that a second peak moves nothing; 0
        counts all.
    """
    batch, joints, height, width = logits.shape
    logits = at_least_single(logits)
    maps = F.softmax(logits.reshape(batch, joints, -1), dim=-1).reshape(logits.shape)
    counted = _about_peak(maps, radius) if radius else maps
    x = _expectation(counted.sum(2), width)
    y = _expectation(counted.sum(3), height)
    return torch.stack([x, y], dim=-1), maps


def _about_peak(maps: Tensor, radius: int) -> Tensor:
    """Return maps (B, J, H, W) that are 0 but for a square about their peaks, each of sum 1."""
    height, width = maps.shape[-2:]
    peak = maps.flatten(2).argmax(dim=-1)[..., None]  # B x J x 1
    rows, columns = (torch.arange(n, device=maps.device) for n in (height, width))
    near_row = (rows - peak // width).abs() <= radius
    near_column = (columns - peak % width).abs() <= radius
    near = maps * (near_row[..., :, None] & near_column[..., None, :])
    total = near.sum(dim=(2, 3), keepdim=True)
    return near / total


def soft_argmax_3d(logits: Tensor) -> Tensor:
    """Return the expected cell (B, J, 3) as x, y, z of volumes (B, J, D, H, W).

    Equal to `expected_cells` of `softmax_marginals`, in one product and without the sums.
    """
    batch, joints, depth, height, width = logits.shape
    logits = at_least_single(logits)
    maps = F.softmax(logits.reshape(batch, joints, -1), dim=-1)
    z, y, x = torch.meshgrid(
        *(torch.arange(n, dtype=maps.dtype, device=maps.device) for n in (depth, height, width)),
        indexing='ij',
    )
    return maps @ torch.stack([x, y, z], dim=-1).flatten(0, 2)


def expected_cells(marginals: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Return the expected cell (B, J, 3) of a volume's sums along x, y and z."""
    return torch.stack([_expectation(m, m.shape[-1]) for m in marginals], dim=-1)


def softmax_marginals(logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the sums of softmax volumes (B, J, D, H, W) along x (B, J, W), y and z."""
    batch, joints = logits.shape[:2]
    logits = at_least_single(logits)
    maps = F.softmax(logits.reshape(batch, joints, -1), dim=-1).reshape(logits.shape)
    over_depth = maps.sum(2)
    return over_depth.sum(2), over_depth.sum(3), maps.sum(dim=(3, 4))


def at_least_single(x: Tensor) -> Tensor:
    """Return x, from half precision in float32: coordinates need more than 8 or 11 bits."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def in_full(head: nn.Module, x: Tensor) -> Tensor:
    """Apply a head in float32 or finer, under autocast, too: what it says is read finely."""
    with torch.autocast(x.device.type, enabled=False):
        out: Tensor = head(at_least_single(x))
        return out


def sample_features(features: Tensor, xy: Tensor) -> Tensor:
    """Read features (B, C, H, W) at cells (B, J, 2) bilinearly; returns (B, J, C).

    Integer cells are hit exactly; past the last cell the features fade to zero (Q6).
    """
    height, width = features.shape[-2:]
    across, down = _tents(xy[..., 0], width), _tents(xy[..., 1], height)
    weights = (down[..., :, None] * across[..., None, :]).flatten(2)  # B x J x (H W)
    return torch.matmul(weights, features.permute(0, 2, 3, 1).flatten(1, 2))


def _tents(places: Tensor, count: int) -> Tensor:
    """Return the weights (..., count) of cells in reading linearly at places (...)."""
    cells = torch.arange(count, dtype=places.dtype, device=places.device)
    return (1 - (places[..., None] - cells).abs()).clamp(min=0)


def _expectation(weights: Tensor, count: int) -> Tensor:
    cells = torch.arange(count, dtype=weights.dtype, device=weights.device)
    return (weights * cells).sum(-1)
