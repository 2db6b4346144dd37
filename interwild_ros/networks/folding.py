"""Batch normalisation folded into the convolution before it: the same numbers, fewer passes.

A transposed convolution that has more weights than cells to work on becomes a plain one, whose
outputs are shuffled: it reads its weights once, in the order that they lie in.

Only for running: folded networks have other parameter names, so they are folded after loading.
"""

from __future__ import annotations

import copy
from typing import cast, TypeVar

import torch
from torch import nn, Tensor
import torch.nn.functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar('Network', bound=nn.Module)

_MANY_CHANNELS = 1024  # of a transposed convolution's input
_PAIRS = (('conv1', 'bn1'), ('conv2', 'bn2'), ('conv3', 'bn3'))


def folded(networks: Network) -> Network:
    """Return a copy for inference, in channels-last layout, equal to rounding.

    :param networks: in evaluation mode; they stay as they are.
    """
    copied = copy.deepcopy(networks).requires_grad_(False)
    for module in list(copied.modules()):
        if isinstance(module, nn.Sequential):
            _fold_sequence(module)
        else:
            _fold_pairs(module)
    for parameter in copied.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return copied


def _fold_pairs(block: nn.Module) -> None:
    parts = dict(block.named_children())
    for convolution, normalisation in _PAIRS:
        if convolution in parts and normalisation in parts:
            fused = fuse_conv_bn_eval(
                cast(nn.Conv2d, parts[convolution]), cast(nn.BatchNorm2d, parts[normalisation])
            )
            setattr(block, convolution, fused)
            setattr(block, normalisation, nn.Identity())


def _fold_sequence(layers: nn.Sequential) -> None:
    for i in range(len(layers) - 1):
        before, after = layers[i], layers[i + 1]
        if isinstance(before, (nn.Conv2d, nn.ConvTranspose2d)) and isinstance(
            after, nn.BatchNorm2d
        ):
            transposed = isinstance(before, nn.ConvTranspose2d)
            layers[i] = fuse_conv_bn_eval(before, after, transpose=transposed)
            layers[i + 1] = nn.Identity()
    for i, layer in enumerate(layers):
        if isinstance(layer, nn.ConvTranspose2d) and layer.in_channels > _MANY_CHANNELS:
            layers[i] = Doubling(layer)


class Doubling(nn.Module):
    """A transposed convolution of kernel 4, stride 2, padding 1, by a plain one of kernel 2.

    Of 4 x 4 weights every output pixel meets 2 x 2, which ones its row and column decide, odd or
    even: four convolutions, whose outputs lie between each other.
    """

    def __init__(self, transposed: nn.ConvTranspose2d) -> None:
        """Take over the weights, and the bias, which a folded layer always has."""
        super().__init__()
        inputs, outputs = transposed.in_channels, transposed.out_channels
        self.convolution = nn.Conv2d(inputs, 4 * outputs, 2, padding=1)
        kernel = transposed.weight.detach().flip(2, 3)  # in x out x 4 x 4
        kernel = kernel.reshape(inputs, outputs, 2, 2, 2, 2).flip(3, 5)  # each axis: place, parity
        kernel = kernel.permute(1, 3, 5, 0, 2, 4).reshape(-1, inputs, 2, 2)
        self.convolution.weight.data = kernel
        bias = cast(Tensor, transposed.bias).detach()
        self.convolution.bias = nn.Parameter(bias.repeat_interleave(4))
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, 2 H, 2 W)."""
        return F.pixel_shuffle(self.convolution(x), 2)[..., 1:-1, 1:-1]
