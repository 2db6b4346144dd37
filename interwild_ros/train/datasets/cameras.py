"""From world points to pixels through study cameras, one at a time or a stack of them.

A StudyCamera whose arrays have a leading axis is a stack: data sets keep one for all cameras.
"""

from __future__ import annotations

from interwild_ros.geometry.lens import distort
from interwild_ros.records import Array
from interwild_ros.train.annotations import StudyCamera
from interwild_ros.train.datasets.entries import Entries
import numpy as np

M_PER_MM = 1e-3


def picked(cameras: StudyCamera, rows: int | Array) -> StudyCamera:
    """Return one camera of a stack, or a stack with a camera for each row."""
    return StudyCamera(
        focal=cameras.focal[rows],
        principal=cameras.principal[rows],
        rotation=None if cameras.rotation is None else cameras.rotation[rows],
        translation_m=None if cameras.translation_m is None else cameras.translation_m[rows],
        fisheye=None if cameras.fisheye is None else cameras.fisheye[rows],
    )


def into_camera(camera: StudyCamera, world_m: Array) -> Array:
    """Return world points (..., N, 3) m in the frame of their camera."""
    if camera.rotation is None or camera.translation_m is None:
        return world_m
    turned = world_m @ np.swapaxes(camera.rotation, -1, -2)
    return np.asarray(turned + camera.translation_m[..., None, :])


def onto_picture(camera: StudyCamera, points_cam_m: Array) -> Array:
    """Return the px (..., N, 2) of points (..., N, 3), none of which has depth 0.

    As data sets do it, points behind the camera get a pixel as well. A fisheye takes one camera.
    """
    ideal = points_cam_m[..., :2] / points_cam_m[..., 2:]
    if camera.fisheye is not None:
        ideal = distort('equidistant', tuple(map(float, camera.fisheye)), ideal)
    return np.asarray(ideal * camera.focal[..., None, :] + camera.principal[..., None, :])


def read_cameras(entries: Entries, *, fisheye: bool = False) -> StudyCamera:
    """Return the stack of cameras of JSON entries with R, t (mm), focal, princpt, and D.

    :raises AssetError: when an entry lacks a key or has other numbers.
    """
    return StudyCamera(
        focal=entries.numbers('focal', 2),
        principal=entries.numbers('princpt', 2),
        rotation=entries.numbers('R', 3, 3),
        translation_m=entries.numbers('t', 3) * M_PER_MM,
        fisheye=entries.numbers('D', 4) if fisheye else None,
    )
