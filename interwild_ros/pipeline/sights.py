"""From lines of sight, which crops are read about, to the axes of the camera that saw them."""

from __future__ import annotations

import math

import cv2
from interwild_ros.geometry.camera import undistort_px
from interwild_ros.geometry.crops import about_both
from interwild_ros.geometry.sight import camera_from_ray
from interwild_ros.geometry.spaces import Spaces
from interwild_ros.pipeline.view import View
from interwild_ros.records import Array
import numpy as np
from torch import Tensor


class Sights:
    """The lines of sight of both crops and of the square around both hands, as rotations."""

    def __init__(
        self, view: View, spaces: Spaces, input_from_crop: Tensor, joints_px: Tensor
    ) -> None:
        """Find them; all is on the CPU.

        :param input_from_crop: (2, 2, 3), right hand first.
        :param joints_px: (2, 21, 2) that were read, input px.
        """
        maps, pair_box = input_from_crop.numpy(), about_both(joints_px).numpy()
        crops = maps[..., :2] @ np.full(2, spaces.crop_centre_px) + maps[..., 2]
        both = pair_box.reshape(2, 2).mean(0)
        image_from_input = view.image_from_input.numpy()
        pixels = np.vstack([crops, both]) @ image_from_input[:, :2].T + image_from_input[:, 2]
        rays = undistort_px(view.camera, pixels)
        # where a lens shows nothing there is no hand either: any axes do
        rays = np.where(np.isfinite(rays), rays, 0.0)
        sights = [camera_from_ray(x, y) for x, y in rays.tolist()]
        self._of_both = sights.pop()
        self._turns = [sight @ _about_sight(m) for sight, m in zip(sights, maps, strict=True)]

    def directions(self) -> Array:
        """Return unit vectors (2, 3) along the crops' lines of sight."""
        right, left = self._turns
        return np.stack([right[:, 2], left[:, 2]])

    def turned_roots(self, roots: Array) -> Array:
        """Turn rotations of both wrists (2, 3), axis-angle, to the camera's axes."""
        turned = [
            cv2.Rodrigues(turn @ cv2.Rodrigues(root.astype(np.float64))[0])[0][:, 0]
            for turn, root in zip(self._turns, roots, strict=True)
        ]
        return np.stack(turned).astype(roots.dtype)

    def turned_between(self, left_from_right_m: Array) -> Array:
        """Turn the way (3,) from the right wrist to the left one to the camera's axes."""
        turned: Array = self._of_both @ left_from_right_m
        return turned.astype(left_from_right_m.dtype)


def _about_sight(input_from_crop: Array) -> Array:
    """Return the rotation (3, 3) from a turned crop's axes to those about its line of sight."""
    x, y = input_from_crop[:, 0].tolist()
    length = math.hypot(x, y)
    cos, sin = x / length, y / length
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
