"""Random numbers that belong to a sample, however samples are batched or shared among workers.

A counter is hashed (SplitMix64, Steele et al. 2014): number k of a part of sample i follows from
the seed, the part's name, i and k alone. All samples of a batch draw the same numbers of numbers,
so that everything after can be computed batch by batch.
"""

from __future__ import annotations

from collections.abc import Sequence
import math
import zlib

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_MASK = (1 << 64) - 1
_EDGE = 1e-7  # keeps normal numbers finite


class Draws:
    """A stream of numbers for each of B samples; every method takes the next ones of each."""

    def __init__(self, seed: int, indices: Sequence[int], part: str) -> None:
        """Begin the stream of a part, such as `pose`; parts do not disturb each other."""
        self._seed, self._indices, self._part = seed, tuple(indices), part
        key = _hashed(
            np.array([(seed * 0x1000193 + zlib.crc32(part.encode())) & _MASK], np.uint64)
        )
        with np.errstate(over='ignore'):
            self._keys = _hashed(key + np.array(self._indices, np.uint64) * _GOLDEN)
        self._taken = 0

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._indices)

    def part(self, name: str) -> Draws:
        """Begin the stream of another part of the same samples."""
        return Draws(self._seed, self._indices, f'{self._part}/{name}')

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return (B, *shape) between low and high."""
        count = math.prod(shape)
        places = np.arange(self._taken + 1, self._taken + count + 1, dtype=np.uint64)
        self._taken += count
        with np.errstate(over='ignore'):
            bits = _hashed(self._keys[:, None] + places * _GOLDEN)
        numbers = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return torch.from_numpy((low + (high - low) * numbers).astype(np.float32)).view(-1, *shape)

    def normal(self, *shape: int, mean: float = 0.0, std: float = 1.0) -> Tensor:
        """Return (B, *shape) of a normal distribution."""
        normal: Tensor = torch.special.ndtri(self.uniform(*shape).clamp(_EDGE, 1 - _EDGE))
        return mean + std * normal

    def chance(self, share: float, *shape: int) -> Tensor:
        """Return booleans (B, *shape), true in this share of all."""
        return self.uniform(*shape) < share

    def choice(self, weights: Sequence[float], *shape: int) -> Tensor:
        """Return integers (B, *shape), as often as their weights say."""
        ends = torch.tensor(weights, dtype=torch.float64).cumsum(0)
        return torch.bucketize(self.uniform(*shape).double() * ends[-1], ends[:-1], right=True)

    def rotations(self) -> Tensor:
        """Return rotation matrices (B, 3, 3), all orientations equally often."""
        w, x, y, z = torch.nn.functional.normalize(self.normal(4), dim=1).unbind(1)
        rows = (
            (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
            (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
            (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
        )
        return torch.stack([torch.stack(row, 1) for row in rows], 1)

    def generators(self) -> list[np.random.Generator]:
        """Return a generator for each sample, for what is drawn one by one."""
        keys = self.uniform(2).double().mul(2**24).long().tolist()
        return [np.random.Generator(np.random.SFC64(key)) for key in keys]


def _hashed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over='ignore'):
        state = (state ^ (state >> np.uint64(30))) * _MIX_1
        state = (state ^ (state >> np.uint64(27))) * _MIX_2
        return np.asarray(state ^ (state >> np.uint64(31)))
