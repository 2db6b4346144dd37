"""The One-Euro filter: still values are smoothed hard, fast ones hardly, and so lag little.

A first-order low pass whose cutoff grows with the speed. Source: Casiez, Roussel, Vogel, "1 Euro
filter", CHI 2012, algorithm 1: the speed is taken against the last filtered value. Here one speed
is that of a whole vector, direction or rotation and not of each coordinate, so that turning the
world turns the result. Time is that of the stamps, never of a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
import math

from interwild_ros.config import Checked, setting
from interwild_ros.errors import InputError
from interwild_ros.records import Array, NS_PER_SEC
from interwild_ros.tracking.manifolds import length, Manifold, VECTORS
import numpy as np


@dataclass(frozen=True)
class OneEuroSettings(Checked):
    """How hard one block of values is smoothed.

    A unit is that of the values, radians for directions and rotations.
    """

    min_cutoff_hz: float = setting(
        1.0, 'cutoff of a value at rest: lower is steadier', unit='Hz', low=1e-3, high=1e3
    )
    beta: float = setting(
        0.0, 'cutoff gained per speed: higher lags less', unit='Hz per unit/s', low=0.0, high=1e6
    )
    derivative_cutoff_hz: float = setting(
        1.0, 'cutoff of the speed: higher notices motion earlier', unit='Hz', low=1e-3, high=1e3
    )


@dataclass(frozen=True, eq=False)
class _Cutoffs:
    """The numbers of `OneEuroSettings`, those of rows as columns (rows, 1)."""

    least_hz: Array | float
    beta: Array | float
    derivative_hz: Array | float

    @classmethod
    def of(cls, settings: OneEuroSettings | Sequence[OneEuroSettings]) -> _Cutoffs:
        if isinstance(settings, OneEuroSettings):
            return cls(*astuple(settings))
        return cls(*np.array([astuple(row) for row in settings]).T[..., None])


@dataclass(frozen=True, eq=False)
class _State:
    """The last stamp, filtered value and filtered velocity (a tangent per second)."""

    stamp_ns: int
    value: Array
    velocity: Array


class OneEuro:
    """Filters a value, or a block of values that do not share their speeds."""

    def __init__(
        self,
        settings: OneEuroSettings | Sequence[OneEuroSettings],
        manifold: Manifold = VECTORS,
    ) -> None:
        """Begin without a value.

        :param settings: those of all values, or one for each row of a block (rows, D).
        :param manifold: where the values live. The last axis is one value; a vector without axes
            is a number.
        """
        self._cutoffs = _Cutoffs.of(settings)
        self._manifold = manifold
        self._state: _State | None = None

    def __call__(self, value: Array | float, stamp_ns: int) -> Array:
        """Return the filtered value, float64, quaternions with w >= 0.

        The first value, and one from before the last, come out as they went in: the filter begins
        anew. A stamp that was just seen changes nothing, and gives the last result again.

        :raises InputError: when the value has another shape than the one before or than the
            settings, is not finite, or has length zero where it must not; the filter then stays as
            it was.
        """
        value = self._manifold.checked(value)
        state = self._state
        if state is None or stamp_ns < state.stamp_ns:
            state = self._begun(value, stamp_ns)
        elif value.shape != state.value.shape:
            raise InputError(
                'bad_shape', f'value has shape {value.shape}, the one before {state.value.shape}'
            )
        elif stamp_ns > state.stamp_ns:
            state = self._next(state, value, stamp_ns)
        self._state = state
        return state.value.copy()

    def reset(self) -> None:
        """Forget everything: the next value comes out as it goes in."""
        self._state = None

    def _begun(self, value: Array, stamp_ns: int) -> _State:
        rows = np.shape(self._cutoffs.beta)[:1]
        if rows and value.shape[:-1] != rows:
            raise InputError(
                'bad_shape', f'value has shape {value.shape}, its settings are of {rows[0]} rows'
            )
        return _State(stamp_ns, value, np.zeros_like(self._manifold.difference(value, value)))

    def _next(self, state: _State, value: Array, stamp_ns: int) -> _State:
        elapsed_sec = (stamp_ns - state.stamp_ns) / NS_PER_SEC
        step = self._manifold.difference(value, state.value)
        keep = smoothing_factor(self._cutoffs.derivative_hz, elapsed_sec)
        velocity = state.velocity + keep * (step / elapsed_sec - state.velocity)
        cutoff_hz = self._cutoffs.least_hz + self._cutoffs.beta * length(velocity)
        part = smoothing_factor(cutoff_hz, elapsed_sec)
        return _State(stamp_ns, self._manifold.moved(state.value, part * step), velocity)


def smoothing_factor(cutoff_hz: Array | float, elapsed_sec: float) -> Array:
    """Return the part of the way, in (0, 1), that a low pass goes in a time."""
    ratio = np.asarray(2 * math.pi * elapsed_sec * cutoff_hz)
    part: Array = ratio / (1 + ratio)
    return part
