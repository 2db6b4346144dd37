"""The original's flow over whole batches, and its test-mode outputs, key by key, for parity.

The live pipeline takes what it needs from the networks itself; training and evaluation take the
forward pass. The dictionary is that of NETWORKS.md section 12, with the rendering cameras that
only the original's pictures use.
"""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.geometry import crops, mirror
from interwild_ros.geometry.spaces import apply_affine
from interwild_ros.geometry.weak_perspective import fit_weak_perspective
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.networks.detectnet import Detections
from interwild_ros.networks.interwild import HandReadings, InterWild
from interwild_ros.pipeline.posing import pose_hands, PosedHands
import torch
from torch import Tensor
import torch.nn.functional as F


class ForwardPass(NamedTuple):
    """Everything between B pictures and their meshes; of 2B hands the right ones come first.

    `crop_from_input` and `input_from_crop` (2B, 2, 3) belong to the un-mirrored crops;
    `left_from_right_m` (B, 3).
    """

    detections: Detections
    crop_from_input: Tensor
    input_from_crop: Tensor
    readings: HandReadings
    left_from_right_m: Tensor
    posed: PosedHands


def forward_pass(networks: InterWild, hand_models: HandPair, pictures: Tensor) -> ForwardPass:
    """Run everything on pictures (B, 3, 512, 384), RGB 0..1, in the original's order."""
    detections = networks.detect(F.avg_pool2d(pictures, 2))
    boxes = networks.crop_boxes(detections).transpose(0, 1).flatten(0, 1)  # 2B x 4
    crop_from_input, input_from_crop = crops.crop_maps(boxes, networks.spaces)
    readings = networks.read_hands(_crops(networks, pictures, input_from_crop))
    relative = networks.relate(readings.joints, input_from_crop)
    posed = pose_hands(networks, hand_models, readings)
    return ForwardPass(detections, crop_from_input, input_from_crop, readings, relative, posed)


def official_outputs(
    networks: InterWild, hand_models: HandPair, pictures: Tensor
) -> dict[str, Tensor]:
    """Run everything on pictures (B, 3, 512, 384), RGB 0..1; see section 12 for the keys."""
    detections, _, input_from_crop, readings, relative, posed = forward_pass(
        networks, hand_models, pictures
    )
    pixels = networks.input_joints(readings.joints, input_from_crop)
    by_side = {
        'bbox': networks.hand_boxes(detections).transpose(0, 1).flatten(0, 1),
        'bbox_conf': detections.score.transpose(0, 1).flatten(),
        'joint_img': torch.cat([pixels, readings.joints[..., 2:]], dim=-1),
        'mano_mesh_cam': posed.vertices,
        'mano_joint_cam': posed.joints,
        'mano_root_pose': readings.pose.root,
        'mano_hand_pose': readings.pose.fingers,
        'mano_shape': readings.pose.betas,
        'root_cam': posed.wrist[:, 0],
    }
    outputs = {'img': pictures, 'rel_trans': relative}
    for name, rows in by_side.items():
        hand = 'hand_' if name.startswith('bbox') else ''
        outputs[f'r{hand}{name}'], outputs[f'l{hand}{name}'] = rows.chunk(2)
    return outputs | _rendering_cameras(networks, posed, input_from_crop, relative)


def _crops(networks: InterWild, pictures: Tensor, input_from_crop: Tensor) -> Tensor:
    side = networks.spaces.crop_px
    found = crops.sample(pictures.repeat(2, 1, 1, 1), input_from_crop, (side, side))
    right, left = found.chunk(2)
    return torch.cat([right, mirror.mirror_picture(left)])


def _rendering_cameras(
    networks: InterWild, posed: PosedHands, input_from_crop: Tensor, relative: Tensor
) -> dict[str, Tensor]:
    crop_px = networks.spaces.crop_from_volume(posed.projected)
    pixels = apply_affine(input_from_crop, crop_px)
    focal, principal = fit_weak_perspective(pixels, posed.joints + posed.wrist)
    right_wrist = posed.wrist.chunk(2)[0]
    # both hands together stand on the right wrist; the left virtual wrist is not used
    right, left = (posed.joints + right_wrist.repeat(2, 1, 1)).chunk(2)
    both = torch.cat([right, left + relative[:, None]], dim=1)
    focal_both, principal_both = fit_weak_perspective(torch.cat(pixels.chunk(2), dim=1), both)
    cameras = {'render_focal': focal_both, 'render_princpt': principal_both}
    for name, rows in (('focal', focal), ('princpt', principal)):
        cameras[f'render_r{name}'], cameras[f'render_l{name}'] = rows.chunk(2)
    return cameras
