"""Pictures that come again in other looks: moved, tinted, greyed, hidden in part."""

from __future__ import annotations

from typing import NamedTuple

import cv2
from interwild_ros.records import Array
from interwild_ros.train.synthetic.draws import Draws
import numpy as np
import torch
from torch import Tensor

_GAIN = (0.65, 1.3)
_TINT = (0.85, 1.15)
_GREY_SHARE = 0.15
_HIDDEN_SHARE = 0.3
_HIDDEN_SIDE = (0.08, 0.35)


class Looks(NamedTuple):
    """For B pictures: factors (B, 3) of the colours; whether to take the colours out (B,).

    `hidden` (B, 4) x1 y1 x2 y2 as shares of the side, empty where nothing is hidden; `paint`
    (B, 3), 0 to 255, is what is seen there.
    """

    factors: Array
    is_grey: Array
    hidden: Array
    paint: Array


def draw_looks(draws: Draws, *, hidden_share: float = _HIDDEN_SHARE) -> Looks:
    """Draw looks; in `hidden_share` of the pictures a part is painted over."""
    gain = draws.uniform(1, low=_GAIN[0], high=_GAIN[1])
    tint = draws.uniform(3, low=_TINT[0], high=_TINT[1])
    half = draws.uniform(2, low=_HIDDEN_SIDE[0], high=_HIDDEN_SIDE[1]) / 2
    half = half * draws.chance(hidden_share, 1)
    centre = draws.uniform(2)
    return Looks(
        factors=(gain * tint).numpy(),
        is_grey=draws.chance(_GREY_SHARE).numpy(),
        hidden=torch.cat([centre - half, centre + half], 1).clamp(0, 1).numpy(),
        paint=draws.uniform(3, high=255.0).numpy(),
    )


def altered_pictures(pictures: Tensor, maps: Tensor, looks: Looks) -> Tensor:
    """Return pictures (B, 3, H, W) of bytes, laid by maps (B, 2, 3), in other looks."""
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
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (hidden * (width, height, width, height)).round().astype(int)
    image[y1:y2, x1:x2] = paint
    return image
