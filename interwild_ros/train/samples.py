"""What one sample holds for the networks: a picture, what they should say, and what counts.

The names of NETWORKS.md section 16 stand in brackets. A batch is the same record with one
dimension more in front; torch's default collation makes it. Right hands come first everywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Targets(NamedTuple):
    """What the networks should say.

    * `box_centres`, `box_sizes` (2, 2): detector cells [{r,l}hand_bbox_{center,size}]
    * `joints` (42, 3): x, y detector cells, z volume cells, annotated [joint_img]
    * `fit_joints` (42, 3): the same of the projected hand model fits [mano_joint_img]
    * `joints_m` (42, 3) relative to the own wrist, camera axes [joint_cam]
    * `vertices_m` (1556, 3) likewise [mano_mesh_cam]
    * `left_from_right_m` (3,) [rel_trans]
    * `pose` (96,) axis-angle rad, 48 of each hand [mano_pose]; `betas` (20,) [mano_shape]
    """

    box_centres: Tensor
    box_sizes: Tensor
    joints: Tensor
    fit_joints: Tensor
    joints_m: Tensor
    vertices_m: Tensor
    left_from_right_m: Tensor
    pose: Tensor
    betas: Tensor


class Validity(NamedTuple):
    """Which targets count: 1.0 or 0.0 each.

    * `boxes` (2,) [{r,l}hand_bbox_valid]
    * `joints` (42, 1) annotated at all [joint_valid]; `joints_seen` (42, 1) and inside the
      detector's volume [joint_trunc]; `fit_joints_seen` (42, 1) [mano_joint_trunc]
    * `vertices` (1556, 1), `left_from_right` (1,), `pose` (32,) a rotation, `betas` (20,)
    * `has_3d` (): whether depths and `joints_m` are truth [is_3D]
    """

    boxes: Tensor
    joints: Tensor
    joints_seen: Tensor
    fit_joints_seen: Tensor
    vertices: Tensor
    left_from_right: Tensor
    pose: Tensor
    betas: Tensor
    has_3d: Tensor


class Sample(NamedTuple):
    """`picture` (3, 512, 384) RGB 0..1; `image_from_input` (2, 3) px [bb2img_trans].

    The image is the original picture; mirrored, where the augmentation mirrors.
    """

    picture: Tensor
    targets: Targets
    validity: Validity
    image_from_input: Tensor


def on_device(sample: Sample, device: torch.device) -> Sample:
    """Copy a sample or batch to a device, without waiting where its memory is pinned."""
    return Sample(
        picture=sample.picture.to(device, non_blocking=True),
        targets=Targets(*(t.to(device, non_blocking=True) for t in sample.targets)),
        validity=Validity(*(v.to(device, non_blocking=True) for v in sample.validity)),
        image_from_input=sample.image_from_input.to(device, non_blocking=True),
    )


def by_hand(pairs: Tensor) -> Tensor:
    """Split pairs (..., 2 K, C) into hands (..., 2, K, C), right ones first."""
    return torch.stack(pairs.chunk(2, dim=-2), dim=-3)


def swap_hands(pairs: Tensor) -> Tensor:
    """Exchange the halves of pairs (2 K, ...): right rows become left rows."""
    return pairs.roll(len(pairs) // 2, dims=0)
