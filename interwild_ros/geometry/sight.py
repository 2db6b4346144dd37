"""Lines of sight: the axes in which a crop shows a hand.

A crop does not show where in the picture it lies, but a camera sees a hand at the picture's edge
from elsewhere than one in its middle: by tens of degrees. So what a crop tells is told about the
line of sight through its middle, and turned to the camera's axes where the camera is known. That
needs no other picture: crops stay as they are. Source: Yu et al. 2021 (perspective crop layers).
"""

from __future__ import annotations

import torch
from torch import Tensor


def camera_from_sight(rays: Tensor) -> Tensor:
    """Return the shortest rotations (..., 3, 3) that turn the camera's z axis onto rays.

    They map points of the axes about a line of sight to the camera's axes.

    :param rays: (..., 2) x and y at depth 1, without distortion.
    """
    length = (1 + rays.square().sum(-1)).sqrt()
    x, y = (rays / length[..., None]).unbind(-1)
    z = 1 / length
    both = -x * y / (1 + z)
    rows = (1 - x * x / (1 + z), both, x, both, 1 - y * y / (1 + z), y, -x, -y, z)
    return torch.stack(rows, -1).reshape(*rays.shape[:-1], 3, 3)
