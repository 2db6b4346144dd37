from interwild_ros.pipeline.joint_quality import COVERED, joint_quality, OUTSIDE
import numpy as np
import pytest

SIZE = (640, 480)


def ring(centre, radius):
    """Return 21 joints on a circle, the first of them to its right."""
    angles = np.linspace(0, 2 * np.pi, 21, endpoint=False)
    return np.asarray(centre) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_joints_in_full_view_are_trusted():
    for hands in ([ring((100, 100), 50)], [ring((100, 100), 50), ring((400, 300), 50)]):
        for weights in joint_quality(hands, SIZE):
            assert weights.tolist() == [1.0] * 21


def test_joints_beyond_the_edge_are_guesses():
    joints = ring((320, 240), 50)
    joints[:4] = [(-0.5, 240), (639.5, 240), (320, -0.5), (320, 479.5)]
    joints[4:8] = [(0, 240), (639, 240), (320, 0), (320, 479)]  # the last pixels are inside
    (weights,) = joint_quality([joints], SIZE)
    assert weights.tolist() == [OUTSIDE] * 4 + [1.0] * 17


def test_joints_within_the_other_hands_outline_are_trusted_less():
    one, other = ring((200, 200), 50), ring((400, 200), 50)
    one[0] = 400, 200
    mine, its = joint_quality([one, other], SIZE)
    assert mine.tolist() == [COVERED] + [1.0] * 20
    # the outline of the first hand now reaches to the middle of the second
    assert set(its) == {COVERED, 1.0}


def test_both_hands_cover_each_other_whichever_comes_first():
    one, other = ring((200, 200), 50), ring((230, 210), 50)
    mine, its = joint_quality([one, other], SIZE)
    its_again, mine_again = joint_quality([other, one], SIZE)
    np.testing.assert_array_equal(mine, mine_again)
    np.testing.assert_array_equal(its, its_again)
    assert 0 < (mine == COVERED).sum() < 21
    assert 0 < (its == COVERED).sum() < 21


def test_a_hand_does_not_cover_itself():
    joints = ring((200, 200), 50)
    joints[:10] = 200, 200
    assert (joint_quality([joints], SIZE)[0] == 1).all()


def test_what_is_outside_and_covered_is_trusted_least():
    one, other = ring((0, 200), 50), ring((0, 200), 80)
    mine, _ = joint_quality([one, other], SIZE)
    assert set(mine) == {OUTSIDE * COVERED, COVERED}


@pytest.mark.parametrize('broken', [np.nan, np.inf, -np.inf, 1e30])
def test_joints_that_are_nowhere_are_guesses_and_cover_nothing(broken):
    one, other = ring((200, 200), 50), ring((200, 200), 40)
    one[3, 0] = broken
    mine, its = joint_quality([one, other], SIZE)
    assert mine[3] <= OUTSIDE
    assert np.isfinite(mine).all()
    assert np.isfinite(its).all()
    if not np.isfinite(broken):
        assert (its == 1).all()


def test_without_hands_there_is_nothing_to_trust():
    assert joint_quality([], SIZE) == []
