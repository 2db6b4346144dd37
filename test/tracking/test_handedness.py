from interwild_ros.tracking.handedness import evidence_after, own_side_evidence
import numpy as np
import pytest

OWN, OTHER, NONE = (0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.02, 0.02, 0.96)


def evidence(kinds, hz, before=0.0, memory_sec=2.0, most=8.0):
    for one in kinds:
        before = evidence_after(before, one, 1 / hz, memory_sec=memory_sec, most=most)
    return before


def test_the_other_hand_speaks_as_loud_against_as_the_own_one_for():
    rng = np.random.default_rng(0)
    for own, other, none in rng.dirichlet([1, 1, 1], 100):
        there, back = own_side_evidence((own, other, none)), own_side_evidence((other, own, none))
        assert there == pytest.approx(-back)
        assert (there > 0) == (own > other)


def test_what_is_no_hand_says_nothing_of_its_side():
    assert own_side_evidence((0.0, 0.0, 1.0)) == 0
    assert own_side_evidence((0.1, 0.0, 0.9)) < own_side_evidence((0.9, 0.0, 0.1))


@pytest.mark.parametrize('kinds', [(0, 0, 0), (0, 1, 0), (1, 0, 0), (-1, 2, 5), (1e9, 0, -3)])
def test_evidence_of_any_numbers_is_finite(kinds):
    assert np.isfinite(own_side_evidence(kinds))


def test_evidence_is_counted_by_time_and_not_by_frames():
    slow, fast = evidence([OTHER] * 10, 10), evidence([OTHER] * 60, 60)
    assert slow == pytest.approx(fast, rel=0.1)


def test_no_frame_however_sure_and_late_counts_much():
    assert evidence([(0.0, 1.0, 0.0)], hz=0.5) == pytest.approx(-1.4)


def test_evidence_fades_where_nothing_is_said():
    assert evidence([None] * 60, hz=30, before=-6.0) == pytest.approx(-6.0 / np.e)
    assert evidence([NONE] * 600, hz=30, before=-6.0) == pytest.approx(0, abs=0.1)


def test_a_label_that_was_right_for_long_has_bounded_credit():
    assert evidence([OWN] * 6000, hz=30) == 8.0
    assert evidence([OWN] * 6000 + [OTHER] * 45, hz=30) < -8.0
