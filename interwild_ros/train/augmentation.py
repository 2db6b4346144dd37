"""How a training picture is changed before the networks see it.

Source: NETWORKS.md section 16.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np

SCALE_SPAN = 0.25
ROTATION_STEP_RAD = math.radians(30)  # one standard deviation; two at most
ROTATION_SHARE = 0.6
COLOR_SPAN = 0.2
MIRROR_SHARE = 0.5


@dataclass(frozen=True)
class Augmentation:
    """One draw.

    `scale` multiplies the box that fills the input; `rotation_rad` turns that box clockwise, so
    the content turns counter-clockwise; `color` multiplies red, green and blue; `is_mirrored`
    reverses the picture's columns first.
    """

    scale: float = 1.0
    rotation_rad: float = 0.0
    color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    is_mirrored: bool = False


UNCHANGED = Augmentation()


def draw_augmentation(rng: np.random.Generator) -> Augmentation:
    """Draw as the original does; testing uses UNCHANGED."""
    turned = rng.random() < ROTATION_SHARE
    steps = float(np.clip(rng.standard_normal(), -2, 2)) if turned else 0.0
    red, green, blue = rng.uniform(1 - COLOR_SPAN, 1 + COLOR_SPAN, 3).tolist()
    return Augmentation(
        scale=1 + SCALE_SPAN * float(np.clip(rng.standard_normal(), -1, 1)),
        rotation_rad=ROTATION_STEP_RAD * steps,
        color=(red, green, blue),
        is_mirrored=bool(rng.random() < MIRROR_SHARE),
    )
