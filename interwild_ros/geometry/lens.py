"""Lens distortion on normalised coordinates (x/z, y/z), both ways, in float64, compiled.

The models and their coefficients are OpenCV's. The inverse is a Newton iteration of our own:
OpenCV's fixed-point iteration diverges in the corners of wide lenses without saying so, its
arguments differ between releases 4 and 5, and a point that no ray reaches must come out as NaN.
"""

from __future__ import annotations

from functools import lru_cache
import math

from interwild_ros.compiled import compiled
from interwild_ros.records import Array
import numpy as np

_STEPS = 50
_HALVINGS = 8
_FOLD_PROBES = 16
_TOLERANCE = 1e-12
_PROBE = 1e-6
_MOST_COEFFICIENTS = 14


def distort(model: str, coefficients: tuple[float, ...], ideal: Array) -> Array:
    """Return where a lens shows ideal points.

    :param model: a key of records.DISTORTION_COUNTS.
    :param ideal: (N, 2) normalised coordinates without distortion.
    """
    if _is_ideal(model, coefficients):
        return ideal.copy()
    ideal, shown = np.ascontiguousarray(ideal, np.float64), np.empty(ideal.shape)
    if model == 'equidistant':
        _distort_equidistant(np.array(coefficients), ideal, shown)
    else:
        _distort_polynomial(*_polynomial(coefficients), ideal, shown)
    return shown


def undistort(model: str, coefficients: tuple[float, ...], distorted: Array) -> Array:
    """Return the ideal points that a lens shows at the distorted ones: undoes `distort`.

    :param distorted: (N, 2) normalised coordinates with distortion.
    :return: (N, 2); NaN where the lens shows no point in front of the camera.
    """
    if _is_ideal(model, coefficients):
        return distorted.copy()
    distorted, ideal = np.ascontiguousarray(distorted, np.float64), np.empty(distorted.shape)
    if model == 'equidistant':
        _undistort_equidistant(np.array(coefficients), distorted, ideal)
    else:
        _undistort_polynomial(*_polynomial(coefficients), distorted, ideal)
    return ideal


def _is_ideal(model: str, coefficients: tuple[float, ...]) -> bool:
    """Say whether a lens shows every point where it is; a fisheye without terms does not."""
    return model != 'equidistant' and not any(coefficients)


@lru_cache(maxsize=16)  # as many lenses as a process may see at a time
def _polynomial(coefficients: tuple[float, ...]) -> tuple[Array, Array]:
    """Return all coefficients (14,), and the map (3, 3) onto the sensor that the last two tilt."""
    d = np.pad(np.array(coefficients), (0, _MOST_COEFFICIENTS - len(coefficients)))
    return d, _onto_sensor(float(d[12]), float(d[13]))


def _onto_sensor(tilt_x_rad: float, tilt_y_rad: float) -> Array:
    """Return the projection onto a sensor tilted against the lens (OpenCV's tau_x, tau_y)."""
    cos_x, sin_x = math.cos(tilt_x_rad), math.sin(tilt_x_rad)
    cos_y, sin_y = math.cos(tilt_y_rad), math.sin(tilt_y_rad)
    about_x = np.array([[1, 0, 0], [0, cos_x, sin_x], [0, -sin_x, cos_x]])
    about_y = np.array([[cos_y, 0, -sin_y], [0, 1, 0], [sin_y, 0, cos_y]])
    R = about_y @ about_x
    projection = np.array([[R[2, 2], 0, -R[0, 2]], [0, R[2, 2], -R[1, 2]], [0, 0, 1]])
    return np.asarray(projection @ R)


@compiled
def _distort_polynomial(d: Array, onto_sensor: Array, ideal: Array, shown: Array) -> None:
    for row in range(len(ideal)):
        shown[row] = _distorted(d, onto_sensor, ideal[row, 0], ideal[row, 1])


@compiled
def _distorted(d: Array, onto_sensor: Array, x: float, y: float) -> tuple[float, float]:
    """Apply k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 tilt_x tilt_y, as OpenCV's projectPoints does."""
    r2 = x * x + y * y
    radial = 1 + r2 * (d[0] + r2 * (d[1] + r2 * d[4]))
    radial = radial / (1 + r2 * (d[5] + r2 * (d[6] + r2 * d[7])))
    shown_x = x * radial + 2 * d[2] * x * y + d[3] * (r2 + 2 * x * x) + r2 * (d[8] + r2 * d[9])
    shown_y = y * radial + d[2] * (r2 + 2 * y * y) + 2 * d[3] * x * y + r2 * (d[10] + r2 * d[11])
    if d[12] == 0 and d[13] == 0:
        return shown_x, shown_y
    on = onto_sensor
    depth = on[2, 0] * shown_x + on[2, 1] * shown_y + on[2, 2]
    tilted_x = (on[0, 0] * shown_x + on[0, 1] * shown_y + on[0, 2]) / depth
    tilted_y = (on[1, 0] * shown_x + on[1, 1] * shown_y + on[1, 2]) / depth
    return tilted_x, tilted_y


@compiled
def _undistort_polynomial(d: Array, onto_sensor: Array, distorted: Array, ideal: Array) -> None:
    for row in range(len(distorted)):
        wanted_x, wanted_y = distorted[row]
        x, y = _root(d, onto_sensor, wanted_x, wanted_y)
        residual = _residual(d, onto_sensor, x, y, wanted_x, wanted_y)
        is_image = residual < 10 * _TOLERANCE and _is_before_the_fold(d, onto_sensor, x, y)
        ideal[row] = (x, y) if is_image else (math.nan, math.nan)


@compiled
def _root(d: Array, onto_sensor: Array, wanted_x: float, wanted_y: float) -> tuple[float, float]:
    """Find the root of distorted(ideal) - wanted by Newton with halved steps."""
    x, y = wanted_x, wanted_y
    for _ in range(_STEPS):
        before = _residual(d, onto_sensor, x, y, wanted_x, wanted_y)
        if not before > _TOLERANCE:  # which NaN is not
            break
        shown_x, shown_y = _distorted(d, onto_sensor, x, y)
        off_x, off_y = shown_x - wanted_x, shown_y - wanted_y
        a, b, c, e = _jacobian(d, onto_sensor, x, y)
        step_x = (e * off_x - b * off_y) / (a * e - b * c)
        step_y = (a * off_y - c * off_x) / (a * e - b * c)
        share = 1.0
        for _ in range(_HALVINGS):
            tried_x, tried_y = x - share * step_x, y - share * step_y
            after = _residual(d, onto_sensor, tried_x, tried_y, wanted_x, wanted_y)
            if not after > before:
                break
            share /= 2
        x, y = x - share * step_x, y - share * step_y
    return x, y


@compiled
def _residual(
    d: Array, onto_sensor: Array, x: float, y: float, wanted_x: float, wanted_y: float
) -> float:
    """Return how far a point is shown from where it is wanted, in x or in y; NaN stays NaN."""
    shown_x, shown_y = _distorted(d, onto_sensor, x, y)
    off_x, off_y = abs(shown_x - wanted_x), abs(shown_y - wanted_y)
    return off_x if off_x > off_y or math.isnan(off_x) else off_y


@compiled
def _is_before_the_fold(d: Array, onto_sensor: Array, x: float, y: float) -> bool:
    """Say whether the map shows a point upright, with everything between it and the axis.

    Beyond its fold a polynomial turns the picture over, perhaps twice: roots there are no image.
    """
    for probe in range(_FOLD_PROBES):
        share = 1 - probe / _FOLD_PROBES
        a, b, c, e = _jacobian(d, onto_sensor, share * x, share * y)
        if not (a * e - b * c > 0 and a + e > 0):
            return False
    return True


@compiled
def _jacobian(
    d: Array, onto_sensor: Array, x: float, y: float
) -> tuple[float, float, float, float]:
    """Return d distorted / d ideal, row by row, by central differences."""
    right_x, right_y = _distorted(d, onto_sensor, x + _PROBE, y)
    left_x, left_y = _distorted(d, onto_sensor, x - _PROBE, y)
    down_x, down_y = _distorted(d, onto_sensor, x, y + _PROBE)
    up_x, up_y = _distorted(d, onto_sensor, x, y - _PROBE)
    width = 2 * _PROBE
    along_x, along_y = (right_x - left_x) / width, (right_y - left_y) / width
    return along_x, (down_x - up_x) / width, along_y, (down_y - up_y) / width


@compiled
def _distort_equidistant(k: Array, ideal: Array, shown: Array) -> None:
    """Apply theta + k1 theta^3 + k2 theta^5 + k3 theta^7 + k4 theta^9, as cv2.fisheye does."""
    for row in range(len(ideal)):
        radius = math.hypot(ideal[row, 0], ideal[row, 1])
        angle, _ = _equidistant(k, math.atan(radius))
        scale = angle / radius if radius > 0 else 1.0
        for axis in range(2):
            shown[row, axis] = ideal[row, axis] * scale


@compiled
def _undistort_equidistant(k: Array, distorted: Array, ideal: Array) -> None:
    """Find each point's angle from the axis; 90 degrees and more is not in front: NaN."""
    for row in range(len(distorted)):
        shown = math.hypot(distorted[row, 0], distorted[row, 1])
        theta = shown if shown < math.pi / 2 else math.pi / 2
        for _ in range(_STEPS):
            angle, slope = _equidistant(k, theta)
            if not abs(angle - shown) > _TOLERANCE:
                break
            theta -= (angle - shown) / slope
        angle, slope = _equidistant(k, theta)
        is_root = abs(angle - shown) < 10 * _TOLERANCE and slope > 0
        scale = math.nan
        if is_root and 0 <= theta < math.pi / 2:
            scale = math.tan(theta) / shown if shown > 0 else 1.0
        for axis in range(2):
            ideal[row, axis] = distorted[row, axis] * scale


@compiled
def _equidistant(k: Array, theta: float) -> tuple[float, float]:
    """Return the angle at which a lens shows one, and how it grows with that."""
    square = theta * theta
    angle = 1 + square * (k[0] + square * (k[1] + square * (k[2] + square * k[3])))
    slope = square * (5 * k[1] + square * (7 * k[2] + square * 9 * k[3]))
    return theta * angle, 1 + square * (3 * k[0]) + square * slope
