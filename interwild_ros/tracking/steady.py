"""Steady one hand over time: where it is, how it is turned, how its fingers bend, its shape.

The wrist's distance from the camera is several times as noisy as its direction (DEMANDS.md,
teleoperation), so each is filtered by itself, in the axes of the ray and not of the camera.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import math

from interwild_ros.config import Settings
from interwild_ros.errors import InputError, SettingError
from interwild_ros.records import Array, NS_PER_SEC
from interwild_ros.tracking.manifolds import (
    axis_angle_near,
    DIRECTIONS,
    quaternion_from_axis_angle,
    ROTATIONS,
)
from interwild_ros.tracking.one_euro import OneEuro, OneEuroSettings
from interwild_ros.tracking.shape import ShapeSettings, SteadyShape
import numpy as np

_USUAL = Settings()
_SPEED_CUTOFF_HZ = 2.0
_SHAPES = {'wrist_cam_m': (3,), 'root_rad': (3,), 'fingers_rad': (15, 3), 'betas': (10,)}


@dataclass(frozen=True, eq=False)
class HandParameters:
    """All that a hand's mesh and its place follow from, at one time.

    `wrist_cam_m` (3,) the wrist in the camera's optical frame, never at its origin; `root_rad`
    (3,) and `fingers_rad` (15, 3) axis-angle, in MANO's joint order; `betas` (10,). Fingers may be
    given with the model's mean pose or without it, as in `Hand.pose`: they come back likewise.
    """

    stamp_ns: int
    wrist_cam_m: Array
    root_rad: Array
    fingers_rad: Array
    betas: Array

    def __post_init__(self) -> None:
        """Check every array's shape, that all is finite, and that the wrist has a direction."""
        for name, shape in _SHAPES.items():
            value = np.asarray(getattr(self, name))
            if value.shape != shape:
                raise InputError(
                    'bad_shape', f'HandParameters.{name} has shape {value.shape}, wanted {shape}'
                )
            if not np.isfinite(value).all():
                raise InputError('not_finite', f'{name} of a hand holds NaN or infinity')
        if not np.dot(self.wrist_cam_m, self.wrist_cam_m) > 0:
            raise InputError('no_direction', 'the wrist is at the camera, wanted in front of it')


def _block(cutoff_hz: float, beta: float) -> OneEuroSettings:
    return OneEuroSettings(cutoff_hz, beta, _SPEED_CUTOFF_HZ)


@dataclass(frozen=True)
class SteadySettings:
    """How hard each block is smoothed, and when all but the shape begins anew.

    Speeds are radians per second for `direction`, `root` and `fingers`, metres per second for
    `distance`. The defaults are those of the node's settings, which were found with
    bench/steady.py: at 30 Hz and 0.6 m from the camera a resting hand has a sixth of its jitter,
    motion of 1.5 Hz and 15 cm is less than a frame late.
    `longest_gap_ms` is the longest time between two frames of one motion.
    """

    direction: OneEuroSettings = field(
        default=_block(_USUAL.direction_cutoff_hz, _USUAL.direction_beta)
    )
    distance: OneEuroSettings = field(
        default=_block(_USUAL.distance_cutoff_hz, _USUAL.distance_beta)
    )
    root: OneEuroSettings = field(default=_block(_USUAL.rotation_cutoff_hz, _USUAL.rotation_beta))
    fingers: OneEuroSettings = field(default=_block(_USUAL.fingers_cutoff_hz, _USUAL.fingers_beta))
    shape: ShapeSettings = field(default=ShapeSettings())
    longest_gap_ms: float = 250.0

    def __post_init__(self) -> None:
        """Refuse a gap that is no time."""
        if not (math.isfinite(self.longest_gap_ms) and self.longest_gap_ms > 0):
            raise SettingError(
                f'longest_gap_ms is {self.longest_gap_ms}, wanted finite and above 0 ms'
            )

    @classmethod
    def of(cls, settings: Settings) -> SteadySettings:
        """Return what the node's settings say, for hands whose shape is steady already."""
        return cls(
            direction=_block(settings.direction_cutoff_hz, settings.direction_beta),
            distance=_block(settings.distance_cutoff_hz, settings.distance_beta),
            root=_block(settings.rotation_cutoff_hz, settings.rotation_beta),
            fingers=_block(settings.fingers_cutoff_hz, settings.fingers_beta),
            shape=ShapeSettings(time_constant_sec=0.0, freeze_after_frames=0),
            longest_gap_ms=settings.longest_gap_ms,
        )


class SteadyHand:
    """Filters one hand's parameters, in the order of arrival and in the time of their stamps."""

    def __init__(self, settings: SteadySettings | None = None) -> None:
        """Begin without a hand."""
        self._settings = settings or SteadySettings()
        self._direction = OneEuro(self._settings.direction, DIRECTIONS)
        self._distance = OneEuro(self._settings.distance)
        fingers = _SHAPES['fingers_rad'][0] * [self._settings.fingers]
        self._rotations = OneEuro([self._settings.root, *fingers], ROTATIONS)
        self._shape = SteadyShape(self._settings.shape)
        self._last: HandParameters | None = None

    def __call__(self, hand: HandParameters) -> HandParameters:
        """Return the hand steadied, under its own stamp.

        The first frame, one after a gap and one from before the last come out as they went in,
        but for the shape, which has a memory of its own (`SteadyShape`). A stamp that was just
        seen changes nothing, and gives the last result again.
        """
        if self._last is not None and hand.stamp_ns == self._last.stamp_ns:
            return self._last
        if not self._continues(hand.stamp_ns):
            self.lose()
        turns_rad = self._turns(hand)
        self._last = HandParameters(
            stamp_ns=hand.stamp_ns,
            wrist_cam_m=self._wrist(hand),
            root_rad=turns_rad[0],
            fingers_rad=turns_rad[1:],
            betas=self._shape(hand.betas, hand.stamp_ns),
        )
        return self._last

    def lose(self) -> None:
        """Forget the motion, because the hand was lost; its shape stays that of its owner."""
        for block in (self._direction, self._distance, self._rotations):
            block.reset()
        self._last = None

    def reset(self) -> None:
        """Forget everything, the shape too."""
        self.lose()
        self._shape.reset()

    def _continues(self, stamp_ns: int) -> bool:
        if self._last is None:
            return False
        elapsed_sec = (stamp_ns - self._last.stamp_ns) / NS_PER_SEC
        return 0 < elapsed_sec <= self._settings.longest_gap_ms / 1000

    def _wrist(self, hand: HandParameters) -> Array:
        distance_m = math.hypot(*hand.wrist_cam_m)
        direction = self._direction(hand.wrist_cam_m, hand.stamp_ns)
        return direction * self._distance(distance_m, hand.stamp_ns)

    def _turns(self, hand: HandParameters) -> Array:
        """Return root and fingers (16, 3) filtered, with the whole turns they came with."""
        turns_rad = np.concatenate([[hand.root_rad], hand.fingers_rad], dtype=np.float64)
        steadied = self._rotations(quaternion_from_axis_angle(turns_rad), hand.stamp_ns)
        return axis_angle_near(steadied, turns_rad)
