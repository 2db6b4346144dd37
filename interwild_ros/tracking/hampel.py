"""A gate for outliers: what lies too far from the last values is not passed on.

Source: Hampel 1974, the identifier by median and median absolute deviation (MAD), made causal. The
window holds the raw values, refused ones too: once motion fills half of it, it is no outlier. The
median of past values trails behind a fast hand, most where it turns back, so what is near the last
value passed is no outlier either.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import math
from statistics import median

from interwild_ros.config import Checked, setting
from interwild_ros.errors import InputError
from interwild_ros.records import Array
import numpy as np

_SIGMA_PER_MAD = 1.4826  # of a normal distribution
_Point = tuple[float, ...]  # a value's coordinates: sorting a few is quicker without arrays


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
        self._recent: deque[_Point] = deque(maxlen=self._settings.window)
        self._passed: _Point | None = None
        self._shape: tuple[int, ...] = ()
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
        point = tuple(value.ravel().tolist())
        refused = self._is_outlier(point, reach)
        if refused and self._refused >= self._settings.patience:
            self.reset()
            refused = False
        self._recent.append(point)
        self._shape = value.shape
        self._refused = self._refused + 1 if refused else 0
        if refused:
            return None
        self._passed = point
        return value

    def reset(self) -> None:
        """Forget all values: the next one passes."""
        self._recent.clear()
        self._passed = None
        self._refused = 0

    def _is_outlier(self, point: _Point, reach: float) -> bool:
        if self._passed is None:
            return False
        middle = tuple(map(median, zip(*self._recent, strict=True)))
        mad = median(math.dist(one, middle) for one in self._recent)
        sigma = max(_SIGMA_PER_MAD * mad, self._settings.floor)
        nearest = min(math.dist(point, middle), math.dist(point, self._passed))
        return nearest > max(self._settings.k * sigma, reach)

    def _check(self, value: Array) -> None:
        if self._recent and value.shape != self._shape:
            raise InputError('bad_shape', f'value has shape {value.shape}, wanted {self._shape}')
        if not np.isfinite(value).all():
            raise InputError('not_finite', 'a value at the outlier gate holds NaN or infinity')
