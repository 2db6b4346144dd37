"""A gate for outliers: what lies too far from the last values is not passed on.

Source: Hampel 1974, the identifier by median and median absolute deviation (MAD), made causal. The
window holds the raw values, refused ones too: once motion fills half of it, it is no outlier. The
median of past values trails behind a fast hand, most where it turns back, so what is near the last
value passed is no outlier either.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from interwild_ros.config import Checked, setting
from interwild_ros.errors import InputError
from interwild_ros.records import Array
import numpy as np

_SIGMA_PER_MAD = 1.4826  # of a normal distribution


@dataclass(frozen=True)
class HampelSettings(Checked):
    """When a value is an outlier. The defaults are for wrists, in metres."""

    window: int = setting(7, 'values before this one that it is compared with', low=1, high=1000)
    k: float = setting(4.0, 'standard deviations that are passed on', low=0.1, high=100.0)
    floor: float = setting(
        0.02, 'least standard deviation assumed, in units of the value', low=0.0, high=1e9
    )
    patience: int = setting(
        3, 'values refused in a row, after which the next is taken anyway', low=0, high=1000
    )


class HampelGate:
    """Passes values or refuses them; never changes one."""

    def __init__(self, settings: HampelSettings | None = None) -> None:
        """Begin without values."""
        self._settings = settings or HampelSettings()
        self._recent: deque[Array] = deque(maxlen=self._settings.window)
        self._passed: Array | None = None
        self._refused = 0

    def __call__(self, value: Array | float, *, reach: float = 0.0) -> Array | None:
        """Return the value as float64, or None for an outlier.

        The first value always passes. After `patience` refusals in a row the next value passes
        too, and the window begins anew with it.

        :param value: a number or a vector (D,): its distance counts, not each coordinate's.
        :param reach: what is no farther than that from the last value passed, or from the median,
            is no outlier.
        :raises InputError: when it is not finite or of another shape than the one before; the
            gate then stays as it was.
        """
        value = np.array(value, dtype=np.float64)
        self._check(value)
        if self._refused >= self._settings.patience and self._is_outlier(value, reach):
            self.reset()
        refused = self._is_outlier(value, reach)
        self._recent.append(value)
        self._refused = self._refused + 1 if refused else 0
        if refused:
            return None
        self._passed = value
        return value.copy()

    def reset(self) -> None:
        """Forget all values: the next one passes."""
        self._recent.clear()
        self._passed = None
        self._refused = 0

    def _is_outlier(self, value: Array, reach: float) -> bool:
        if self._passed is None:
            return False
        recent = np.stack(self._recent)
        median = np.median(recent, axis=0)
        mad = float(np.median([_distance(one, median) for one in recent]))
        sigma = max(_SIGMA_PER_MAD * mad, self._settings.floor)
        nearest = min(_distance(value, median), _distance(value, self._passed))
        return nearest > max(self._settings.k * sigma, reach)

    def _check(self, value: Array) -> None:
        if self._recent and value.shape != self._recent[-1].shape:
            raise InputError(
                'bad_shape', f'value has shape {value.shape}, wanted {self._recent[-1].shape}'
            )
        if not np.isfinite(value).all():
            raise InputError('not_finite', 'a value at the outlier gate holds NaN or infinity')


def _distance(one: Array, other: Array) -> float:
    return float(np.linalg.norm(one - other))
