"""End a node between two callbacks when SIGINT or SIGTERM comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import signal
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal came during work that may be broken off; no kind of Exception swallows it."""


class StopSignals:
    """A context in which both signals are only remembered.

    Neither rclpy's handlers, which take the context away under threads that still publish, nor a
    KeyboardInterrupt, which may hit any line, let a node end in order.
    """

    def __init__(self) -> None:
        self.came = False
        self._breaks_off = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        self._before = {number: signal.signal(number, self._remember) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def breaking_off(self) -> Iterator[None]:
        """Break long work off at a signal, where it stands: only for work that holds nothing.

        :raises Stopped: when a signal comes, or has come.
        """
        self._breaks_off = True
        try:
            if self.came:
                raise Stopped
            yield
        finally:
            self._breaks_off = False

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        if self._breaks_off:
            raise Stopped
