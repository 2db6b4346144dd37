from drawn_series import draw_joints
from interwild_ros.bag.joint_motion import Bends, bends_m, pinches_m
from interwild_ros.tracking.steadiness import jitter_mm_per_frame2
import numpy as np
import pytest


def hand_over_time(count, *, gone=()):
    """Return the joints of one hand (T, 21, 3), NaN in some frames."""
    joints_m = draw_joints(count, noise_m=0.001)[:, 0]
    joints_m[list(gone)] = np.nan
    return joints_m


@pytest.mark.parametrize('size', [1, 2, 3, 5, 40])
def test_bends_of_batches_are_those_of_the_whole(size):
    joints_m = hand_over_time(40, gone=(7, 20, 21))
    bends = Bends()
    found = [bends(joints_m[at : at + size]) for at in range(0, 40, size)]
    np.testing.assert_array_equal(np.concatenate(found), bends_m(joints_m))


def test_a_bend_needs_three_frames_in_a_row():
    assert np.isfinite(bends_m(hand_over_time(8, gone=(4,)))).tolist() == [
        *(False, False, True, True),
        *(False, False, False, True),
    ]


def test_the_mean_of_all_bends_is_the_jitter():
    joints_m = hand_over_time(60, gone=(9, 30, 44))
    jitter_mm = 1000 * np.nanmean(bends_m(joints_m))
    assert jitter_mm == pytest.approx(jitter_mm_per_frame2(joints_m), rel=1e-12)


def test_even_motion_does_not_bend_and_batches_without_frames_change_nothing():
    moving_m = draw_joints(1)[:, 0] + 0.01 * np.arange(6)[:, None, None]
    bends = Bends()
    bends(moving_m[:3])
    assert bends(moving_m[3:3]).shape == (0,)
    np.testing.assert_allclose(bends(moving_m[3:]), 0, atol=1e-15)


def test_a_pinch_is_from_the_tip_of_the_thumb_to_that_of_the_index_finger():
    joints_m = hand_over_time(3)
    joints_m[:, 8] = joints_m[:, 4] + np.array([0.0, 0.03, 0.04])
    np.testing.assert_allclose(pinches_m(joints_m), 0.05)
