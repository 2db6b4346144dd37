"""The picture that the networks see: the person box, scaled and turned, laid over their input.

Source: NETWORKS.md sections 13 and 16.
"""

from __future__ import annotations

import math

import cv2
from interwild_ros.geometry import mirror, regions
from interwild_ros.geometry.spaces import compose_affine, Spaces
from interwild_ros.records import Image
from interwild_ros.train.annotations import Annotation
from interwild_ros.train.augmentation import Augmentation
import numpy as np
import torch
from torch import Tensor


def lay_over_input(annotation: Annotation, augmentation: Augmentation, spaces: Spaces) -> Tensor:
    """Return the affine map (2, 3) from px of the picture to input px, in float64.

    Of the mirrored picture, where the augmentation mirrors.

    :raises InputError: when the person box has no pixel in the picture.
    """
    person = regions.view_box(
        annotation.person_box,
        annotation.image_size,
        input_size=spaces.input_size,
        scale=annotation.person_scale,
    )
    x, y, width, height = map(float, person)
    centre = torch.tensor([x + width / 2, y + height / 2], dtype=torch.float64)
    if augmentation.is_mirrored:
        centre[0] = mirror.mirror_columns(centre[0], annotation.image_size[0])
    return input_from_turned_box(
        centre,
        (width * augmentation.scale, height * augmentation.scale),
        augmentation.rotation_rad,
        spaces,
    )


def input_from_turned_box(
    centre: Tensor, size: tuple[float, float], rotation_rad: float, spaces: Spaces
) -> Tensor:
    """Return the map (2, 3) that lays a box over the input after turning it about its centre.

    :param centre: (2,) px; `size` width and height px.
    :param rotation_rad: the box's axes turn from x towards y, its content the other way.
    """
    x, y = centre.tolist()
    corner_box = np.array([x - size[0] / 2, y - size[1] / 2, *size])
    upright = torch.from_numpy(regions.input_from_image(corner_box, spaces.input_size))
    cos, sin = math.cos(rotation_rad), math.sin(rotation_rad)
    back = torch.tensor([[cos, sin], [-sin, cos]], dtype=torch.float64)
    turn = torch.cat([back, (centre - back @ centre)[:, None]], dim=1)
    return compose_affine(upright, turn)


def cut_patch(
    picture: Image, input_from_image: Tensor, augmentation: Augmentation, spaces: Spaces
) -> Tensor:
    """Return the networks' picture (3, H, W), RGB 0..1, black where there is no image.

    :param picture: (H, W, 3) RGB, not mirrored yet.
    """
    if augmentation.is_mirrored:
        picture = np.ascontiguousarray(picture[:, ::-1])
    # in floating point: a picture of whole numbers would be rounded to whole numbers again
    laid = cv2.warpAffine(picture.astype(np.float32), input_from_image.numpy(), spaces.input_size)
    laid = np.clip(laid * np.array(augmentation.color, np.float32), 0, 255) / 255
    return torch.from_numpy(np.ascontiguousarray(laid.transpose(2, 0, 1), np.float32))
