"""Distances in millimetres."""

from interwild_ros.eval import metrics
import numpy as np
import pytest

RANDOM = np.random.default_rng(0)
HANDS = RANDOM.normal(scale=0.05, size=(2, 778, 3))
JOINTS = RANDOM.normal(scale=0.05, size=(42, 3))
RELATIVE = np.array([0.1, 0.02, -0.03])
STEP = np.array([0.003, 0.0, 0.004])  # 5 mm long


def test_a_hand_moved_by_five_millimetres_is_five_millimetres_off():
    assert metrics.mpvpe_mm(HANDS[0] + STEP, HANDS[0]) == pytest.approx(5)
    assert metrics.mrrpe_mm(RELATIVE + STEP, RELATIVE) == pytest.approx(5)
    assert metrics.mpvpe_mm(HANDS[0], HANDS[0]) == 0


def test_a_wrong_relative_translation_moves_the_left_half_of_both_hands():
    assert metrics.rrve_mm(HANDS, RELATIVE + STEP, HANDS, RELATIVE) == pytest.approx(2.5)
    assert metrics.rrve_mm(HANDS, RELATIVE, HANDS, RELATIVE) == 0


def test_neither_scale_nor_rotation_is_forgiven():
    turned = HANDS[0] @ np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    assert metrics.mpvpe_mm(1.1 * HANDS[0], HANDS[0]) > 1
    assert metrics.mpvpe_mm(turned, HANDS[0]) > 10


def test_joints_without_truth_have_no_error():
    valid = np.ones(42)
    valid[[3, 30]] = 0
    errors = metrics.joint_errors_mm(JOINTS + STEP, JOINTS, valid)
    assert np.isnan(errors[[3, 30]]).all()
    np.testing.assert_allclose(errors[valid > 0], 5)
