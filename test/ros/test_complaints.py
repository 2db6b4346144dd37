from interwild_ros.ros.complaints import Complaints
import pytest


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lines():
    return []


@pytest.fixture
def complaints(clock, lines):
    return Complaints(lines.append, period_sec=5.0, clock=clock)


def test_the_first_of_each_cause_is_logged_at_once(complaints, lines):
    complaints.say('a', 'a happened')
    complaints.say('b', 'b happened')
    assert lines == ['a happened', 'b happened']


def test_others_are_held_back_and_counted_until_the_period_is_over(complaints, clock, lines):
    for _ in range(4):
        complaints.say('a', 'a happened')
    clock.now += 5.0
    complaints.say('a', 'a happened again')
    clock.now += 5.0
    complaints.say('a', 'a at last')
    assert lines == ['a happened', 'a happened again (3 more like this before)', 'a at last']


def test_a_lasting_state_is_repeated_without_a_count(complaints, clock, lines):
    for _ in range(4):
        complaints.remind('silence', 'no image')
    clock.now += 5.0
    complaints.remind('silence', 'still no image')
    assert lines == ['no image', 'still no image']
