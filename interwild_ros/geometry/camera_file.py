"""Calibration files as camera_calibration writes them and every ROS camera driver reads them."""

from __future__ import annotations

from dataclasses import dataclass
import math
from pathlib import Path
from typing import Any

from interwild_ros.errors import AssetError, InputError
from interwild_ros.geometry.camera import camera_from_info
from interwild_ros.records import Camera
import yaml

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Calibration:
    """What sensor_msgs/CameraInfo says of a camera at full resolution, with its names.

    `K` (9), `R` (9) and `P` (12) are row-major; `D` are OpenCV's coefficients.
    """

    width: int
    height: int
    K: tuple[float, ...]
    D: tuple[float, ...]
    R: tuple[float, ...]
    P: tuple[float, ...]
    distortion_model: str


def calibration_of(camera: Camera) -> Calibration:
    """Return a pinhole camera without distortion as a calibration.

    :raises InputError: `bad_camera`, for a camera with distortion: its P would be a guess.
    """
    if camera.distortion_model != 'none':
        raise InputError(
            'bad_camera', f'distortion model is {camera.distortion_model!r}, wanted none'
        )
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    return Calibration(
        width=camera.width,
        height=camera.height,
        K=(fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0),
        D=(0.0,) * 5,
        R=_IDENTITY,
        P=(fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0),
        distortion_model='plumb_bob',
    )


def read_calibration(path: Path) -> Calibration:
    """Read a calibration file.

    A file without a distortion model means plumb_bob, one without R means the identity, and one
    without P means K: so camera_calibration_parsers and older files have it.

    :raises AssetError: when the file is absent, is no such file, or describes no camera; the
        message names the file, the key, what was found and what was wanted.
    """
    content = _read_yaml(path)
    K = _matrix(path, content, 'camera_matrix', 9)
    no_skew = (K[0], 0.0, K[2], 0.0, 0.0, K[4], K[5], 0.0, 0.0, 0.0, 1.0, 0.0)
    calibration = Calibration(
        width=_size(path, content, 'image_width'),
        height=_size(path, content, 'image_height'),
        K=K,
        D=_matrix(path, content, 'distortion_coefficients', None),
        R=_matrix(path, content, 'rectification_matrix', 9, default=_IDENTITY),
        P=_matrix(path, content, 'projection_matrix', 12, default=no_skew),
        distortion_model=str(content.get('distortion_model', 'plumb_bob')),
    )
    _check(path, calibration)
    return calibration


def write_calibration(path: Path, calibration: Calibration, *, camera_name: str) -> None:
    """Write a calibration as `read_calibration` and every ROS camera driver read it."""
    content = {
        'image_width': calibration.width,
        'image_height': calibration.height,
        'camera_name': camera_name,
        'camera_matrix': _entry(3, calibration.K),
        'distortion_model': calibration.distortion_model,
        'distortion_coefficients': _entry(1, calibration.D),
        'rectification_matrix': _entry(3, calibration.R),
        'projection_matrix': _entry(3, calibration.P),
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding='utf-8')


def _entry(rows: int, data: tuple[float, ...]) -> dict[str, Any]:
    return {'rows': rows, 'cols': len(data) // rows, 'data': list(data)}


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AssetError(f'{path} is no readable calibration file: {error}') from error
    if not isinstance(content, dict):
        raise AssetError(
            f'{path} holds {type(content).__name__}, wanted the keys of a calibration file '
            '(image_width, image_height, camera_matrix ...)'
        )
    return content


def _size(path: Path, content: dict[str, Any], key: str) -> int:
    value = content.get(key)
    if type(value) is not int or value <= 0:
        raise AssetError(f'{path}: {key} is {value!r}, wanted a whole number above 0')
    return value


def _matrix(
    path: Path,
    content: dict[str, Any],
    key: str,
    count: int | None,
    *,
    default: tuple[float, ...] | None = None,
) -> tuple[float, ...]:
    """Return the numbers under `key: {rows: ..., cols: ..., data: [...]}`."""
    entry = content.get(key)
    if entry is None and default is not None:
        return default
    data = entry.get('data') if isinstance(entry, dict) else None
    if not isinstance(data, list) or not all(map(_is_number, data)):
        raise AssetError(f'{path}: {key} is {entry!r}, wanted data with finite numbers')
    if count is not None and len(data) != count:
        raise AssetError(f'{path}: {key} has {len(data)} numbers, wanted {count}')
    return tuple(map(float, data))


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _check(path: Path, calibration: Calibration) -> None:
    """Refuse here what every receiver of the camera_info would refuse."""
    try:
        camera_from_info(
            width=calibration.width,
            height=calibration.height,
            K=calibration.K,
            D=calibration.D,
            P=calibration.P,
            distortion_model=calibration.distortion_model,
            image_size=(calibration.width, calibration.height),
        )
    except InputError as error:
        raise AssetError(f'{path}: {error}') from error
