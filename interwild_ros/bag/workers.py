"""The processes of this machine that work on a recording: this one, and those that foresee for it.

This one analyses from the first picture on, while each other one foresees a share of those that
come later (`bag.shares`). It takes what they say as far as they have come, and waits for what is
coming; what one that died has not said, it asks its own networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass
from functools import partial
import os
from pathlib import Path
import time
from typing import BinaryIO

from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.foreseer import Foreseer, Work
from interwild_ros.bag.plan import Entry, Plan
from interwild_ros.bag.shares import Foresight, LEAD, shares_beside, Word
from interwild_ros.bag.sturdy import SturdyReader
from interwild_ros.bag.word_file import nameless_file, StampedWord, WordReader
from interwild_ros.config import Settings
from interwild_ros.pipeline.device import choose_device
from interwild_ros.records import PairReading
from interwild_ros.tracking.matching import Sought
import numpy as np
import torch

LEAST = 600
"""Pictures: a shorter recording is over when others would hardly have begun."""

_MOST = 8  # workers: more would wait for the one that places what they foresee
_LOOK_SEC = 0.002
_PATIENCE_SEC = 120.0  # for a picture, with one that lives


@dataclass(frozen=True)
class Crew:
    """How many processes work on a recording, and with how many threads each; 0 as in Settings."""

    workers: int
    threads: int


def crew_of(settings: Settings, workers: int = 0) -> Crew:
    """Return who works: on a CPU every core has a process with one thread, a GPU has one process.

    It does not depend on the recording, since results depend on the number of threads.

    :param workers: how many there are to be; 0 chooses, so that their threads have a core each.
    :raises DeviceError: when a required GPU is absent.
    """
    device, _ = choose_device(settings.device, require_gpu=settings.require_gpu)
    is_cpu = device.type == 'cpu'
    if not workers:
        workers = min(_cores() // (settings.threads or 1), _MOST) if is_cpu else 1
    workers = max(workers, 1)
    return Crew(workers, settings.threads or int(is_cpu and workers > 1))


def _cores() -> int:
    """Return how many cores are ours: PyTorch counts none twice that runs two threads."""
    return min(torch.get_num_threads(), len(os.sched_getaffinity(0)))


@contextmanager
def workers_beside(
    settings: Settings, count: int, folder: Path, *, least: int = LEAST, lead: int = LEAD
) -> Iterator[Workers]:
    """Have workers beside this process for as long as the block.

    They start when the first recording that is long enough is expected, and stay for the others.

    :param settings: those of the analysis, with its threads.
    :param count: how many besides this one; none is allowed.
    :param folder: where what they say lies, in files without a name.
    :param least: pictures of a recording that is long enough.
    :param lead: pictures that are followed before a share.
    """
    workers = Workers(settings, count, folder, least=least, lead=lead)
    try:
        yield workers
    finally:
        workers.end()


class Workers:
    """Those beside this process; made by `workers_beside`."""

    def __init__(
        self, settings: Settings, count: int, folder: Path, *, least: int, lead: int
    ) -> None:
        self._settings, self._count, self._folder = settings, count, folder
        self._least, self._lead = least, lead
        self._foreseers: list[Foreseer] = []

    @property
    def lost(self) -> int:
        """Return how many have died."""
        return sum(not foreseer.is_alive for foreseer in self._foreseers)

    def are_ready(self) -> bool:
        """Return whether all that live have loaded their networks and have nothing to do."""
        return all(foreseer.is_ready() for foreseer in self._living())

    def expect(self, pictures: int) -> None:
        """Have them load their networks, if a recording of so many pictures is long enough."""
        if pictures >= self._least and not self._foreseers:
            self._foreseers = [Foreseer(self._settings) for _ in range(self._count)]

    @contextmanager
    def beside(
        self,
        bag: SturdyReader,
        camera: CameraTopics,
        plan: Plan,
        entry_of: Callable[[Plan], Entry | None],
    ) -> Iterator[Foresight | None]:
        """Give what is foreseen of a camera while it is analysed, None where it is too short.

        :param entry_of: where in the bag to begin to read for a part of the plan.
        """
        self.expect(len(plan))
        if not self._foreseers or len(plan) < self._least:
            yield None
            return
        with ExitStack() as files:

            def begun(row: int) -> Begun | None:
                if not self.are_ready():
                    return None
                found = []
                living = self._living()
                shares = shares_beside(len(plan), row, len(living), lead=self._lead)
                for share, foreseer in zip(shares, living, strict=False):
                    part = plan.rows(share.lead, share.last)
                    work = Work(bag.path, bag.is_whole, camera, part, entry_of(part))
                    file = files.enter_context(nameless_file(self._folder))
                    foreseer.give(work, file)
                    found.append((int(plan.stamps_ns[share.first]), Coming(foreseer, file)))
                return found

            yield _Beside(plan, begun)

    def end(self) -> None:
        """End all of them."""
        for foreseer in self._foreseers:
            foreseer.tell_to_end()
        for foreseer in self._foreseers:
            foreseer.end()

    def _living(self) -> list[Foreseer]:
        return [foreseer for foreseer in self._foreseers if foreseer.is_alive]


class Coming:
    """What is said of a share, asked in the order of the stamps while it is still being said."""

    def __init__(self, foreseer: Foreseer, file: BinaryIO) -> None:
        """Begin with the first picture.

        :param file: what the foreseer writes.
        """
        self._foreseer = foreseer
        self._reader = WordReader(file)
        self._last: StampedWord | None = None
        self._is_over = False

    def get(self, stamp_ns: int, /) -> Word | None:
        """Return what is said of a picture; wait for it as long as it is to be expected."""
        while not self._is_over and (self._last is None or self._last.stamp_ns < stamp_ns):
            self._last = self._awaited()
            self._is_over = self._last is None
        if self._last is None or self._last.stamp_ns != stamp_ns:
            return None
        return self._last.word

    def _awaited(self) -> StampedWord | None:
        """Return the next record, None when there will be none."""
        until = time.monotonic() + _PATIENCE_SEC
        while (found := self._reader.next()) is None:
            if not self._foreseer.is_busy() or time.monotonic() > until:
                return self._reader.next()  # it may have come just now
            time.sleep(_LOOK_SEC)
        return found


Begun = list[tuple[int, Coming]]
"""The stamp at which each share begins, and what is said of it."""


class _Beside(Foresight):
    """Foresight that begins when the others are ready; until then nothing is foreseen."""

    def __init__(self, plan: Plan, begun: Callable[[int], Begun | None]) -> None:
        super().__init__((), ())
        self._plan = plan
        self._begun = begun
        self._has_begun = False

    def __call__(self, stamp_ns: int, sought: Sought) -> PairReading | None:
        """Return what was said of a picture by who looked there; it is waited for."""
        if not self._has_begun:
            self._begin(int(np.searchsorted(self._plan.stamps_ns, stamp_ns)))
        return super().__call__(stamp_ns, sought)

    def _begin(self, row: int) -> None:
        begun = self._begun(row)
        if begun is None:
            return
        self._has_begun = True
        self.first_stamps_ns = [first_ns for first_ns, _ in begun]
        self.shares = [partial(_itself, coming) for _, coming in begun]


def _itself(coming: Coming) -> Coming:
    return coming
