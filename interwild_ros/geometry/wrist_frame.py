"""The frame of a hand, as TF and the wrist pose have it: one rule for both hands.

Origin: the wrist joint. x: from the wrist to the middle knuckle. z: out of the back of the hand.
y: completes a right-handed frame, so it points to the thumb of a right hand and to the little
finger of a left hand.
"""

from __future__ import annotations

import math

from interwild_ros.compiled import compiled
from interwild_ros.errors import InputError
from interwild_ros.hand_model.joints import JOINT_NAMES
from interwild_ros.records import Array, Side
import numpy as np

_WRIST, _INDEX, _MIDDLE, _PINKY = (
    JOINT_NAMES.index(name) for name in ('wrist', 'index1', 'middle1', 'pinky1')
)
# No hand is so thin: under this sine between its length and its width, z would be noise.
_LEAST_SINE = 1e-3


def cam_from_hand(joints_m: Array, side: Side) -> Array:
    """Return the rotation (3, 3) whose columns are the hand's x, y and z in camera axes.

    :param joints_m: (21, 3) in the camera's optical frame; any origin.
    :raises InputError: `degenerate_hand`, when the knuckles and the wrist lie in one point or on
        one line, or hold NaN.
    """
    joints_m, rotation = np.ascontiguousarray(joints_m, np.float64), np.empty((3, 3))
    if not _write_axes(joints_m, int(side is Side.RIGHT), rotation):
        length = joints_m[_MIDDLE] - joints_m[_WRIST]
        width = joints_m[_INDEX] - joints_m[_PINKY]
        raise InputError(
            'degenerate_hand',
            f'wrist to middle knuckle is {length} m and little to index knuckle {width} m, '
            'wanted two directions',
        )
    return rotation


def wrist_quaternion_xyzw(joints_m: Array, side: Side) -> Array:
    """Return the quaternion (4,), x y z w with w >= 0, that turns hand axes into camera axes.

    :param joints_m: (21, 3) in the camera's optical frame; any origin.
    :raises InputError: `degenerate_hand`, as in `cam_from_hand`.
    """
    quaternion = np.empty(4)
    _write_quaternion(cam_from_hand(joints_m, side), quaternion)
    return quaternion


@compiled
def _write_axes(joints_m: Array, is_right: int, rotation: Array) -> bool:
    """Write the axes (3, 3) of a hand in columns; False where it has none."""
    length, width = np.empty(3), np.empty(3)
    for axis in range(3):
        length[axis] = joints_m[_MIDDLE, axis] - joints_m[_WRIST, axis]
        width[axis] = joints_m[_INDEX, axis] - joints_m[_PINKY, axis]  # towards the thumb
    z = _cross(length, width) if is_right else _cross(width, length)
    area_m2 = _normalise(z)
    width_m, length_m = _normalise(width), _normalise(length)
    if not area_m2 > _LEAST_SINE * length_m * width_m:  # which NaN is not
        return False
    y = _cross(z, length)
    for axis in range(3):
        rotation[axis, 0], rotation[axis, 1], rotation[axis, 2] = length[axis], y[axis], z[axis]
    return True


@compiled
def _cross(left: Array, right: Array) -> Array:
    found = np.empty(3)
    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        found[axis] = left[one] * right[two] - left[two] * right[one]
    return found


@compiled
def _normalise(vector: Array) -> float:
    """Give a vector length one, and return the length that it had."""
    size = math.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)
    for axis in range(3):
        vector[axis] /= size
    return size


@compiled
def _write_quaternion(rotation: Array, quaternion: Array) -> None:
    """Write the unit quaternion of a rotation matrix, w >= 0.

    The outer product of a quaternion with itself is linear in the matrix; its longest row is the
    one that no rotation makes small (Shepperd 1978).
    """
    trace = rotation[0, 0] + rotation[1, 1] + rotation[2, 2]
    longest, most = 3, 1 + trace
    for axis in range(3):
        if 1 - trace + 2 * rotation[axis, axis] > most:
            longest, most = axis, 1 - trace + 2 * rotation[axis, axis]
    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        turn = rotation[two, one] - rotation[one, two]
        if longest == 3:
            quaternion[axis] = turn
        elif longest == axis:
            quaternion[axis], quaternion[3] = most, turn
        else:
            quaternion[axis] = rotation[longest, axis] + rotation[axis, longest]
    if longest == 3:
        quaternion[3] = most
    size = 0.0
    for number in range(4):
        size += quaternion[number] ** 2
    size = -math.sqrt(size) if quaternion[3] < 0 else math.sqrt(size)
    for number in range(4):
        quaternion[number] /= size
