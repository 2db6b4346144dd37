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


_VECTORS, _DIRECTIONS, _ROTATIONS = range(3)


@dataclass(frozen=True)
class Manifold:
    """A kind of value.

    `width` is the length of the last axis, None where any will do; `tangent_width` that of
    tangents, which is the same for vectors. `kind` is what compiled functions know it by.
    """

    name: str
    kind: int
    width: int | None = None
    tangent_width: int | None = None

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
        rows = rows_of(found)
        if not _are_finite(rows):
            raise InputError('not_finite', f'{self.name} to filter hold NaN or infinity')
        if not _normalise(self.kind, rows):
            raise InputError(
                'no_direction', 'a direction or quaternion has length 0, wanted above 0'
            )
        return found

    def difference(self, to: Array, start: Array) -> Array:
        """Return the tangents (...) that `moved` takes from one value to another."""
        found = np.empty((*to.shape[:-1], self.tangent_width or to.shape[-1]) if to.ndim else ())
        _differences(self.kind, rows_of(to), rows_of(start), rows_of(found))
        return found

    def moved(self, start: Array, tangent: Array) -> Array:
        """Return the values that lie a tangent away from others."""
        found = np.empty(start.shape)
        _moves(self.kind, rows_of(start), rows_of(tangent), rows_of(found))
        return found

    def low_pass(
        self,
        value: Array,
        start: Array,
        velocity: Array,
        elapsed_sec: float,
        cutoffs: Array,
    ) -> Array:
        """Return what a One-Euro filter makes of a value (see `one_euro`).

        :param start: the filtered value before; `velocity` (N, D) of its N rows, is written.
        :param cutoffs: (rows, 3) least cutoff, beta and cutoff of the speed, of all rows or each.
        """
        found = np.empty(value.shape)
        rows, starts = rows_of(value), rows_of(start)
        _low_pass(self.kind, rows, starts, velocity, elapsed_sec, cutoffs, rows_of(found))
        return found


def rows_of(values: Array) -> Array:
    """Return values (..., D) as rows (N, D), contiguous; a number as one row of one."""
    rows = np.ascontiguousarray(values, np.float64)
    return rows.reshape(-1, values.shape[-1] if values.ndim else 1)


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
    return _turn_rad(np.ascontiguousarray([one, other], np.float64))


def _by_rows(kernel: Callable[..., None], width: int, *values: Array) -> Array:
    """Return what a compiled function writes (N, width) for rows of values (..., D)."""
    found = np.empty((*values[0].shape[:-1], width))
    kernel(*map(rows_of, values), rows_of(found))
    return found


@compiled
def _are_finite(values: Array) -> bool:
    are_finite = True
    for number in values.flat:
        are_finite = are_finite and math.isfinite(number)
    return are_finite


@compiled
def _normalise(kind: int, values: Array) -> bool:
    """Put values (N, D) that are nearly of their kind exactly there; False if one has no length.

    Quaternions get w >= 0.
    """
    if kind == _VECTORS:
        return True
    for value in values:
        size = _length(value)
        if not size > 0:
            return False
        if kind == _ROTATIONS and value[3] < 0:
            size = -size
        for axis in range(len(value)):
            value[axis] /= size
    return True


@compiled
def _differences(kind: int, to: Array, start: Array, found: Array) -> None:
    for row in range(len(found)):
        _write_difference(kind, to[row], start[row], found[row])


@compiled
def _moves(kind: int, start: Array, tangents: Array, found: Array) -> None:
    for row in range(len(found)):
        _write_moved(kind, start[row], tangents[row], found[row])
    _normalise(kind, found)


@compiled
def _low_pass(
    kind: int,
    values: Array,
    starts: Array,
    velocities: Array,
    elapsed_sec: float,
    cutoffs: Array,
    found: Array,
) -> None:
    """Write what is filtered (N, D), and change the velocities."""
    for row in range(len(values)):
        least_hz, beta, derivative_hz = cutoffs[min(row, len(cutoffs) - 1)]
        velocity, step = velocities[row], np.empty(velocities.shape[1])
        _write_difference(kind, values[row], starts[row], step)
        keep = _smoothing_factor(derivative_hz, elapsed_sec)
        for axis in range(len(step)):
            velocity[axis] += keep * (step[axis] / elapsed_sec - velocity[axis])
        part = _smoothing_factor(least_hz + beta * _length(velocity), elapsed_sec)
        for axis in range(len(step)):
            step[axis] *= part
        _write_moved(kind, starts[row], step, found[row])
    _normalise(kind, found)


@compiled
def _smoothing_factor(cutoff_hz: float, elapsed_sec: float) -> float:
    """Return the part of the way, in (0, 1), that a low pass goes in a time."""
    ratio = 2 * math.pi * elapsed_sec * cutoff_hz
    return ratio / (1 + ratio)


@compiled
def _write_difference(kind: int, to: Array, start: Array, tangent: Array) -> None:
    if kind == _VECTORS:
        for axis in range(len(to)):
            tangent[axis] = to[axis] - start[axis]
    elif kind == _DIRECTIONS:
        _write_swing_between(to, start, tangent)
    else:
        _write_turn_between(to, start, tangent)


@compiled
def _write_moved(kind: int, start: Array, tangent: Array, found: Array) -> None:
    """Write where a tangent leads; not normalised."""
    if kind == _VECTORS:
        for axis in range(len(start)):
            found[axis] = start[axis] + tangent[axis]
    elif kind == _DIRECTIONS:
        _write_swung(start, tangent, found)
    else:
        turn = np.empty(4)
        _write_turn(tangent, turn)
        _write_product(turn, start, found)


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
def _turn_rad(axis_angles: Array) -> float:
    one, other = np.empty(4), np.empty(4)
    _write_turn(axis_angles[0], one)
    _write_turn(axis_angles[1], other)
    apart = opposite = 0.0
    for number in range(4):
        apart += (one[number] - other[number]) ** 2
        opposite += (one[number] + other[number]) ** 2
    return 4 * math.atan2(math.sqrt(min(apart, opposite)), math.sqrt(max(apart, opposite)))


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
def _write_turn_between(to: Array, start: Array, tangent: Array) -> None:
    """Write the axis-angle of the shortest turn that leads from one rotation to another."""
    back, turn = np.empty(4), np.empty(4)
    for number in range(3):
        back[number] = -start[number]
    back[3] = start[3]
    _write_product(to, back, turn)
    _write_axis_angle(turn, tangent)


@compiled
def _write_swing_between(to: Array, start: Array, tangent: Array) -> None:
    """Write the axis-angle, square to both, that leads from one direction to another."""
    _write_cross(start, to, tangent)
    sine, cosine = _length(tangent), 0.0
    for number in range(3):
        cosine += start[number] * to[number]
    angle, size = math.atan2(sine, cosine), sine
    if sine == 0 and cosine < 0:  # there is no shortest way: any axis square to both will do
        _write_square(start, tangent)
        size = _length(tangent)
    for number in range(3):
        tangent[number] *= angle / size if size > 0 else 0.0


@compiled
def _write_swung(start: Array, swing: Array, found: Array) -> None:
    """Write a direction rotated by an axis-angle that is square to it."""
    angle = _length(swing)
    _write_cross(swing, start, found)
    for number in range(3):
        along = start[number] * math.cos(angle)
        found[number] = along + found[number] * _sine_by_angle(angle)


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


VECTORS = Manifold('vectors', _VECTORS)
DIRECTIONS = Manifold('directions', _DIRECTIONS, 3, 3)
ROTATIONS = Manifold('quaternions', _ROTATIONS, 4, 3)
