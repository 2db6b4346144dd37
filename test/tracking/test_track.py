from interwild_ros.errors import InputError
from interwild_ros.tracking.boxes import centre, enlarged
from interwild_ros.tracking.track import are_one_hand, begun, Observed
import numpy as np
import pytest

SEC = 1_000_000_000
JOINTS = np.random.default_rng(0).uniform(0, 100, (21, 2))


def observed(points=JOINTS, kinds=None, *, is_present=True, is_doubtful=False):
    return Observed(points, is_present, is_doubtful, kinds)


def track(positions, hz=30):
    """Return the track of a hand that moves to each position (x, y) in turn."""
    first, *rest = positions
    found = begun(observed(JOINTS + first), 0)
    for i, position in enumerate(rest):
        found = found.followed_by(observed(JOINTS + position), (i + 1) * SEC // hz)
    return found


def test_a_box_is_that_of_the_joints_a_fifth_wider_and_higher():
    extent = (*JOINTS.min(axis=0), *JOINTS.max(axis=0))
    np.testing.assert_allclose(begun(observed(), 0).box, enlarged(extent, 1.2))


def test_the_box_of_joints_in_one_point_still_has_an_area():
    x1, y1, x2, y2 = begun(observed(np.full((21, 2), 7.0)), 0).box
    assert (x1, y1, x2, y2) == (3, 3, 11, 11)


@pytest.mark.parametrize('hz', [10, 30, 200])
def test_steady_motion_is_predicted_exactly(hz):
    velocity = np.array([90.0, -40.0])
    found = track([velocity * i / hz for i in range(5)], hz)
    later = found.predicted(found.stamp_ns + SEC // 5)
    np.testing.assert_allclose(centre(later) - centre(found.box), velocity / 5, rtol=1e-6)


def test_a_hand_that_trembles_is_predicted_hardly_worse_than_it_is_seen():
    rng = np.random.default_rng(3)
    positions = rng.normal(0, 2, (400, 2))
    found, errors = track(positions[:1]), []
    for i, position in enumerate(positions[1:], 1):
        found = found.followed_by(observed(JOINTS + position), i * SEC // 60)
        errors.append(centre(found.predicted((i + 1) * SEC // 60)) - centre(track([(0, 0)]).box))
    assert np.std(errors) < 1.6 * np.std(positions)


def test_after_a_single_frame_a_hand_is_predicted_where_it_is():
    found = track([(0, 0)])
    assert found.predicted(SEC) == found.box


def test_a_prediction_keeps_the_size_and_moves_no_farther_than_it():
    found = track([(0, 0), (0, 0), (300, 0), (0, 900)])
    before, after = np.array(found.box), np.array(found.predicted(SEC))
    np.testing.assert_allclose(after[2:] - after[:2], before[2:] - before[:2])
    assert np.linalg.norm(centre(after) - centre(before)) == pytest.approx(
        max(before[2:] - before[:2])
    )


def test_a_doubtful_frame_moves_a_hand_on_as_before_wherever_it_is_read():
    before = track([(0, 0), (10, 0), (20, 0)])
    elsewhere = observed(JOINTS + np.array([300, 200]), is_doubtful=True)
    after = before.followed_by(elsewhere, 3 * SEC // 30)
    np.testing.assert_allclose(after.joints_px, JOINTS + np.array([30, 0]), atol=1e-4)
    np.testing.assert_array_equal(after.velocity_px_per_sec, before.velocity_px_per_sec)
    assert after.is_doubtful
    assert after.support == 0
    again = after.followed_by(observed(JOINTS + np.array([40, 0])), 4 * SEC // 30)
    np.testing.assert_allclose(again.velocity_px_per_sec, (300, 0), rtol=1e-3)


def test_where_a_doubtful_or_a_very_fast_hand_will_be_is_a_guess():
    slow, fast = track([(0, 0), (10, 0)]), track([(0, 0), (90, 0)])
    next_ns = 2 * SEC // 30
    assert not slow.is_unsure(next_ns)
    assert fast.is_unsure(next_ns)
    assert slow.followed_by(observed(is_doubtful=True), next_ns).is_unsure(3 * SEC // 30)


def test_one_hand_is_told_from_two_at_any_size():
    rng = np.random.default_rng(1)
    for size in (0.3, 1, 20):
        one = begun(observed(size * JOINTS), 0)
        again = begun(observed(size * (JOINTS + rng.normal(0, 5, (21, 2)))), 0)
        other = begun(observed(size * (JOINTS * (-1, 1) + (100, 0))), 0)
        assert are_one_hand(one, again)
        assert not are_one_hand(one, other)


def test_doubt_leaves_no_support_and_no_hand_little():
    assert begun(observed(kinds=(0.9, 0.1, 0.0), is_doubtful=True), 0).support == 0
    assert begun(observed(kinds=(0.1, 0.2, 0.7)), 0).support == pytest.approx(0.3)
    assert begun(observed(kinds=(0.1, np.nan, 0.7)), 0).support == begun(observed(), 0).support


def test_joints_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r'\(20, 2\), wanted \(21, 2\)'):
        observed(np.zeros((20, 2)))
