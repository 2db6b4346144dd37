"""Hands whose truth is known, and how they move before a camera: what simulated sights see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from interwild_ros.geometry.mirror import mirror_axis_angle, mirror_points
from interwild_ros.hand_model.articulation import Articulation
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.records import Array, Side
import numpy as np
from scipy.spatial.transform import Rotation
import torch

# Fingers up, the palm to the camera: the model's fingers lie along -x, its palm looks along -y.
_UPRIGHT = Rotation.from_rotvec(2 * np.pi / 3 / np.sqrt(3) * np.ones(3))
_HIDDEN_SEC = {
    Side.RIGHT: ((1.5, 1.8), (3.6, 3.8)),
    Side.LEFT: ((2.4, 2.9), (4.2, 4.4)),
}
_ARTICULATION = Articulation(read_stand_in(Side.RIGHT))


@dataclass(frozen=True, eq=False)
class TrueHand:
    """A hand before the camera: the hand model's parameters, and whose it is.

    `wrist_m` (3,) and `pose` (48,), `betas` (10,) as in records.Hand. `is_hidden` says that
    something that is no hand covers it.
    """

    side: Side
    wrist_m: Array
    pose: Array
    betas: Array
    is_own: bool = True
    is_hidden: bool = False

    def mirrored(self) -> TrueHand:
        """Return the hand of the world mirrored in x."""
        rotations = torch.from_numpy(np.reshape(self.pose, (16, 3)))
        return replace(
            self,
            side=self.side.other,
            wrist_m=mirror_points(torch.from_numpy(np.asarray(self.wrist_m))).numpy(),
            pose=mirror_axis_angle(rotations).numpy().ravel(),
        )


World = Callable[[float], Sequence[TrueHand]]  # the hands at a time in seconds
MakeWorld = Callable[[np.random.Generator, float], World]  # of a person at a distance in m


@dataclass(frozen=True)
class Motion:
    """Oscillations of a hand about where it rests; `bend_rad` is that of each finger joint."""

    hz: float = 0.0
    metres: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn_rad: float = 0.0
    bend_rad: float = 0.0


STILL = Motion()
SLOW = Motion(0.3, (0.04, 0.02, 0.04), 0.2, 0.2)
FAST = Motion(1.5, (0.09, 0.08, 0.09), 0.6, 0.5)


@dataclass(frozen=True, eq=False)
class Actor:
    """One person's hand: the right one, or the mirror image of that."""

    side: Side
    betas: Array
    phases: Array
    rest_m: tuple[float, float, float]  # as of a right hand
    motion: Motion = STILL

    def at(self, time_sec: float, *, offset_m: Sequence[float] = (0, 0, 0)) -> TrueHand:
        """Return the hand at a time, moved by (x, y, z)."""
        motion = self.motion
        waves = np.sin(2 * np.pi * motion.hz * time_sec + self.phases)
        bends = 0.5 + motion.bend_rad * waves[3:8, None] * np.ones(3)
        pose = _ARTICULATION.pose(bends[None], np.zeros((1, 5)))[0]
        turn = Rotation.from_rotvec(motion.turn_rad * waves[8:11])
        pose[:3] = (turn * _UPRIGHT).as_rotvec()
        wrist_m = np.array(self.rest_m) + motion.metres * waves[:3]
        hand = TrueHand(Side.RIGHT, wrist_m, pose, self.betas)
        hand = hand if self.side is Side.RIGHT else hand.mirrored()
        return replace(hand, wrist_m=hand.wrist_m + offset_m)


def person(rng: np.random.Generator, distance_m: float, motion: Motion) -> tuple[Actor, Actor]:
    """Return both hands of someone, moving in step sideways and in depth."""
    betas, phases = rng.normal(0, 0.7, 10), rng.uniform(0, 2 * np.pi, 11)
    right = Actor(Side.RIGHT, betas, phases, (-0.12, 0.08, distance_m), motion)
    mirrored = phases + np.pi * (np.arange(11) == 0)
    return right, Actor(Side.LEFT, betas, mirrored, right.rest_m, motion)


def moving(motion: Motion) -> MakeWorld:
    """Return what makes worlds in which both hands move."""

    def make(rng: np.random.Generator, distance_m: float) -> World:
        right, left = person(rng, distance_m, motion)
        return lambda t: (right.at(t), left.at(t))

    return make


def occlusions(rng: np.random.Generator, distance_m: float) -> World:
    """Return slow hands, of which now one, now the other is hidden for 0.2 to 0.5 s."""
    hands = person(rng, distance_m, SLOW)

    def world(t: float) -> list[TrueHand]:
        seen = [hand.at(t) for hand in hands]
        return [
            replace(h, is_hidden=any(a <= t < b for a, b in _HIDDEN_SEC[h.side])) for h in seen
        ]

    return world


def leaving(rng: np.random.Generator, distance_m: float) -> World:
    """Return slow hands, of which the right one is out of the picture from 1.8 to 3 s."""
    right, left = person(rng, distance_m, SLOW)
    far_m = 0.75 * distance_m  # half of the picture's width is 0.53 of the distance
    times, aside = (0.0, 1.4, 2.0, 2.8, 3.4), (0.0, 0.0, -far_m, -far_m, 0.0)
    return lambda t: (right.at(t, offset_m=(np.interp(t, times, aside), 0, 0)), left.at(t))


def crossing(rng: np.random.Generator, distance_m: float) -> World:
    """Return hands that go to each other's side and back in 4 s, the left one 10 cm behind."""
    right, left = person(rng, distance_m, SLOW)

    def world(t: float) -> tuple[TrueHand, TrueHand]:
        across = 0.15 * (1 - np.cos(2 * np.pi * t / 4.0))
        return right.at(t, offset_m=(across, 0, 0)), left.at(t, offset_m=(-across, 0.02, 0.1))

    return world


def strangers(rng: np.random.Generator, distance_m: float) -> World:
    """Return slow hands, behind which those of another person pass in 5 s."""
    own = person(rng, distance_m, SLOW)
    others = person(rng, distance_m + 0.35, SLOW)

    def world(t: float) -> list[TrueHand]:
        aside = (distance_m + 0.35) * (-0.9 + 1.8 * t / 5.0)
        passing = [h.at(t, offset_m=(aside, 0.03, 0)) for h in others]
        return [*(hand.at(t) for hand in own), *(replace(h, is_own=False) for h in passing)]

    return world
