"""The stand-in hand as a solid: tapered capsules that flow into each other.

The hand at rest lies in the plane of x (fingers to wrist) and z (little finger to thumb), its back
towards y. All lengths are metres. The measures are a drawing's, not a person's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MM = 1e-3
# MANO's joint order: wrist, index 1-3, middle 1-3, pinky 1-3, ring 1-3, thumb 1-3
JOINTS_M: Array = MM * np.array(
    [
        [90.0, 0.0, 0.0],
        *([4.0, 0.5, 26.0], [-31.0, 1.0, 30.0], [-53.5, -0.5, 32.0]),
        *([0.0, 2.0, 4.0], [-37.0, 2.5, 5.0], [-63.0, 1.0, 6.0]),
        *([18.0, -2.0, -35.0], [-6.5, -2.0, -42.5], [-23.5, -3.0, -47.5]),
        *([7.5, 1.0, -17.0], [-26.5, 1.0, -21.5], [-50.5, -0.5, -24.5]),
        *([67.0, -5.0, 29.0], [38.0, -11.0, 50.0], [15.5, -15.0, 62.5]),
    ]
)
# by the first joint of each finger
TIPS_M: dict[int, Array] = {
    1: MM * np.array([-76.5, -3.0, 34.0]),
    4: MM * np.array([-87.5, -1.5, 7.0]),
    7: MM * np.array([-42.5, -5.0, -53.0]),
    10: MM * np.array([-74.0, -3.0, -27.5]),
    13: MM * np.array([-9.5, -19.5, 74.0]),
}
WRIST_X_M = 0.092
# radii at the three joints, between them, at the pad and at the tip
_RADII_MM = {
    1: (9.6, 9.0, 9.1, 8.0, 7.9, 7.7, 6.6),
    4: (9.8, 9.2, 9.4, 8.3, 8.1, 7.9, 6.8),
    7: (8.2, 7.7, 7.7, 6.9, 6.8, 6.6, 5.7),
    10: (9.3, 8.7, 8.8, 7.8, 7.6, 7.4, 6.4),
    13: (13.0, 11.6, 11.4, 9.6, 10.0, 9.9, 7.6),
}
_FLAT = 0.93  # thickness over width of a finger
_FOREARM_X_M = 0.34


@dataclass(frozen=True)
class Capsules:
    """Tapered capsules that flow into each other over about `blend` metres.

    `thickness` divides distances along y: 0.9 makes a capsule a tenth thinner than wide.
    """

    starts: Array
    ends: Array
    start_radii: Array
    end_radii: Array
    thickness: float
    blend: float

    def distance(self, points: Array) -> Array:
        """Return something like the signed distance from the surface; negative inside."""
        squeeze = np.array([1, 1 / self.thickness, 1])
        starts, ends, points = self.starts * squeeze, self.ends * squeeze, points * squeeze
        along = ends - starts
        offset = points[:, None] - starts
        t = np.clip((offset * along).sum(-1) / (along * along).sum(-1), 0, 1)
        radii = self.start_radii + t * (self.end_radii - self.start_radii)
        return flowing_minimum(
            np.linalg.norm(offset - t[..., None] * along, axis=-1) - radii, self.blend
        )


def flowing_minimum(distances: Array, blend: float) -> Array:
    """Return the smallest of each row, rounded off where two are alike."""
    least = distances.min(1)
    excess = np.exp(-(distances - least[:, None]) / blend).sum(1)
    return np.asarray(least - blend * np.log(excess))


class Hand:
    """The solid: fingers flow into the palm, yet not into each other."""

    def __init__(self) -> None:
        self._fingers = [_finger(first) for first in _RADII_MM]
        self._palm = _palm()
        self._web = _webs()

    def distance(self, points: Array) -> Array:
        """Return something like the signed distance (N,) from the skin; negative inside."""
        fingers = np.stack([finger.distance(points) for finger in self._fingers], 1)
        nearest = flowing_minimum(fingers, 0.5 * MM)
        palm = self._palm.distance(points)
        web = self._web.distance(points)
        body = flowing_minimum(np.stack([palm, web], 1), 2.0 * MM)
        return flowing_minimum(np.stack([nearest, body], 1), 2.6 * MM)

    def normals(self, points: Array) -> Array:
        """Return the unit gradient of the distance."""
        gradient = self._gradient(points)
        return np.asarray(gradient / np.linalg.norm(gradient, axis=1, keepdims=True))

    def project(self, points: Array, *, on_plane: Array, rounds: int = 8) -> Array:
        """Move points onto the skin; those marked `on_plane` keep their x."""
        points = points.copy()
        for _ in range(rounds):
            gradient = self._gradient(points)
            gradient[on_plane, 0] = 0
            steep = np.maximum((gradient * gradient).sum(1), 0.3)
            step = -0.8 * (self.distance(points) / steep)[:, None] * gradient
            points += np.clip(step, -4 * MM, 4 * MM)
        return points

    def _gradient(self, points: Array) -> Array:
        reach = 0.2 * MM
        sides = [
            self.distance(points + step) - self.distance(points - step)
            for step in reach * np.eye(3)
        ]
        return np.stack(sides, 1) / (2 * reach)


def finger_axes(first: int) -> tuple[Array, Array, Array]:
    """Return along, up (out of the nail) and across for the last segment of a finger."""
    along = TIPS_M[first] - JOINTS_M[first + 2]
    along = along / np.linalg.norm(along)
    up = np.array([0.0, 1.0, 0.0]) if first != 13 else np.array([-0.30, 0.62, 0.72])
    up = up - (up @ along) * along
    up /= np.linalg.norm(up)
    return along, up, np.cross(along, up)


def tip_radius_m(first: int) -> float:
    """Return the radius of a finger at its pad."""
    return _RADII_MM[first][5] * MM


def _finger(first: int) -> Capsules:
    a, b, c = JOINTS_M[first : first + 3]
    radii = MM * np.array(_RADII_MM[first])
    along, up, _ = finger_axes(first)
    end = TIPS_M[first] - along * radii[6]
    pad = c + 0.55 * (end - c) - up * 0.6 * MM
    spine = np.array([a, (a + b) / 2, b, (b + c) / 2, c, pad, end])
    # flesh on the palm's side of the two outer segments
    flesh = [(p + q) / 2 - up * 1.2 * MM for p, q in ((a, b), (b, c))]
    starts = [*spine[:-1], *(f - along * 4 * MM for f in flesh)]
    ends = [*spine[1:], *(f + along * 4 * MM for f in flesh)]
    plump = [radii[1] * 0.97, radii[3] * 0.97]
    return Capsules(
        np.array(starts),
        np.array(ends),
        np.array([*radii[:-1], *plump]),
        np.array([*radii[1:], *plump]),
        thickness=_FLAT if first != 13 else 1.0,
        blend=1.5 * MM,
    )


def _palm() -> Capsules:
    """Return metacarpals, the balls of thumb and little finger, the wrist and the forearm."""
    j = JOINTS_M / MM
    rods: list[tuple[list[float] | Array, list[float] | Array, float, float]] = [
        ([84, 0, 7], j[1] + [5, -0.5, -0.5], 13.5, 10.8),
        ([84, 1, 2], j[4] + [5, -0.5, 0], 14.0, 11.2),
        ([84, 0, -6], j[10] + [5, -0.5, 0], 13.5, 10.6),
        ([82, -1, -12], j[7] + [5, 0, 1.5], 12.5, 9.4),
        ([78, -7, 13], j[13] + [-8, -3, -1], 12.0, 12.5),  # ball of the thumb
        ([92, -3, 12], j[13] + [4, 0, -3], 15.0, 12.0),
        (j[13] + [-4, -3, -2], j[14] + [3, 0.5, -2], 13.0, 11.0),
        ([58, -7, 18], [42, -7, 32], 11.0, 10.0),
        ([76, -6, -15], [36, -5, -29], 12.0, 10.0),  # ball of the little finger
        ([30, -4, 22], [28, -4, -24], 8.5, 8.0),  # pads below the fingers
        ([16, -3.5, 24], [20, -4, -28], 8.0, 7.5),
        ([110, 0, 10.5], [84, -1, 12], 17.5, 15.0),  # the wrist
        ([110, 0, -10.5], [84, -1, -12], 17.5, 15.0),
        ([110, 0, 0], [84, -1, 0], 18.0, 15.0),
        ([110, 0, 10.5], [230, -3, 14], 17.5, 29.0),  # the forearm
        ([110, 0, -10.5], [230, -3, -14], 17.5, 29.0),
        ([110, 0, 0], [230, -3, 0], 18.0, 32.0),
        ([230, -3, 14], [420, 0, 12], 29.0, 38.0),
        ([230, -3, -14], [420, 0, -12], 29.0, 38.0),
        ([230, -3, 0], [420, 0, 0], 32.0, 40.0),
    ]
    starts, ends, start_radii, end_radii = zip(*rods, strict=True)
    return Capsules(
        MM * np.array(starts),
        MM * np.array(ends),
        MM * np.array(start_radii),
        MM * np.array(end_radii),
        thickness=0.98,
        blend=3.2 * MM,
    )


def _webs() -> Capsules:
    """Return the skin between the fingers, and between thumb and index."""
    rods = []
    for one, other in ((1, 4), (4, 10), (10, 7)):
        a, b = (JOINTS_M[k] + 0.30 * (JOINTS_M[k + 1] - JOINTS_M[k]) for k in (one, other))
        rods.append((a - [0, 1.5 * MM, 0], b - [0, 1.5 * MM, 0], 4.2 * MM, 4.2 * MM))
    thumb, thumb_tip = JOINTS_M[13], JOINTS_M[14]
    index_base, index = np.array([75.0, 0.0, 10.0]) * MM, JOINTS_M[1]
    for share, radius in ((0.35, 9.0), (0.55, 7.0), (0.72, 5.0)):
        a = thumb + share * (thumb_tip - thumb)
        b = index_base + (0.15 + 0.62 * share) * (index - index_base)
        rods.append((a, b, radius * MM, radius * MM))
    starts, ends, start_radii, end_radii = zip(*rods, strict=True)
    return Capsules(
        np.array(starts),
        np.array(ends),
        np.array(start_radii),
        np.array(end_radii),
        thickness=1.0,
        blend=2.0 * MM,
    )
