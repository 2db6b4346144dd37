"""What training minimises: elementwise comparisons, and the sum of their means.

The names are those of NETWORKS.md section 15, so that logs can be laid beside the original's.
Elements that do not count are zero and stay in the mean's denominator.
"""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.geometry.spaces import apply_affine, Spaces
from interwild_ros.train.forward import Predictions
from interwild_ros.train.samples import by_hand, Targets, Validity
import torch
from torch import Tensor

IN_SPACE_WEIGHT = 10.0  # of what is in metres: a centimetre weighs as a tenth of a cell


class Losses(NamedTuple):
    """Elementwise losses of a batch, weighted and masked."""

    rhand_bbox_center: Tensor
    rhand_bbox_size: Tensor
    lhand_bbox_center: Tensor
    lhand_bbox_size: Tensor
    rel_trans: Tensor
    mano_pose: Tensor
    mano_shape: Tensor
    joint_cam: Tensor
    mano_mesh_cam: Tensor
    joint_img: Tensor
    mano_joint_img: Tensor
    joint_proj: Tensor


class CropJoints(NamedTuple):
    """Joint targets in predicted crops: (B, 42, 3) volume cells, and which count (B, 42, 1)."""

    cells: Tensor
    seen: Tensor


def compute_losses(
    found: Predictions, targets: Targets, valid: Validity, spaces: Spaces
) -> Losses:
    """Compare predictions with a batch of targets; runs in full precision under autocast."""
    with torch.autocast(found.pose.device.type, enabled=False):
        centres = _difference(found.box_centres, targets.box_centres, valid.boxes[..., None])
        sizes = _difference(found.box_sizes, targets.box_sizes, valid.boxes[..., None])
        annotated = into_crops(targets.joints, valid.joints_seen, found.crop_from_input, spaces)
        fitted = into_crops(
            targets.fit_joints, valid.fit_joints_seen, found.crop_from_input, spaces
        )
        has_3d = valid.has_3d[:, None, None]
        return Losses(
            *(centres[:, 0], sizes[:, 0], centres[:, 1], sizes[:, 1]),
            rel_trans=_difference(
                found.left_from_right_m, targets.left_from_right_m, valid.left_from_right
            ),
            mano_pose=_pose_difference(found.pose, targets.pose, valid.pose),
            mano_shape=_difference(found.betas, targets.betas, valid.betas),
            joint_cam=IN_SPACE_WEIGHT
            * _difference(found.joints_m, targets.joints_m, valid.joints * has_3d),
            mano_mesh_cam=IN_SPACE_WEIGHT
            * _difference(found.vertices_m, targets.vertices_m, valid.vertices),
            joint_img=_difference(
                found.joints, annotated.cells, _depth_counts_in_3d(annotated.seen, has_3d)
            ),
            # depths of fits count even where the sample has no truth in 3D (Q14)
            mano_joint_img=_difference(found.joints, fitted.cells, fitted.seen),
            joint_proj=_difference(found.projected, annotated.cells[..., :2], annotated.seen),
        )


def total(losses: Losses) -> Tensor:
    """Return the sum of the plain means."""
    return torch.stack(list(means(losses).values())).sum()


def means(losses: Losses) -> dict[str, Tensor]:
    """Return each loss's plain mean by its name."""
    return {name: loss.mean() for name, loss in losses._asdict().items()}


def into_crops(
    joints: Tensor, seen: Tensor, crop_from_input: Tensor, spaces: Spaces
) -> CropJoints:
    """Map joint targets into the crops that the detector chose.

    Joints that fall outside of their crop no longer count.

    :param joints: (B, 42, 3) x, y detector cells, z volume cells.
    :param seen: (B, 42, 1).
    :param crop_from_input: (B, 2, 2, 3) of the un-mirrored crops.
    """
    input_xy = spaces.input_from_body(spaces.body_from_cells(joints[..., :2]))
    crop_xy = apply_affine(crop_from_input, by_hand(input_xy)).flatten(1, 2)  # B x 42 x 2
    xy = spaces.volume_from_crop(crop_xy)
    inside = ((xy >= 0) & (xy < spaces.volume_cells)).all(-1, keepdim=True)
    return CropJoints(torch.cat([xy, joints[..., 2:]], dim=-1), seen * inside)


def _difference(found: Tensor, wanted: Tensor, counts: Tensor) -> Tensor:
    return (found - wanted).abs() * counts


def _pose_difference(found: Tensor, wanted: Tensor, counts: Tensor) -> Tensor:
    """Compare rotations (B, 96) as matrices (B, 32, 3, 3)."""
    rows = (len(found), -1, 3)
    found, wanted = (matrix_from_axis_angle(pose.reshape(rows)) for pose in (found, wanted))
    return _difference(found, wanted, counts[..., None, None])


def _depth_counts_in_3d(seen: Tensor, has_3d: Tensor) -> Tensor:
    """Return a mask (B, 42, 3) whose z counts only where there is truth in 3D."""
    return torch.cat([seen, seen, seen * has_3d], dim=-1)
