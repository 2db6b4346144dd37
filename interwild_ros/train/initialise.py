"""Weights to begin with. Source of the official's: NETWORKS.md section 17."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interwild_ros.errors import AssetError
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.resnet import Trunk
import torch
from torch import nn, Tensor

_NO_ROTATION = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_CLASSIFIER = 'fc.'
_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
_USUAL_BOX = 10.0  # cells


def begin_compact(networks: InterWild) -> None:
    """Draw weights from which the compact variant learns fast, in place.

    Rotations begin at none, volumes and centre maps flat, boxes at a usual size.
    """
    rotation = networks.hand_rotation_net
    for head in (rotation.root_pose_out, rotation.pose_out):
        linear = _last(head)
        nn.init.normal_(linear.weight, 0, 0.002)
        linear.bias.data = torch.tensor(_NO_ROTATION).repeat(len(linear.bias) // 6)
    box_net = networks.body_box_net
    for convolution in (networks.hand_position_net.conv[0], box_net.bbox_center[0]):
        _draw(convolution, 0.01)
    for head in (box_net.rhand_size, box_net.lhand_size):
        nn.init.constant_(_last(head).bias, _USUAL_BOX)
    _draw(networks.hand_trans_net.conv[0], 0.02)
    _draw(networks.hand_trans_net.fc[0], 0.001)


def begin_official(networks: InterWild, resnet50: str = '', resnet18: str = '') -> None:
    """Draw the original's initial weights, in place; trunks by He's rule or from files.

    :param resnet50: file with ImageNet weights under torchvision's names; empty draws them.
    :raises AssetError: when a file cannot be read or is of another network.
    """
    trunks = {
        networks.body_backbone: resnet50,
        networks.hand_roi_net.backbone: resnet50,
        networks.hand_trans_net.backbone: resnet18,
    }
    of_trunks = {module for trunk in trunks for module in trunk.modules()}
    for module in networks.modules():
        if module not in of_trunks:
            _begin_head(module)
    for trunk, file in trunks.items():
        _begin_trunk(trunk, file)


def _begin_head(module: nn.Module) -> None:
    if isinstance(module, (*_CONVOLUTIONS, nn.Linear)):
        _draw(module, 0.001 if isinstance(module, _CONVOLUTIONS) else 0.01)


def _begin_trunk(trunk: Trunk, file: str) -> None:
    if file:
        _load_trunk(trunk, Path(file))
        return
    for module in trunk.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')


def _load_trunk(trunk: Trunk, path: Path) -> None:
    try:
        content: Any = torch.load(path, map_location='cpu', weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise AssetError(f'trunk weights {path}: cannot be read ({error})') from None
    if not isinstance(content, Mapping):
        raise AssetError(f'trunk weights {path}: holds no tensors by name')
    state = {name: t for name, t in content.items() if not name.startswith(_CLASSIFIER)}
    try:
        trunk.load_state_dict(state)
    except RuntimeError as error:
        raise AssetError(f'trunk weights {path}: of another network ({error})') from None


def _draw(module: Any, deviation: float) -> None:
    nn.init.normal_(module.weight, 0, deviation)
    if isinstance(module.bias, Tensor):
        nn.init.zeros_(module.bias)


def _last(layers: nn.Sequential) -> Any:
    return layers[len(layers) - 1]
