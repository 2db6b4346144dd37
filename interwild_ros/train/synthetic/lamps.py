"""Light: two lamps and a room for each picture, and the shadows that hands throw on hands."""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.train.synthetic import zbuffer
from interwild_ros.train.synthetic.contact import bead_radii_m
from interwild_ros.train.synthetic.domains import Light
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.painting import is_compiled_for
import numpy as np
import torch
from torch import Tensor
import torch.nn.functional as F

_GLANCING = 0.5  # the cosine below which a highlight is too dark to be seen
_SOFT = 0.9  # of a bead's radius: the width of a shadow's edge


class Lamps(NamedTuple):
    """B settings. `towards` (B, 2, 3) the lamps, `up` (B, 3) the brighter half of the room.

    `strength` (B, 2, 3) and `room` (B, 3) are colours; the rest are (B, 1): how far lamps reach
    round edges, highlight and its shininess, how dark edges are, and how deep shadows.
    """

    towards: Tensor
    up: Tensor
    strength: Tensor
    room: Tensor
    wrap: Tensor
    highlight: Tensor
    shininess: Tensor
    edge: Tensor
    shadow: Tensor


def draw_lamps(draws: Draws, light: Light) -> Lamps:
    """Draw the light of each picture; the same for all where it is fixed."""
    if light.fixed:
        one = _drawn(Draws(7, [2], 'fixed lamps'), light)
        return Lamps(*(part.expand(len(draws), *part.shape[1:]) for part in one))
    return _drawn(draws, light)


def _drawn(draws: Draws, light: Light) -> Lamps:
    towards = draws.normal(2, 3)
    towards[..., 2] = -towards[..., 2].abs() * draws.uniform(2, low=0.3, high=1.0)
    towards[..., 1] -= 0.7  # mostly from above
    colours = 1 + light.colour * draws.normal(3, 3)
    second = draws.uniform(1, high=0.5) * draws.chance(0.6, 1)
    low, high = light.lamp
    strength = draws.uniform(1, low=low, high=high) * torch.cat(
        [torch.ones_like(second), second], 1
    )
    low, high = light.room
    return Lamps(
        towards=F.normalize(towards, dim=-1),
        up=F.normalize(torch.tensor([0.0, -1.0, 0.0]) + draws.normal(3, std=0.3), dim=-1),
        strength=strength[..., None] * colours[:, :2],
        room=draws.uniform(1, low=low, high=high) * colours[:, 2],
        wrap=draws.uniform(1, high=0.7),
        highlight=draws.uniform(1, low=-0.06, high=0.22).clamp(min=0),
        shininess=draws.uniform(1, low=6, high=40),
        edge=draws.uniform(1, high=0.5),
        shadow=draws.uniform(1, low=0.1, high=0.85),
    )


def lit(colours: Tensor, normals: Tensor, points_m: Tensor, lamps: Lamps, shade: Tensor) -> Tensor:
    """Return what colours look like in the light, all (N, V, 3).

    :param lamps: of the N meshes.
    :param shade: (N, V) how much of the first lamp is hidden.
    """
    if is_compiled_for(colours):
        return _lit_compiled(colours, normals, points_m, lamps, shade)
    view = F.normalize(-points_m, dim=-1)
    cosines = normals @ lamps.towards.transpose(1, 2)  # N, V, 2
    wrap = lamps.wrap[:, None]
    lambert = ((cosines + wrap) / (1 + wrap)).clamp(min=0)
    free = 1 - lamps.shadow * shade
    lambert[..., 0] *= free
    ceiling = 0.8 + 0.2 * normals @ lamps.up[..., None]
    grazing = 1 - (normals * view).sum(-1, keepdim=True).clamp(0, 1)
    # the room's light, too, comes less into folds
    room = lamps.room[:, None] * ceiling * (1 - 0.25 * lamps.shadow * shade)[..., None]
    light = (room + lambert @ lamps.strength) * (1 - lamps.edge[:, None] * grazing**2)
    half = F.normalize(view + lamps.towards[:, :1], dim=-1)
    glancing = (normals * half).sum(-1)
    gloss = lamps.highlight * glancing.clamp(min=_GLANCING) ** lamps.shininess * free
    gloss = gloss * (glancing > _GLANCING)
    return colours * light + gloss[..., None]


def _lit_compiled(
    colours: Tensor, normals: Tensor, points_m: Tensor, lamps: Lamps, shade: Tensor
) -> Tensor:
    of_lamps = (lamps.wrap, lamps.highlight, lamps.shininess, lamps.edge, lamps.shadow)
    parts = (
        *(colours, normals, points_m, shade),
        *(lamps.towards, lamps.up, lamps.strength, lamps.room, torch.cat(of_lamps, 1)),
    )
    return torch.from_numpy(zbuffer.light(*(part.contiguous().numpy() for part in parts)))


def shade_of_beads(points_m: Tensor, beads: Tensor, towards: Tensor) -> Tensor:
    """Return how far beads (N, P, 3) hide a lamp from points (N, V, 3): (N, V), 0 to 1.

    Those within about a radius of a point do not count: they are the finger that it is part of.

    :param towards: (N, 3) the lamp's direction.
    """
    radii = bead_radii_m().to(points_m).repeat(beads.shape[1] // len(bead_radii_m()))
    if is_compiled_for(points_m):
        points, pearls, reach, lamp = (
            part.contiguous().numpy() for part in (points_m, beads, radii, towards)
        )
        return torch.from_numpy(zbuffer.shade(points, pearls, reach, lamp, np.float32(_SOFT)))
    ahead = (beads @ towards[..., None]).transpose(1, 2) - points_m @ towards[..., None]
    square = torch.cdist(points_m, beads) ** 2 - ahead**2
    beside = square.clamp(min=0).sqrt()
    hidden = ((radii * (1 + _SOFT / 2) - beside) / (_SOFT * radii)).clamp(0, 1)
    apart = (ahead / radii - 1.2).clamp(0, 1)
    return (hidden * apart).amax(-1)
