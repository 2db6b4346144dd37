from interwild_ros.errors import InputError, SettingError
from interwild_ros.geometry.placement import place_joints
from interwild_ros.records import Side
from interwild_ros.tracking.hand_size import (
    HandSize,
    HandSizeSettings,
    Measured,
    NotMeasured,
    palm_length_m,
)
import numpy as np
import pytest

SEC = 1_000_000_000
FRAME = SEC // 30
TRUE_PALM_M = 0.095


def collected(ratios, *, palm_m=TRUE_PALM_M, first_ns=0, sides=(Side.RIGHT,), **settings):
    """Return a hand size that saw a frame for each ratio of measured to placed distance."""
    hand_size = HandSize(HandSizeSettings(**settings))
    for i, ratio in enumerate(ratios):
        for side in sides:
            hand_size.observe(first_ns + i * FRAME, side, palm_m, 0.5, 0.5 * ratio)
    return hand_size


def measured(ratios, **options):
    return collected(ratios, **options).measure((len(ratios) - 1) * FRAME)


def test_a_hand_as_large_as_believed_measures_what_is_believed():
    found = measured([1.0] * 20)
    assert found == Measured(palm_length_m=pytest.approx(TRUE_PALM_M), std_m=0.0, frames=20)


def test_a_hand_a_part_farther_off_than_placed_is_that_part_larger():
    for ratio in (0.8, 0.95, 1.1, 1.3):
        assert measured([ratio] * 20).palm_length_m == pytest.approx(ratio * TRUE_PALM_M)


def test_a_palm_of_the_wrong_size_is_found_from_its_picture_and_its_true_distance():
    rng = np.random.default_rng(0)
    joints = rng.normal(0, 0.05, (21, 3))
    joints *= TRUE_PALM_M / palm_length_m(joints)
    joints -= joints[0]
    hand_size = HandSize()
    for i in range(20):
        wrist = np.array([0.1, -0.1, rng.uniform(0.4, 1.5)])
        rays = (joints + wrist)[:, :2] / (joints + wrist)[:, 2:]
        believed = joints * rng.uniform(0.8, 1.2)
        placed = place_joints(believed, rays, (600.0, 600.0))
        hand_size.observe(
            i * FRAME, Side.LEFT, palm_length_m(believed), placed.metres[2], wrist[2]
        )
    found = hand_size.measure(20 * FRAME)
    assert found.palm_length_m == pytest.approx(TRUE_PALM_M, rel=1e-4)


def test_the_unit_of_the_distances_does_not_matter():
    one, other = HandSize(), HandSize()
    for i, ratio in enumerate(np.random.default_rng(1).normal(1, 0.02, 20)):
        one.observe(i * FRAME, Side.RIGHT, TRUE_PALM_M, 0.5, 0.5 * ratio)
        other.observe(i * FRAME, Side.RIGHT, TRUE_PALM_M, 500.0, 500.0 * ratio)
    assert one.measure(19 * FRAME).palm_length_m == pytest.approx(
        other.measure(19 * FRAME).palm_length_m
    )


def test_wild_frames_move_the_measure_little():
    ratios = np.random.default_rng(2).normal(1, 0.02, 30)
    calm = measured(ratios)
    ratios[::4] = 5.0
    wild = measured(ratios)
    assert wild.palm_length_m == pytest.approx(calm.palm_length_m, rel=0.02)
    assert wild.std_m < 2 * calm.std_m


def test_the_deviation_is_that_of_single_frames():
    ratios = np.random.default_rng(3).normal(1, 0.03, 2000)
    found = measured(ratios, frames=2000, max_age_sec=1000.0)
    assert found.std_m == pytest.approx(0.03 * TRUE_PALM_M, rel=0.1)


def test_only_the_last_frames_count():
    found = measured([1.3] * 100 + [1.0] * 20, frames=20)
    assert found.palm_length_m == pytest.approx(TRUE_PALM_M)
    assert found.frames == 20


def test_frames_that_are_too_old_do_not_count():
    hand_size = collected([1.0] * 30, max_age_sec=2.0)
    last_ns = 29 * FRAME
    assert hand_size.measure(last_ns).frames == 30
    assert hand_size.measure(15 * FRAME + 2 * SEC).frames == 15
    found = hand_size.measure(last_ns + 3 * SEC)
    assert found == NotMeasured('no frames with depth in the last 2 s, wanted 10')


def test_frames_from_after_now_do_not_count():
    assert collected([1.0] * 30).measure(14 * FRAME).frames == 15


@pytest.mark.parametrize(('count', 'text'), [(0, 'no frames'), (1, '1 frame'), (3, '3 frames')])
def test_too_few_frames_say_how_many_there_are_and_were_wanted(count, text):
    found = collected([1.0] * count).measure(count * FRAME)
    assert found == NotMeasured(f'{text} with depth in the last 5 s, wanted 10')


def test_both_hands_of_one_frame_are_one_frame():
    ratios = [1.0] * 8
    assert isinstance(measured(ratios, sides=(Side.RIGHT, Side.LEFT)), NotMeasured)
    found = measured([1.0] * 12, sides=(Side.RIGHT, Side.LEFT), frames=12)
    assert found.frames == 12


def test_both_hands_count_alike():
    for first, second in ((Side.RIGHT, Side.LEFT), (Side.LEFT, Side.RIGHT)):
        hand_size = HandSize()
        for i in range(20):
            hand_size.observe(i * FRAME, first, 0.10, 0.5, 0.5)
            hand_size.observe(i * FRAME, second, 0.09, 0.5, 0.5)
        assert hand_size.measure(20 * FRAME).palm_length_m == pytest.approx(0.095)


def test_the_same_hand_of_the_same_frame_is_taken_once():
    hand_size = HandSize()
    for _ in range(50):
        hand_size.observe(0, Side.RIGHT, 0.2, 0.5, 0.5)
    for i in range(10):
        hand_size.observe(i * FRAME, Side.RIGHT, TRUE_PALM_M, 0.5, 0.5)
    found = hand_size.measure(10 * FRAME)
    assert found == Measured(pytest.approx(TRUE_PALM_M), 0.0, 10)


@pytest.mark.parametrize('ratio', [0.1, 0.5, 1.6, 1e6])
def test_what_is_no_palm_is_refused_with_both_values(ratio):
    found = measured([ratio] * 20)
    assert isinstance(found, NotMeasured)
    assert f'{ratio * TRUE_PALM_M:.3f} m' in found.reason
    assert '0.05 to 0.14 m' in found.reason


def test_time_that_goes_back_begins_anew():
    hand_size = collected([1.3] * 30, first_ns=100 * SEC)
    for i in range(10):
        hand_size.observe(i * FRAME, Side.RIGHT, TRUE_PALM_M, 0.5, 0.5)
    found = hand_size.measure(10 * FRAME)
    assert found.palm_length_m == pytest.approx(TRUE_PALM_M)
    assert found.frames == 10


def test_after_a_reset_nothing_is_remembered():
    hand_size = collected([1.0] * 30)
    hand_size.reset()
    assert isinstance(hand_size.measure(29 * FRAME), NotMeasured)


@pytest.mark.parametrize('bad', [0.0, -0.5, np.nan, np.inf])
def test_what_is_no_length_raises_and_changes_nothing(bad):
    hand_size = collected([1.0] * 20)
    before = hand_size.measure(20 * FRAME)
    for place, cause in enumerate(('bad_size', 'bad_distance', 'bad_distance')):
        lengths = [0.09, 0.5, 0.5]
        lengths[place] = bad
        with pytest.raises(InputError) as error:
            hand_size.observe(20 * FRAME, Side.RIGHT, *lengths)
        assert error.value.cause == cause
    with pytest.raises(InputError):
        hand_size.observe(20 * FRAME, Side.RIGHT, 1e200, 1e-200, 1e200)
    assert hand_size.measure(20 * FRAME) == before


def test_the_palm_is_as_long_wherever_the_hand_is_and_grows_with_it():
    joints = np.random.default_rng(4).normal(0, 0.05, (21, 3))
    one = palm_length_m(joints)
    assert one == pytest.approx(np.linalg.norm(joints[9] - joints[0]))
    assert palm_length_m(3 * joints + (1.0, 2.0, 3.0)) == pytest.approx(3 * one)


@pytest.mark.parametrize(
    'values',
    [{'frames': 0}, {'least_frames': 0}, {'least_frames': 31}, {'max_age_sec': -1.0}],
)
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(SettingError, match=next(iter(values))):
        HandSizeSettings(**values)
