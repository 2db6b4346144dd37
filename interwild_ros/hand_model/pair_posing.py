"""Both hands of a frame in one pass: linear blend skinning, in NumPy.

smplx poses one model at a time, in some two hundred small steps of PyTorch, which cost more than
the arithmetic does; and a hand that is followed is posed twice a frame, on the CPU, where its
filters are. This is the same arithmetic (Loper et al., SMPL, 2015; Romero et al., MANO, 2017)
with a leading axis for the side. Tests hold it against smplx.
"""

from __future__ import annotations

from interwild_ros.hand_model.joints import MANO_PARENTS
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.records import Array
import numpy as np
from torch import Tensor

_JOINTS = len(MANO_PARENTS)
_FINGERS, _BONES = 5, 3  # all of them chains from the wrist, one after another
_TINY = 1e-8  # smplx's guard against turning by nothing; it shifts results, so it stays


class PairPosing:
    """Poses a right and a left hand with the constants of their two models."""

    def __init__(self, hand_models: HandPair) -> None:
        """Take the constants over, in the models' precision."""
        layers = (hand_models.right, hand_models.left)

        def both(name: str) -> Array:
            return np.stack([_numbers(getattr(layer, name)) for layer in layers])

        self._regressor = _numbers(hand_models.joint_regressor)  # 21, V
        self._template, self._weights = both('v_template'), both('lbs_weights')
        self._mean_pose = both('pose_mean')  # 2, 48
        shapes, poses = both('shapedirs'), both('posedirs')  # 2, V, 3, 10; 2, 135, 3V
        by_shape = np.moveaxis(shapes, 3, 1)  # 2, 10, V, 3
        self._blends = np.concatenate([by_shape.reshape(2, 10, -1), poses], axis=1)
        regressors = both('J_regressor')  # 2, 16, V
        self._joints = regressors @ self._template  # 2, 16, 3
        self._joint_blends = (regressors[:, None] @ by_shape).reshape(2, 10, -1)

    def __call__(self, poses: Array, betas: Array) -> tuple[Array, Array]:
        """Return joints (2, 21, 3) and vertices (2, 778, 3) in metres, relative to the wrist.

        :param poses: (2, 48) axis-angle rad, root first, the mean pose not included; right first.
        :param betas: (2, 10).
        """
        axis_angles = (poses + self._mean_pose).astype(self._template.dtype)
        turns = _rotations(axis_angles.reshape(2, _JOINTS, 3))
        bends = (turns[:, 1:] - np.eye(3, dtype=turns.dtype)).reshape(2, -1)
        coefficients = np.concatenate([betas, bends], axis=1, dtype=turns.dtype)[:, None]
        vertices = self._template + (coefficients @ self._blends).reshape(2, -1, 3)
        by_shape = coefficients[..., : betas.shape[1]] @ self._joint_blends
        joints = self._joints + by_shape.reshape(2, _JOINTS, 3)
        vertices = _skinned(vertices, self._weights, _moves(turns, joints))
        posed = self._regressor @ vertices
        wrist = posed[:, :1]
        return posed - wrist, vertices - wrist


def _moves(turns: Array, joints: Array) -> Array:
    """Return the maps (2, 16, 3, 4) that move what hangs on each joint, by the joints above it.

    :param turns: (2, 16, 3, 3) of each joint from its parent; `joints` (2, 16, 3) at rest.
    """
    chain = np.zeros((2, _JOINTS, 4, 4), turns.dtype)
    chain[..., :3, :3], chain[..., 3, 3] = turns, 1
    chain[:, 0, :3, 3] = joints[:, 0]
    chain[:, 1:, :3, 3] = joints[:, 1:] - joints[:, MANO_PARENTS[1:]]
    before = chain[:, :1]
    fingers = chain[:, 1:].reshape(2, _FINGERS, _BONES, 4, 4)  # a view of it
    for bone in range(_BONES):
        before = fingers[:, :, bone] = before @ fingers[:, :, bone]
    moves = chain[:, :, :3]
    moves[..., 3:] -= moves[..., :3] @ joints[..., None]
    return moves


def _skinned(vertices: Array, weights: Array, moves: Array) -> Array:
    """Move vertices (2, V, 3) by the mean of what their joints do."""
    of_vertex = (weights @ moves.reshape(2, _JOINTS, 12)).reshape(2, -1, 3, 4)
    x, y, z = (vertices[..., axis : axis + 1] for axis in range(3))
    moved: Array = of_vertex[..., 0] * x
    moved += of_vertex[..., 1] * y
    moved += of_vertex[..., 2] * z
    moved += of_vertex[..., 3]
    return moved


def _rotations(axis_angle: Array) -> Array:
    """Return the matrices (..., 3, 3) of axis angles (..., 3), by Rodrigues' formula."""
    angle = np.sqrt(((axis_angle + _TINY) ** 2).sum(-1))
    sine, versine = np.sin(angle), 1 - np.cos(angle)
    x, y, z = np.moveaxis(axis_angle, -1, 0) / angle
    matrix = np.empty((*angle.shape, 3, 3), axis_angle.dtype)
    matrix[..., 0, 0] = 1 - versine * (y * y + z * z)
    matrix[..., 1, 1] = 1 - versine * (x * x + z * z)
    matrix[..., 2, 2] = 1 - versine * (x * x + y * y)
    for row, column, product, rest in ((0, 1, x * y, z), (2, 0, x * z, y), (1, 2, y * z, x)):
        matrix[..., row, column] = versine * product - sine * rest
        matrix[..., column, row] = versine * product + sine * rest
    return matrix


def _numbers(tensor: Tensor) -> Array:
    array: Array = tensor.detach().cpu().numpy()
    return array
