"""Where two hands touch: each is a string of beads, and beads do not enter one another."""

from __future__ import annotations

import torch
from torch import Tensor

_FINGERS = 5
_KNUCKLES = [5, 9, 13, 17]
_PALM_SHARES = (0.15, 0.38, 0.6, 0.82)  # of the way from the wrist to each knuckle
_PALM_RADIUS_M = 0.0125
_FINGER_RADII_M = torch.tensor([0.0095, 0.0085, 0.0078, 0.0066])
_BETWEEN_RADII_M = torch.tensor([0.0088, 0.0080, 0.0070])
_FOREARM_M = (0.04, 0.09, 0.14)  # from the wrist
_FOREARM_RADIUS_M = 0.028


def beads(joints: Tensor, forearms: Tensor) -> Tensor:
    """Return the beads (N, P, 3) of hands with joints (N, 21, 3).

    :param forearms: (N, 3) unit, from the wrist to the elbow.
    """
    fingers = joints[:, 1:].reshape(len(joints), _FINGERS, -1, 3)
    between = (fingers[:, :, 1:] + fingers[:, :, :-1]) / 2
    wrist = joints[:, :1]
    palm = [wrist + share * (joints[:, _KNUCKLES] - wrist) for share in _PALM_SHARES]
    forearm = [wrist + length * forearms[:, None] for length in _FOREARM_M]
    return torch.cat([fingers.flatten(1, 2), between.flatten(1, 2), *palm, *forearm], 1)


def bead_radii_m() -> Tensor:
    """Return the radii (P,) of the beads."""
    return torch.cat(
        [
            _FINGER_RADII_M.repeat(_FINGERS),
            _BETWEEN_RADII_M.repeat(_FINGERS),
            torch.full((len(_KNUCKLES) * len(_PALM_SHARES),), _PALM_RADIUS_M),
            torch.full((len(_FOREARM_M),), _FOREARM_RADIUS_M),
        ]
    )


def distance_to_contact_m(still: Tensor, moving: Tensor, directions: Tensor) -> Tensor:
    """Return how far along unit directions (N, 3) beads must be moved to just touch others.

    Coming from far away in the direction they stop there, (N,) m; minus infinity where they pass.

    :param still: beads (N, P, 3); `moving` likewise.
    """
    radii = bead_radii_m().to(still)
    reach = (radii[:, None] + radii) ** 2
    along = (moving @ directions[..., None])[:, None, :, 0] - still @ directions[..., None]
    square = torch.cdist(still, moving, compute_mode='donot_use_mm_for_euclid_dist') ** 2
    root = along**2 - square + reach
    stop = torch.where(root > 0, root.clamp(min=0).sqrt() - along, -torch.inf)
    return stop.flatten(1).amax(1)


def clearance_m(first: Tensor, second: Tensor) -> Tensor:
    """Return the free space between two strings of beads (N, P, 3); negative inside each other."""
    radii = bead_radii_m().to(first)
    gaps = torch.cdist(first, second, compute_mode='donot_use_mm_for_euclid_dist')
    return (gaps - radii[:, None] - radii).flatten(1).amin(1)
