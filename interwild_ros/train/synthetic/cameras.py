"""The cameras of scenes: pinholes without distortion, and from where they look at a person."""

from __future__ import annotations

import math
from typing import NamedTuple

from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.records import Camera
from interwild_ros.train.synthetic.domains import Cameras
from interwild_ros.train.synthetic.draws import Draws
import torch
from torch import Tensor

_RIG_SEED = 2023  # the fixed cameras are the same in every run


class SceneCameras(NamedTuple):
    """B cameras.

    `focal_px` (B,), the same along both axes; `centre_px` (B, 2); `size` (B, 2) width and height;
    `cam_from_person` (B, 3, 3): the person's axes are those of a camera straight before them.
    """

    focal_px: Tensor
    centre_px: Tensor
    size: Tensor
    cam_from_person: Tensor

    def project(self, points_m: Tensor) -> Tensor:
        """Map points (B, ..., 3) of the cameras' frames to px (B, ..., 2)."""
        inner = [1] * (points_m.dim() - 2)
        focal = self.focal_px.view(-1, *inner, 1)
        centre = self.centre_px.view(-1, *inner, 2)
        return points_m[..., :2] / points_m[..., 2:].clamp(min=1e-6) * focal + centre

    def record(self, row: int) -> Camera:
        """Return one of them."""
        width, height = self.size[row].tolist()
        focal = float(self.focal_px[row])
        return Camera(width, height, focal, focal, *self.centre_px[row].tolist())


def draw_cameras(draws: Draws, cameras: Cameras) -> SceneCameras:
    """Draw a camera for each sample, from the rig where there is one."""
    if cameras.fixed:
        rig = _drawn(Draws(_RIG_SEED, range(cameras.fixed), 'rig'), cameras, around=True)
        chosen = draws.choice([1.0] * cameras.fixed)
        return SceneCameras(*(part[chosen] for part in rig))
    return _drawn(draws, cameras, around=False)


def _drawn(draws: Draws, cameras: Cameras, *, around: bool) -> SceneCameras:
    size = torch.tensor(cameras.sizes)[draws.choice(cameras.weights)]
    low, high = cameras.fov_deg
    half_rad = torch.deg2rad(draws.uniform(low=low, high=high)) / 2
    longest = size.amax(1)
    focal = 0.5 * longest / half_rad.tan()
    turned = draws.normal(3) * torch.deg2rad(torch.tensor(cameras.turned_deg))
    if around:  # the cameras of a studio stand all round
        turned[:, 1] = math.tau * torch.arange(len(draws)) / len(draws)
    return SceneCameras(
        focal_px=focal,
        centre_px=(size - 1) / 2 + draws.normal(2, std=0.01) * longest[:, None],
        size=size,
        cam_from_person=matrix_from_axis_angle(turned),
    )
