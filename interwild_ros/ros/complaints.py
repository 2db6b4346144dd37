"""Log what goes wrong again and again: the first at once, then a line every few seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import threading
import time


@dataclass
class _Said:
    at_sec: float
    held_back: int = 0


class Complaints:
    """Passes on the first complaint of each cause, and then one in a period, with the count.

    Any thread may complain.
    """

    def __init__(
        self,
        log: Callable[[str], None],
        *,
        period_sec: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make an empty list of causes.

        :param clock: seconds since any beginning.
        """
        self._log = log
        self._period_sec = period_sec
        self._clock = clock
        self._said: dict[str, _Said] = {}
        self._lock = threading.Lock()

    def say(self, cause: str, message: str) -> None:
        """Log an event, or count it when one of this cause was logged less than a period ago."""
        with self._lock:
            if not self._is_due(cause):
                self._said[cause].held_back += 1
                return
            held_back = self._renew(cause)
        self._log(f'{message} ({held_back} more like this before)' if held_back else message)

    def remind(self, cause: str, message: str) -> None:
        """Log a state that lasts, unless that was done less than a period ago."""
        with self._lock:
            if not self._is_due(cause):
                return
            self._renew(cause)
        self._log(message)

    def _is_due(self, cause: str) -> bool:
        said = self._said.get(cause)
        return said is None or self._clock() - said.at_sec >= self._period_sec

    def _renew(self, cause: str) -> int:
        """Note that a cause is logged now, and return how many events were held back."""
        before = self._said.get(cause)
        self._said[cause] = _Said(at_sec=self._clock())
        return before.held_back if before is not None else 0
