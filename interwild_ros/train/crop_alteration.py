"""Hand crops turned, scaled, moved, tinted, hidden in part, with all that is true of them.

As in the original's augmentation, a picture that is turned about its centre counts as a hand that
is turned about the viewing axis.
"""

from __future__ import annotations

from collections.abc import Sequence

from interwild_ros.geometry.rotations import about_viewing_axis, with_turned_wrist
from interwild_ros.geometry.spaces import apply_affine, Spaces
from interwild_ros.geometry.upright import turn_matrices
from interwild_ros.train.picture_alteration import altered_pictures, draw_looks
from interwild_ros.train.streams import HandCrops
from interwild_ros.train.synthetic.draws import Draws
import torch
from torch import Tensor

_TURN_RAD = 0.6
_SCALE_LOG = 0.15
_SHIFT_SHARE = 0.06  # of the crop's side


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
        about_axis = about_viewing_axis(angles)
        joints = self._moved(batch.joints, maps)
        inside = (joints[..., :2] >= 0) & (joints[..., :2] < self._spaces.volume_cells)
        return batch._replace(
            pictures=altered_pictures(batch.pictures, maps, draw_looks(draws)),
            joints=joints,
            joints_seen=inside.all(-1).float(),
            joints_m=batch.joints_m @ about_axis.transpose(1, 2),
            vertices_m=batch.vertices_m @ about_axis.transpose(1, 2),
            pose=with_turned_wrist(batch.pose, about_axis),
        )

    def _maps(self, angles: Tensor, scales: Tensor, shifts: Tensor) -> Tensor:
        """Return maps (B, 2, 3) between crop px that turn and scale about the centre."""
        linear = turn_matrices(angles) * scales[:, None, None]
        centre = torch.full((len(angles), 2, 1), self._spaces.crop_centre_px)
        return torch.cat([linear, centre - linear @ centre + shifts[..., None]], dim=2)

    def _moved(self, joints: Tensor, maps: Tensor) -> Tensor:
        crop_px = apply_affine(maps, self._spaces.crop_from_volume(joints[..., :2]))
        return torch.cat([self._spaces.volume_from_crop(crop_px), joints[..., 2:]], dim=-1)
