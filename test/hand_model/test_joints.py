from interwild_ros.hand_model.joints import (
    JOINT_NAMES,
    JOINT_PARENTS,
    joint_regressor_21,
    MANO_FIRST_JOINTS,
    MANO_PARENTS,
    TIP_VERTICES,
)
import numpy as np


def test_each_joint_hangs_on_the_one_before_it_in_its_finger() -> None:
    for name, parent in zip(JOINT_NAMES[1:], JOINT_PARENTS[1:], strict=True):
        finger, number = name[:-1], int(name[-1])
        assert JOINT_NAMES[parent] == ('wrist' if number == 1 else f'{finger}{number - 1}')


def test_the_order_is_wrist_thumb_index_middle_ring_pinky_with_the_tip_last() -> None:
    assert len(JOINT_NAMES) == len(JOINT_PARENTS) == 21
    assert JOINT_NAMES[:6] == ('wrist', 'thumb1', 'thumb2', 'thumb3', 'thumb4', 'index1')
    assert JOINT_NAMES[9::4] == ('middle1', 'ring1', 'pinky1')


def test_regressed_joints_are_mano_joints_and_tips() -> None:
    rng = np.random.default_rng(0)
    j_regressor, vertices = rng.random((16, 778)), rng.random((778, 3))
    joints = joint_regressor_21(j_regressor) @ vertices
    mano_joints = j_regressor @ vertices
    np.testing.assert_allclose(joints[0], mano_joints[0])
    np.testing.assert_array_equal(joints[4::4], vertices[list(TIP_VERTICES)])
    for number in range(3):
        wanted = mano_joints[np.array(MANO_FIRST_JOINTS) + number]
        np.testing.assert_allclose(joints[1 + number :: 4], wanted)


def test_each_mano_finger_is_a_chain_from_the_wrist() -> None:
    for first in MANO_FIRST_JOINTS:
        assert MANO_PARENTS[first : first + 3] == (0, first, first + 1)
