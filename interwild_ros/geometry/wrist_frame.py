"""The frame of a hand, as TF and the wrist pose have it: one rule for both hands.

Origin: the wrist joint. x: from the wrist to the middle knuckle. z: out of the back of the hand.
y: completes a right-handed frame, so it points to the thumb of a right hand and to the little
finger of a left hand.
"""

from __future__ import annotations

import math

from interwild_ros.errors import InputError
from interwild_ros.geometry.vectors import cross
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
    joints_m = np.asarray(joints_m, dtype=np.float64)
    length = joints_m[_MIDDLE] - joints_m[_WRIST]
    width = joints_m[_INDEX] - joints_m[_PINKY]  # towards the thumb
    back = cross(length, width) if side is Side.RIGHT else cross(width, length)
    length_m, width_m, area_m2 = (math.sqrt(v @ v) for v in (length, width, back))
    if not area_m2 > _LEAST_SINE * length_m * width_m:
        raise InputError(
            'degenerate_hand',
            f'wrist to middle knuckle is {length} m and little to index knuckle {width} m, '
            'wanted two directions',
        )
    x, z = length / length_m, back / area_m2
    return np.array([x, cross(z, x), z]).T


def wrist_quaternion_xyzw(joints_m: Array, side: Side) -> Array:
    """Return the quaternion (4,), x y z w with w >= 0, that turns hand axes into camera axes.

    :param joints_m: (21, 3) in the camera's optical frame; any origin.
    :raises InputError: `degenerate_hand`, as in `cam_from_hand`.
    """
    return _quaternion_xyzw(cam_from_hand(joints_m, side))


def _quaternion_xyzw(rotation: Array) -> Array:
    """Return the unit quaternion of a rotation matrix.

    The outer product of a quaternion with itself is linear in the matrix; its longest row is the
    one that no rotation makes small (Shepperd 1978).
    """
    (a, b, c), (d, e, f), (g, h, i) = rotation.tolist()
    outer = (
        (1 + a - e - i, b + d, c + g, h - f),
        (b + d, 1 - a + e - i, f + h, c - g),
        (c + g, f + h, 1 - a - e + i, d - b),
        (h - f, c - g, d - b, 1 + a + e + i),
    )
    longest = max(range(4), key=lambda n: outer[n][n])
    row, size = outer[longest], math.hypot(*outer[longest])
    return np.array(row) / (size if row[3] >= 0 else -size)
