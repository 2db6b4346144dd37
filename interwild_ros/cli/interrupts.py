"""Signals that end a command in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import signal
from typing import NoReturn


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Make SIGTERM end everything as Ctrl-C does, and Ctrl-C work also in a background job."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
