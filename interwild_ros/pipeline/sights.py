"""From lines of sight, which crops are read about, to the axes of the camera that saw them."""

from __future__ import annotations

import cv2
from interwild_ros.geometry.camera import undistort_px
from interwild_ros.geometry.crops import about_both
from interwild_ros.geometry.sight import camera_from_sight
from interwild_ros.geometry.spaces import apply_affine, Spaces
from interwild_ros.pipeline.view import View
from interwild_ros.records import Array
import numpy as np
import torch
from torch import Tensor


class Sights:
    """The lines of sight of both crops and of the square around both hands, as rotations."""

    def __init__(
        self, view: View, spaces: Spaces, input_from_crop: Tensor, joints_px: Tensor
    ) -> None:
        """Find them.

        :param input_from_crop: (2, 2, 3), right hand first, on the CPU.
        :param joints_px: (2, 21, 2) that were read, input px, on the CPU.
        """
        middle = torch.full((2, 1, 2), spaces.crop_centre_px).to(input_from_crop)
        crops = apply_affine(input_from_crop, middle)[:, 0]
        low, high = about_both(joints_px).to(input_from_crop).chunk(2)
        pixels = view.image_points(torch.cat([crops, (low + high)[None] / 2])[None])[0].numpy()
        rays = undistort_px(view.camera, pixels)
        # where a lens shows nothing there is no hand either: any axes do
        rays = np.where(np.isfinite(rays), rays, 0.0)
        self._turns: Array = camera_from_sight(torch.from_numpy(rays)).numpy()

    def directions(self) -> Array:
        """Return unit vectors (2, 3) along the crops' lines of sight."""
        return self._turns[:2, :, 2]

    def turned_roots(self, roots: Array) -> Array:
        """Turn rotations of both wrists (2, 3), axis-angle, to the camera's axes."""
        turned = [
            cv2.Rodrigues(turn @ cv2.Rodrigues(root.astype(np.float64))[0])[0][:, 0]
            for turn, root in zip(self._turns, roots, strict=False)
        ]
        return np.stack(turned).astype(roots.dtype)

    def turned_between(self, left_from_right_m: Array) -> Array:
        """Turn the way (3,) from the right wrist to the left one to the camera's axes."""
        turned: Array = self._turns[2] @ left_from_right_m
        return turned.astype(left_from_right_m.dtype)
