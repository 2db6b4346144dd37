import threading
import time

from interwild_ros.bag.ahead import ahead, behind
import pytest


def test_items_come_in_order_from_another_thread():
    threads = set()

    def source():
        for number in range(50):
            threads.add(threading.current_thread())
            yield number

    with ahead(source(), size=3) as items:
        assert list(items) == list(range(50))
    assert threads.isdisjoint({threading.current_thread()})


def test_no_more_is_fetched_than_is_asked_for_and_the_size():
    fetched = []

    def source():
        for number in range(100):
            fetched.append(number)
            yield number

    with ahead(source(), size=2) as items:
        next(items)
        time.sleep(0.3)
        assert len(fetched) <= 4


def test_what_was_fetched_before_a_failure_still_comes():
    def source():
        yield 1
        yield 2
        raise ValueError('broken')

    found = []
    with ahead(source(), size=5) as items, pytest.raises(ValueError, match='broken'):  # noqa: PT012
        time.sleep(0.2)
        for item in items:
            found.append(item)
    assert found == [1, 2]


def test_leaving_early_ends_the_thread_and_closes_the_source():
    closed = threading.Event()

    def source():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    with ahead(source(), size=2) as items:
        next(items)
    assert threading.active_count() == before
    assert closed.wait(5)


def test_an_empty_source_gives_nothing():
    with ahead(iter(()), size=1) as items:
        assert list(items) == []


def test_work_is_done_in_order_before_the_block_is_left():
    done = []

    def work(number):
        time.sleep(0.01)
        done.append(number)

    with behind(work, size=2) as put:
        for number in range(10):
            put(number)
    assert done == list(range(10))


def test_what_work_raises_is_raised_by_the_next_item():
    def work(number):
        raise OSError('disk full')

    with pytest.raises(OSError, match='disk full'), behind(work, size=1) as put:  # noqa: PT012
        for number in range(100):
            put(number)


def test_what_the_last_work_raises_is_raised_at_the_end():
    def work(number):
        time.sleep(0.1)
        raise OSError('disk full')

    with pytest.raises(OSError, match='disk full'), behind(work, size=1) as put:
        put(0)


def test_an_error_in_the_block_drops_what_is_not_done():
    done = []

    def work(number):
        time.sleep(0.2)
        done.append(number)

    with pytest.raises(KeyboardInterrupt), behind(work, size=5) as put:  # noqa: PT012
        for number in range(5):
            put(number)
        raise KeyboardInterrupt
    assert len(done) <= 2
