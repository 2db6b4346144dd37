from interwild_ros.errors import InputError, SettingError
from interwild_ros.tracking.shape import ShapeSettings, SteadyShape
import numpy as np
import pytest

SEC = 1_000_000_000
FRAME = SEC // 30


def run(betas, first=0, **settings):
    shape = SteadyShape(ShapeSettings(**settings))
    return np.array([shape(b, (first + i) * FRAME) for i, b in enumerate(betas)])


def noise(count, seed=0):
    return np.random.default_rng(seed).normal(1.0, 0.5, (count, 10))


def test_the_first_shape_comes_out_as_it_went_in():
    np.testing.assert_array_equal(run(noise(1)), noise(1))


def test_the_first_shapes_are_averaged():
    found = run(noise(40), time_constant_sec=2.0, freeze_after_frames=0)
    for count in (2, 10, 40):
        np.testing.assert_allclose(found[count - 1], noise(40)[:count].mean(0))


def test_later_the_shape_follows_with_its_time_constant():
    change = 3000
    betas = np.zeros((change + 60, 10))
    betas[change:] = 1.0
    found = run(betas, time_constant_sec=2.0, freeze_after_frames=0)
    np.testing.assert_allclose(found[-1], 1 - np.exp(-1), atol=0.01)  # 60 frames are 2 s


def test_a_frozen_shape_is_held_whatever_comes():
    betas = noise(50)
    betas[20:] += 100
    found = run(betas, freeze_after_frames=20)
    np.testing.assert_allclose(found[19:], np.tile(betas[:20].mean(0), (31, 1)))


def test_a_shape_that_is_never_frozen_goes_on():
    found = run(noise(500), freeze_after_frames=0)
    assert not np.array_equal(found[-1], found[-2])


def test_a_short_loss_keeps_the_shape_and_a_long_one_forgets_it():
    for gap_sec, is_kept in ((9, True), (11, False)):
        shape = SteadyShape(ShapeSettings(freeze_after_frames=1, forget_after_sec=10.0))
        shape(np.zeros(10), 0)
        found = shape(np.ones(10), gap_sec * SEC)
        np.testing.assert_array_equal(found, np.zeros(10) if is_kept else np.ones(10))
        assert shape.is_frozen


def test_time_going_back_and_a_reset_forget_the_shape():
    shape = SteadyShape(ShapeSettings(freeze_after_frames=1))
    shape(np.zeros(10), 5 * SEC)
    np.testing.assert_array_equal(shape(np.ones(10), 4 * SEC), 1)
    shape.reset()
    assert not shape.is_frozen
    np.testing.assert_array_equal(shape(np.full(10, 2.0), 6 * SEC), 2)


def test_the_same_stamp_twice_changes_nothing():
    shape = SteadyShape()
    for i, betas in enumerate(noise(10)):
        first = shape(betas, i * FRAME)
        np.testing.assert_array_equal(shape(betas + 9, i * FRAME), first)
    np.testing.assert_allclose(first, run(noise(10))[-1])


def test_what_the_caller_does_to_arrays_does_not_reach_the_shape():
    shape, betas = SteadyShape(), np.zeros(10)
    result = shape(betas, 0)
    betas += 5
    result += 7
    np.testing.assert_array_equal(shape(betas, 0), np.zeros(10))


def test_betas_that_are_no_numbers_or_too_few_are_refused():
    shape = SteadyShape()
    shape(np.zeros(10), 0)
    for bad in (np.full(10, np.nan), np.zeros(9)):
        with pytest.raises(InputError):
            shape(bad, FRAME)


def test_settings_out_of_range_are_refused():
    for values in ({'time_constant_sec': -1.0}, {'freeze_after_frames': -1}):
        with pytest.raises(SettingError):
            ShapeSettings(**values)


def test_any_order_of_stamps_leaves_the_shape_within_what_was_seen():
    rng = np.random.default_rng(4)
    for freeze in (0, 5):
        shape = SteadyShape(ShapeSettings(time_constant_sec=0.0, freeze_after_frames=freeze))
        for _ in range(500):
            found = shape(rng.uniform(-1, 1, 10), int(rng.choice([0, rng.integers(20 * SEC)])))
            assert np.abs(found).max() <= 1
