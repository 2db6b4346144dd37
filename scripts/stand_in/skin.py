"""What only pictures need of the stand-in hand: the forearm, fine relief and tints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from stand_in.sculpture import finger_axes, Hand, JOINTS_M, MM, tip_radius_m, TIPS_M, WRIST_X_M

Array = NDArray[np.float64]

_RING_XS_MM = (100, 109, 120, 133, 148, 165, 183, 203, 225, 250, 277, 306)
_PALM_LINES_MM = (  # quadratic curves in (x, z)
    ((23, -40), (32, -4), (14, 18)),
    ((25, 33), (30, 8), (52, -24)),
    ((25, 33), (42, 6), (80, 6)),
)


def wrist_cut(hand: Hand, x_m: float, count: int, *, like: Array | None = None) -> Array:
    """Return evenly spaced points on the skin where a plane of constant x cuts it.

    :param like: angles (count,) to use instead of even spacing.
    """
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False) if like is None else like
    directions = np.stack([np.zeros_like(angles), np.sin(angles), np.cos(angles)], 1)
    radii = np.full(len(angles), 20 * MM)
    for _ in range(30):
        points = directions * radii[:, None] + [x_m, 0, 0]
        radii -= 0.7 * hand.distance(points)
    if like is not None:
        return np.asarray(points)
    closed = np.concatenate([points, points[:1]])
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    wanted = np.linspace(0, lengths[-1], count, endpoint=False)
    return np.stack([np.interp(wanted, lengths, closed[:, axis]) for axis in range(3)], 1)


def forearm_rings(hand: Hand, loop: Array) -> Array:
    """Return rings (R, 16, 3) that carry the wrist's loop on, in the loop's order."""
    angles = np.arctan2(loop[:, 1], loop[:, 2])
    return np.stack([wrist_cut(hand, x * MM, len(loop), like=angles) for x in _RING_XS_MM])


def relief_m(hand: Hand, points: Array, normals: Array) -> Array:
    """Return how far to move points along their normals to reach the skin."""
    relief = np.zeros(len(points))
    for _ in range(12):
        moved = points + relief[:, None] * normals
        slope = (hand.normals(moved) * normals).sum(1)
        relief -= 0.7 * hand.distance(moved) / slope.clip(0.4)
        relief = relief.clip(-3 * MM, 3 * MM)
    # in the folds between fingers, where the two disagree, relief would turn the skin inside out
    return np.asarray(relief * np.clip((slope - 0.6) / 0.35, 0, 1))


def tints(points: Array, normals: Array) -> dict[str, Array]:
    """Return where the skin is of the palm, a nail, a crease, or flushed: (D,) each, 0 to 1."""
    flushed, nail, crease = (np.zeros(len(points)) for _ in range(3))
    for first in (1, 4, 7, 10, 13):
        nail = np.maximum(nail, _nail(points, first))
        crease = np.maximum(crease, _finger_creases(points, normals, first))
        near_tip = np.linalg.norm(points - TIPS_M[first], axis=1) / (11 * MM)
        near_knuckle = np.linalg.norm(points - JOINTS_M[first], axis=1) / (13 * MM)
        flushed += np.exp(-(near_tip**2)) + 0.5 * np.exp(-(near_knuckle**2))
    crease = np.maximum(crease, _palm_lines(points, normals))
    palm = np.clip(0.5 - 1.2 * normals[:, 1], 0, 1) * _fade(points[:, 0], WRIST_X_M, 50 * MM)
    arm = np.clip((points[:, 0] - WRIST_X_M) / (MM * _RING_XS_MM[-1] - WRIST_X_M), 0, 1)
    return {'palm': palm, 'nail': nail, 'crease': crease, 'flush': flushed.clip(0, 1), 'arm': arm}


def _fade(values: Array, start: float, width: float) -> Array:
    return np.asarray(1 - np.clip((values - start) / width, 0, 1))


def _nail(points: Array, first: int) -> Array:
    along, up, across = finger_axes(first)
    radius = tip_radius_m(first)
    middle = TIPS_M[first] - along * radius * 1.12
    offset = (points - middle) / radius
    u, v = offset @ along / 0.88, offset @ across / 0.74
    inside = 1 - (u**4 + v**4)
    return np.where(offset @ up > 0.25, np.clip(inside * 5 + 0.5, 0, 1), 0)


def _finger_creases(points: Array, normals: Array, first: int) -> Array:
    """Return lines across the joints, on the palm's side, and wrinkles on the other."""
    crease = np.zeros(len(points))
    _, up, _ = finger_axes(first)
    palmward = np.clip(0.3 - normals @ up, 0, 1)
    for joint in (first, first + 1, first + 2):
        end = TIPS_M[first] if joint == first + 2 else JOINTS_M[joint + 1]
        along = (end - JOINTS_M[joint]) / np.linalg.norm(end - JOINTS_M[joint])
        offset = points - JOINTS_M[joint]
        near = np.linalg.norm(offset - (offset @ along)[:, None] * along, axis=1) < 14 * MM
        place = offset @ along / MM
        if joint == first:
            if first != 13:
                crease += near * palmward * np.exp(-(((place - 15) / 1.3) ** 2))
            continue
        lines = np.exp(-((place / 1.2) ** 2)) + 0.6 * np.exp(-(((place + 3.4) / 1.0) ** 2))
        wrinkles = sum(np.exp(-(((place - p) / 0.9) ** 2)) for p in (-3.5, -0.5, 2.5))
        crease += near * (palmward * lines + (1 - palmward) * 0.35 * wrinkles)
    return crease.clip(0, 1)


def _palm_lines(points: Array, normals: Array) -> Array:
    t = np.linspace(0, 1, 40)[:, None]
    lines = np.zeros(len(points))
    for a, b, c in MM * np.array(_PALM_LINES_MM):
        curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
        distance = np.linalg.norm(points[:, None, [0, 2]] - curve, axis=-1).min(1)
        lines = np.maximum(lines, np.exp(-((distance / (1.4 * MM)) ** 2)))
    return np.asarray(lines * (normals[:, 1] < -0.35))
