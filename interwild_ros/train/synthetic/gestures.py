"""What fingers do, by kind of gesture: bends and spreads within the limits of joints.

Angles are degrees here, because people know joints by them. Fingers come as in joints.FINGERS,
the thumb first.
"""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.train.synthetic.draws import Draws
import torch
from torch import Tensor

GESTURES = (
    *('open', 'relaxed', 'fist', 'point', 'count', 'pinch', 'grasp', 'claw', 'table', 'random'),
)
# Least and most, of the three joints of a finger and of the thumb.
_FINGER_LIMITS = torch.tensor([[-28.0, -6.0, -12.0], [95.0, 112.0, 85.0]])
_THUMB_LIMITS = torch.tensor([[-22.0, -8.0, -28.0], [45.0, 62.0, 85.0]])
_WIDEST = torch.tensor([19.0, 3.0, -13.0, -26.0])  # fingers fanned out, as a rule
# What the thumb does: least and most of its three bends, spread, away, and turned in.
_FREE, _OPPOSED, _TUCKED, _PINCHING = range(4)
_THUMB_RANGES = torch.tensor(
    [
        [[-14.0, -6.0, -24.0, -10.0, -8.0, -10.0], [10.0, 30.0, 45.0, 26.0, 26.0, 16.0]],
        [[-4.0, 2.0, -12.0, -24.0, 6.0, 5.0], [30.0, 48.0, 60.0, 10.0, 44.0, 45.0]],
        [[6.0, 10.0, 20.0, -10.0, 4.0, 0.0], [30.0, 48.0, 70.0, 10.0, 34.0, 30.0]],
        [[22.0, 12.0, 4.0, -8.0, -4.0, 0.0], [36.0, 34.0, 40.0, 8.0, 10.0, 10.0]],
    ]
)
_THUMB_REACH = torch.tensor([2.0, 4.0, 2.0, -4.0, 6.0, 5.0])  # more with each finger further away
_OPENNESS = torch.tensor([0.75, 0.35, 0.0, 0.3, 0.4, 0.35, 0.35, 0.4, 0.1, 0.3])  # mean fan


class Fingers(NamedTuple):
    """Bends (B, 5, 3) and spreads (B, 5); `thumb` (B, 2): away from the palm, and turned in.

    Positive bends close the hand, positive spreads lead towards the thumb's side.
    """

    bends_deg: Tensor
    spreads_deg: Tensor
    thumb_deg: Tensor


def draw_fingers(draws: Draws, gestures: Tensor) -> Fingers:
    """Draw what the fingers do, given each sample's gesture (B,), an index of GESTURES."""
    pinched = draws.choice((5, 3, 1, 1))
    knuckles, middles, tips = _finger_bends(draws, gestures, pinched)
    finger_bends = torch.stack([knuckles, middles, tips], -1)
    spreads = _finger_spreads(draws, gestures, knuckles)
    thumb_bends, thumb_spread, thumb = _thumb(draws, gestures, pinched)
    low, high = _FINGER_LIMITS
    thumb_low, thumb_high = _THUMB_LIMITS
    return Fingers(
        torch.cat(
            [
                thumb_bends.clamp(thumb_low, thumb_high)[:, None],
                torch.minimum(torch.maximum(finger_bends, low), high),
            ],
            1,
        ),
        torch.cat([thumb_spread[:, None], spreads], 1),
        thumb,
    )


def _finger_bends(
    draws: Draws, gestures: Tensor, pinched: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the bends (B, 4) of knuckles, middle joints and last joints."""
    size = len(draws)
    whole, single = draws.uniform(1), draws.uniform(4)  # how the hand closes, how each finger
    rising = torch.linspace(-0.5, 0.5, 4)
    curled = draws.chance(0.5, 4).float()
    pinching = torch.nn.functional.one_hot(pinched, 4).float()
    rest = draws.uniform(1, low=-0.05, high=0.75)
    # knuckle and middle joint as shares of 90 and 100 degrees, for each gesture
    nearly = 0.12 * (single - 0.5)
    closed = 0.76 + 0.3 * whole + nearly
    loose = 0.08 + 0.34 * whole + 0.16 * rising + nearly
    straight = -0.06 + 0.14 * whole + nearly
    point = straight * torch.tensor([1.0, 0, 0, 0]) + closed * torch.tensor([0.0, 1, 1, 1])
    count = closed * curled + straight * (1 - curled)
    reach = 0.44 + 0.2 * whole
    others = rest + 0.12 * rising + nearly
    pinch_knuckle = pinching * reach + (1 - pinching) * others
    pinch_middle = pinching * (0.46 + 0.26 * single) + (1 - pinching) * others
    grip = 0.2 + 0.6 * whole + nearly
    knuckles = (
        *(straight, loose, closed, point, count, pinch_knuckle, grip),
        *(-0.25 + 0.4 * whole + nearly, 0.55 + 0.4 * whole + nearly, 1.3 * single - 0.27),
    )
    second = draws.uniform(4)
    middles = (
        *(straight, loose * 1.25, closed, point, count, pinch_middle, 0.28 + 0.5 * whole + nearly),
        *(0.45 + 0.55 * whole + nearly, straight + 0.1 * second, 1.1 * second - 0.06),
    )
    rows = torch.arange(size)
    knuckle, middle = (
        torch.stack([share.expand(size, 4) for share in table])[gestures, rows]
        for table in (knuckles, middles)
    )
    knuckle = 90 * knuckle + draws.normal(4, std=5)
    middle = 100 * middle + draws.normal(4, std=5)
    return knuckle, middle, middle * draws.uniform(4, low=0.3, high=0.85) + draws.normal(4, std=4)


def _finger_spreads(draws: Draws, gestures: Tensor, knuckles: Tensor) -> Tensor:
    """Return spreads (B, 4); bent fingers cannot spread, and neighbours hardly cross."""
    fan = (_OPENNESS[gestures] + draws.normal(std=0.33)).clamp(-0.25, 1.25)[:, None]
    aside = draws.normal(1, std=4.5)
    spreads = fan * _WIDEST + aside + draws.normal(4, std=4.0)
    pair_up = draws.chance(0.12)[:, None]  # as in a V: two and two together
    spreads = torch.where(pair_up, spreads[:, [0, 0, 3, 3]] + draws.normal(4, std=1.0), spreads)
    spreads = spreads * (1 - 0.8 * (knuckles / 90).clamp(0, 1))
    ordered = [spreads[:, 0]]
    for finger in range(1, 4):
        ordered.append(torch.minimum(spreads[:, finger], ordered[-1] + 4.0))
    return torch.stack(ordered, 1)


def _thumb(draws: Draws, gestures: Tensor, pinched: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the thumb's bends (B, 3), spread (B,) and its (away, turned in) (B, 2).

    :param pinched: (B,) which finger, 0 to 3, meets the thumb in a pinch.
    """
    chance, sure = draws.uniform(2).unbind(1)
    state = torch.full(gestures.shape, _FREE)
    state[chance < 0.45] = _OPPOSED
    state[chance < 0.15] = _TUCKED
    state[(gestures == _kind('grasp'))] = _OPPOSED
    closed = (gestures == _kind('fist')) | (gestures == _kind('point'))
    state[closed & (sure < 0.75)] = _TUCKED
    state[(gestures == _kind('pinch'))] = _PINCHING
    low, high = _THUMB_RANGES[state].unbind(1)
    angles = low + (high - low) * draws.uniform(6)
    reach = pinched * (state == _PINCHING)
    angles = angles + reach[:, None] * _THUMB_REACH
    return angles[:, :3], angles[:, 3], angles[:, 4:]


def _kind(name: str) -> int:
    return GESTURES.index(name)
