"""Weights made by a rule from names and shapes: they run everywhere and mean nothing.

With the official variant the original's outputs on these weights are known (NETWORKS.md section
18.2), so they prove that our networks compute the same. Hands made with them are no hands.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod, sqrt
import re
from typing import Any
import zlib

import numpy as np
from numpy.typing import NDArray
import torch
from torch import nn, Tensor

RULE_NAME = 'rule-made'

# factors that keep the outputs in a useful range; the first match wins
_FACTORS = (
    (r'(body_backbone|hand_roi_net\.backbone)\.layer\d\.\d+\.bn3\.weight', 0.25),
    (r'hand_trans_net\.backbone\.layer\d\.\d+\.bn2\.weight', 0.25),
    (r'body_box_net\.bbox_center\.0\.weight', 8.0),
    (r'body_box_net\.[rl]hand_size\.2\.weight', 0.1),
    (r'hand_position_net\.conv\.0\.weight', 3.0),
    (r'hand_rotation_net\.pose_out\.0\.weight', 0.12),
    (r'hand_rotation_net\.shape_out\.0\.weight', 0.5),
    (r'hand_rotation_net\.cam_out\.0\.weight', 0.03),
    (r'hand_trans_net\.conv\.0\.weight', 0.05),
    (r'hand_trans_net\.fc\.0\.weight', 0.05),
)
# constants added last, repeated over the tensor
_OFFSETS = (
    (r'body_box_net\.rhand_size\.2\.bias', (9.0, 12.0)),  # cells: taller than wide
    (r'body_box_net\.lhand_size\.2\.bias', (26.0, 20.0)),  # its crop leaves the picture
    (r'hand_rotation_net\.pose_out\.0\.bias', (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)),  # no rotation
)


def rule_state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return a value for every tensor name: float32, and int64 for the batch counters."""
    normalised = {name.rsplit('.', 1)[0] for name in shapes if name.endswith('.running_var')}
    return {
        name: torch.from_numpy(
            _value(name, tuple(shape), in_batch_norm=name.rsplit('.', 1)[0] in normalised)
        )
        for name, shape in shapes.items()
    }


def fill_by_rule(networks: nn.Module) -> None:
    """Give the networks the rule-made weights, in place."""
    shapes = {name: tuple(tensor.shape) for name, tensor in networks.state_dict().items()}
    networks.load_state_dict(rule_state(shapes))


def _value(name: str, shape: tuple[int, ...], *, in_batch_norm: bool) -> NDArray[Any]:
    leaf = name.rsplit('.', 1)[1]
    if leaf == 'num_batches_tracked':
        return np.zeros(shape, np.int64)
    noise = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    value = _scaled(noise, leaf, in_batch_norm=in_batch_norm)
    for pattern, factor in _FACTORS:
        if re.fullmatch(pattern, name):
            value = value * factor
            break
    for pattern, offset in _OFFSETS:
        if re.fullmatch(pattern, name):
            value = value + np.tile(offset, shape[0] // len(offset))
    return np.asarray(value, np.float32)


def _scaled(noise: NDArray[np.float64], leaf: str, *, in_batch_norm: bool) -> NDArray[np.float64]:
    if leaf == 'running_mean':
        return noise * 0.1
    if leaf == 'running_var':
        return 1 + 0.1 * np.abs(noise)
    if in_batch_norm:
        return 1 + 0.1 * noise if leaf == 'weight' else 0.1 * noise
    if leaf == 'weight':
        return noise * sqrt(2 / prod(noise.shape[1:]))
    return 0.01 * noise
