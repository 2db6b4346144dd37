"""The One-Euro filter: still values are smoothed hard, fast ones hardly, and so lag little.

A first-order low pass whose cutoff grows with the speed. Source: Casiez, Roussel, Vogel, "1 Euro
filter", CHI 2012, algorithm 1: the speed is taken against the last filtered value. Here one speed
is that of a whole vector, direction or rotation and not of each coordinate, so that turning the
world turns the result. Time is that of the stamps, never of a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from interwild_ros.config import Checked, setting
from interwild_ros.errors import InputError
from interwild_ros.records import Array, NS_PER_SEC
from interwild_ros.tracking.manifolds import Manifold, rows_of, VECTORS
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
class _State:
    """The last stamp, filtered value and, in rows (N, D), filtered velocity: tangents per s."""

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
        self._is_of_rows = not isinstance(settings, OneEuroSettings)
        of_rows = settings if isinstance(settings, Sequence) else [settings]
        self._cutoffs = np.array([astuple(row) for row in of_rows], np.float64)  # rows, 3
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
        rows = len(self._cutoffs)
        if self._is_of_rows and value.shape[:-1] != (rows,):
            raise InputError(
                'bad_shape', f'value has shape {value.shape}, its settings are of {rows} rows'
            )
        tangents = np.zeros_like(self._manifold.difference(value, value))
        return _State(stamp_ns, value, rows_of(tangents))

    def _next(self, state: _State, value: Array, stamp_ns: int) -> _State:
        elapsed_sec = (stamp_ns - state.stamp_ns) / NS_PER_SEC
        velocity = state.velocity.copy()
        filtered = self._manifold.low_pass(
            value, state.value, velocity, elapsed_sec, self._cutoffs
        )
        return _State(stamp_ns, filtered, velocity)
