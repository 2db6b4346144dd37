"""Work in another thread, a few items ahead or behind, never more: memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
import queue
import threading
from typing import Generic, TypeVar

T = TypeVar('T')

_LOOK_SEC = 0.1  # how long a waiting thread does not notice that it is to end


@contextmanager
def ahead(source: Iterable[T], *, size: int) -> Iterator[Iterator[T]]:
    """Give the items of a source, which another thread fetches.

    Leaving the block ends that thread. What ends it by itself is raised here.

    :param size: how many items are fetched before they are asked for.
    """
    belt: _Belt[T] = _Belt(size)

    def fetch() -> None:
        for item in source:
            belt.put(item)

    with belt.running(fetch):
        yield iter(belt)


@contextmanager
def behind(work: Callable[[T], None], *, size: int) -> Iterator[Callable[[T], None]]:
    """Give a function that hands items to `work`, which runs in another thread, in order.

    Leaving the block waits until all is done; leaving it by an error drops what is not. What
    `work` raises is raised by the next item, or at the end.

    :param size: how many items may wait.
    """
    belt: _Belt[T] = _Belt(size)

    def consume() -> None:
        for item in belt:
            work(item)

    with belt.running(consume):
        yield belt.put
        belt.finish()


class _Stopped(Exception):  # noqa: N818
    """Ends a thread whose work nobody waits for any more."""


class _Belt(Generic[T]):
    """A queue between two threads, of which one is ours."""

    def __init__(self, size: int) -> None:
        self._items: queue.Queue[T] = queue.Queue(size)
        self._is_stopped = threading.Event()
        self._is_finished = threading.Event()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    @contextmanager
    def running(self, target: Callable[[], None]) -> Iterator[None]:
        """Run a function in a thread of its own for as long as the block."""
        self._thread = threading.Thread(target=self._run, args=(target,), daemon=True)
        self._thread.start()
        try:
            yield
        finally:
            self._is_stopped.set()
            self._thread.join()

    def put(self, item: T) -> None:
        """Wait for room and hand an item over."""
        while True:
            self._end_if_stopped()
            self._raise_failure()
            try:
                self._items.put(item, timeout=_LOOK_SEC)
                return
            except queue.Full:
                pass

    def finish(self) -> None:
        """Wait until the thread has worked off everything."""
        self._is_finished.set()
        if self._thread is not None:
            self._thread.join()
        self._raise_failure()

    def __iter__(self) -> Iterator[T]:
        """Yield items until the other side has ended."""
        while True:
            self._end_if_stopped()
            is_over = self._is_finished.is_set()  # looked at first: what came before it counts
            try:
                yield self._items.get(block=not is_over, timeout=_LOOK_SEC)
            except queue.Empty:
                if is_over:
                    self._raise_failure()
                    return

    def _run(self, target: Callable[[], None]) -> None:
        try:
            target()
        except _Stopped:
            pass
        except BaseException as error:
            self._failure = error
            if not isinstance(error, Exception):
                raise
        finally:
            self._is_finished.set()

    def _end_if_stopped(self) -> None:
        if self._is_stopped.is_set():
            raise _Stopped

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
