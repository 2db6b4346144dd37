"""The joints of two hands, seen from their wrists."""

from __future__ import annotations

from interwild_ros.records import Array, JOINT_COUNT, Side
from interwild_ros.train.annotations import joints_of
import numpy as np

_WRISTS = [joints_of(side).start for side in Side]


def seen_from_wrists(joints_cam_m: Array) -> tuple[Array, Array]:
    """Return the joints (42, 3) relative to the own wrist, and the left wrist from the right (3,).

    :param joints_cam_m: (42, 3) in the camera frame.
    """
    wrists = joints_cam_m[_WRISTS]
    relative_m = joints_cam_m - np.repeat(wrists, JOINT_COUNT, axis=0)
    return relative_m, wrists[Side.LEFT] - wrists[Side.RIGHT]


def of_valid_wrists(valid: Array) -> Array:
    """Return the validity (..., 42) with no joint of a hand whose wrist is not valid."""
    return np.asarray(valid & np.repeat(valid[..., _WRISTS], JOINT_COUNT, axis=-1))


def has_both_wrists(valid: Array) -> bool:
    """Say whether both wrists are among the valid joints (42,)."""
    return bool(valid[_WRISTS].all())
