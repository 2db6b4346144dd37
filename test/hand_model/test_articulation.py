from interwild_ros.hand_model.articulation import Articulation
from interwild_ros.hand_model.joints import FINGERS
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models
import numpy as np
import pytest
import torch

RIGHT, LEFT = find_hand_models()
PAIR = HandPair(RIGHT, LEFT)


def joints_of(bends_rad: np.ndarray, spreads_rad: np.ndarray) -> np.ndarray:
    """Return the joints (2, 21, 3) of a right and a left hand in the same gesture."""
    poses = [Articulation(m).pose(bends_rad[None], spreads_rad[None]) for m in (RIGHT, LEFT)]
    _, joints = PAIR(torch.tensor(np.concatenate(poses)).float(), torch.zeros(2, 10))
    return joints.numpy()


def test_no_bend_and_no_spread_is_the_rest_pose() -> None:
    joints = joints_of(np.zeros((5, 3)), np.zeros(5))
    regressor = PAIR.joint_regressor.numpy()
    np.testing.assert_allclose(joints[0], regressor @ RIGHT.v_template, atol=1e-5)


def test_left_and_right_gestures_are_mirrored() -> None:
    rng = np.random.default_rng(0)
    joints = joints_of(rng.uniform(0, 1.2, (5, 3)), rng.uniform(-0.2, 0.2, 5))
    np.testing.assert_allclose(joints[1], joints[0] * [-1, 1, 1], atol=1e-5)


@pytest.mark.parametrize('finger', range(1, 5), ids=FINGERS[1:])
def test_bending_closes_a_finger_towards_the_palm(finger: int) -> None:
    bends = np.zeros((5, 3))
    bends[finger] = 1.2
    joints, rest = joints_of(bends, np.zeros(5))[0], joints_of(np.zeros((5, 3)), np.zeros(5))[0]
    tip = 4 * finger + 4
    assert joints[tip, 1] < rest[tip, 1] - 0.015  # the palm looks to -y
    assert np.linalg.norm(joints[tip] - joints[0]) < np.linalg.norm(rest[tip] - rest[0]) - 0.03


def test_the_thumb_bends_towards_the_fingers() -> None:
    bends = np.zeros((5, 3))
    bends[0] = 0.5
    joints, rest = joints_of(bends, np.zeros(5))[0], joints_of(np.zeros((5, 3)), np.zeros(5))[0]
    little_knuckle = 17
    reach, was = (np.linalg.norm(j[4] - j[little_knuckle]) for j in (joints, rest))
    assert reach < was - 0.02


def test_spreading_leads_towards_the_thumb() -> None:
    joints, rest = (joints_of(np.zeros((5, 3)), np.full(5, s))[0] for s in (0.2, 0.0))
    assert (joints[8::4, 2] > rest[8::4, 2] + 0.01).all()
