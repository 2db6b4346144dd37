"""A thread with a mailbox: the newest item only (live), or every item in order (replay)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import threading
from typing import Generic, TypeVar

T = TypeVar('T')


class Mailbox(Generic[T]):
    """Hands items from one thread to another. A full one gives up its oldest item, or waits."""

    def __init__(self, *, capacity: int, waits: bool) -> None:
        """Make an empty mailbox.

        :param waits: `put` waits for room; else it pushes the oldest item out.
        """
        self._capacity = capacity
        self._waits = waits
        self._items: deque[T] = deque()
        self._is_closed = False
        self._changed = threading.Condition()

    @property
    def has_room(self) -> bool:
        """Return whether an item can be put in without waiting or pushing one out."""
        with self._changed:
            return len(self._items) < self._capacity

    def put(self, item: T) -> int:
        """Put an item in, and return how many older ones it pushed out."""
        with self._changed:
            while self._waits and len(self._items) >= self._capacity and not self._is_closed:
                self._changed.wait()
            self._items.append(item)
            pushed_out = max(0, len(self._items) - self._capacity)
            for _ in range(pushed_out):
                self._items.popleft()
            self._changed.notify_all()
            return pushed_out

    def take(self) -> T | None:
        """Wait for an item and take the oldest out; None when the mailbox was closed."""
        with self._changed:
            while not (self._items or self._is_closed):
                self._changed.wait()
            item = None if self._is_closed else self._items.popleft()
            self._changed.notify_all()
            return item

    def clear(self) -> None:
        """Throw away what was not taken."""
        with self._changed:
            self._items.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Throw away what was not taken, and let nobody wait any more."""
        with self._changed:
            self._items.clear()
            self._is_closed = True
            self._changed.notify_all()


class Worker(Generic[T]):
    """A thread that does one piece of work for each item of a mailbox."""

    def __init__(self, name: str, work: Callable[[T], None], mailbox: Mailbox[T]) -> None:
        """Start the thread.

        :param work: what to do with an item; an exception ends the thread, see `check`.
        """
        self.mailbox = mailbox
        self._work = work
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise, in the caller's thread, what ended this one."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Finish the item that is being worked on, drop the others, and end the thread."""
        self.mailbox.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            while (item := self.mailbox.take()) is not None:
                self._work(item)
        except BaseException as error:  # handed to the node's own thread, which ends the node
            self._failure = error
