"""SHNet: one hand from its own crop. It only ever sees right hands; left crops come mirrored.

Source: NETWORKS.md sections 3, 7 and 8; the kind net is our own.
"""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.geometry.rotations import (
    axis_angle_from_matrix,
    AxisAngle,
    matrix_from_6d,
)
from interwild_ros.geometry.spaces import Spaces
from interwild_ros.networks.layers import (
    conv_bn_relu,
    in_full,
    sample_features,
    soft_argmax_3d,
)
from interwild_ros.networks.neck import Neck
from interwild_ros.networks.resnet import Trunk
from interwild_ros.networks.variants import Variant
from interwild_ros.records import JOINT_COUNT
import torch
from torch import nn, Tensor

_FINEST = 1  # stage of the trunk that a neck begins at: stride 8
_ROTATIONS = 15  # of the fingers, in MANO order
KINDS = 3  # of what a crop shows: the hand that it should, the other one, or none


class HandPose(NamedTuple):
    """MANO parameters of hands as the networks see them: all right hands.

    `root` (N, 3) and `fingers` (N, 45) axis-angle, the mean pose not included; `betas` (N, 10);
    `virtual_wrist_m` (N, 3): the wrist in the crop's virtual camera.
    """

    root: Tensor
    fingers: Tensor
    betas: Tensor
    virtual_wrist_m: Tensor


class HandRoiNet(nn.Module):
    """The trunk over hand crops, and in variants that have one a neck over its stages."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.backbone = Trunk(variant.hand)
        channels = [variant.hand.stage_outputs(stage) for stage in range(_FINEST, 4)]
        self.neck = Neck(channels, variant.neck_width) if variant.neck_width else None

    def forward(self, crops: Tensor) -> Tensor:
        """Map crops (N, 3, S, S) to features: S/32 cells a side, with a neck S/8."""
        return self.after_stem(self.backbone.stem(crops))

    def after_stem(self, x: Tensor) -> Tensor:
        """Map what the trunk's stem gives to features."""
        if self.neck is not None:
            stages = self.backbone.stages_after_stem(x)
            return self.neck(stages[_FINEST:])  # type: ignore[no-any-return]
        return self.backbone.after_stem(x)


class PositionNet(nn.Module):
    """2.5D joints: the expectation over one softmax a joint in the volume."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.depth = variant.spaces.volume_cells
        self.conv = nn.Sequential(nn.Conv2d(variant.hand_features, JOINT_COUNT * self.depth, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, C, 8, 8) to joints (N, 21, 3): x, y, z in volume cells."""
        return soft_argmax_3d(self.volumes(features))

    def volumes(self, features: Tensor) -> Tensor:
        """Return a logit for every cell: (N, 21, D, H, W)."""
        logits: Tensor = self.conv(features)  # channel = joint * depth + z
        return logits.reshape(-1, JOINT_COUNT, self.depth, *logits.shape[2:])


class RotationNet(nn.Module):
    """Pose and shape, from the features at the 2.5D joints and the mean feature."""

    def __init__(self, variant: Variant, axis_angle: AxisAngle) -> None:
        super().__init__()
        self.spaces: Spaces = variant.spaces
        self.axis_angle: AxisAngle = axis_angle
        width, hidden = variant.rotation_width, variant.rotation_hidden
        mean, at_joints = variant.hand_features, JOINT_COUNT * (width + 3)
        self.conv = conv_bn_relu(mean, width, kernel=1)
        self.hidden = _hidden_layer(at_joints + mean, hidden) if hidden else None
        self.root_pose_out = nn.Sequential(nn.Linear(hidden or at_joints, 6))
        self.pose_out = nn.Sequential(nn.Linear(hidden or at_joints, _ROTATIONS * 6))
        self.shape_out = nn.Sequential(nn.Linear(hidden or mean, 10))
        self.cam_out = nn.Sequential(nn.Linear(hidden or mean, 3))

    def forward(self, features: Tensor, joints: Tensor) -> HandPose:
        """Read the hand from features (N, C, 8, 8) and joints (N, 21, 3) in volume cells."""
        mean = features.mean(dim=(2, 3))
        at_joints = _at_joints(self.conv(features), joints)
        if self.hidden is not None:
            at_joints = mean = self.hidden(torch.cat([at_joints, mean], dim=1))
        root = self._axis_angle(in_full(self.root_pose_out, at_joints))
        fingers = in_full(self.pose_out, at_joints).reshape(-1, _ROTATIONS, 6)
        return HandPose(
            root,
            self._axis_angle(fingers).flatten(1),
            in_full(self.shape_out, mean),
            self._virtual_wrist(in_full(self.cam_out, mean)),
        )

    def _axis_angle(self, six: Tensor) -> Tensor:
        return axis_angle_from_matrix(matrix_from_6d(six), self.axis_angle)

    def _virtual_wrist(self, raw: Tensor) -> Tensor:
        depth = self.spaces.virtual_depth_m * torch.sigmoid(raw[:, 2:])
        return torch.cat([raw[:, :2], depth], dim=1)


class KindNet(nn.Module):
    """What a crop shows: a right hand, as it should; a left one, not mirrored; or no hand."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        features, width = variant.hand_features, variant.rotation_width
        self.conv = conv_bn_relu(features, width, kernel=1)
        inputs = JOINT_COUNT * (width + 3) + features
        self.hidden = _hidden_layer(inputs, variant.kind_hidden)
        self.out = nn.Sequential(nn.Linear(variant.kind_hidden, KINDS))

    def forward(self, features: Tensor, joints: Tensor) -> Tensor:
        """Return logits (N, KINDS) of features (N, C, H, W) and joints (N, 21, 3) in cells."""
        at_joints = _at_joints(self.conv(features), joints)
        hidden = self.hidden(torch.cat([at_joints, features.mean(dim=(2, 3))], dim=1))
        return in_full(self.out, hidden)


def _at_joints(features: Tensor, joints: Tensor) -> Tensor:
    """Return features (N, C, H, W) at joints (N, 21, 3) and these: (N, 21 (C + 3))."""
    at_joints = sample_features(features, joints[..., :2])
    return torch.cat([at_joints, joints], dim=2).flatten(1)


def _hidden_layer(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(inplace=True))
