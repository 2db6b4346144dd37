from interwild_ros.errors import InputError
from interwild_ros.tracking.steadiness import jitter_mm_per_frame2, lag_ms
import numpy as np
import pytest

STAMPS = np.arange(300) * 33_333_333


def wave(delay_ms=0.0, stamps_ns=STAMPS, hz=1.0):
    seconds = stamps_ns / 1e9 - delay_ms / 1e3
    return np.sin(2 * np.pi * hz * seconds) + 0.3 * np.sin(2 * np.pi * 2.2 * hz * seconds)


def test_steady_motion_has_no_jitter():
    line = np.arange(50)[:, None] * (0.01, -0.02, 0.03) + (0.0, 0.1, 0.5)
    assert jitter_mm_per_frame2(line) == pytest.approx(0, abs=1e-9)


def test_constant_acceleration_is_its_own_jitter():
    parabola = 0.5 * np.arange(50)[:, None] ** 2 * (0.003, 0.0, 0.004)
    assert jitter_mm_per_frame2(parabola) == pytest.approx(5.0)


def test_white_noise_has_the_jitter_that_its_deviation_says():
    noise = np.random.default_rng(0).normal(0, 0.003, (2000, 21, 3))
    mean_length = np.sqrt(8 / np.pi)  # of a normal vector in space, deviation 1 per axis
    assert jitter_mm_per_frame2(noise) == pytest.approx(3 * np.sqrt(6) * mean_length, rel=0.01)


def test_frames_without_a_hand_count_neither_way():
    line = np.arange(50)[:, None] * (0.01, 0.0, 0.0)
    line[20:25] = np.nan
    assert jitter_mm_per_frame2(line) == pytest.approx(0, abs=1e-9)


def test_there_is_no_jitter_without_three_frames_in_a_row():
    points = np.zeros((9, 3))
    points[::3] = np.nan
    for few in (points, np.zeros((2, 3)), np.zeros((0, 21, 3))):
        assert jitter_mm_per_frame2(few) is None


def test_a_delay_is_the_lag_also_between_frames():
    for delay in (-120.0, -40.0, 0.0, 7.0, 20.0, 33.0, 50.0, 150.0):
        assert lag_ms(wave(delay), wave(), STAMPS) == pytest.approx(delay, abs=1.0)


def test_the_lag_knows_no_size_and_no_place():
    assert lag_ms(-7 + 0.2 * wave(40), wave(), STAMPS) == pytest.approx(40, abs=1.0)


def test_the_lag_of_points_is_that_of_their_coordinates():
    def points(delay):
        return np.stack([wave(delay), wave(delay + 90), np.zeros(300)], axis=1)

    assert lag_ms(points(60), points(0), STAMPS) == pytest.approx(60, abs=1.0)


def test_the_lag_is_found_under_noise_and_uneven_stamps():
    rng = np.random.default_rng(1)
    kept = np.sort(rng.choice(300, 240, replace=False))
    stamps = STAMPS[kept] + rng.integers(0, 8_000_000, 240)
    found = wave(45, stamps) + rng.normal(0, 0.05, 240)
    assert lag_ms(found, wave(0, stamps), stamps) == pytest.approx(45, abs=5)


def test_where_nothing_moves_or_all_is_too_short_there_is_no_lag():
    assert lag_ms(np.zeros(300), wave(), STAMPS) is None
    assert lag_ms(wave(), np.zeros(300), STAMPS) is None
    assert lag_ms(wave()[:5], wave()[:5], STAMPS[:5]) is None


def test_a_lag_beyond_what_was_asked_for_is_none_rather_than_the_limit():
    slow = wave(250, hz=0.3), wave(0, hz=0.3)
    assert lag_ms(*slow, STAMPS, most_ms=100) is None
    assert lag_ms(*slow, STAMPS, most_ms=400) == pytest.approx(250, abs=2)


@pytest.mark.parametrize(
    ('found', 'truth', 'stamps', 'cause'),
    [
        (np.zeros(5), np.zeros(6), STAMPS[:5], 'bad_shape'),
        (np.zeros(5), np.zeros(5), STAMPS[:4], 'bad_shape'),
        (np.zeros((5, 1, 3)), np.zeros((5, 1, 3)), STAMPS[:5], 'bad_shape'),
        (np.full(5, np.nan), np.zeros(5), STAMPS[:5], 'not_finite'),
        (np.zeros(5), np.zeros(5), STAMPS[4::-1], 'bad_stamp'),
        (np.zeros(1), np.zeros(1), STAMPS[:1], 'bad_stamp'),
    ],
)
def test_sequences_that_do_not_belong_together_are_refused(found, truth, stamps, cause):
    with pytest.raises(InputError) as error:
        lag_ms(found, truth, stamps)
    assert error.value.cause == cause


def test_points_that_are_not_in_space_are_refused():
    for points in (np.zeros(3), np.zeros((5, 2))):
        with pytest.raises(InputError):
            jitter_mm_per_frame2(points)
