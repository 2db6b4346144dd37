from interwild_ros.errors import InputError, SettingError
from interwild_ros.tracking.hampel import HampelGate, HampelSettings
import numpy as np
import pytest

HZ = 30
HOME = np.array([0.1, -0.05, 0.5])


def passed(values, **settings):
    gate = HampelGate(HampelSettings(**settings))
    return np.array([gate(value) is not None for value in values])


def resting(count, seed=0, noise_m=0.003):
    return HOME + np.random.default_rng(seed).normal(0, noise_m, (count, 3))


def fast(count):
    angle = 2 * np.pi * 1.5 * np.arange(count) / HZ
    return HOME + 0.15 * np.sin(angle)[:, None] * (1.0, 0.0, 0.0)


def test_a_value_that_passes_is_not_changed():
    gate = HampelGate()
    for value in resting(30):
        np.testing.assert_array_equal(gate(value), value)


def test_the_first_value_always_passes():
    for value in (1e6, np.zeros(3), np.full(3, -1e9)):
        np.testing.assert_array_equal(HampelGate()(value), value)


def test_lone_outliers_of_a_resting_hand_are_refused_and_nothing_else():
    values = resting(200)
    wild = np.arange(5, 200, 7)
    values[wild] += (0.0, 0.0, 0.1)
    wanted = np.ones(200, bool)
    wanted[wild] = False
    np.testing.assert_array_equal(passed(values), wanted)


def test_a_refused_value_is_nothing():
    gate = HampelGate()
    for value in resting(10):
        gate(value)
    assert gate(HOME + 1) is None


def test_a_deviation_under_k_floors_passes_from_a_constant_and_one_above_does_not():
    for size, is_passed in ((0.079, True), (0.081, False)):
        values = np.tile(HOME, (10, 1))
        values[-1] += (0.0, size, 0.0)
        assert passed(values, k=4.0, floor=0.02)[-1] == is_passed


def test_what_is_within_reach_of_the_last_value_is_no_outlier():
    gate = HampelGate(HampelSettings(k=4.0, floor=0.02))
    for _ in range(10):
        gate(HOME)
    moved = HOME + np.array([0.1, 0.0, 0.0])
    assert gate(moved, reach=0.09) is None
    assert gate(moved, reach=0.11) is not None


def test_noise_above_the_floor_widens_the_gate():
    values = resting(400, noise_m=0.05)
    assert passed(values).mean() > 0.99
    assert passed(values, window=40).mean() > 0.99
    assert passed(values, k=1.0, floor=0.0).mean() < 0.9


def test_a_fast_hand_passes_also_where_it_turns_back():
    values = fast(300) + resting(300) - HOME
    for window in (5, 7):
        assert passed(values, window=window).all()


def test_a_jump_of_a_fast_hand_is_refused():
    values = fast(60)
    values[40] += (0.0, 0.0, 0.5)
    assert not passed(values)[40]
    assert passed(values).sum() == 59


def test_after_patience_refusals_in_a_row_the_gate_begins_anew_there():
    for patience in (0, 1, 3):
        values = resting(30)
        values[20:] += 1.0
        found = passed(values, patience=patience, window=19)
        wanted = np.ones(30, bool)
        wanted[20 : 20 + patience] = False
        np.testing.assert_array_equal(found, wanted)


def test_what_fills_more_than_half_of_the_window_is_no_outlier_whatever_the_patience():
    values = resting(40)
    values[20:] += 1.0
    wanted = np.ones(40, bool)
    wanted[20:24] = False
    np.testing.assert_array_equal(passed(values, window=7, patience=1000), wanted)


def test_refusals_that_are_not_in_a_row_do_not_add_up():
    values = resting(40)
    values[10::2] += 1.0
    assert not passed(values, window=9, patience=3)[10:18:2].any()


def test_moving_and_turning_the_world_changes_nothing_for_one_axis_of_motion():
    values = fast(60)
    values[[20, 33]] += (0.3, 0.0, 0.0)
    moved = values @ np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]) + 5
    np.testing.assert_array_equal(passed(values), passed(moved))


def test_scaling_values_and_floor_changes_nothing():
    values = resting(100, noise_m=0.05)
    np.testing.assert_array_equal(
        passed(values, k=1.5, floor=0.02), passed(1000 * values, k=1.5, floor=20.0)
    )


def test_after_a_reset_any_value_passes():
    gate = HampelGate()
    for value in resting(10):
        gate(value)
    gate.reset()
    assert gate(HOME + 1) is not None


def test_a_value_that_is_none_raises_and_leaves_the_gate_as_it_was():
    gate = HampelGate()
    gate(HOME)
    for bad in (np.full(3, np.nan), np.zeros(2)):
        with pytest.raises(InputError):
            gate(bad)
    assert gate(HOME + 0.01) is not None
    assert gate(HOME + 1) is None


def test_never_are_more_than_patience_values_in_a_row_refused():
    rng = np.random.default_rng(3)
    for patience in (0, 2, 5):
        values = rng.normal(size=(1000, 3)) * 10.0 ** rng.integers(-3, 4, (1000, 1))
        refusals = ''.join('.' if p else 'x' for p in passed(values, patience=patience, floor=0.0))
        assert max(map(len, refusals.split('.'))) == patience


@pytest.mark.parametrize('values', [{'window': 0}, {'k': 0.0}, {'floor': -1.0}, {'patience': -1}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(SettingError):
        HampelSettings(**values)
