"""The camera that took an annotated picture."""

from __future__ import annotations

from interwild_ros.config import Settings
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.records import Camera
from interwild_ros.train.annotations import Annotation


def camera_of(annotation: Annotation) -> Camera:
    """Return the camera of an annotation, or that of its fits.

    Where there is none, the one that the node takes, too, for pictures without a calibration.
    """
    width, height = annotation.image_size
    of_fits = (fit.camera for fit in annotation.fits if fit is not None)
    study = annotation.camera or next(of_fits, None)
    if study is None:
        return camera_from_fov(width, height, Settings().nominal_fov_deg)
    fx, fy, cx, cy = map(float, (*study.focal, *study.principal))
    if study.fisheye is None:
        return Camera(width, height, fx, fy, cx, cy)
    lens = tuple(study.fisheye.tolist())
    return Camera(width, height, fx, fy, cx, cy, 'equidistant', lens)
