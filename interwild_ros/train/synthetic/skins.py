"""Colours of hands and arms, batch by batch: any skin, nails, creases, sleeves, gloves."""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.hand_model.render_hand import RenderHand, TINTS
from interwild_ros.records import Side
from interwild_ros.train.synthetic.domains import Looks
from interwild_ros.train.synthetic.draws import Draws
import torch
from torch import Tensor

# Backs of hands from light to dark, and some that are more red or more yellow.
_TONES = torch.tensor(
    [
        [0.93, 0.78, 0.69],
        [0.90, 0.71, 0.59],
        [0.84, 0.63, 0.50],
        [0.76, 0.55, 0.42],
        [0.66, 0.45, 0.32],
        [0.52, 0.34, 0.23],
        [0.38, 0.24, 0.17],
        [0.28, 0.18, 0.13],
        [0.88, 0.64, 0.56],
        [0.80, 0.62, 0.44],
    ]
)
_ELBOW = 0.97  # of the forearm: what shows the colour of the arm beyond
_PINK = torch.tensor([0.95, 0.70, 0.62])
_NAIL = torch.tensor([0.97, 0.80, 0.75])
_FLUSHED = torch.tensor([0.10, 1.0, 0.85])  # of green and blue more is lost than of red


class Skin(NamedTuple):
    """`colours` (B, D, 3); `thickness_m` (B, D) of cloth on top; `base` (B, 3) without tints.

    `elbow` (B, 3) and `elbow_thickness_m` (B,): the same where the forearm ends.
    """

    colours: Tensor
    thickness_m: Tensor
    base: Tensor
    elbow: Tensor
    elbow_thickness_m: Tensor


class SkinMaker:
    """Colours a right render hand; a left one has the same vertices."""

    def __init__(self, hand: RenderHand) -> None:
        self._tints = {name: hand.tints[:, i, None] for i, name in enumerate(TINTS)}
        rest = torch.from_numpy(read_stand_in(Side.RIGHT).v_template).float()
        self._places = hand.mesh.smooth(rest[None])[0]  # for whatever varies over the hand

    def draw(self, draws: Draws, looks: Looks) -> Skin:
        """Draw a skin for each sample."""
        base = draw_tones(draws)
        blotches = self._blotches(draws)
        colours = self._bare(draws, base, blotches)
        gloved = draws.chance(looks.gloves)[:, None, None]
        glove = draw_cloth(draws)[:, None] * (1 + 0.2 * blotches)
        colours = torch.where(gloved, glove, colours)
        cloth, covered, thickness = self._sleeve(draws, looks)
        colours = (colours + (cloth - colours) * covered).clamp(0.01, 1)
        end = self._tints['arm'][:, 0] > _ELBOW
        return Skin(
            *(colours, thickness, base),
            elbow=colours[:, end].mean(1),
            elbow_thickness_m=thickness[:, end].mean(1),
        )

    def _bare(self, draws: Draws, base: Tensor, blotches: Tensor) -> Tensor:
        tint = self._tints
        back = base[:, None]
        lighter = 0.35 + 0.35 * draws.uniform(1, 1)
        palm = back + (_PINK * back.mean(-1, keepdim=True) ** 0.35 - back) * lighter
        colours = back + (palm - back) * tint['palm']
        colours = colours * (1 + draws.uniform(1, 1, high=0.11) * blotches)
        flush = draws.uniform(1, 1, high=0.32) * tint['flush']
        colours = colours * (1 - flush * _FLUSHED)
        colours = colours * (1 - draws.uniform(1, 1, high=0.36) * tint['crease'])
        return self._with_nails(draws, back, colours)

    def _with_nails(self, draws: Draws, back: Tensor, colours: Tensor) -> Tensor:
        plain = back + (_NAIL * back.mean(-1, keepdim=True) ** 0.3 - back) * 0.55
        plain = plain * draws.uniform(1, 1, low=0.85, high=1.08)
        varnish = draws.uniform(1, 3)
        nail = torch.where(draws.chance(0.1, 1, 1), varnish, plain)
        return colours + (nail - colours) * draws.uniform(1, 1, low=0.4) * self._tints['nail']

    def _blotches(self, draws: Draws) -> Tensor:
        """Return smooth noise (B, D, 1) around zero, of one to three centimetres."""
        waves = draws.normal(3, 4) * torch.tensor([90.0, 160.0, 260.0, 420.0])
        phases = draws.uniform(1, 4, high=6.2832)
        heights = torch.sin(self._places @ waves + phases)
        return heights @ torch.tensor([[0.4], [0.35], [0.3], [0.25]])

    def _sleeve(self, draws: Draws, looks: Looks) -> tuple[Tensor, Tensor, Tensor]:
        """Return cloth (B, D, 3), how far it covers (B, D, 1), and its thickness (B, D) m."""
        arm = self._tints['arm']
        dressed = draws.chance(looks.sleeves)[:, None, None].float()
        start = draws.uniform(1, 1, low=0.02, high=0.75)
        covered = ((arm - start) / 0.03).clamp(0, 1) * dressed
        cuff = (arm < start + draws.uniform(1, 1, high=0.2)).float()
        folds = torch.sin(arm * draws.uniform(1, 1, low=20, high=90) + 12 * self._places[:, 1:2])
        stripes = torch.sign(torch.sin(self._places @ draws.normal(3, 1, std=220.0)))
        striped = draws.uniform(1, 1, low=-0.5, high=0.45).clamp(min=0)
        cloth = draw_cloth(draws)[:, None] * (1 + 0.1 * folds + striped * stripes - 0.12 * cuff)
        loose = draws.uniform(1, 1, high=0.016)
        thickness = covered * (0.0025 + loose * (1 - 0.4 * cuff))
        return cloth, covered, thickness[..., 0]


def draw_tones(draws: Draws) -> Tensor:
    """Draw skin colours (B, 3)."""
    first, second = (_TONES[draws.choice([1.0] * len(_TONES))] for _ in range(2))
    mixed = first + (second - first) * draws.uniform(1, high=0.6)
    varied = mixed ** draws.uniform(1, low=0.85, high=1.2)
    return (varied * draws.uniform(3, low=0.94, high=1.06)).clamp(0.05, 0.98)


def draw_cloth(draws: Draws) -> Tensor:
    """Draw colours (B, 3) of cloth: mostly muted, at times loud."""
    grey = draws.uniform(1, low=0.03, high=0.85)
    loud = draws.uniform(3, low=0.03, high=0.95)
    return grey + (loud - grey) * draws.uniform(1) ** 1.5
