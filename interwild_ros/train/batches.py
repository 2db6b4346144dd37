"""Batches for the loop: named, from where training stands, made ahead by other processes.

The loop takes (name, batch) pairs and calls `advance` after each one that it has learned from; a
loader reads ahead, so reading moves nothing. Names are for the message when a loss goes wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
import multiprocessing
import os
import signal
import threading
from typing import Any, Protocol
import warnings

import cv2
from interwild_ros.errors import TrainingError
from interwild_ros.train.allocation import keep_freed_memory
from interwild_ros.train.mixing import MixedBatches, Mixture
from interwild_ros.train.recipe_sections import Running
from interwild_ros.train.streams import Stream
import torch
from torch.utils.data import DataLoader, Dataset

_LEAST_URGENT = 19
_DEATH = 'DataLoader worker'  # how torch begins to say that a worker is gone

MakeStream = Callable[[], Stream[Any]]


class Batches(Protocol):
    """An endless supply of batches, which knows its position."""

    def __iter__(self) -> Generator[tuple[str, Any], None, None]:
        """Yield names and batches from the current position on."""

    def advance(self) -> None:
        """Count a batch as done."""

    def state_dict(self) -> dict[str, Any]:
        """Return the position as plain numbers."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a position."""


@dataclass(frozen=True)
class Share:
    """Which samples of an endless stream this process takes: one batch in `world_size`."""

    batch_size: int
    rank: int = 0
    world_size: int = 1

    def indices(self, batch: int) -> range:
        """Return the samples of this process's batch of this number."""
        first = (batch * self.world_size + self.rank) * self.batch_size
        return range(first, first + self.batch_size)


class StreamBatches:
    """Batches of a stream without end."""

    def __init__(
        self, make_stream: MakeStream, share: Share, running: Running, *, seed: int
    ) -> None:
        """Begin at the first batch.

        :param make_stream: a function of a module, or a partial of one: each worker calls it.
        :param seed: the stream's, for the names of batches.
        """
        self.done = 0
        self._make_stream, self._share = make_stream, share
        self._running, self._seed = running, seed

    def __iter__(self) -> Generator[tuple[str, Any], None, None]:
        """Yield names and batches from the current position on."""
        return _going_on(self._from_here, lambda: self.done)

    def _from_here(self) -> Generator[tuple[str, Any], None, None]:
        loader = DataLoader(
            _Drawn(self._make_stream),
            sampler=_Counted(self._share, self.done),
            batch_size=None,
            # clean processes, and such as end without a last round of static destructors
            **_loader_settings(self._running, 'forkserver'),
        )
        for number, batch in enumerate(loader, self.done):
            samples = self._share.indices(number)
            yield f'samples {samples[0]} to {samples[-1]} of seed {self._seed}', batch

    def advance(self) -> None:
        """Count a batch as done."""
        self.done += 1

    def state_dict(self) -> dict[str, Any]:
        """Return the position."""
        return {'done': self.done, 'world_size': self._share.world_size}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a position.

        :raises TrainingError: when another number of processes trained until then.
        """
        if state['world_size'] != self._share.world_size:
            raise TrainingError(
                f'the checkpoint is of {state["world_size"]} processes, these are '
                f'{self._share.world_size}'
            )
        self.done = state['done']


class MixedSetBatches:
    """Batches of a mixture of data sets, epoch after epoch."""

    def __init__(self, mixture: Mixture, batches: MixedBatches, running: Running) -> None:
        self._mixture, self._batches, self._running = mixture, batches, running

    def __iter__(self) -> Generator[tuple[str, Any], None, None]:
        """Yield names and batches from the current position on."""
        return _going_on(self._from_here, lambda: self._batches.progress)

    def _from_here(self) -> Generator[tuple[str, Any], None, None]:
        while True:
            loader: DataLoader[Any] = DataLoader(
                self._mixture,
                batch_sampler=self._batches,
                # annotations take gigabytes: a fork shares them
                **_loader_settings(self._running, 'fork'),
            )
            for draws, batch in zip(self._batches, loader, strict=True):
                places = ', '.join(str(draw.place) for draw in draws)
                yield f'places {places} of epoch {draws[0].epoch}', batch

    def advance(self) -> None:
        """Count a batch as done."""
        self._batches.advance()

    def state_dict(self) -> dict[str, Any]:
        """Return the position."""
        return self._batches.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a position."""
        self._batches.load_state_dict(state)


def _going_on(
    from_here: Callable[[], Generator[tuple[str, Any], None, None]],
    position: Callable[[], object],
) -> Generator[tuple[str, Any], None, None]:
    """Yield without end; when a worker dies (killed, out of memory), go on with new ones.

    :raises TrainingError: when one dies where one died before.
    """
    died_at: object = None
    while True:
        try:
            yield from from_here()
        except RuntimeError as error:
            if not str(error).startswith(_DEATH):
                raise
            if died_at == position():
                raise TrainingError(f'workers die again and again: {error}') from None
            died_at = position()
            warnings.warn(f'{error}; new ones take over', RuntimeWarning, stacklevel=2)


class _Drawn(Dataset[Any]):
    """A stream as a map from indices to a batch; made when the first batch is asked for."""

    def __init__(self, make_stream: MakeStream) -> None:
        self._make_stream = make_stream
        self._stream: Stream[Any] | None = None

    def __getitem__(self, indices: Sequence[int]) -> Any:
        if self._stream is None:
            self._stream = self._make_stream()
        return self._stream.draw(indices)


class _Counted(torch.utils.data.Sampler[range]):
    """The indices of one batch after the other, for ever."""

    def __init__(self, share: Share, first: int) -> None:
        self._share, self._first = share, first

    def __iter__(self) -> Iterator[range]:
        number = self._first
        while True:
            yield self._share.indices(number)
            number += 1


def _loader_settings(running: Running, start: str) -> dict[str, Any]:
    if not running.workers:
        return {'num_workers': 0}
    return {
        'num_workers': running.workers,
        'prefetch_factor': running.ahead,
        'worker_init_fn': _settle,
        'multiprocessing_context': start,
        'pin_memory': torch.cuda.is_available(),
    }


def _settle(_worker: int) -> None:
    """Make a worker process a quiet neighbour."""
    # Ctrl-C goes to every process of a terminal: the main one decides what to do
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()
    os.nice(_LEAST_URGENT)  # so that workers take what the networks' threads leave of the cores
    cv2.setNumThreads(0)  # one core is what a worker is for; and its threads outlive its end
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when the process that trains is gone: a killed one cannot ask it to.

    PyTorch's own watch looks at the process that forked the worker, which is another one here.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
