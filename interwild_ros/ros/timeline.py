"""The time of a recording that is played: it goes on with a steady clock, and never back."""

from __future__ import annotations

from interwild_ros.records import NS_PER_SEC

LATE_SEC = 0.1


class Timeline:
    """Time in the recording, by that of a steady clock.

    It does not run past the message whose turn it is: while that is held back, time stands still.
    """

    def __init__(self, *, rate: float, begin_ns: int, now_sec: float) -> None:
        """Begin at a time of the recording.

        :param rate: how fast time goes there: 2 is twice as fast as on the wall.
        """
        self._rate = rate
        self._origin_ns, self._origin_sec = begin_ns, now_sec
        self._turn_ns = self._told_ns = begin_ns

    def expect(self, received_ns: int) -> None:
        """Let time run up to the arrival of the next message, which may lie behind."""
        self._turn_ns = max(self._turn_ns, received_ns)

    def left_sec(self, now_sec: float) -> float:
        """Return how long it is until the turn of the message that is expected."""
        ahead_sec = (self._turn_ns - self._origin_ns) / (self._rate * NS_PER_SEC)
        return self._origin_sec + ahead_sec - now_sec

    def pass_turn(self, now_sec: float) -> None:
        """Take note that the message is sent now.

        Where that is late, all that follows is as late: a burst would only push messages out of
        the queues of those who listen.
        """
        if self.left_sec(now_sec) < -LATE_SEC:
            self._origin_ns, self._origin_sec = self._turn_ns, now_sec

    def time_ns(self, now_sec: float) -> int:
        """Return the time in the recording."""
        gone_ns = round((now_sec - self._origin_sec) * self._rate * NS_PER_SEC)
        self._told_ns = max(self._told_ns, min(self._origin_ns + gone_ns, self._turn_ns))
        return self._told_ns
