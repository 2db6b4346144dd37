"""How the two hands of the demo clip move: a few seconds of gestures, written as key poses."""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.records import Array
import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

PERIOD_SEC = 5.0

# Bends in degrees of thumb, index, middle, ring and little finger, three joints each; spreads.
_GESTURES = {
    'ease': (
        ((10, 12, 15), (12, 18, 10), (15, 21, 12), (18, 25, 14), (20, 27, 14)),
        (0, 4, 0, -3, -6),
    ),
    'spread': (((2, 4, 5), (2, 5, 4), (2, 5, 4), (2, 5, 4), (2, 5, 4)), (8, 13, 1, -9, -18)),
    'fist': (
        ((20, 25, 45), (80, 96, 60), (82, 98, 62), (82, 98, 62), (80, 96, 60)),
        (0, -2, 0, 2, 5),
    ),
    'point': (
        ((20, 27, 42), (4, 6, 4), (80, 97, 60), (82, 98, 62), (80, 96, 60)),
        (0, 2, 0, 2, 5),
    ),
    'pinch': (
        ((31, 22, 22), (48, 58, 28), (28, 38, 22), (19, 30, 19), (14, 25, 16)),
        (1, 1, 0, -4, -9),
    ),
    'cup': (
        ((18, 14, 16), (32, 40, 24), (34, 42, 26), (36, 44, 27), (38, 46, 28)),
        (2, 3, 0, -2, -5),
    ),
}

# Both scripts are written for a right hand, in metres and degrees. The left hand's is mirrored.
# seconds, wrist x y z, (turn in, nod, lean), forearm bend (nod, sideways), gesture
_Key = tuple[float, tuple[float, ...], tuple[float, ...], tuple[float, ...], str]
_RIGHT: tuple[_Key, ...] = (
    (0.0, (-0.125, 0.095, 0.56), (12, 4, -6), (8, 4), 'ease'),
    (0.7, (-0.150, 0.075, 0.53), (0, -4, -10), (6, 6), 'spread'),
    (1.4, (-0.085, 0.085, 0.53), (30, 6, -2), (4, 0), 'fist'),
    (2.1, (-0.070, 0.085, 0.52), (48, 10, 8), (10, -6), 'pinch'),
    (2.8, (0.010, 0.095, 0.45), (140, 2, 12), (-4, -10), 'cup'),
    (3.5, (-0.105, 0.090, 0.50), (25, -8, -4), (12, 4), 'point'),
    (4.1, (-0.070, 0.060, 0.52), (10, -4, -12), (8, 8), 'point'),
    (4.6, (-0.115, 0.085, 0.55), (4, 2, -10), (6, 6), 'spread'),
)
_LEFT: tuple[_Key, ...] = (
    (0.0, (-0.130, 0.100, 0.57), (10, 2, -4), (8, 4), 'ease'),
    (0.7, (-0.145, 0.080, 0.54), (-6, -4, -12), (6, 8), 'spread'),
    (1.4, (-0.090, 0.090, 0.52), (35, 4, 0), (4, 0), 'fist'),
    (2.1, (-0.075, 0.100, 0.54), (42, 6, 4), (10, -4), 'cup'),
    (2.8, (-0.020, 0.090, 0.60), (10, 0, -4), (4, -6), 'spread'),
    (3.5, (-0.170, 0.110, 0.58), (8, 4, -12), (8, 6), 'ease'),
    (4.1, (-0.500, 0.200, 0.58), (0, 6, -24), (4, 10), 'ease'),
    (4.6, (-0.240, 0.130, 0.57), (6, 2, -12), (6, 6), 'ease'),
)


@dataclass(frozen=True, eq=False)
class HandPath:
    """One hand over N times, as a right hand.

    `wrists_m` (N, 3) camera frame; `angles_rad` (N, 3): turn in, nod, lean; `forearm_rad` (N, 2);
    `bends_rad` (N, 5, 3); `spreads_rad` (N, 5).
    """

    wrists_m: Array
    angles_rad: Array
    forearm_rad: Array
    bends_rad: Array
    spreads_rad: Array


def demo_paths(times_sec: Array, rng: np.random.Generator) -> tuple[HandPath, HandPath]:
    """Return both hands at these times; the motion repeats after PERIOD_SEC."""
    return _path(_RIGHT, times_sec, rng), _path(_LEFT, times_sec, rng)


def _path(keys: tuple[_Key, ...], times_sec: Array, rng: np.random.Generator) -> HandPath:
    key_times = np.array([key[0] for key in keys] + [PERIOD_SEC])
    at = times_sec % PERIOD_SEC

    def smooth(values: Array) -> Array:
        closed = np.concatenate([values, values[:1]])
        return np.asarray(CubicSpline(key_times, closed, bc_type='periodic')(at))

    # fingers stop where a gesture is reached, and never bend backwards on the way
    fingers = [np.concatenate([np.ravel(part) for part in _GESTURES[key[4]]]) for key in keys]
    closed = np.array([*fingers, fingers[0]])
    fingers_rad = np.radians(PchipInterpolator(key_times, closed)(at))
    return HandPath(
        wrists_m=smooth(np.array([key[1] for key in keys])) + 0.003 * _sway(at, rng),
        angles_rad=np.radians(smooth(np.array([key[2] for key in keys]))) + 0.02 * _sway(at, rng),
        forearm_rad=np.radians(smooth(np.array([key[3] for key in keys]))),
        bends_rad=fingers_rad[:, :15].reshape(-1, 5, 3),
        spreads_rad=fingers_rad[:, 15:],
    )


def _sway(times_sec: Array, rng: np.random.Generator) -> Array:
    """Return the small motion (N, 3) of a hand that is held up, periodic too."""
    sway = np.zeros((len(times_sec), 3))
    for rounds in (3, 5, 8):
        phases = rng.uniform(0, 2 * np.pi, 3)
        sway += np.sin(2 * np.pi * rounds * times_sec[:, None] / PERIOD_SEC + phases) / rounds
    return sway
