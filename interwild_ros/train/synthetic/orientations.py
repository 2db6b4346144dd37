"""Which way hands are held before a camera. Rotations turn the right hand's model into the camera.

The left hand is the right hand of the mirrored world: it is drawn as one, and then mirrored.
"""

from __future__ import annotations

import math

from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.records import Side
from interwild_ros.train.synthetic.domains import Hands
from interwild_ros.train.synthetic.draws import Draws
import torch
from torch import Tensor

HOLDINGS = ('up', 'any', 'towards', 'down', 'own', 'across')
# The palm faces the camera and the fingers point up: columns are the model's x, y and z.
_FACING = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
# Means of turn, nod and lean, degrees. Nodding brings the fingers to the camera; leaning turns
# the picture clockwise; turning by half a circle shows the back of the hand.
_MEANS = torch.tensor(
    [
        [0.0, 0.0, 0.0],  # up
        [0.0, 0.0, 0.0],  # any: drawn otherwise
        [0.0, 65.0, 0.0],  # towards the camera
        [0.0, 0.0, 180.0],  # down
        [180.0, -45.0, 20.0],  # one's own hands, seen from the head
        [0.0, 0.0, 75.0],  # across the picture, to the middle
    ]
)
_ALIKE_ROOTS_SHARE = 0.5
_ALIKE_RAD = math.radians(14)
_ELBOWWARD = torch.tensor([1.0, 0.0, 0.0])  # from the wrist, in the model
_MIRROR = torch.tensor([-1.0, 1.0, 1.0])
_SPREADS = torch.tensor(
    [
        [70.0, 22.0, 24.0],
        [0.0, 0.0, 0.0],
        [70.0, 22.0, 30.0],
        [80.0, 25.0, 35.0],
        [50.0, 28.0, 30.0],
        [80.0, 25.0, 22.0],
    ]
)


def draw_orientations(draws: Draws, holdings: Tensor) -> Tensor:
    """Draw rotations (B, 3, 3) of right hands, given how each is held (B,), of HOLDINGS."""
    about_face = draws.chance(0.4).float() * (holdings != HOLDINGS.index('own'))
    angles = _MEANS[holdings] + _SPREADS[holdings] * draws.normal(3).clamp(-2.2, 2.2)
    angles[:, 0] += 180 * about_face
    held = rotation_from_angles(torch.deg2rad(angles))
    return torch.where((holdings == HOLDINGS.index('any'))[:, None, None], draws.rotations(), held)


def rotation_from_angles(angles_rad: Tensor) -> Tensor:
    """Return rotations (B, 3, 3) of a hand that faces the camera, turns, nods and leans (B, 3)."""
    turn, nod, lean = angles_rad.unbind(-1)
    return _about(2, lean) @ _about(0, nod) @ _about(1, -turn) @ _FACING


def draw_roots(draws: Draws, hands: Hands) -> Tensor:
    """Return rotations (B, 2, 3, 3) from the model to the person's axes."""
    right, other = (draw_orientations(draws, draws.choice(hands.holdings)) for _ in Side)
    alike = draws.chance(_ALIKE_ROOTS_SHARE)[:, None, None]
    as_right = torch.where(alike, _perturbed(draws, right, _ALIKE_RAD), other)
    return torch.stack([right, _MIRROR[:, None] * as_right * _MIRROR], 1)


def draw_forearms(draws: Draws, roots: Tensor) -> tuple[Tensor, Tensor]:
    """Return how forearms are turned, and where they lead from the wrist; (B, 2, 3), camera."""
    bends = _wrist_bends(draws, len(Side))
    bends[:, Side.LEFT] *= -_MIRROR  # an axis mirrors the other way round
    elbowward = torch.stack([_ELBOWWARD, _ELBOWWARD * _MIRROR])
    bent = (matrix_from_axis_angle(bends) @ elbowward[..., None])[..., 0]
    turns, forearms = ((roots @ v[..., None])[..., 0] for v in (bends, bent))
    return turns, forearms


def _perturbed(draws: Draws, rotations: Tensor, std_rad: float) -> Tensor:
    """Turn rotations (B, 3, 3) a little, about any axis."""
    return matrix_from_axis_angle(draws.normal(3, std=std_rad)) @ rotations


def _wrist_bends(draws: Draws, hands: int) -> Tensor:
    """Return how forearms bend at wrists (B, hands, 3): axis-angle rad, right model's axes."""
    nod = draws.normal(hands, std=math.radians(20)).clamp(-1.1, 1.1)
    sideways = draws.normal(hands, std=math.radians(10)).clamp(-0.5, 0.5)
    return torch.stack([torch.zeros_like(nod), sideways, nod], -1)


def _about(axis: int, angle_rad: Tensor) -> Tensor:
    vector = torch.zeros(len(angle_rad), 3)
    vector[:, axis] = angle_rad
    return matrix_from_axis_angle(vector)
