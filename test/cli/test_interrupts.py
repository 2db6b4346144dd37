import os
import signal

from interwild_ros.cli.interrupts import signals_as_interrupts
import pytest

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def as_it_was():
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize('number', SIGNALS)
def test_a_signal_is_an_interrupt(number):
    with pytest.raises(KeyboardInterrupt), signals_as_interrupts():
        os.kill(os.getpid(), number)


def break_a_lock(number):
    """Fail as conditions of `threading` do at times when a signal comes."""
    try:
        os.kill(os.getpid(), number)
    finally:
        raise RuntimeError('release unlocked lock')


@pytest.mark.parametrize('number', SIGNALS)
def test_what_an_interrupt_broke_is_an_interrupt_too(number):
    with pytest.raises(KeyboardInterrupt) as raised, signals_as_interrupts():
        break_a_lock(number)
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_what_fails_by_itself_fails_as_it_is():
    with pytest.raises(RuntimeError, match='of its own'), signals_as_interrupts():
        raise RuntimeError('of its own')
