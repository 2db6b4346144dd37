"""Signals that end a command in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import signal
from typing import NoReturn


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Make SIGTERM end everything as Ctrl-C does, and Ctrl-C work also in a background job.

    What fails after the signal fails for it: an interrupt that comes while a lock is taken or
    given back, which is Python code in `threading`, comes out as a complaint about the lock.
    """
    came = []

    def interrupt(number: int, frame: object) -> NoReturn:
        came.append(number)
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    except Exception as error:
        if came:
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
