"""The virtual camera of a hand crop, and the weak-perspective camera fitted to its picture.

The virtual camera (focal length 5000 px) is no real one: metres along its axis mean nothing. It
ties the mesh to the crop in training, and the fit reproduces the original's rendering outputs.
Source: NETWORKS.md sections 10.7 and 12.
"""

from __future__ import annotations

from interwild_ros.geometry.spaces import FOCAL_VIRTUAL_PX, Spaces
from torch import Tensor

_TINY_DEPTH_M = 1e-4  # the original's guard against division by zero; it shifts results (Q5)


def volume_from_virtual(points: Tensor, spaces: Spaces) -> Tensor:
    """Project points (..., 3), metres in a crop's virtual camera, to volume cells (..., 2)."""
    depth = points[..., 2:] + _TINY_DEPTH_M
    crop_px = points[..., :2] / depth * FOCAL_VIRTUAL_PX + spaces.crop_centre_px
    return spaces.volume_from_crop(crop_px)


def fit_weak_perspective(pixels: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Return focal (B, 2) and principal point (B, 2) with pixels = focal * points + principal.

    Extents give the focal length and means the principal point, as in the original.

    :param pixels: (B, K, 2) px.
    :param points: (B, K, 3) metres; z is not used.
    """
    xy = points[..., :2]
    focal = (pixels.amax(1) - pixels.amin(1)) / (xy.amax(1) - xy.amin(1))
    principal = pixels.mean(1) - (xy * focal[:, None]).mean(1)
    return focal, principal
