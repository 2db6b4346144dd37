"""The three networks of InterWild (Moon, CVPR 2023) under the names of the official checkpoint.

Paper: DetectNet = body_*; SHNet = hand_roi, hand_position, hand_rotation; TransNet = hand_trans.
Our own: hand_kind and body_roi, in variants that have them.
In every batch of hands the right hands come first, then the left ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from interwild_ros.geometry import crops, mirror
from interwild_ros.geometry.rotations import AxisAngle
from interwild_ros.geometry.spaces import apply_affine
from interwild_ros.networks.detectnet import BoxNet, Candidates, Detections
from interwild_ros.networks.resnet import Trunk
from interwild_ros.networks.roi_net import RoiNet
from interwild_ros.networks.shnet import HandPose, HandRoiNet, KindNet, PositionNet, RotationNet
from interwild_ros.networks.transnet import TransNet
from interwild_ros.networks.variants import Variant
from interwild_ros.records import JOINT_COUNT
import torch
from torch import nn, Tensor


class HandReadings(NamedTuple):
    """What SHNet reads from N = 2B crops, left hands turned back from the mirror.

    `joints` (N, 21, 3) volume cells; `pose` the MANO parameters of each hand's own model; depths
    and the wrists' rotations are in the axes that `Spaces.along_sight` says;
    `kinds` (N, KINDS) how likely it is the hand that it should be, the other one, or none; None of
    networks that do not say it.
    """

    joints: Tensor
    pose: HandPose
    kinds: Tensor | None = None


class InterWild(nn.Module):
    """Detect, read each hand, relate the two: three calls, in this order."""

    def __init__(self, variant: Variant, *, axis_angle: AxisAngle | None = None) -> None:
        """Build untrained networks.

        :param variant: their sizes.
        :param axis_angle: see `rotations.axis_angle_from_matrix`; None takes the variant's own.
        """
        super().__init__()
        self.variant = variant
        self.spaces = variant.spaces
        self.body_backbone = Trunk(variant.body)
        self.body_box_net = BoxNet(variant)
        self.hand_roi_net = HandRoiNet(variant)
        self.hand_position_net = PositionNet(variant)
        self.hand_rotation_net = RotationNet(variant, axis_angle or variant.axis_angle)
        self.hand_trans_net = TransNet(variant)
        self.hand_kind_net = KindNet(variant) if variant.kind_hidden else None
        self.body_roi_net = RoiNet(variant) if variant.roi_hidden else None

    def detect(self, body_pictures: Tensor) -> Detections:
        """Find both hands in pictures (B, 3, H, W) of `Spaces.body_size`, RGB 0..1."""
        detections: Detections = self.body_box_net(self.body_backbone.stages(body_pictures))
        return detections

    def propose(self, body_pictures: Tensor, count: int) -> Candidates:
        """Find places of hands of either side in pictures, see `detect`."""
        maps = self.body_box_net.centre_logits(self.body_backbone.stages(body_pictures))
        return self.places(*maps, count)

    def places(self, fine: Tensor, logits: Tensor, count: int) -> Candidates:
        """Read places of hands off what `BoxNet.centre_logits` returns."""
        found = self.body_box_net.candidates(fine, logits, count)
        return found if self.body_roi_net is None else self.body_roi_net.looked_at(fine, found)

    def hand_boxes(self, detections: Detections) -> Tensor:
        """Return the reported boxes (B, 2, 4) in body px (Q9)."""
        centre = self.spaces.body_from_cells(detections.centre)
        size = self.spaces.body_from_cells(detections.size)
        return crops.corners_from_centre(centre, size)

    def crop_boxes(self, detections: Detections) -> Tensor:
        """Return the squares (B, 2, 4), input px, that are cut for SHNet; without gradient."""
        boxes = self.hand_boxes(detections).detach().reshape(-1, 2, 2, 2)
        return self.around(self.spaces.input_from_body(boxes).flatten(-2))

    def around(self, hand_boxes: Tensor) -> Tensor:
        """Return the squares (..., 4) to cut about boxes of hands (..., 4), input px both."""
        return crops.enlarged(crops.squared(hand_boxes), self.spaces.crop_box_scale)

    def read_hands(self, hand_crops: Tensor) -> HandReadings:
        """Read the hands from square crops (2B, 3, S, S): right ones, then MIRRORED left ones."""
        return self.unmirror_left(self.read_as_right(self.hand_roi_net(hand_crops)))

    def read_as_right(self, features: Tensor) -> HandReadings:
        """Read the features (N, C, H, W) of crops that all show right hands, or seem to."""
        joints = self.hand_position_net(features)
        pose = self.hand_rotation_net(features, joints.detach())
        kinds = None
        if self.hand_kind_net is not None:
            kinds = self.hand_kind_net(features, joints.detach()).softmax(dim=1)
        return HandReadings(joints, pose, kinds)

    def input_joints(self, joints: Tensor, input_from_crop: Tensor) -> Tensor:
        """Map joints (2B, 21, 3), volume cells, to input px (2B, 21, 2)."""
        return apply_affine(input_from_crop, self.spaces.crop_from_volume(joints[..., :2]))

    def relate(self, joints: Tensor, input_from_crop: Tensor) -> Tensor:
        """Return left wrist minus right wrist (B, 3) in metres, see `Spaces.along_sight`.

        :param joints: (2B, 21, 3) volume cells, un-mirrored.
        :param input_from_crop: (2B, 2, 3) of the un-mirrored crops.
        """
        out: Tensor = self.hand_trans_net(
            joints.detach().reshape(2, -1, JOINT_COUNT, 3), input_from_crop.reshape(2, -1, 2, 3)
        )
        return out

    def unmirror_left(self, readings: HandReadings) -> HandReadings:
        """Turn the second half of 2B hands, read as right ones, back into left ones."""
        joints, pose, kinds = readings
        right, left = joints.chunk(2)
        joints = torch.cat([right, mirror.mirror_volume_joints(left, self.spaces)])
        root = _second_half(pose.root, mirror.mirror_axis_angle)
        fingers = pose.fingers.reshape(-1, 15, 3)
        fingers = _second_half(fingers, mirror.mirror_axis_angle).flatten(1)
        wrist = _second_half(pose.virtual_wrist_m, mirror.mirror_points)
        return HandReadings(joints, HandPose(root, fingers, pose.betas, wrist), kinds)


def _second_half(rows: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    right, left = rows.chunk(2)
    return torch.cat([right, change(left)])
