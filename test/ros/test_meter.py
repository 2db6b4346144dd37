from interwild_ros.ros.meter import FrameTimes, Meter, WINDOW_SEC
import pytest


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def meter(clock):
    return Meter(clock)


def some_times(latency_ms):
    return FrameTimes(
        decode_ms=1.0,
        networks_ms=20.0,
        placement_ms=2.0,
        messages_ms=0.5,
        overhead_ms=3.5,
        latency_ms=latency_ms,
    )


def test_before_the_first_frame_nothing_is_made_up(meter, clock):
    clock.now += 7.0
    figures = meter.figures()
    assert (figures.frames_in, figures.frames_out, figures.frames_dropped) == (0, 0, 0)
    assert figures.last_frame_age_sec is None
    assert figures.median is None
    assert figures.latency_ms is None
    assert figures.silent_sec == 7.0


def test_rates_are_those_of_the_last_seconds(meter, clock):
    for number in range(300):
        clock.now += 0.1
        meter.count_arrival()
        if number % 2:
            meter.count_published(some_times(30.0))
    figures = meter.figures()
    assert figures.input_rate_hz == pytest.approx(10.0, abs=0.3)
    assert figures.output_rate_hz == pytest.approx(5.0, abs=0.3)
    assert (figures.frames_in, figures.frames_out) == (300, 150)


def test_at_the_beginning_a_rate_is_over_the_time_that_has_passed(meter, clock):
    for _ in range(10):
        clock.now += 0.1
        meter.count_arrival()
    assert meter.figures().input_rate_hz == pytest.approx(10.0)


def test_latency_percentiles_and_medians_forget_old_frames(meter, clock):
    meter.count_published(some_times(9000.0))
    clock.now += WINDOW_SEC + 1.0
    for latency_ms in range(1, 102):
        meter.count_published(some_times(float(latency_ms)))
    figures = meter.figures()
    assert figures.latency_ms == (51.0, 96.0, 101.0)
    assert figures.median == some_times(51.0)


def test_silence_ends_rates_and_times_but_not_counts(meter, clock):
    meter.count_arrival()
    meter.count_published(some_times(30.0))
    clock.now += WINDOW_SEC + 1.0
    figures = meter.figures()
    assert (figures.input_rate_hz, figures.output_rate_hz) == (0.0, 0.0)
    assert figures.latency_ms is None
    assert figures.last_frame_age_sec == figures.silent_sec == WINDOW_SEC + 1.0
    assert figures.frames_out == 1


def test_drops_and_bad_frames_are_counted_by_cause(meter, clock):
    meter.count_dropped(0)
    meter.count_dropped(2)
    meter.count_bad('bad_encoding')
    clock.now += WINDOW_SEC + 1.0
    for cause in ('bad_encoding', 'zero_size', 'zero_size'):
        meter.count_skipped(cause)
    figures = meter.figures()
    assert figures.frames_dropped == 2
    assert figures.frames_skipped == 3
    assert figures.bad_frames == {'bad_encoding': 2, 'zero_size': 2}
    assert figures.recent_bad_frames == {'bad_encoding': 1, 'zero_size': 2}


def test_a_pause_does_not_count_as_slowness(meter, clock):
    meter.count_arrival()
    clock.now += 60.0
    meter.forget_recent()
    clock.now += 1.0
    meter.count_arrival()
    figures = meter.figures()
    assert figures.input_rate_hz == pytest.approx(1.0)
    assert figures.frames_in == 2
