"""Hand model fits as meshes and joints in the picture's camera, mirrored and turned with it.

The order of the steps is the original's, and it matters: the world's rotation goes into the pose
before mirroring, and a mirrored hand is posed with the other side's model.
Source: NETWORKS.md section 16, get_mano_data and transform_mano_data.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from interwild_ros.geometry import camera, mirror
from interwild_ros.geometry.rotations import about_viewing_axis, with_turned_wrist
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.records import Camera, JOINT_COUNT, Side
from interwild_ros.train.annotations import ManoFit
import torch
from torch import Tensor

Fits = tuple[ManoFit | None, ManoFit | None]


class PosedFits(NamedTuple):
    """Both hands, right first; zeros where `present` (2,) is 0.

    `joints_px` (2, 21, 2) of the picture; `joints_m` (2, 21, 3) and `vertices_m` (2, 778, 3) in
    the camera; `pose` (2, 48) axis-angle rad and `betas` (2, 10) as they are seen there.
    """

    joints_px: Tensor
    joints_m: Tensor
    vertices_m: Tensor
    pose: Tensor
    betas: Tensor
    present: Tensor


def pose_fits(
    fits: Fits, hand_models: HandPair, image_size: tuple[int, int], *, is_mirrored: bool
) -> PosedFits:
    """Pose fits, right first, for a picture of this width and height, mirrored or not."""
    seen = tuple(_turned_into_camera(fit) for fit in fits)
    if is_mirrored:
        seen = tuple(_mirrored(fit) for fit in reversed(seen))
    pose, betas = _rows(seen, 'pose', 48), _rows(seen, 'shape', 10)
    points = _model_points(hand_models, pose, betas) + _rows(seen, 'trans', 3)[:, None]
    placed = torch.stack(
        [
            _placed(points[side], fit, image_size[0], is_mirrored=is_mirrored)
            for side, fit in zip(Side, seen, strict=True)
        ]
    )
    joints = placed[:, :JOINT_COUNT]
    return PosedFits(
        joints_px=torch.stack(
            [_pixels(*hand, image_size) for hand in zip(joints, seen, strict=True)]
        ),
        joints_m=joints,
        vertices_m=placed[:, JOINT_COUNT:],
        pose=pose,
        betas=betas,
        present=torch.tensor([float(fit is not None) for fit in seen], dtype=torch.float64),
    )


def turned(posed: PosedFits, turn_rad: float) -> PosedFits:
    """Turn wrist-relative hands and their root rotations about the viewing axis."""
    rotation = about_viewing_axis(torch.tensor(turn_rad, dtype=torch.float64))
    return posed._replace(
        joints_m=posed.joints_m @ rotation.T,
        vertices_m=posed.vertices_m @ rotation.T,
        pose=with_turned_wrist(posed.pose, rotation),
    )


def relative_to_wrists(posed: PosedFits) -> PosedFits:
    """Move each hand's wrist to the origin."""
    wrists = posed.joints_m[:, :1]
    return posed._replace(joints_m=posed.joints_m - wrists, vertices_m=posed.vertices_m - wrists)


def _turned_into_camera(fit: ManoFit | None) -> ManoFit | None:
    if fit is None or fit.camera.rotation is None:
        return fit
    pose = torch.as_tensor(fit.pose, dtype=torch.float64)
    rotation = torch.as_tensor(fit.camera.rotation, dtype=torch.float64)
    return replace(fit, pose=with_turned_wrist(pose, rotation).numpy())


def _mirrored(fit: ManoFit | None) -> ManoFit | None:
    """Return a fit of the other side's model; its camera still sees the picture as it was."""
    if fit is None:
        return None
    pose = torch.as_tensor(fit.pose, dtype=torch.float64).reshape(-1, 3)
    translation = torch.as_tensor(fit.trans, dtype=torch.float64)
    return replace(
        fit,
        pose=mirror.mirror_axis_angle(pose).flatten().numpy(),
        trans=mirror.mirror_points(translation).numpy(),
    )


def _rows(fits: tuple[ManoFit | None, ...], name: str, count: int) -> Tensor:
    """Return one array of each fit in rows (2, count), zeros for an absent one."""
    rows = (torch.zeros(count) if fit is None else getattr(fit, name) for fit in fits)
    return torch.stack([torch.as_tensor(row, dtype=torch.float64) for row in rows])


def _model_points(hand_models: HandPair, pose: Tensor, betas: Tensor) -> Tensor:
    """Return joints, then vertices (2, 799, 3) in model space."""
    precision = hand_models.joint_regressor.dtype
    with torch.no_grad():
        vertices, joints = hand_models(pose.to(precision), betas.to(precision))
        return torch.cat([joints, vertices], dim=1).double()


def _placed(points: Tensor, fit: ManoFit | None, width: int, *, is_mirrored: bool) -> Tensor:
    """Move a posed hand, wrist first, to where the picture's camera sees it."""
    if fit is None:
        return torch.zeros_like(points)
    camera = fit.camera
    if is_mirrored:
        points = _shifted_in_x(points, -2 * points[0, 0])  # back to the place before mirroring
    if camera.rotation is not None and camera.translation_m is not None:
        # the pose has turned the hand already: only its wrist still has to move
        rotation = torch.as_tensor(camera.rotation, dtype=torch.float64)
        shift = torch.as_tensor(camera.translation_m, dtype=torch.float64)
        points = points - points[0] + rotation @ points[0] + shift
    if is_mirrored:
        # about the picture's middle column, at the wrist's depth
        off_centre = (width - 1) / 2 - float(camera.principal[0])
        at_wrist = 2 * off_centre / float(camera.focal[0]) * points[0, 2]
        points = _shifted_in_x(points, at_wrist - 2 * points[0, 0])
    return points


def _shifted_in_x(points: Tensor, shift: Tensor) -> Tensor:
    return points + torch.stack([shift, torch.zeros_like(shift), torch.zeros_like(shift)])


def _pixels(points: Tensor, fit: ManoFit | None, image_size: tuple[int, int]) -> Tensor:
    """Project points (K, 3); NaN where the camera does not see them, zeros without a fit."""
    if fit is None:
        return torch.zeros_like(points[:, :2])
    study = fit.camera
    lens = () if study.fisheye is None else tuple(map(float, study.fisheye))
    seen_by = Camera(
        *image_size,
        fx=float(study.focal[0]),
        fy=float(study.focal[1]),
        cx=float(study.principal[0]),
        cy=float(study.principal[1]),
        distortion_model='equidistant' if lens else 'none',
        distortion=lens,
    )
    return torch.from_numpy(camera.project(seen_by, points.numpy()))
