"""Products of vectors (..., 3), for the many small arrays of a frame."""

from __future__ import annotations

from interwild_ros.records import Array
import numpy as np

_YZX = np.array([1, 2, 0])


def cross(left: Array, right: Array) -> Array:
    """Return the cross products (..., 3) of two arrays (..., 3) that broadcast.

    The same numbers as `np.cross`, whose handling of axes and of plane vectors costs some ten
    times as much as the product of a few vectors.
    """
    turned: Array = left * right.take(_YZX, axis=-1) - left.take(_YZX, axis=-1) * right
    return turned.take(_YZX, axis=-1)
