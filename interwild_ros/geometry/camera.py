"""The camera model: from numbers to a Camera, and between pixels and rays.

Pixel centres have integer coordinates. Distortion is undone on points; pictures are never
resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
import math

from interwild_ros.compiled import compiled
from interwild_ros.errors import InputError
from interwild_ros.geometry.lens import distort, undistort
from interwild_ros.records import Array, Camera, DISTORTION_COUNTS
import numpy as np

# Names beside OpenCV's own and sensor_msgs/distortion_models: fisheye is what camera_calibration
# calls equidistant, and a thin prism is the rational polynomial with four coefficients more.
_MODEL_ALIASES = {
    'fisheye': 'equidistant',
    'thin_prism': 'rational_polynomial',
    '': 'none',
}
_POLYNOMIALS = ('plumb_bob', 'rational_polynomial')


def camera_from_fov(width: int, height: int, fov_deg: float) -> Camera:
    """Make up a camera from a horizontal field of view: a pinhole with square pixels.

    The principal point is the picture's centre, and half the width (edge of the outermost pixel)
    is seen under half the angle.

    :raises InputError: `bad_camera`, for an angle that no pinhole has or an empty picture.
    """
    if not 0 < fov_deg < 180:
        raise InputError('bad_camera', f'field of view is {fov_deg} deg, wanted 0 to 180')
    focal_px = 0.5 * width / math.tan(math.radians(fov_deg) / 2)
    return Camera(
        width=width,
        height=height,
        fx=focal_px,
        fy=focal_px,
        cx=(width - 1) / 2,
        cy=(height - 1) / 2,
        nominal=True,
    )


def camera_from_info(
    *,
    width: int,
    height: int,
    K: Sequence[float],
    D: Sequence[float],
    P: Sequence[float],
    distortion_model: str,
    image_size: tuple[int, int],
    roi: tuple[int, int, int, int] = (0, 0, 0, 0),
    binning: tuple[int, int] = (0, 0),
    rectified: bool = False,
) -> Camera:
    """Make a camera from the fields of sensor_msgs/CameraInfo, for the picture as received.

    The calibration is that of the full sensor; the region of interest is cut out first (offsets
    in full-resolution px), then pixels are binned: K' = (K - offset) / binning, as image_geometry
    has it in C++ and Python. (Seen from averaged pixel centres that is off by
    (binning - 1) / (2 binning) px, but every ROS node rests on the same numbers.)

    As in image_geometry, `do_rectify` and the baseline in P's last column have no effect: points
    are relative to this camera's own centre.

    :param width: width of the calibrated picture, px; `height` likewise.
    :param K: 9 numbers, row-major: intrinsics of the raw picture.
    :param P: 12 numbers, row-major: its left 3 x 3 are the intrinsics of the rectified picture.
    :param image_size: width and height of the picture as received, px.
    :param roi: x, y, width, height in px of the full picture; 0 x 0 is all of it.
    :param binning: pixels combined in x and y; 0 means 1.
    :param rectified: the picture is rectified: P holds, and there is no distortion.
    :raises InputError: `bad_camera` for numbers that no camera has, `camera_size` when the
        picture has another size than ROI and binning give.
    """
    focal_x, center_x, focal_y, center_y = _intrinsics(P if rectified else K, rectified)
    x, y, roi_width, roi_height = _full_roi(width, height, roi)
    bin_x, bin_y = max(1, binning[0]), max(1, binning[1])
    _check_size(image_size, (roi_width / bin_x, roi_height / bin_y))
    model, coefficients = ('none', ()) if rectified else _lens(distortion_model, D)
    return Camera(
        width=image_size[0],
        height=image_size[1],
        fx=focal_x / bin_x,
        fy=focal_y / bin_y,
        cx=(center_x - x) / bin_x,
        cy=(center_y - y) / bin_y,
        distortion_model=model,
        distortion=coefficients,
    )


def undistort_px(camera: Camera, px: Array) -> Array:
    """Return the rays through pixels.

    :param px: (N, 2) px of the image.
    :return: (N, 2) x/z and y/z without distortion; NaN where the lens shows no point in front
        of the camera. Accurate to 1e-6 px when projected back.
    """
    px = np.ascontiguousarray(px, np.float64).reshape(-1, 2)
    shown = np.empty(px.shape)
    _write_shown(px, camera.fx, camera.fy, camera.cx, camera.cy, shown)
    return undistort(camera.distortion_model, camera.distortion, shown)


def project(camera: Camera, points: Array) -> Array:
    """Return the pixels that show points.

    :param points: (N, 3) in the camera's optical frame, any unit.
    :return: (N, 2) px of the image, also outside of it; NaN for points that are not in front of
        the camera.
    """
    points = np.ascontiguousarray(points, np.float64).reshape(-1, 3)
    ideal, px = np.empty((len(points), 2)), np.empty((len(points), 2))
    _write_ideal(points, ideal)
    shown = distort(camera.distortion_model, camera.distortion, ideal)
    _write_px(shown, camera.fx, camera.fy, camera.cx, camera.cy, px)
    return px


@compiled
def _write_shown(px: Array, fx: float, fy: float, cx: float, cy: float, shown: Array) -> None:
    for row in range(len(px)):
        shown[row, 0] = (px[row, 0] - cx) / fx
        shown[row, 1] = (px[row, 1] - cy) / fy


@compiled
def _write_px(shown: Array, fx: float, fy: float, cx: float, cy: float, px: Array) -> None:
    for row in range(len(px)):
        px[row, 0] = shown[row, 0] * fx + cx
        px[row, 1] = shown[row, 1] * fy + cy


@compiled
def _write_ideal(points: Array, ideal: Array) -> None:
    for row in range(len(points)):
        depth = points[row, 2] if points[row, 2] > 0 else math.nan
        for axis in range(2):
            ideal[row, axis] = points[row, axis] / depth


def _intrinsics(matrix: Sequence[float], rectified: bool) -> tuple[float, float, float, float]:
    """Return fx, cx, fy, cy of row-major K (9) or P (12)."""
    name, count, columns = ('P', 12, 4) if rectified else ('K', 9, 3)
    if len(matrix) != count:
        raise InputError('bad_camera', f'{name} has {len(matrix)} numbers, wanted {count}')
    fx, cx, fy, cy = (float(matrix[i]) for i in (0, 2, columns + 1, columns + 2))
    for index, focal in ((0, fx), (columns + 1, fy)):
        if not (math.isfinite(focal) and focal > 0):
            raise InputError(
                'bad_camera',
                f'focal length {name}[{index}] is {focal}, wanted finite and above 0 px',
            )
    return fx, cx, fy, cy


def _full_roi(
    width: int, height: int, roi: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """Return the region of interest, with 0 x 0 replaced by the full picture."""
    if width <= 0 or height <= 0:
        raise InputError('bad_camera', f'camera_info is {width} x {height} px, wanted positive')
    if not any(roi):
        return 0, 0, width, height
    x, y, roi_width, roi_height = roi
    inside = x >= 0 and y >= 0 and x + roi_width <= width and y + roi_height <= height
    if roi_width <= 0 or roi_height <= 0 or not inside:
        raise InputError(
            'bad_camera',
            f'region of interest is {roi_width} x {roi_height} px at ({x}, {y}), '
            f'wanted one inside {width} x {height} px',
        )
    return roi


def _check_size(image_size: tuple[int, int], wanted: tuple[float, float]) -> None:
    """Refuse another picture size; drivers round an odd size halved up or down, both are right."""
    if not all(abs(found - want) < 1 for found, want in zip(image_size, wanted, strict=True)):
        raise InputError(
            'camera_size',
            f'image is {image_size[0]} x {image_size[1]} px, camera_info (after region of '
            f'interest and binning) says {wanted[0]:g} x {wanted[1]:g} px',
        )


def _lens(model: str, coefficients: Sequence[float]) -> tuple[str, tuple[float, ...]]:
    """Return the model's own name and its coefficients; none at all means no distortion.

    Among the polynomial models OpenCV goes by the number of coefficients alone, and drivers do
    publish plumb_bob with 8: so do we.
    """
    numbers = tuple(float(value) for value in coefficients)
    name = _MODEL_ALIASES.get(model, model)
    if name == 'none' and any(numbers):
        raise InputError(
            'bad_camera', f'{len(numbers)} distortion coefficients come without a model'
        )
    if name == 'none' or (not numbers and name in DISTORTION_COUNTS):
        return 'none', ()
    if name in _POLYNOMIALS:
        name = next((p for p in _POLYNOMIALS if len(numbers) in DISTORTION_COUNTS[p]), name)
    return name, numbers
