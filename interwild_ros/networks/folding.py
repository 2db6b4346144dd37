"""Batch normalisation folded into the convolution before it: the same numbers, fewer passes.

Only for running: folded networks have other parameter names, so they are folded after loading.
"""

from __future__ import annotations

import copy
from typing import cast, TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar('Network', bound=nn.Module)

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
