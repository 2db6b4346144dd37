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

from interwild_ros.errors import InputError
from interwild_ros.geometry.vectors import cross
from interwild_ros.records import Array
import numpy as np

_TURN = 2 * np.pi
_SMALL = 1e-20  # an angle so small is its own sine
_X, _Y, _Z, _W = np.eye(4)
_INVERSE = np.array([-1.0, -1.0, -1.0, 1.0])  # times a unit quaternion: the turn back
# Hamilton's table: what the product of two of x y z w is, the left one's row by the right one's.
_PRODUCTS = np.array(
    [
        [-_W, _Z, -_Y, _X],
        [-_Z, -_W, _X, _Y],
        [_Y, -_X, -_W, _Z],
        [_X, _Y, _Z, _W],
    ]
).reshape(16, 4)


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
        found = np.array(value, dtype=np.float64)  # a copy: filters keep it
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
    half = length(axis_angle) / 2
    return np.concatenate([axis_angle * (0.5 * _sine_by_angle(half)), np.cos(half)], axis=-1)


def axis_angle_from_quaternion(quaternion: Array) -> Array:
    """Map unit quaternions (..., 4) of either sign to axis-angle (..., 3) up to pi."""
    xyz, half = _vector_and_half_angle(quaternion)
    axis_angle: Array = xyz / (0.5 * _sine_by_angle(half))
    return axis_angle


def axis_angle_near(quaternion: Array, near: Array) -> Array:
    """Return the axis-angle (..., 3) of quaternions (..., 4) that is nearest to another one.

    One rotation has many axis-angles, whole turns apart. MANO adds its mean pose to the vector,
    so which of them is given matters, and angles may pass pi (NETWORKS.md Q3).
    """
    xyz, half = _vector_and_half_angle(quaternion)
    # No turn at all has any axis: that of the wanted one keeps its whole turns.
    axis = _unit(np.where(half > 0, xyz, near))
    angle = 2 * half
    turns = np.rint(((near * axis).sum(-1, keepdims=True) - angle) / _TURN)
    result: Array = (angle + turns * _TURN) * axis
    return result


def turn_rad(one: Array, other: Array) -> float:
    """Return the angle, up to pi, between two rotations given as axis-angle (3,).

    It is twice the angle in four dimensions between their quaternions p and q, or -q where that is
    nearer. That angle is 2 atan2(|p - q|, |p + q|), which is exact for small ones too (Kahan).
    """
    p, q = quaternion_from_axis_angle(np.array([one, other], dtype=np.float64))
    to, to_opposite = math.dist(p, q), math.dist(p, -q)
    return 4 * math.atan2(min(to, to_opposite), max(to, to_opposite))


def _sine_by_angle(angle: Array) -> Array:
    """Return sin x / x of angles of at least 0; 1 at 0."""
    angle = np.maximum(angle, _SMALL)
    ratio: Array = np.sin(angle) / angle
    return ratio


def _vector_and_half_angle(quaternion: Array) -> tuple[Array, Array]:
    """Return x y z (..., 3) of that sign whose turn is at most pi, and half that turn (..., 1)."""
    upper = _upper(quaternion)
    xyz = upper[..., :3]
    return xyz, np.arctan2(length(xyz), upper[..., 3:])


def _unit(vectors: Array) -> Array:
    """Return vectors of length one, and zeros where there is no length."""
    size = length(vectors)
    unit: Array = vectors / np.where(size > 0, size, 1.0)
    return unit


def _normalized(values: Array) -> Array:
    size = length(values)
    if not (size > 0).all():
        raise InputError('no_direction', 'a direction or quaternion has length 0, wanted above 0')
    unit: Array = values / size
    return unit


def _product(left: Array, right: Array) -> Array:
    """Return the quaternion that turns by `right`, then by `left`."""
    pairs = left[..., :, None] * right[..., None, :]
    product: Array = pairs.reshape(*pairs.shape[:-2], 16) @ _PRODUCTS
    return product


def _turn_between(to: Array, start: Array) -> Array:
    """Return the axis-angle of the shortest turn that leads from one rotation to another."""
    return axis_angle_from_quaternion(_product(to, start * _INVERSE))


def _turned(start: Array, turn: Array) -> Array:
    return _upper(_normalized(_product(quaternion_from_axis_angle(turn), start)))


def _upper(quaternion: Array) -> Array:
    return np.where(quaternion[..., 3:] < 0, -quaternion, quaternion)


def _swing_between(to: Array, start: Array) -> Array:
    """Return the axis-angle, square to both, that leads from one direction to another."""
    axis = cross(start, to)
    sine, cosine = length(axis), (start * to).sum(-1, keepdims=True)
    is_opposite = (sine == 0) & (cosine < 0)
    if is_opposite.any():  # there is no shortest way: any axis square to both is as good
        axis = np.where(is_opposite, _any_square(start), axis)
    swing: Array = _unit(axis) * np.arctan2(sine, cosine)
    return swing


def _any_square(directions: Array) -> Array:
    """Return vectors square to directions: across the axis that lies farthest from each."""
    least = np.eye(3)[np.abs(directions).argmin(-1)]
    return cross(directions, least)


def _swung(start: Array, swing: Array) -> Array:
    """Rotate directions by axis-angles that are square to them."""
    angle = length(swing)
    across = cross(swing, start) * _sine_by_angle(angle)
    return _normalized(start * np.cos(angle) + across)


VECTORS = Manifold('vectors', None, lambda v: v, np.subtract, np.add)
DIRECTIONS = Manifold('directions', 3, _normalized, _swing_between, _swung)
ROTATIONS = Manifold('quaternions', 4, lambda q: _upper(_normalized(q)), _turn_between, _turned)
