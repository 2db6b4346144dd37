"""Colours for the fine stand-in hand: skin by its tints, and a sleeve."""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.hand_model.render_hand import RenderHand, TINTS
import numpy as np
import torch
from torch import Tensor

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class SkinTone:
    """Colours, 0 to 1, and how strongly the tints show."""

    back: Colour = (0.80, 0.58, 0.46)
    palm: Colour = (0.90, 0.68, 0.58)
    nail: Colour = (0.92, 0.74, 0.69)
    flush: float = 0.16
    crease: float = 0.20
    mottle: float = 0.05


@dataclass(frozen=True)
class Sleeve:
    """A sleeve that begins at a share of the forearm, seen from the wrist."""

    colour: Colour = (0.25, 0.32, 0.42)
    start: float = 0.35
    thickness_m: float = 0.006
    cuff: float = 0.14  # its length, as a share of the forearm


def skin_colours(hand: RenderHand, tone: SkinTone, rng: np.random.Generator) -> Tensor:
    """Return bare skin, (D, 3)."""
    palm, nail, crease, flush, _ = (hand.tints[:, i, None] for i in range(len(TINTS)))
    back, palm_colour, nail_colour = (
        hand.tints.new_tensor(colour) for colour in (tone.back, tone.palm, tone.nail)
    )
    colours = back + (palm_colour - back) * palm
    colours = colours * (1 + tone.mottle * _blotches(hand, rng))
    colours = colours * (1 - tone.flush * flush * hand.tints.new_tensor([0.15, 1.0, 0.9]))
    colours = colours * (1 - tone.crease * crease)
    return colours + (nail_colour - colours) * 0.85 * nail


def dressed(hand: RenderHand, colours: Tensor, sleeve: Sleeve) -> tuple[Tensor, Tensor]:
    """Return the colours (D, 3) with a sleeve, and how far it lifts the surface, (D,) m."""
    arm = hand.tints[:, TINTS.index('arm'), None]
    covered = ((arm - sleeve.start) / 0.02).clamp(0, 1)
    in_cuff = (arm < sleeve.start + sleeve.cuff).to(arm)
    folds = 0.06 * torch.sin(arm * 150) * in_cuff + 0.05 * torch.sin(arm * 37) * (1 - in_cuff)
    cloth = arm.new_tensor(sleeve.colour) * (1 - 0.15 * in_cuff) * (1 + folds)
    wider = 1 - 0.35 * in_cuff + 1.2 * (arm - sleeve.start).clamp(min=0)
    thickness_m = sleeve.thickness_m * covered * wider
    return colours + (cloth - colours) * covered, thickness_m[:, 0]


def _blotches(hand: RenderHand, rng: np.random.Generator) -> Tensor:
    """Return smooth noise (D, 1) of about a centimetre, around zero."""
    coarse = hand.mesh.coarse_count
    noise = torch.from_numpy(rng.standard_normal((1, coarse, 3)).astype(np.float32))
    smooth: Tensor = hand.mesh.fine(noise.to(hand.tints.device))
    return 1.5 * smooth[0, :, :1]
