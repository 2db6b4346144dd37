"""Mixed batches: which sample of which data set comes when, the same on every run.

Data sets with truth in 3D and data sets with weak 2D truth form two groups that are drawn equally
often, however large they are. Nothing here depends on workers or on what was drawn before: a
sample follows from its place and the seed, so a resumed run sees what an unbroken one sees.
Source: NETWORKS.md section 17.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from typing import Any, NamedTuple

from interwild_ros.errors import SettingError
from interwild_ros.train.samples import Sample
from interwild_ros.train.sources import SampleSource
import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

_TAIL_STREAM, _SAMPLE_STREAM = 1, 2  # keep the draws of one place apart


class Draw(NamedTuple):
    """A place in the mixture, in one epoch."""

    epoch: int
    place: int


class Mixture(Dataset[Sample]):
    """Groups of data sets as one map from draws to samples.

    Every group is as long as the longest. A shorter one is repeated while whole repetitions fit;
    the places that remain draw from it uniformly, anew in each epoch.
    """

    def __init__(self, groups: Sequence[Sequence[SampleSource]], *, seed: int) -> None:
        """Join groups, each of which is a sequence of data sets; empty groups fall away.

        :raises SettingError: when there is no sample at all.
        """
        self._groups = [_Group(sources) for sources in groups if sum(map(len, sources))]
        if not self._groups:
            raise SettingError('training data hold 0 samples, wanted at least 1')
        self._seed = seed
        self._group_length = max(group.length for group in self._groups)

    def __len__(self) -> int:
        """Return the samples of one epoch."""
        return len(self._groups) * self._group_length

    def __getitem__(self, draw: Draw) -> Sample:
        """Make the sample of a draw."""
        source, index = self.locate(draw)
        return source.sample(index, _generator(self._seed, _SAMPLE_STREAM, draw))

    def locate(self, draw: Draw) -> tuple[SampleSource, int]:
        """Return the data set of a draw and the index in it."""
        number, place = divmod(draw.place, self._group_length)
        group = self._groups[number]
        whole = self._group_length // group.length * group.length
        if place < whole:
            return group.locate(place % group.length)
        rng = _generator(self._seed, _TAIL_STREAM, draw)
        return group.locate(int(rng.integers(group.length)))


class _Group:
    """Data sets one after the other."""

    def __init__(self, sources: Sequence[SampleSource]) -> None:
        self._sources = sources
        self._ends = list(accumulate(len(source) for source in sources))
        self.length = self._ends[-1]

    def locate(self, index: int) -> tuple[SampleSource, int]:
        number = bisect_right(self._ends, index)
        before = self._ends[number - 1] if number else 0
        return self._sources[number], index - before


@dataclass(frozen=True)
class BatchPlan:
    """How an epoch is cut into batches, over all processes.

    `length` samples an epoch, `batch_size` of them in each of `world_size` processes at a time.
    """

    length: int
    batch_size: int
    world_size: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse an epoch without a whole batch for every process."""
        if self.batch_size < 1 or self.world_size < 1 or self.batch_count < 1:
            raise SettingError(
                f'an epoch has {self.length} samples, wanted at least one batch of '
                f'{self.batch_size} for each of {self.world_size} processes'
            )

    @property
    def batch_count(self) -> int:
        """Return the batches of each process an epoch; the rest of the samples is left out."""
        return self.length // (self.batch_size * self.world_size)


@dataclass(frozen=True)
class Progress:
    """How far training has come: `batch` batches of this epoch are done in every process."""

    epoch: int = 0
    batch: int = 0


class MixedBatches(Sampler[list[Draw]]):
    """One process's batches of the current epoch, shuffled, from where training stands.

    A loader reads ahead, so reading moves nothing: whoever trains calls `advance` after a batch.
    """

    def __init__(self, plan: BatchPlan, *, rank: int = 0) -> None:
        """Start at the beginning.

        :param rank: which of the plan's processes this is.
        """
        if not 0 <= rank < plan.world_size:
            raise SettingError(f'rank is {rank}, wanted 0 to {plan.world_size - 1}')
        self.progress = Progress()
        self._plan = plan
        self._rank = rank

    def __len__(self) -> int:
        """Return the batches that are left in the current epoch."""
        return self._plan.batch_count - self.progress.batch

    def __iter__(self) -> Iterator[list[Draw]]:
        """Yield the batches that are left in the current epoch."""
        epoch, first = self.progress.epoch, self.progress.batch
        order = _shuffled(self._plan, epoch)
        size, world = self._plan.batch_size, self._plan.world_size
        for batch in range(first, self._plan.batch_count):
            start = (batch * world + self._rank) * size
            yield [Draw(epoch, place) for place in order[start : start + size].tolist()]

    def advance(self) -> None:
        """Count a batch as done; after an epoch's last one the next epoch begins."""
        done = replace(self.progress, batch=self.progress.batch + 1)
        ended = done.batch == self._plan.batch_count
        self.progress = Progress(done.epoch + 1) if ended else done

    def state_dict(self) -> dict[str, Any]:
        """Return plan and progress as plain numbers, for a checkpoint."""
        return {'plan': asdict(self._plan), 'progress': asdict(self.progress)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where another run stood.

        :raises SettingError: when that run's plan is another one.
        """
        for name, wanted in asdict(self._plan).items():
            found = state['plan'][name]
            if found != wanted:
                raise SettingError(
                    f'the data position was saved with {name} {found}, this run has {wanted}'
                )
        self.progress = Progress(**state['progress'])


def _shuffled(plan: BatchPlan, epoch: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + epoch)
    return torch.randperm(plan.length, generator=generator)


def _generator(seed: int, stream: int, draw: Draw) -> np.random.Generator:
    return np.random.default_rng((seed, stream, *draw))
