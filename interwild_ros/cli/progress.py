"""How far a long work is, on standard error: a line that is written over, or one now and then."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_TERMINAL_SEC, _LOG_SEC = 0.1, 10.0
_BAR = 24


class ProgressLine:
    """Shows one piece of work after another.

    On a terminal a bar with the time that is left; elsewhere a line every ten seconds.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Show nothing yet."""
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._title = ''
        self._began_sec = self._said_sec = time.monotonic()
        self._width = 0

    def show(self, title: str, done: int, total: int) -> None:
        """Show how much of a work is done; without a total only how much.

        A new title begins a new work.
        """
        now_sec = time.monotonic()
        if title != self._title:
            self.end()
            self._title, self._began_sec, self._said_sec = title, now_sec, now_sec
        is_last = bool(total) and done == total
        period_sec = _TERMINAL_SEC if self._is_terminal else _LOG_SEC
        if is_last or now_sec - self._said_sec >= period_sec:
            self._said_sec = now_sec
            self._write(f'{title} {progress_text(done, total, now_sec - self._began_sec)}')

    def end(self) -> None:
        """Leave the line as it is, and write on below it."""
        if self._is_terminal and self._width:
            print(file=self._stream, flush=True)
        self._title, self._width = '', 0

    def _write(self, text: str) -> None:
        if not self._is_terminal:
            print(text, file=self._stream, flush=True)
            return
        print(f'\r{text.ljust(self._width)}', end='', file=self._stream, flush=True)
        self._width = len(text)


def progress_text(done: int, total: int, seconds: float) -> str:
    """Return a bar, the rate and the time that is left."""
    if not total:
        return f'{done}'
    filled = _BAR * done // total
    rate = done / seconds if seconds > 0 else 0.0
    left = f', {_clock((total - done) / rate)} left' if rate else ''
    return f'[{"#" * filled}{"." * (_BAR - filled)}] {done}/{total}, {rate:.1f} fps{left}'


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02d}:{rest:02d}' if hours else f'{minutes}:{rest:02d}'
