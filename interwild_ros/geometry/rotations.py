"""Rotations in the forms that the networks and MANO use; all maps are differentiable.

Sources: Zhou et al. 2019 (6D), NETWORKS.md section 8. Angles are radians.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
import torch.nn.functional as F

AxisAngle = Literal['legacy', 'canonical']
_TINY = 1e-12
_NAMED: dict[str, AxisAngle] = {'legacy': 'legacy', 'canonical': 'canonical'}


def convention_named(setting: str) -> AxisAngle | None:
    """Return the convention that a setting asks for; None for `auto`, the variant's own."""
    return _NAMED.get(setting)


def matrix_from_6d(six: Tensor) -> Tensor:
    """Make rotation matrices (..., 3, 3) of two unnormalised ROWS (..., 6)."""
    first = F.normalize(six[..., :3], dim=-1, eps=_TINY)
    second = six[..., 3:]
    second = second - (first * second).sum(-1, keepdim=True) * first
    second = F.normalize(second, dim=-1, eps=_TINY)
    third = torch.linalg.cross(first, second, dim=-1)
    return torch.stack([first, second, third], dim=-2)


def quaternion_from_matrix(matrix: Tensor) -> Tensor:
    """Return quaternions (..., 4), w first, whose largest component is positive.

    The largest of |w|, |x|, |y|, |z| is the pivot that the others are divided by, so no angle
    loses precision.
    """
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = matrix.flatten(-2).unbind(-1)
    squares = torch.stack(
        [
            1 + m00 + m11 + m22,
            1 + m00 - m11 - m22,
            1 - m00 + m11 - m22,
            1 - m00 - m11 + m22,
        ],
        dim=-1,
    ).clamp(min=0)
    wx, wy, wz = m21 - m12, m02 - m20, m10 - m01
    xy, xz, yz = m10 + m01, m02 + m20, m12 + m21
    w2, x2, y2, z2 = squares.unbind(-1)
    candidates = torch.stack(
        [
            torch.stack([w2, wx, wy, wz], -1),
            torch.stack([wx, x2, xy, xz], -1),
            torch.stack([wy, xy, y2, yz], -1),
            torch.stack([wz, xz, yz, z2], -1),
        ],
        dim=-2,
    )
    pivot = squares.argmax(-1)[..., None]
    chosen = torch.gather(candidates, -2, pivot[..., None].expand(*pivot.shape, 4))[..., 0, :]
    return chosen / (2 * torch.sqrt(torch.gather(squares, -1, pivot)))


def axis_angle_from_quaternion(quaternion: Tensor) -> Tensor:
    """Map quaternions (..., 4), w first, to axis-angle (..., 3); w < 0 gives angles above pi."""
    w, xyz = quaternion[..., :1], quaternion[..., 1:]
    half = torch.atan2(torch.linalg.vector_norm(xyz, dim=-1, keepdim=True), w)
    return xyz / (0.5 * _sine_by_angle(half))


def _sine_by_angle(angle: Tensor) -> Tensor:
    """Return sin x / x, 1 at 0: `torch.sinc` is unknown to other engines."""
    is_zero = angle == 0
    return torch.where(is_zero, 1.0, angle.sin() / torch.where(is_zero, 1.0, angle))


def axis_angle_from_matrix(matrix: Tensor, convention: AxisAngle = 'canonical') -> Tensor:
    """Map rotation matrices (..., 3, 3) to axis-angle (..., 3).

    Both conventions describe the same rotation. They differ where the angle can pass pi, and that
    matters because MANO's mean pose is ADDED to the axis-angle (NETWORKS.md Q3).

    :param convention: 'canonical' keeps angles up to pi, as PyTorch3D since 0.7.6; 'legacy' lets
        them reach 3/2 pi, as the PyTorch3D with which the released weights were trained.
    """
    quaternion = quaternion_from_matrix(matrix)
    if convention == 'canonical':
        quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    return axis_angle_from_quaternion(quaternion)


def matrix_from_axis_angle(axis_angle: Tensor) -> Tensor:
    """Map axis-angle (..., 3) to rotation matrices (..., 3, 3) by Rodrigues' formula."""
    angle = torch.linalg.vector_norm(axis_angle, dim=-1, keepdim=True)[..., None]
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1)
    cross = cross.reshape(*axis_angle.shape, 3)
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    by_sine = torch.sinc(angle / torch.pi)
    by_cosine = torch.sinc(angle / (2 * torch.pi)) ** 2 / 2
    matrix: Tensor = identity + by_sine * cross + by_cosine * (cross @ cross)
    return matrix


def with_turned_wrist(pose: Tensor, turn: Tensor) -> Tensor:
    """Return poses (..., 48), axis-angle, of hands that are turned as a whole by (..., 3, 3)."""
    root = turn @ matrix_from_axis_angle(pose[..., :3])
    return torch.cat([axis_angle_from_matrix(root), pose[..., 3:]], dim=-1)


def about_viewing_axis(turns: Tensor) -> Tensor:
    """Return the rotations (..., 3, 3) of turns (...) rad, clockwise as a picture is seen."""
    return matrix_from_axis_angle(F.pad(turns[..., None], (2, 0)))
