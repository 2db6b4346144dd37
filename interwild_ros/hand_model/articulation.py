"""From bends and spreads of fingers, as a person would name them, to a MANO pose."""

from __future__ import annotations

from interwild_ros.hand_model.joints import FINGERS, MANO_FIRST_JOINTS, TIP_VERTICES
from interwild_ros.hand_model.mano_file import HandModelFile
from interwild_ros.records import Array, Side
import numpy as np

# Which way a finger's flesh looks when the palm looks down, the back up and the thumb to z: the
# thumb is turned to the others.
_PALMWARD = np.array([[-0.1, -0.62, -0.72], *[[0.0, -1.0, 0.0]] * 4])


class Articulation:
    """The axes about which the joints of one hand model bend, taken from its rest pose.

    Every finger has three joints, from the palm outwards; fingers come as in joints.FINGERS. A
    positive bend closes the hand; a positive spread leads towards the thumb's side.
    """

    def __init__(self, model: HandModelFile) -> None:
        """Take the model's rest joints and its mean pose."""
        # A rotation's axis is mirrored the other way round than a point.
        self._spread_axis = np.array([0.0, 1.0 if model.side is Side.RIGHT else -1.0, 0.0])
        self._bend_axes = _bend_axes(model)
        self._mean = model.hands_mean

    def pose(self, bends_rad: Array, spreads_rad: Array) -> Array:
        """Return poses (N, 48) with the root as at rest, the mean pose taken off.

        :param bends_rad: (N, 5, 3), finger by finger. :param spreads_rad: (N, 5).
        """
        rotations = bends_rad[..., None] * self._bend_axes  # N, 5, 3, 3
        rotations[:, :, 0] += spreads_rad[..., None] * self._spread_axis
        pose = np.zeros((len(bends_rad), 16, 3))
        for finger, first in enumerate(MANO_FIRST_JOINTS):
            pose[:, first : first + 3] = rotations[:, finger]
        flat = pose.reshape(-1, 48)
        flat[:, 3:] -= self._mean
        return flat


def _bend_axes(model: HandModelFile) -> Array:
    """Return unit axes (5, 3, 3) across each joint's own bone."""
    joints = model.j_regressor @ model.v_template
    palmward = _PALMWARD * [1 if model.side is Side.RIGHT else -1, 1, 1]
    axes = np.zeros((len(FINGERS), 3, 3))
    for finger, (first, tip) in enumerate(zip(MANO_FIRST_JOINTS, TIP_VERTICES, strict=True)):
        chain = np.stack([*joints[first : first + 3], model.v_template[tip]])
        axes[finger] = np.cross(np.diff(chain, axis=0), palmward[finger])
    return np.asarray(axes / np.linalg.norm(axes, axis=-1, keepdims=True))
