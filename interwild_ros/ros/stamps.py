"""The order of image stamps: what repeats one, and what begins again."""

from __future__ import annotations

import enum


class Order(enum.Enum):
    """How a stamp stands to the last one that was worked on."""

    FORWARD = 'forward'
    REPEATED = 'repeated_stamp'
    BACKWARD = 'backward_stamp'


class StampOrder:
    """Remembers the last stamp that was worked on."""

    def __init__(self) -> None:
        self._last_ns: int | None = None

    def compare(self, stamp_ns: int) -> Order:
        """Return how a stamp stands to the last accepted one."""
        if self._last_ns is None or stamp_ns > self._last_ns:
            return Order.FORWARD
        return Order.REPEATED if stamp_ns == self._last_ns else Order.BACKWARD

    def accept(self, stamp_ns: int) -> None:
        """Remember a stamp as the last one."""
        self._last_ns = stamp_ns

    def forget(self) -> None:
        """Take any next stamp."""
        self._last_ns = None
