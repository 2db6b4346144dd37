"""A child process that foresees shares of recordings: `Foreseer` here, `_run` there.

It has networks of its own, ends with its parent, and leaves it to the parent to end it: Ctrl-C in
a terminal reaches both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
import multiprocessing
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
import os
from pathlib import Path
import signal
import sys
import threading
import time
from typing import BinaryIO

import cv2
from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.plan import Entry, Plan
from interwild_ros.bag.shares import foreseen
from interwild_ros.bag.sturdy import open_sturdy
from interwild_ros.bag.word_file import append_word, StampedWord
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError
from interwild_ros.pipeline.pipeline import load_pipeline, Pipeline
from interwild_ros.pipeline.warm_up import warm_up

_END_SEC = 5.0
_READY = 'ready'


@dataclass(frozen=True, eq=False)
class Work:
    """A share to foresee.

    `is_whole` says that its bag is read as one that is not damaged; `plan` are its lead and its
    rows; `entry` is where in the bag to begin to read.
    """

    bag: Path
    is_whole: bool
    camera: CameraTopics
    plan: Plan
    entry: Entry | None


class Foreseer:
    """A child, as its parent sees it."""

    def __init__(self, settings: Settings) -> None:
        """Start it; it loads its networks while others go on.

        :param settings: those of the analysis, with its threads.
        """
        spawning = multiprocessing.get_context('spawn')  # networks have threads: no fork
        self._wire, its_wire = spawning.Pipe()
        self._process = spawning.Process(target=_run, args=(its_wire, settings), daemon=True)
        with _without_interrupts():
            self._process.start()
        its_wire.close()
        self._is_ready = False

    @property
    def is_alive(self) -> bool:
        """Return whether it has not died."""
        return self._process.is_alive()

    def is_ready(self) -> bool:
        """Return whether it waits for work: its networks are loaded, and no share is left."""
        with suppress(EOFError, OSError):  # it died
            if not self._is_ready and self._wire.poll():
                self._wire.recv()
                self._is_ready = True
        return self._is_ready

    def is_busy(self) -> bool:
        """Return whether more is to be expected of its share."""
        return self.is_alive and not self.is_ready()

    def give(self, work: Work, file: BinaryIO) -> None:
        """Have it write what it foresees into a file, when it is ready; a dead one does not."""
        self._is_ready = False
        with suppress(OSError):
            self._wire.send(work)
            send_handle(self._wire, file.fileno(), self._process.pid)

    def tell_to_end(self) -> None:
        """Tell it to end, whatever it does."""
        self._process.terminate()

    def end(self) -> None:
        """See that it has ended."""
        self._process.join(_END_SEC)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._wire.close()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Have Ctrl-C come after the block; a process that is started in it never hears it."""
    resource_tracker.ensure_running()  # which lets Ctrl-C in again when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(wire: Connection, settings: Settings) -> None:
    """Foresee one share after another, until the parent ends."""
    _settle()
    pipeline = load_pipeline(settings)
    warm_up(pipeline)
    with suppress(EOFError, ConnectionError):  # the parent is gone
        while True:
            wire.send(_READY)
            work = wire.recv()
            with os.fdopen(recv_handle(wire), 'wb') as file:
                _foresee(work, pipeline, file)


def _foresee(work: Work, pipeline: Pipeline, file: BinaryIO) -> None:
    """Write what the networks say of each picture as soon as it is seen.

    What cannot be read or written ends the share: the analysis meets it too, and says it.
    """
    with suppress(AssetError, OSError), open_sturdy(work.bag) as bag:
        if bag.is_whole and not work.is_whole:
            bag.salvage('damage was met on the way')
        said = foreseen(bag, work.camera, work.plan, pipeline=pipeline, entry=work.entry)
        for _, stamp_ns, word in said:
            append_word(file, StampedWord(stamp_ns, word))


def _settle() -> None:
    """Make this process one that its parent ends, or the parent's end."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())  # which removes what it made
    cv2.setNumThreads(1)  # other workers want the other cores
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_END_SEC)
        os._exit(1)
