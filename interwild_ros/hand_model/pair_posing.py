"""Both hands of a frame in one pass: linear blend skinning, compiled.

smplx poses one model at a time, in some two hundred small steps of PyTorch, which cost more than
the arithmetic does; and a hand that is followed is posed twice a frame, on the CPU, where its
filters are. This is the same arithmetic (Loper et al., SMPL, 2015; Romero et al., MANO, 2017)
with a leading axis for the side. Tests hold it against smplx.
"""

from __future__ import annotations

import math

from interwild_ros.compiled import compiled
from interwild_ros.hand_model.joints import MANO_PARENTS
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.records import Array
import numpy as np
from torch import Tensor

_JOINTS = len(MANO_PARENTS)
_PARENTS = np.array(MANO_PARENTS)
_BENDS = 9 * (_JOINTS - 1)  # numbers of the rotations that bend skin
_TINY = 1e-8  # smplx's guard against turning by nothing; it shifts results, so it stays


class PairPosing:
    """Poses a right and a left hand with the constants of their two models."""

    def __init__(self, hand_models: HandPair) -> None:
        """Take the constants over, in the models' precision."""
        layers = (hand_models.right, hand_models.left)

        def both(name: str) -> Array:
            return np.stack([_numbers(getattr(layer, name)) for layer in layers])

        self._template = both('v_template')
        self._skin = _sparse(both('lbs_weights').reshape(-1, _JOINTS))  # 2 V
        self._regressor = _sparse(_numbers(hand_models.joint_regressor))  # 21
        self._mean_pose = both('pose_mean')  # 2, 48
        shapes, poses = both('shapedirs'), both('posedirs')  # 2, V, 3, 10; 2, 135, 3V
        by_shape = np.moveaxis(shapes, 3, 1)  # 2, 10, V, 3
        blends = np.concatenate([by_shape.reshape(2, 10, -1), poses], axis=1)
        # the stand-in's skin does not bulge where joints bend: what moves nothing is left out
        self._moving = np.flatnonzero((blends != 0).any(axis=(0, 2)))
        self._blends = np.ascontiguousarray(blends[:, self._moving])
        regressors = both('J_regressor')  # 2, 16, V
        self._joints = regressors @ self._template  # 2, 16, 3
        self._joint_blends = (regressors[:, None] @ by_shape).reshape(2, 10, -1)

    def __call__(self, poses: Array, betas: Array) -> tuple[Array, Array]:
        """Return joints (2, 21, 3) and vertices (2, 778, 3) in metres, relative to the wrist.

        :param poses: (2, 48) axis-angle rad, root first, the mean pose not included; right first.
        :param betas: (2, 10).
        """
        precision = self._template.dtype
        axis_angles = (poses + self._mean_pose).astype(precision).reshape(2, _JOINTS, 3)
        moves = np.empty((2, _JOINTS, 3, 4), precision)
        joints = np.zeros((2, len(self._regressor[0]), 3), precision)
        coefficients = np.concatenate([betas, np.zeros((2, _BENDS))], axis=1, dtype=precision)
        _bend(axis_angles, coefficients, self._joints, self._joint_blends, moves)
        moving = coefficients[:, None, self._moving]
        vertices = (moving @ self._blends).reshape(self._template.shape)
        vertices += self._template
        _skin(vertices, moves, *self._skin)
        _regress(vertices, joints, *self._regressor)
        return joints, vertices


@compiled
def _bend(
    axis_angles: Array, coefficients: Array, joints: Array, joint_blends: Array, moves: Array
) -> None:
    """Write what moves what hangs on each joint, and how far each rotation bends its skin.

    :param axis_angles: (2, 16, 3) of each joint from its parent.
    :param coefficients: (2, 145), of which the first ten are betas; the others are written.
    :param joints: (2, 16, 3) at rest, of the mean shape; `joint_blends` (2, 10, 48) per beta.
    :param moves: (2, 16, 3, 4), written.
    """
    rest = joints.copy()
    for side in range(2):
        for number in range(joint_blends.shape[1]):
            for joint in range(_JOINTS):
                for axis in range(3):
                    shift = joint_blends[side, number, 3 * joint + axis]
                    rest[side, joint, axis] += coefficients[side, number] * shift
        at = joint_blends.shape[1]
        for joint in range(_JOINTS):
            _write_rotation(axis_angles[side, joint], moves[side, joint])
            if joint > 0:
                for row in range(3):
                    for column in range(3):
                        bend = moves[side, joint, row, column] - (row == column)
                        coefficients[side, at] = bend
                        at += 1
        _chain(rest[side], moves[side])


@compiled
def _write_rotation(axis_angle: Array, found: Array) -> None:
    """Write the matrix of an axis-angle (3,), by Rodrigues' formula."""
    angle = np.sqrt(
        (axis_angle[0] + _TINY) ** 2 + (axis_angle[1] + _TINY) ** 2 + (axis_angle[2] + _TINY) ** 2
    )
    sine, versine = math.sin(angle), 1 - math.cos(angle)
    x, y, z = axis_angle[0] / angle, axis_angle[1] / angle, axis_angle[2] / angle
    found[0, 0] = 1 - versine * (y * y + z * z)
    found[1, 1] = 1 - versine * (x * x + z * z)
    found[2, 2] = 1 - versine * (x * x + y * y)
    found[0, 1], found[1, 0] = versine * x * y - sine * z, versine * x * y + sine * z
    found[2, 0], found[0, 2] = versine * x * z - sine * y, versine * x * z + sine * y
    found[1, 2], found[2, 1] = versine * y * z - sine * x, versine * y * z + sine * x


@compiled
def _chain(rest: Array, moves: Array) -> None:
    """Turn rotations from the parents, in (16, 3, 4), into maps that move what hangs on joints.

    :param rest: (16, 3) joints at rest.
    """
    own, moved = np.empty((3, 3), rest.dtype), np.zeros((_JOINTS, 3), rest.dtype)
    for joint in range(_JOINTS):
        parent = _PARENTS[joint]
        for row in range(3):
            moved[joint, row] = rest[joint, row]
            for column in range(3):
                own[row, column] = moves[joint, row, column]
        if joint > 0:
            for row in range(3):
                moved[joint, row] = moved[parent, row]
                for column in range(3):
                    step = rest[joint, column] - rest[parent, column]
                    moved[joint, row] += moves[parent, row, column] * step
                    moves[joint, row, column] = 0
                    for inner in range(3):
                        of_parent = moves[parent, row, inner]
                        moves[joint, row, column] += of_parent * own[inner, column]
    for joint in range(_JOINTS):
        for row in range(3):
            moves[joint, row, 3] = moved[joint, row]
            for column in range(3):
                moves[joint, row, 3] -= moves[joint, row, column] * rest[joint, column]


@compiled
def _skin(vertices: Array, moves: Array, who: Array, shares: Array) -> None:
    """Move vertices (2, V, 3) by the mean of what their joints do.

    :param who: (2 V, N) joints of each vertex; `shares` likewise, what they have in the mean.
    """
    moved = np.empty(3, vertices.dtype)
    for side in range(2):
        for vertex in range(vertices.shape[1]):
            of_vertex = side * vertices.shape[1] + vertex
            x, y, z = vertices[side, vertex]
            moved.fill(0)
            for number in range(who.shape[1]):
                share, joint = shares[of_vertex, number], who[of_vertex, number]
                if share == 0:
                    break
                for row in range(3):
                    move = moves[side, joint, row]
                    moved[row] += share * (move[0] * x + move[1] * y + move[2] * z + move[3])
            for row in range(3):
                vertices[side, vertex, row] = moved[row]


@compiled
def _regress(vertices: Array, joints: Array, who: Array, shares: Array) -> None:
    """Add joints (2, 21, 3), and put the wrists of both at the origin.

    :param who: (21, N) vertices of each joint; `shares` likewise, what they have in the mean.
    """
    for side in range(2):
        for joint in range(joints.shape[1]):
            for number in range(who.shape[1]):
                for axis in range(3):
                    part = shares[joint, number] * vertices[side, who[joint, number], axis]
                    joints[side, joint, axis] += part
        for axis in range(3):
            wrist = joints[side, 0, axis]
            for joint in range(joints.shape[1]):
                joints[side, joint, axis] -= wrist
            for vertex in range(vertices.shape[1]):
                vertices[side, vertex, axis] -= wrist


def _sparse(weights: Array) -> tuple[Array, Array]:
    """Return the columns (R, N) and the values of what is not 0 in each row of a matrix (R, C).

    N is what the fullest row has; others have zeros besides.
    """
    most = max(int(np.count_nonzero(weights, axis=1).max()), 1)
    columns = np.argsort(weights == 0, axis=1, kind='stable')[:, :most].astype(np.int64)
    return np.ascontiguousarray(columns), np.take_along_axis(weights, columns, axis=1)


def _numbers(tensor: Tensor) -> Array:
    return np.ascontiguousarray(tensor.detach().cpu().numpy())
