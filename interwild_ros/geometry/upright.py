"""Hands upright: a crop that is turned about the line of sight until the fingers point up.

A network that is shown hands this way spends nothing on how they are turned in the picture, which
the joints of an earlier look, or of the frame before, tell well enough. Turns are in radians,
clockwise as the picture is seen (x right, y down), which is also the rotation vector (0, 0, turn)
of the camera's axes. Source: Zhang et al. 2020 (MediaPipe Hands), who read hands so.
"""

from __future__ import annotations

import math
from typing import Any

from interwild_ros.records import Array
import torch
from torch import Tensor

_WRIST = 0
_KNUCKLES = [5, 9, 13, 17]  # of the fingers, the thumb left out


def turn_to_upright(joints_px: Array) -> float:
    """Return the turn after which the knuckles of a hand (21, 2) are above its wrist."""
    x, y = _fingerwards(joints_px).tolist()
    return math.atan2(-x, -y)


def turns_to_upright(joints_px: Tensor) -> Tensor:
    """Return the same of many hands (..., 21, 2): (...)."""
    x, y = _fingerwards(joints_px).unbind(-1)
    return torch.atan2(-x, -y)


def turn_matrices(turns: Tensor) -> Tensor:
    """Return the (..., 2, 2) matrices of turns (...) in the picture."""
    cos, sin = turns.cos(), turns.sin()
    return torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)


def _fingerwards(joints_px: Any) -> Any:
    """Return the way (..., 2) from the wrist to the middle of the knuckles."""
    return joints_px[..., _KNUCKLES, :].mean(-2) - joints_px[..., _WRIST, :]
