"""Hand crops turned, scaled, moved, tinted, hidden in part, with all that is true of them.

As in the original's augmentation, a picture that is turned about its centre counts as a hand that
is turned about the viewing axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
from interwild_ros.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from interwild_ros.geometry.spaces import apply_affine, Spaces
from interwild_ros.records import Array
from interwild_ros.train.streams import HandCrops
from interwild_ros.train.synthetic.draws import Draws
import numpy as np
import torch
from torch import Tensor

_TURN_RAD = 0.6
_SCALE_LOG = 0.15
_SHIFT_SHARE = 0.06  # of the crop's side
_GAIN = (0.65, 1.3)
_TINT = (0.85, 1.15)
_GREY_SHARE = 0.15
_HIDDEN_SHARE = 0.3
_HIDDEN_SIDE = (0.08, 0.35)


class CropAlteration:
    """Alters crops; each alteration follows from a seed and an index alone."""

    def __init__(self, spaces: Spaces, seed: int) -> None:
        self._spaces, self._seed = spaces, seed

    def __call__(self, batch: HandCrops, indices: Sequence[int]) -> HandCrops:
        """Return altered copies of crops."""
        draws = Draws(self._seed, indices, 'crops again')
        angles = draws.uniform(low=-_TURN_RAD, high=_TURN_RAD)
        scales = draws.uniform(low=-_SCALE_LOG, high=_SCALE_LOG).exp()
        shifts = draws.uniform(2, low=-_SHIFT_SHARE, high=_SHIFT_SHARE) * self._spaces.crop_px
        maps = self._maps(angles, scales, shifts)
        about_axis = matrix_from_axis_angle(torch.nn.functional.pad(angles[:, None], (2, 0)))
        root = about_axis @ matrix_from_axis_angle(batch.pose[:, :3])
        joints = self._moved(batch.joints, maps)
        inside = (joints[..., :2] >= 0) & (joints[..., :2] < self._spaces.volume_cells)
        return batch._replace(
            pictures=_altered(batch.pictures, maps, _draw_looks(draws)),
            joints=joints,
            joints_seen=inside.all(-1).float(),
            joints_m=batch.joints_m @ about_axis.transpose(1, 2),
            vertices_m=batch.vertices_m @ about_axis.transpose(1, 2),
            pose=torch.cat([axis_angle_from_matrix(root), batch.pose[:, 3:]], dim=1),
        )

    def _maps(self, angles: Tensor, scales: Tensor, shifts: Tensor) -> Tensor:
        """Return maps (B, 2, 3) between crop px that turn and scale about the centre."""
        cos, sin = angles.cos() * scales, angles.sin() * scales
        linear = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
        centre = torch.full((len(angles), 2, 1), self._spaces.crop_centre_px)
        return torch.cat([linear, centre - linear @ centre + shifts[..., None]], dim=2)

    def _moved(self, joints: Tensor, maps: Tensor) -> Tensor:
        crop_px = apply_affine(maps, self._spaces.crop_from_volume(joints[..., :2]))
        return torch.cat([self._spaces.volume_from_crop(crop_px), joints[..., 2:]], dim=-1)


class _Looks(NamedTuple):
    """For B pictures: factors (B, 3) of the colours; whether to take the colours out (B,).

    `hidden` (B, 4) x1 y1 x2 y2 as shares of the side, empty where nothing is hidden; `paint`
    (B, 3), 0 to 255, is what is seen there.
    """

    factors: Array
    is_grey: Array
    hidden: Array
    paint: Array


def _draw_looks(draws: Draws) -> _Looks:
    gain = draws.uniform(1, low=_GAIN[0], high=_GAIN[1])
    tint = draws.uniform(3, low=_TINT[0], high=_TINT[1])
    half = draws.uniform(2, low=_HIDDEN_SIDE[0], high=_HIDDEN_SIDE[1]) / 2
    half = half * draws.chance(_HIDDEN_SHARE, 1)
    centre = draws.uniform(2)
    return _Looks(
        factors=(gain * tint).numpy(),
        is_grey=draws.chance(_GREY_SHARE).numpy(),
        hidden=torch.cat([centre - half, centre + half], 1).clamp(0, 1).numpy(),
        paint=draws.uniform(3, high=255.0).numpy(),
    )


def _altered(pictures: Tensor, maps: Tensor, looks: _Looks) -> Tensor:
    """Return pictures (B, 3, S, S) of bytes, laid by maps (B, 2, 3), in other looks."""
    out = torch.empty_like(pictures, memory_format=torch.contiguous_format)
    images = pictures.permute(0, 2, 3, 1).numpy()
    for row, (image, laid, *look) in enumerate(zip(images, maps.numpy(), *looks, strict=True)):
        size = image.shape[1::-1]
        moved = cv2.warpAffine(np.ascontiguousarray(image), laid, size, flags=cv2.INTER_LINEAR)
        out[row] = torch.from_numpy(_in_other_looks(moved, *look)).permute(2, 0, 1)
    return out


def _in_other_looks(
    image: Array, factors: Array, is_grey: bool, hidden: Array, paint: Array
) -> Array:
    if is_grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    table = np.clip(np.arange(256)[:, None] * factors, 0, 255).round().astype(np.uint8)
    image = cv2.LUT(image, table[None])
    x1, y1, x2, y2 = (hidden * len(image)).round().astype(int)
    image[y1:y2, x1:x2] = paint
    return image
