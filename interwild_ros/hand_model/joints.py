"""Which joints there are, in which order, and how MANO's vertices become them.

Two joint sets meet here. MANO's own 16 drive the skinning; the 21 of everything else add the five
fingertips and come as wrist, thumb, index, middle, ring, pinky, tip last.
"""

from __future__ import annotations

from interwild_ros.records import Array, JOINT_COUNT, VERTEX_COUNT
import numpy as np

FINGERS = ('thumb', 'index', 'middle', 'ring', 'pinky')
JOINT_NAMES: tuple[str, ...] = (
    'wrist',
    *(f'{finger}{number}' for finger in FINGERS for number in (1, 2, 3, 4)),
)
JOINT_PARENTS: tuple[int, ...] = (
    -1,
    *(0 if joint % 4 == 1 else joint - 1 for joint in range(1, JOINT_COUNT)),
)

MANO_JOINT_COUNT = 16
# wrist, index 1-3, middle 1-3, pinky 1-3, ring 1-3, thumb 1-3
MANO_PARENTS: tuple[int, ...] = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
# MANO's first joint of each finger, in the order of FINGERS
MANO_FIRST_JOINTS: tuple[int, ...] = (13, 1, 4, 10, 7)
# in the order of FINGERS; InterWild's choice, not smplx's
TIP_VERTICES: tuple[int, ...] = (745, 317, 445, 556, 673)


def joint_regressor_21(j_regressor: Array) -> Array:
    """Return the (21, 778) matrix that turns posed vertices into the 21 joints.

    The original builds it from the right model and uses it for both hands, and so must we.

    :param j_regressor: (16, 778) of the right model, in MANO's joint order.
    """
    regressor = np.zeros((JOINT_COUNT, VERTEX_COUNT), dtype=j_regressor.dtype)
    regressor[0] = j_regressor[0]
    for finger, (first, tip) in enumerate(zip(MANO_FIRST_JOINTS, TIP_VERTICES, strict=True)):
        row = 1 + 4 * finger
        regressor[row : row + 3] = j_regressor[first : first + 3]
        regressor[row + 3, tip] = 1
    return regressor
