from hypothesis import given
from hypothesis import strategies as st
from interwild_ros.ros.timeline import LATE_SEC, Timeline
import pytest

SEC = 1_000_000_000


def test_time_goes_with_the_rate_up_to_the_next_message():
    timeline = Timeline(rate=2.0, begin_ns=10 * SEC, now_sec=100.0)
    timeline.expect(14 * SEC)
    assert timeline.left_sec(100.0) == pytest.approx(2.0)
    assert timeline.time_ns(101.0) == 12 * SEC
    assert timeline.time_ns(105.0) == 14 * SEC


def test_a_message_that_is_held_back_moves_all_that_follow():
    timeline = Timeline(rate=1.0, begin_ns=0, now_sec=0.0)
    timeline.expect(SEC)
    timeline.pass_turn(5.0)
    timeline.expect(2 * SEC)
    assert timeline.left_sec(5.0) == pytest.approx(1.0)


def test_a_little_lateness_is_made_up_for():
    timeline = Timeline(rate=1.0, begin_ns=0, now_sec=0.0)
    timeline.expect(SEC)
    timeline.pass_turn(1.0 + LATE_SEC / 2)
    timeline.expect(2 * SEC)
    assert timeline.left_sec(1.5) == pytest.approx(0.5)


@given(
    rate=st.floats(0.1, 100.0),
    steps=st.lists(st.tuples(st.integers(-3 * SEC, 3 * SEC), st.floats(0.0, 3.0)), max_size=30),
)
def test_time_never_runs_back_whatever_the_order_of_the_bag(rate, steps):
    timeline = Timeline(rate=rate, begin_ns=0, now_sec=0.0)
    received_ns, now_sec, told, latest_ns = 0, 0.0, [0], 0
    for later_ns, pause_sec in steps:
        received_ns += later_ns
        latest_ns = max(latest_ns, received_ns)
        timeline.expect(received_ns)
        now_sec += pause_sec
        told.append(timeline.time_ns(now_sec))
        timeline.pass_turn(now_sec)
        told.append(timeline.time_ns(now_sec))
    assert told == sorted(told)
    assert told[-1] <= latest_ns
