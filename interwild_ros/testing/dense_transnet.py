"""TransNet's beginning as the original has it: draw every Gaussian map, then convolve.

The reference for the separable form, in tests and in bench; never used to run hands.
"""

from __future__ import annotations

from interwild_ros.networks.transnet import HEATMAP_PEAK, SIGMA_OF_PAIR, TransNet
import torch
from torch import Tensor


def draw_heatmaps(pair: Tensor, cells: int = 64) -> Tensor:
    """Draw joints (B, 2, 21, 3) as Gaussians (B, 42 * cells, cells, cells), right hand first."""
    points = pair.flatten(1, 2)[:, :, :, None, None, None]  # B x 42 x 3 x 1 x 1 x 1
    axis = torch.arange(cells, dtype=pair.dtype, device=pair.device)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing='ij')
    squared = (x - points[:, :, 0]) ** 2 + (y - points[:, :, 1]) ** 2 + (z - points[:, :, 2]) ** 2
    return HEATMAP_PEAK * torch.exp(-squared / (2 * (SIGMA_OF_PAIR * cells) ** 2)).flatten(1, 2)


def dense_draw_and_convolve(network: TransNet, pair: Tensor) -> Tensor:
    """Do what TransNet.draw_and_convolve does, the long way."""
    convolved: Tensor = network.conv(draw_heatmaps(pair, network.spaces.pair_cells))
    return convolved
