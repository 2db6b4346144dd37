"""What joints over time say in one number a frame, so that the joints need not be kept.

Joints come whole, (T, 21, 3), or in batches of any size: the numbers are the same.
"""

from __future__ import annotations

from interwild_ros.hand_model.joints import JOINT_NAMES
from interwild_ros.records import Array, JOINT_COUNT
import numpy as np

_THUMB_TIP, _INDEX_TIP = JOINT_NAMES.index('thumb4'), JOINT_NAMES.index('index4')


def pinches_m(joints_m: Array) -> Array:
    """Return the distance from the thumb's tip to the index finger's (T,), metres."""
    return np.asarray(np.linalg.norm(joints_m[:, _THUMB_TIP] - joints_m[:, _INDEX_TIP], axis=1))


def bends_m(joints_m: Array) -> Array:
    """Return how much the way of the joints bends or how their speed changes (T,), metres.

    That is the mean length of their second difference over a frame and the two before it, NaN
    unless all three hold the whole hand.
    """
    return Bends()(joints_m)


class Bends:
    """`bends_m` of joints that come in batches: the last two frames are remembered."""

    def __init__(self) -> None:
        """Begin without a frame."""
        self._last_m: Array = np.full((2, JOINT_COUNT, 3), np.nan)

    def __call__(self, joints_m: Array) -> Array:
        """Return the bends of the frames that come next (T,)."""
        known_m = np.concatenate([self._last_m, joints_m.astype(np.float64)])
        self._last_m = known_m[-2:].copy()  # a slice would keep all of the batch
        bends = known_m[2:] - 2 * known_m[1:-1] + known_m[:-2]
        return np.asarray(np.linalg.norm(bends, axis=-1).mean(axis=1))
