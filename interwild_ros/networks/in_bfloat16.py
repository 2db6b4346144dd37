"""The trunks of SHNet and TransNet in bfloat16: half the bytes, and matrix units on newer CPUs.

A bfloat16 has 8 bits of mantissa: the features that the heads read are off by a hundredth, the
meshes by tenths of a millimetre, single vertices by one or two. Heads, coordinates and rotations
stay in float32, and so do the convolution that reads the crops' colours, which alone would double
that, and the detector: a box that is a pixel off moves its hand's mesh more than all of this.
"""

from __future__ import annotations

import copy

from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.steps import (
    BodyMaps,
    HandFeatures,
    HandStem,
    PairDrawing,
    PairFeatures,
    SteppedNetworks,
    Steps,
)
import torch
from torch import nn


def in_bfloat16(networks: InterWild) -> SteppedNetworks:
    """Return networks whose hands are read in bfloat16; they share the rest with these.

    :param networks: in evaluation mode, best folded, on their device.
    """
    stem = HandStem(networks)
    hand, pair = _half(HandFeatures(networks)), _half(PairFeatures(networks))
    return SteppedNetworks(
        networks,
        Steps(
            body_maps=BodyMaps(networks),
            hand_features=lambda crops: hand(stem(crops).bfloat16()).float(),
            pair_drawing=PairDrawing(networks),
            pair_features=lambda drawn: pair(drawn.bfloat16()).float(),
        ),
    )


def has_quick_bfloat16() -> bool:
    """Return whether this CPU computes in bfloat16, rather than imitating it slowly."""
    ask = getattr(torch.cpu, 'get_capabilities', None)  # older PyTorch does not say it
    found = ask() if ask else {}
    return bool(found.get('amx_bf16') or found.get('avx512_bf16'))


def _half(step: nn.Module) -> nn.Module:
    return copy.deepcopy(step).to(torch.bfloat16)
