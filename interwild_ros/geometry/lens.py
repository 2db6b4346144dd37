"""Lens distortion on normalised coordinates (x/z, y/z), both ways, in float64.

The models and their coefficients are OpenCV's. The inverse is a Newton iteration of our own:
OpenCV's fixed-point iteration diverges in the corners of wide lenses without saying so, its
arguments differ between releases 4 and 5, and a point that no ray reaches must come out as NaN.
"""

from __future__ import annotations

from interwild_ros.records import Array
import numpy as np
from numpy.polynomial.polynomial import polyval

_STEPS = 50
_HALVINGS = 8
_FOLD_PROBES = 16
_TOLERANCE = 1e-12
_PROBE = 1e-6


def distort(model: str, coefficients: tuple[float, ...], ideal: Array) -> Array:
    """Return where a lens shows ideal points.

    :param model: a key of records.DISTORTION_COUNTS.
    :param ideal: (N, 2) normalised coordinates without distortion.
    """
    if _is_ideal(model, coefficients):
        return ideal.copy()
    if model == 'equidistant':
        return _distort_equidistant(coefficients, ideal)
    return _distort_polynomial(np.pad(coefficients, (0, 14 - len(coefficients))), ideal)


def undistort(model: str, coefficients: tuple[float, ...], distorted: Array) -> Array:
    """Return the ideal points that a lens shows at the distorted ones: undoes `distort`.

    :param distorted: (N, 2) normalised coordinates with distortion.
    :return: (N, 2); NaN where the lens shows no point in front of the camera.
    """
    if _is_ideal(model, coefficients):
        return distorted.copy()
    with np.errstate(all='ignore'):
        if model == 'equidistant':
            return _undistort_equidistant(coefficients, distorted)
        return _undistort_polynomial(coefficients, distorted)


def _is_ideal(model: str, coefficients: tuple[float, ...]) -> bool:
    """Say whether a lens shows every point where it is; a fisheye without terms does not."""
    return model != 'equidistant' and not any(coefficients)


def _distort_polynomial(d: Array, ideal: Array) -> Array:
    """Apply k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 tilt_x tilt_y, as OpenCV's projectPoints does."""
    x, y = ideal[:, 0], ideal[:, 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (d[0] + r2 * (d[1] + r2 * d[4]))
    radial = radial / (1 + r2 * (d[5] + r2 * (d[6] + r2 * d[7])))
    shown_x = x * radial + 2 * d[2] * x * y + d[3] * (r2 + 2 * x * x) + r2 * (d[8] + r2 * d[9])
    shown_y = y * radial + d[2] * (r2 + 2 * y * y) + 2 * d[3] * x * y + r2 * (d[10] + r2 * d[11])
    shown = np.stack([shown_x, shown_y], axis=1)
    return _tilt(shown, d[12], d[13]) if d[12] or d[13] else shown


def _tilt(points: Array, tilt_x_rad: float, tilt_y_rad: float) -> Array:
    """Project onto a sensor that is tilted against the lens (OpenCV's tau_x, tau_y)."""
    cos_x, sin_x = np.cos(tilt_x_rad), np.sin(tilt_x_rad)
    cos_y, sin_y = np.cos(tilt_y_rad), np.sin(tilt_y_rad)
    about_x = np.array([[1, 0, 0], [0, cos_x, sin_x], [0, -sin_x, cos_x]])
    about_y = np.array([[cos_y, 0, -sin_y], [0, 1, 0], [sin_y, 0, cos_y]])
    R = about_y @ about_x
    onto_sensor = np.array([[R[2, 2], 0, -R[0, 2]], [0, R[2, 2], -R[1, 2]], [0, 0, 1]])
    tilted = np.column_stack([points, np.ones(len(points))]) @ (onto_sensor @ R).T
    return np.asarray(tilted[:, :2] / tilted[:, 2:])


def _undistort_polynomial(coefficients: tuple[float, ...], distorted: Array) -> Array:
    """Find the root of distort(ideal) - distorted by Newton with halved steps."""
    d = np.pad(coefficients, (0, 14 - len(coefficients)))
    ideal = distorted.copy()
    for _ in range(_STEPS):
        residual = _distort_polynomial(d, ideal) - distorted
        if not (np.abs(residual) > _TOLERANCE).any():
            break
        ideal = _newton_step(d, ideal, distorted, residual)
    converged = np.abs(_distort_polynomial(d, ideal) - distorted).max(axis=1) < 10 * _TOLERANCE
    return np.where((converged & _before_the_fold(d, ideal))[:, None], ideal, np.nan)


def _before_the_fold(d: Array, ideal: Array) -> Array:
    """Say which points the map shows upright, with everything between them and the axis.

    Beyond its fold a polynomial turns the picture over, perhaps twice: roots there are no image.
    """
    shares = np.linspace(1, 0, _FOLD_PROBES, endpoint=False)
    jacobian = _jacobian(d, (ideal[:, None] * shares[:, None]).reshape(-1, 2))
    a, b, c, d_ = (jacobian[:, i, j] for i in (0, 1) for j in (0, 1))
    upright = (a * d_ - b * c > 0) & (a + d_ > 0)
    return np.asarray(upright.reshape(-1, _FOLD_PROBES).all(axis=1))


def _newton_step(d: Array, ideal: Array, distorted: Array, residual: Array) -> Array:
    """Return better points: a full step, halved wherever that would make the residual worse."""
    jacobian = _jacobian(d, ideal)
    step = _solve_2x2(jacobian, residual)
    before = np.abs(residual).max(axis=1)
    share = np.ones(len(ideal))
    for _ in range(_HALVINGS):
        after = np.abs(_distort_polynomial(d, ideal - share[:, None] * step) - distorted)
        worse = (after.max(axis=1) > before) & (before > _TOLERANCE)
        if not worse.any():
            break
        share = np.where(worse, share / 2, share)
    return np.asarray(ideal - share[:, None] * step)


def _jacobian(d: Array, ideal: Array) -> Array:
    """Return d distorted / d ideal (N, 2, 2), by central differences."""
    columns = []
    for axis in (0, 1):
        offset = np.zeros(2)
        offset[axis] = _PROBE
        ahead, behind = (_distort_polynomial(d, ideal + s * offset) for s in (1, -1))
        columns.append((ahead - behind) / (2 * _PROBE))
    return np.stack(columns, axis=2)


def _solve_2x2(matrices: Array, right: Array) -> Array:
    """Solve (N, 2, 2) systems in closed form: a singular one gives NaN instead of an error."""
    a, b, c, d = (matrices[:, i, j] for i in (0, 1) for j in (0, 1))
    x, y = right[:, 0], right[:, 1]
    solved = np.stack([d * x - b * y, a * y - c * x], axis=1) / (a * d - b * c)[:, None]
    return np.asarray(solved)


def _distort_equidistant(coefficients: tuple[float, ...], ideal: Array) -> Array:
    """Apply theta + k1 theta^3 + k2 theta^5 + k3 theta^7 + k4 theta^9, as cv2.fisheye does."""
    radius = np.linalg.norm(ideal, axis=1)
    shown = _equidistant_angle(coefficients, np.arctan(radius))
    scale = np.divide(shown, radius, out=np.ones_like(radius), where=radius > 0)
    return np.asarray(ideal * scale[:, None])


def _undistort_equidistant(coefficients: tuple[float, ...], distorted: Array) -> Array:
    """Find each point's angle from the axis; 90 degrees and more is not in front: NaN."""
    shown = np.linalg.norm(distorted, axis=1)
    theta = np.minimum(shown, np.pi / 2)
    for _ in range(_STEPS):
        excess = _equidistant_angle(coefficients, theta) - shown
        if not (np.abs(excess) > _TOLERANCE).any():
            break
        theta = theta - excess / _equidistant_slope(coefficients, theta)
    found = np.abs(_equidistant_angle(coefficients, theta) - shown) < 10 * _TOLERANCE
    upright = _equidistant_slope(coefficients, theta) > 0
    in_front = (theta >= 0) & (theta < np.pi / 2)
    scale = np.divide(np.tan(theta), shown, out=np.ones_like(shown), where=shown > 0)
    return np.where((found & upright & in_front)[:, None], distorted * scale[:, None], np.nan)


def _equidistant_angle(coefficients: tuple[float, ...], theta: Array) -> Array:
    return np.asarray(theta * polyval(theta**2, (1, *coefficients)), dtype=np.float64)


def _equidistant_slope(coefficients: tuple[float, ...], theta: Array) -> Array:
    slopes = (1, *(power * k for power, k in zip((3, 5, 7, 9), coefficients, strict=True)))
    return np.asarray(polyval(theta**2, slopes), dtype=np.float64)
