"""A thread with mailboxes: the newest item only (live), or every item in order (replay)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import threading
from typing import Generic, Protocol, TypeVar

T = TypeVar('T')
T_co = TypeVar('T_co', covariant=True)


class Taken(Protocol[T_co]):
    """What a worker takes its items from."""

    def take(self) -> T_co | None:
        """Wait for an item and take it out; None when it was closed."""
        ...

    def close(self) -> None:
        """Let nobody wait any more."""
        ...


class Mailbox(Generic[T]):
    """Hands items from one thread to another. A full one gives up its oldest item, or waits."""

    def __init__(
        self, *, capacity: int, waits: bool, changed: threading.Condition | None = None
    ) -> None:
        """Make an empty mailbox.

        :param waits: `put` waits for room; else it pushes the oldest item out.
        :param changed: told of every change; mailboxes that share it can be waited for together.
        """
        self._capacity = capacity
        self._waits = waits
        self._items: deque[T] = deque()
        self._is_closed = False
        self._changed = changed or threading.Condition()

    @property
    def has_item(self) -> bool:
        """Return whether there is something to take."""
        with self._changed:
            return bool(self._items)

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


class Turns(Generic[T]):
    """Mailboxes that are emptied in turn, so that a full one keeps nobody from another."""

    def __init__(self, count: int, *, capacity: int) -> None:
        """Make empty mailboxes, which push out their oldest items where they are full.

        :param capacity: of each of them.
        """
        self._changed = threading.Condition()
        self.mailboxes: tuple[Mailbox[T], ...] = tuple(
            Mailbox(capacity=capacity, waits=False, changed=self._changed) for _ in range(count)
        )
        self._queue = deque(self.mailboxes)
        self._is_closed = False

    def take(self) -> T | None:
        """Wait for an item in any mailbox, and take the oldest out of the next that has one.

        :returns: None when they were closed.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or any(box.has_item for box in self.mailboxes)
            )
            if self._is_closed:
                return None
            due = next(mailbox for mailbox in self._queue if mailbox.has_item)
            self._queue.remove(due)
            self._queue.append(due)
            return due.take()

    def close(self) -> None:
        """Throw away what was not taken, and let nobody wait any more."""
        with self._changed:
            self._is_closed = True
            for mailbox in self.mailboxes:
                mailbox.close()


class Worker(Generic[T]):
    """A thread that does one piece of work for each item of a mailbox, or of several in turn."""

    def __init__(self, name: str, work: Callable[[T], None], mailbox: Taken[T]) -> None:
        """Start the thread.

        :param work: what to do with an item; an exception ends the thread, see `check`.
        """
        self._mailbox = mailbox
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
        self._mailbox.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            while (item := self._mailbox.take()) is not None:
                self._work(item)
        except BaseException as error:  # handed to the node's own thread, which ends the node
            self._failure = error
