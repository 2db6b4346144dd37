"""How two hands stand to each other: apart, or interacting without one entering the other."""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.train.synthetic.contact import distance_to_contact_m
from interwild_ros.train.synthetic.draws import Draws
import torch
from torch import Tensor
import torch.nn.functional as F

_TRIES = 5  # of which the most entwined is kept, as often as not
_ENTWINED_SHARE = 0.55
_ASIDE_M = 0.028
_BEFORE_EACH_OTHER_SHARE = 0.3
_OWN_VIEW_SHARE = 0.3  # the right hand is on the picture's right


class _Touch(NamedTuple):
    """An offset (B, 3) at which hands touch, from where it was reached, and how far it leads."""

    offset: Tensor
    direction: Tensor
    distance: Tensor


def left_offsets(draws: Draws, right: Tensor, left: Tensor, interacting: Tensor) -> Tensor:
    """Return where the left hand goes, (B, 3) m to be added to its points.

    :param right: beads (B, P, 3) in the person's axes, centred at the origin; `left` likewise.
    :param interacting: (B,); other hands have nothing to do with each other.
    """
    together = _interacting_offsets(draws, right, left)
    return torch.where(interacting[:, None], together, _apart_offsets(draws, right, left))


def _interacting_offsets(draws: Draws, right: Tensor, left: Tensor) -> Tensor:
    tries = [_one_try(draws, right, left) for _ in range(_TRIES)]
    touches = _Touch(*(torch.stack(parts, 1) for parts in zip(*tries, strict=True)))
    closest = touches.distance.argmin(1)
    chosen = torch.where(draws.chance(_ENTWINED_SHARE), closest, torch.zeros_like(closest))
    rows = torch.arange(len(chosen))
    offsets, directions, _ = (part[rows, chosen] for part in touches)
    return offsets + directions * _gaps_m(draws)[:, None]


def _apart_offsets(draws: Draws, right: Tensor, left: Tensor) -> Tensor:
    side = torch.where(draws.chance(_OWN_VIEW_SHARE + 0.05), -1.0, 1.0)
    wanted = torch.stack(
        [
            side * draws.uniform(low=0.13, high=0.55),
            draws.normal(std=0.09),
            draws.normal(std=0.09),
        ],
        1,
    )
    directions = F.normalize(wanted, dim=1)
    least = distance_to_contact_m(right, left, directions) + 0.02
    return directions * torch.maximum(wanted.norm(dim=1), least)[:, None]


def _one_try(draws: Draws, right: Tensor, left: Tensor) -> _Touch:
    directions = _directions(draws)
    aside = draws.normal(3, std=_ASIDE_M)
    aside = aside - (aside * directions).sum(1, keepdim=True) * directions
    stop = distance_to_contact_m(right, left + aside[:, None], directions)
    stop = stop.clamp(min=0.0)  # they may pass each other altogether
    return _Touch(aside + directions * stop[:, None], directions, stop + 0.5 * aside.norm(dim=1))


def _directions(draws: Draws) -> Tensor:
    side = torch.where(draws.chance(_OWN_VIEW_SHARE), -1.0, 1.0)
    beside = torch.stack([side, draws.normal(std=0.45), draws.normal(std=0.45)], 1)
    front = torch.where(draws.chance(0.5), -1.0, 1.0)
    before = torch.stack([draws.normal(std=0.3), draws.normal(std=0.3), front], 1)
    anywhere = draws.normal(3)
    kind = draws.uniform(1)
    directions = torch.where(kind < _BEFORE_EACH_OTHER_SHARE, before, beside)
    return F.normalize(torch.where(kind > 0.8, anywhere, directions), dim=1)


def _gaps_m(draws: Draws) -> Tensor:
    """Return how much free space is left: mostly none, at times some centimetres."""
    kind, share = draws.uniform(2).unbind(1)
    some = torch.where(kind < 0.88, 0.03 * share, 0.03 + 0.09 * share)
    return torch.where(kind < 0.6, 0.003 * share - 0.001, some)
