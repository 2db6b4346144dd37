"""The one home of mirroring: SHNet only ever sees right hands, so left ones pass through here.

Source: NETWORKS.md sections 6 and 9, Q4.
"""

from __future__ import annotations

from dataclasses import replace

from interwild_ros.geometry.spaces import Spaces
from interwild_ros.records import Camera, Frame
import numpy as np
import torch
from torch import Tensor


def mirror_picture(pictures: Tensor) -> Tensor:
    """Reverse the columns of (..., H, W)."""
    return pictures.flip(-1)


def mirror_volume_joints(joints: Tensor, spaces: Spaces) -> Tensor:
    """Map 2.5D joints (..., 3) between a crop and its mirror image.

    Crop columns mirror as u -> side - 1 - u. The virtual camera mirrors about its principal point
    instead (side - u), one crop pixel away; the original keeps both, and so do we (Q4).
    """
    x_px = spaces.crop_from_volume(joints[..., :1])
    x = spaces.volume_from_crop(spaces.crop_px - 1 - x_px)
    return torch.cat([x, joints[..., 1:]], dim=-1)


def mirror_axis_angle(axis_angle: Tensor) -> Tensor:
    """Map rotations (..., 3) to those of the world mirrored in x: (a, -b, -c)."""
    return torch.cat([axis_angle[..., :1], -axis_angle[..., 1:]], dim=-1)


def mirror_points(points: Tensor) -> Tensor:
    """Map points (..., 3) to the world mirrored in x."""
    return torch.cat([-points[..., :1], points[..., 1:]], dim=-1)


def mirror_columns(x: Tensor, width: int) -> Tensor:
    """Map column coordinates between a picture of this width in px and its mirror image."""
    return width - 1 - x


def mirror_left_from_right(left_from_right: Tensor) -> Tensor:
    """Map the left wrist minus the right one (..., 3) to that of the mirrored world.

    The hands exchange their sides there, so x keeps its sign and y and z change theirs.
    """
    return -mirror_points(left_from_right)


def mirror_frame(frame: Frame) -> Frame:
    """Undo the mirroring of a selfie picture: the pictures and the camera, mirrored about x."""
    image = np.ascontiguousarray(frame.image[:, ::-1])
    depth_m = None if frame.depth_m is None else np.ascontiguousarray(frame.depth_m[:, ::-1])
    return replace(frame, image=image, camera=mirror_camera(frame.camera), depth_m=depth_m)


def mirror_camera(camera: Camera) -> Camera:
    """Return the camera that sees the mirrored picture.

    The principal point moves to the other side, and of OpenCV's distortion terms those odd in x
    change their sign: p2, s1, s2 and tau_y.
    """
    coefficients = list(camera.distortion)
    if camera.distortion_model in ('plumb_bob', 'rational_polynomial'):
        for odd in (3, 8, 9, 13):
            if odd < len(coefficients):
                coefficients[odd] = -coefficients[odd]
    return replace(camera, cx=camera.width - 1 - camera.cx, distortion=tuple(coefficients))
