"""One shape for one hand: betas are the operator's and do not change while the hand moves."""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.config import Checked, setting
from interwild_ros.errors import InputError
from interwild_ros.records import Array, NS_PER_SEC
import numpy as np


@dataclass(frozen=True)
class ShapeSettings(Checked):
    """How slowly a hand's shape follows what single frames say of it."""

    time_constant_sec: float = setting(
        2.0, 'time in which the shape follows a change by 63 %', unit='s', low=0.0, high=1e4
    )
    freeze_after_frames: int = setting(
        50, 'frames after which the shape is held; 0 never holds it', low=0, high=1_000_000
    )
    forget_after_sec: float = setting(
        10.0,
        'time without the hand after which it may be another person: begin anew',
        unit='s',
        low=0.0,
        high=1e6,
    )


class SteadyShape:
    """Follows betas slowly, then holds them.

    The mean of the first frames, then an exponential one: at every frame the new betas get the
    larger weight of both, so that a bad first frame does not last. Source: DEMANDS.md,
    teleoperation.
    """

    def __init__(self, settings: ShapeSettings | None = None) -> None:
        """Begin without a shape."""
        self._settings = settings or ShapeSettings()
        self._shape: Array | None = None
        self._stamp_ns = 0
        self._frames = 0

    def __call__(self, betas: Array, stamp_ns: int) -> Array:
        """Return the shape (10,), float64.

        Begins anew when time goes back and after `forget_after_sec` without a frame. A stamp that
        was just seen changes nothing.

        :raises InputError: `not_finite`, or `bad_shape` when the count differs from before.
        """
        betas = np.array(betas, dtype=np.float64)
        self._check(betas)
        if self._is_other_hand(stamp_ns):
            self.reset()
        if self._shape is None:
            self._shape, self._frames = betas, 1
        elif stamp_ns > self._stamp_ns and not self.is_frozen:
            self._frames += 1
            elapsed_sec = (stamp_ns - self._stamp_ns) / NS_PER_SEC
            self._shape = self._shape + self._weight(elapsed_sec) * (betas - self._shape)
        self._stamp_ns = stamp_ns
        return self._shape.copy()

    def use(self, settings: ShapeSettings) -> None:
        """Go on with other settings."""
        self._settings = settings

    @property
    def current(self) -> Array | None:
        """Return the shape (10,) as it stands, None without one."""
        return None if self._shape is None else self._shape.copy()

    @property
    def is_frozen(self) -> bool:
        """Return whether the shape is held."""
        return 0 < self._settings.freeze_after_frames <= self._frames

    def reset(self) -> None:
        """Forget the shape."""
        self._shape = None
        self._stamp_ns = 0
        self._frames = 0

    def _is_other_hand(self, stamp_ns: int) -> bool:
        elapsed_sec = (stamp_ns - self._stamp_ns) / NS_PER_SEC
        return not 0 <= elapsed_sec <= self._settings.forget_after_sec

    def _weight(self, elapsed_sec: float) -> float:
        follow = elapsed_sec / (self._settings.time_constant_sec + elapsed_sec)
        return max(1 / self._frames, follow)

    def _check(self, betas: Array) -> None:
        if self._shape is not None and betas.shape != self._shape.shape:
            raise InputError(
                'bad_shape', f'betas have shape {betas.shape}, wanted {self._shape.shape}'
            )
        if not np.isfinite(betas).all():
            raise InputError('not_finite', 'betas hold NaN or infinity')
