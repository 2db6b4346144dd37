"""Lines of sight: the axes in which a crop shows a hand.

A crop does not show where in the picture it lies, but a camera sees a hand at the picture's edge
from elsewhere than one in its middle: by tens of degrees. So what a crop tells is told about the
line of sight through its middle, and turned to the camera's axes where the camera is known. That
needs no other picture: crops stay as they are. Source: Yu et al. 2021 (perspective crop layers).
"""

from __future__ import annotations

import math
from typing import Any

from interwild_ros.records import Array
import numpy as np
import torch
from torch import Tensor


def camera_from_sight(rays: Tensor) -> Tensor:
    """Return the shortest rotations (..., 3, 3) that turn the camera's z axis onto rays.

    They map points of the axes about a line of sight to the camera's axes.

    :param rays: (..., 2) x and y at depth 1, without distortion.
    """
    length = (1 + rays.square().sum(-1)).sqrt()
    x, y = (rays / length[..., None]).unbind(-1)
    return torch.stack(_entries(x, y, 1 / length), -1).reshape(*rays.shape[:-1], 3, 3)


def camera_from_ray(x: float, y: float) -> Array:
    """Return the same (3, 3) of one ray: for a picture's few, at a tenth of the time."""
    length = math.sqrt(1 + x * x + y * y)
    return np.array(_entries(x / length, y / length, 1 / length)).reshape(3, 3)


def _entries(x: Any, y: Any, z: Any) -> tuple[Any, ...]:
    """Return the rotation, row by row, that turns the z axis onto a unit vector."""
    both = -x * y / (1 + z)
    return (1 - x * x / (1 + z), both, x, both, 1 - y * y / (1 + z), y, -x, -y, z)
