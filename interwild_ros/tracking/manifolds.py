"""Where filtered values live: how far one is from another, and how to go a part of the way.

A difference is a tangent: for vectors the plain difference, for directions and rotations an
axis-angle in radians in the axes of the world (the camera's), so that a rotation of the world
rotates it and changes no length. The last axis holds one value, axes before it count values.
Quaternions are x y z w, as in ROS; q and -q are the same rotation everywhere here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math

from interwild_ros.compiled import compiled
from interwild_ros.errors import InputError
from interwild_ros.records import Array
import numpy as np

_SMALL = 1e-20  # an angle so small is its own sine


@dataclass(frozen=True)
class Manifold:
    """A kind of value.

    `width` is the length of the last axis, None where any will do. `difference(to, start)` is the
    tangent that `moved(start, tangent)` takes back to `to`. `normalized` puts a value that is
    nearly one of its kind exactly there.
    """

    name: str
    width: int | None
    normalized: Callable[[Array], Array]
    difference: Callable[[Array, Array], Array]
    moved: Callable[[Array, Array], Array]

    def checked(self, value: Array | float) -> Array:
        """Return a value as float64, exactly of its kind.

        :raises InputError: `bad_shape`, `not_finite`, or `no_direction` for a direction or a
            quaternion of length zero.
        """
        found = np.array(value, dtype=np.float64, order='C')  # a copy: filters keep it
        if self.width is not None and found.shape[-1:] != (self.width,):
            raise InputError(
                'bad_shape', f'{self.name} have shape {found.shape}, wanted (..., {self.width})'
            )
        if not np.isfinite(found).all():
            raise InputError('not_finite', f'{self.name} to filter hold NaN or infinity')
        return self.normalized(found)


def length(tangent: Array) -> Array:
    """Return the length of each tangent (..., 1), or of a number without axes its size ()."""
    if tangent.ndim == 0:
        return np.abs(tangent)
    norm: Array = np.sqrt(np.add.reduce(tangent * tangent, axis=-1, keepdims=True))
    return norm


def quaternion_from_axis_angle(axis_angle: Array) -> Array:
    """Map axis-angle (..., 3) of any angle to unit quaternions (..., 4), x y z w."""
    return _by_rows(_quaternions, 4, axis_angle)


def axis_angle_from_quaternion(quaternion: Array) -> Array:
    """Map unit quaternions (..., 4) of either sign to axis-angle (..., 3) up to pi."""
    return _by_rows(_axis_angles, 3, quaternion)


def axis_angle_near(quaternion: Array, near: Array) -> Array:
    """Return the axis-angle (..., 3) of quaternions (..., 4) that is nearest to another one.

    One rotation has many axis-angles, whole turns apart. MANO adds its mean pose to the vector,
    so which of them is given matters, and angles may pass pi (NETWORKS.md Q3).

    :param near: (..., 3), as many as there are quaternions.
    """
    return _by_rows(_axis_angles_near, 3, quaternion, near)


def turn_rad(one: Array, other: Array) -> float:
    """Return the angle, up to pi, between two rotations given as axis-angle (3,).

    It is twice the angle in four dimensions between their quaternions p and q, or -q where that is
    nearer. That angle is 2 atan2(|p - q|, |p + q|), which is exact for small ones too (Kahan).
    """
    p, q = quaternion_from_axis_angle(np.array([one, other], dtype=np.float64))
    to, to_opposite = math.dist(p, q), math.dist(p, -q)
    return 4 * math.atan2(min(to, to_opposite), max(to, to_opposite))


def _by_rows(kernel: Callable[..., None], width: int, *values: Array) -> Array:
    """Return what a compiled function writes (N, width) for rows of values (..., D)."""
    rows = [np.ascontiguousarray(v, np.float64).reshape(-1, v.shape[-1]) for v in values]
    found = np.empty((len(rows[0]), width))
    kernel(*rows, found)
    return found.reshape(*values[0].shape[:-1], width)


def _turn_between(to: Array, start: Array) -> Array:
    """Return the axis-angle of the shortest turn that leads from one rotation to another."""
    return _by_rows(_turns_between, 3, to, start)


def _turned(start: Array, turn: Array) -> Array:
    return _by_rows(_turns_after, 4, start, turn)


def _swing_between(to: Array, start: Array) -> Array:
    """Return the axis-angle, square to both, that leads from one direction to another."""
    return _by_rows(_swings_between, 3, to, start)


def _swung(start: Array, swing: Array) -> Array:
    """Rotate directions by axis-angles that are square to them."""
    return _by_rows(_swings_after, 3, start, swing)


def _normalized(values: Array) -> Array:
    return _scaled(values, is_upper=False)


def _upper(values: Array) -> Array:
    """Return unit quaternions with w >= 0."""
    return _scaled(values, is_upper=True)


def _scaled(values: Array, *, is_upper: bool) -> Array:
    unit = values.copy()
    if not _scale(unit.reshape(-1, unit.shape[-1]), is_upper):
        raise InputError('no_direction', 'a direction or quaternion has length 0, wanted above 0')
    return unit


@compiled
def _scale(values: Array, is_upper: bool) -> bool:
    """Give values (N, D) length one, and a last number of 0 at least; False if one has none."""
    for value in values:
        size = _length(value)
        if not size > 0:
            return False
        if is_upper and value[-1] < 0:
            size = -size
        for axis in range(len(value)):
            value[axis] /= size
    return True


@compiled
def _length(vector: Array) -> float:
    total = 0.0
    for number in vector:
        total += number * number
    return math.sqrt(total)


@compiled
def _quaternions(axis_angles: Array, found: Array) -> None:
    for row in range(len(found)):
        _write_turn(axis_angles[row], found[row])


@compiled
def _axis_angles(quaternions: Array, found: Array) -> None:
    for row in range(len(found)):
        _write_axis_angle(quaternions[row], found[row])


@compiled
def _axis_angles_near(quaternions: Array, near: Array, found: Array) -> None:
    for row in range(len(found)):
        axis = quaternions[row, :3].copy()
        half = math.atan2(_length(axis), abs(quaternions[row, 3]))
        if quaternions[row, 3] < 0:
            axis *= -1
        if not half > 0:  # no turn at all has any axis: that of the wanted one keeps its turns
            axis = near[row].copy()
        size, along = _length(axis), 0.0
        for number in range(3):
            axis[number] /= size if size > 0 else 1.0
            along += near[row, number] * axis[number]
        turns = round((along - 2 * half) / (2 * math.pi))
        for number in range(3):
            found[row, number] = (2 * half + turns * (2 * math.pi)) * axis[number]


@compiled
def _turns_between(to: Array, start: Array, found: Array) -> None:
    back, turn = np.empty(4), np.empty(4)
    for row in range(len(found)):
        for number in range(3):
            back[number] = -start[row, number]
        back[3] = start[row, 3]
        _write_product(to[row], back, turn)
        _write_axis_angle(turn, found[row])


@compiled
def _turns_after(start: Array, turns: Array, found: Array) -> None:
    turn = np.empty(4)
    for row in range(len(found)):
        _write_turn(turns[row], turn)
        _write_product(turn, start[row], found[row])
    _scale(found, True)


@compiled
def _swings_between(to: Array, start: Array, found: Array) -> None:
    for row in range(len(found)):
        axis = found[row]
        _write_cross(start[row], to[row], axis)
        sine, cosine = _length(axis), 0.0
        for number in range(3):
            cosine += start[row, number] * to[row, number]
        angle, size = math.atan2(sine, cosine), sine
        if sine == 0 and cosine < 0:  # there is no shortest way: any axis square to both will do
            _write_square(start[row], axis)
            size = _length(axis)
        for number in range(3):
            axis[number] *= angle / size if size > 0 else 0.0


@compiled
def _swings_after(start: Array, swings: Array, found: Array) -> None:
    for row in range(len(found)):
        angle = _length(swings[row])
        _write_cross(swings[row], start[row], found[row])
        for number in range(3):
            along = start[row, number] * math.cos(angle)
            found[row, number] = along + found[row, number] * _sine_by_angle(angle)
    _scale(found, False)


@compiled
def _write_turn(axis_angle: Array, found: Array) -> None:
    """Write the quaternion of an axis-angle."""
    half = _length(axis_angle) / 2
    for axis in range(3):
        found[axis] = axis_angle[axis] * 0.5 * _sine_by_angle(half)
    found[3] = math.cos(half)


@compiled
def _write_axis_angle(quaternion: Array, found: Array) -> None:
    """Write the axis-angle, up to pi, of a quaternion of either sign."""
    sine = _length(quaternion[:3])
    half = math.atan2(sine, abs(quaternion[3]))
    sign = -1.0 if quaternion[3] < 0 else 1.0
    for axis in range(3):
        found[axis] = sign * quaternion[axis] / (0.5 * _sine_by_angle(half))


@compiled
def _write_product(left: Array, right: Array, found: Array) -> None:
    """Write the quaternion that turns by `right`, then by `left`."""
    a, b, c, d = left
    x, y, z, w = right
    found[0] = a * w + b * z - c * y + d * x
    found[1] = b * w + c * x - a * z + d * y
    found[2] = c * w + a * y - b * x + d * z
    found[3] = d * w - a * x - b * y - c * z


@compiled
def _write_cross(left: Array, right: Array, found: Array) -> None:
    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        found[axis] = left[one] * right[two] - left[two] * right[one]


@compiled
def _write_square(direction: Array, found: Array) -> None:
    """Write a vector square to a direction: across the axis that lies farthest from it."""
    least = np.zeros(3)
    least[np.abs(direction).argmin()] = 1
    _write_cross(direction, least, found)


@compiled
def _sine_by_angle(angle: float) -> float:
    """Return sin x / x of an angle of at least 0; 1 at 0."""
    return math.sin(angle) / angle if angle > _SMALL else 1.0


VECTORS = Manifold('vectors', None, lambda v: v, np.subtract, np.add)
DIRECTIONS = Manifold('directions', 3, _normalized, _swing_between, _swung)
ROTATIONS = Manifold('quaternions', 4, _upper, _turn_between, _turned)
