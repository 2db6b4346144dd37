from interwild_ros.errors import InputError
from interwild_ros.geometry.wrist_frame import cam_from_hand, wrist_quaternion_xyzw
from interwild_ros.hand_model.joints import joint_regressor_21
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.records import Side
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

SIDES = (Side.RIGHT, Side.LEFT)
MIRROR = np.diag([-1.0, 1.0, 1.0])


def _stand_in_joints(side: Side) -> np.ndarray:
    regressor = joint_regressor_21(read_stand_in(Side.RIGHT).j_regressor)
    return regressor @ read_stand_in(side).v_template


def _any_hand(seed: int) -> np.ndarray:
    """A real hand's joints, shaken and turned at random."""
    rng = np.random.default_rng(seed)
    joints = _stand_in_joints(Side.RIGHT) + rng.normal(0, 0.01, (21, 3))
    return joints @ Rotation.random(random_state=seed).as_matrix().T + rng.normal(0, 1, 3)


def test_z_points_out_of_the_back_of_both_hands():
    # The stand-in's palm looks down (-y) in its rest pose, and its fingers along x.
    for side in SIDES:
        z = cam_from_hand(_stand_in_joints(side), side)[:, 2]
        assert z[1] > 0.95


def test_closing_fingers_move_against_z():
    # A check of palm and back that knows no axes: the thumb's tip lies on the palm's side of the
    # knuckles in a relaxed hand.
    for side in SIDES:
        joints = _stand_in_joints(side)
        z = cam_from_hand(joints, side)[:, 2]
        assert (joints[4] - joints[5]) @ z < 0


def test_x_points_from_the_wrist_to_the_middle_knuckle():
    for seed in range(5):
        joints = _any_hand(seed)
        x = cam_from_hand(joints, Side.RIGHT)[:, 0]
        reach = joints[9] - joints[0]
        np.testing.assert_allclose(x, reach / np.linalg.norm(reach), atol=1e-12)


def test_y_points_to_the_thumb_of_a_right_hand_and_to_the_little_finger_of_a_left_hand():
    for side, sign in zip(SIDES, (1, -1), strict=True):
        joints = _stand_in_joints(side)
        y = cam_from_hand(joints, side)[:, 1]
        assert sign * (joints[5] - joints[17]) @ y > 0


@pytest.mark.parametrize('side', SIDES)
def test_the_frame_is_a_rotation(side):
    for seed in range(20):
        rotation = cam_from_hand(_any_hand(seed), side)
        np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_the_quaternion_is_the_frame_in_the_order_xyzw():
    for seed in range(200):
        joints = _any_hand(seed)
        quaternion = wrist_quaternion_xyzw(joints, Side.RIGHT)
        want = cam_from_hand(joints, Side.RIGHT)
        np.testing.assert_allclose(Rotation.from_quat(quaternion).as_matrix(), want, atol=1e-12)
        assert np.linalg.norm(quaternion) == pytest.approx(1.0)
        assert quaternion[3] >= 0


@pytest.mark.parametrize('side', SIDES)
def test_moving_a_hand_leaves_its_frame(side):
    joints = _any_hand(0)
    moved = wrist_quaternion_xyzw(joints + np.array([1.0, -2.0, 3.0]), side)
    np.testing.assert_allclose(moved, wrist_quaternion_xyzw(joints, side), atol=1e-12)


@pytest.mark.parametrize('side', SIDES)
def test_turning_a_hand_turns_its_frame(side):
    joints = _any_hand(1)
    for turn in Rotation.random(20, random_state=2).as_matrix():
        turned = cam_from_hand(joints @ turn.T, side)
        np.testing.assert_allclose(turned, turn @ cam_from_hand(joints, side), atol=1e-12)


def test_a_mirrored_right_hand_is_a_left_hand_with_the_mirrored_back():
    for seed in range(10):
        joints = _any_hand(seed)
        right = cam_from_hand(joints, Side.RIGHT)
        left = cam_from_hand(joints @ MIRROR, Side.LEFT)
        # x and z mirror; y, which completes them, mirrors and turns over.
        np.testing.assert_allclose(left, MIRROR @ right @ np.diag([1.0, -1.0, 1.0]), atol=1e-12)


def test_a_hand_without_two_directions_is_refused():
    line = np.linspace(0, 0.1, 21)[:, None] * [1.0, 2.0, 3.0]
    for joints in (np.zeros((21, 3)), line, np.full((21, 3), np.nan)):
        with pytest.raises(InputError) as raised:
            wrist_quaternion_xyzw(joints, Side.LEFT)
        assert raised.value.cause == 'degenerate_hand'
