"""Where two hands are: beside each other, in their picture, and how far from the camera."""

from __future__ import annotations

from interwild_ros.records import Side
from interwild_ros.train.synthetic.arrangements import left_offsets
from interwild_ros.train.synthetic.cameras import SceneCameras
from interwild_ros.train.synthetic.contact import beads
from interwild_ros.train.synthetic.domains import Cameras
from interwild_ros.train.synthetic.draws import Draws
import torch
from torch import Tensor

_NEAREST_M = 0.13  # of any joint
_WHOLE_SHARE = 0.85  # of pictures: hands are moved back until all of them is seen
_FILLED = 0.92  # of the picture, at most, where they are


def centre_on(points: Tensor) -> Tensor:
    """Return the middles (..., 1, 3) of points (..., N, 3)."""
    return (points.amin(-2, keepdim=True) + points.amax(-2, keepdim=True)) / 2


def moves_together(
    draws: Draws, joints: Tensor, forearms: Tensor, interacting: Tensor, cameras: SceneCameras
) -> Tensor:
    """Return (B, 2, 1, 3) which centres the right hand and sets the left one beside it."""
    to_centre = -centre_on(joints)
    person_from_cam = cameras.cam_from_person.transpose(1, 2)
    right, left = (
        beads(joints[:, side] + to_centre[:, side], forearms[:, side])
        @ person_from_cam.transpose(1, 2)
        for side in Side
    )
    offsets = left_offsets(draws, right, left, interacting)
    offsets = (cameras.cam_from_person @ offsets[..., None])[:, :, 0]
    beside = torch.stack([torch.zeros_like(offsets), offsets], 1)
    return to_centre + beside[:, :, None]


def shift_before_camera(
    draws: Draws, joints: Tensor, present: Tensor, cameras: SceneCameras, wanted: Cameras
) -> Tensor:
    """Return the move (B, 1, 1, 3) that brings hands with joints (B, 2, 21, 3) into the picture.

    :param present: (B, 2): a hand that is not there does not count.
    """
    low, high = _extent(joints, present)
    half = (high - low) / 2
    depth = _draw_depths(draws, wanted)
    reach = (cameras.size * _FILLED / 2 / cameras.focal_px[:, None]).clamp(min=1e-3)
    whole = (half[:, :2] / reach).amax(1) + half[:, 2]
    depth = torch.where(draws.chance(_WHOLE_SHARE), torch.maximum(depth, whole), depth)
    depth = torch.maximum(depth, _NEAREST_M + half[:, 2])
    seen_half_px = half[:, :2] / (depth - half[:, 2])[:, None] * cameras.focal_px[:, None]
    room_px = (cameras.size / 2 * 0.97 - seen_half_px).clamp(min=0)
    room_px = torch.maximum(room_px, 0.08 * cameras.size)  # cut hands are not all in the middle
    at_px = (cameras.size - 1) / 2 + room_px * _towards_middle(draws.uniform(2, low=-1.0))
    sideways = (at_px - cameras.centre_px) / cameras.focal_px[:, None] * depth[:, None]
    place = torch.cat([sideways, depth[:, None]], 1)
    return (place - (low + high) / 2)[:, None, None]


def _extent(joints: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    there = present[:, :, None, None]
    low = torch.where(there, joints, torch.inf).flatten(1, 2).amin(1)
    high = torch.where(there, joints, -torch.inf).flatten(1, 2).amax(1)
    return low, high


def _draw_depths(draws: Draws, wanted: Cameras) -> Tensor:
    """Draw distances whose logarithm is even: hands half as far are twice as dense."""
    nearest, farthest = wanted.distance_m
    share: Tensor = nearest * (farthest / nearest) ** draws.uniform()
    return share


def _towards_middle(share: Tensor) -> Tensor:
    return share.sign() * share.abs() ** 1.3
