from interwild_ros.hand_model.joints import JOINT_NAMES
from interwild_ros.records import Side
from interwild_ros.ros.tf_out import transforms, TransformsOut
from interwild_ros.testing.some_hands import some_two_hands
import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from scipy.spatial.transform import Rotation
from tf2_msgs.msg import TFMessage


def test_each_tracked_hand_hangs_in_the_frame_of_the_image():
    hands = some_two_hands(*Side, stamp_ns=3_000_000_004, frame_id='eye')
    right, left = transforms(hands, prefix='')
    for message, hand in ((right, hands.right), (left, hands.left)):
        assert message.header.frame_id == 'eye'
        assert (message.header.stamp.sec, message.header.stamp.nanosec) == (3, 4)
        origin = message.transform.translation
        assert [origin.x, origin.y, origin.z] == hand.joints_m[0].tolist()
        turn = message.transform.rotation
        assert [turn.x, turn.y, turn.z, turn.w] == hand.wrist_quaternion_xyzw.tolist()
    assert (right.child_frame_id, left.child_frame_id) == ('right_hand', 'left_hand')


def test_a_lost_hand_has_no_transform():
    (only,) = transforms(some_two_hands(Side.LEFT), prefix='')
    assert only.child_frame_id == 'left_hand'
    assert transforms(some_two_hands(), prefix='') == []


def test_the_prefix_comes_before_the_name():
    right, _ = transforms(some_two_hands(*Side), prefix='anna/')
    assert right.child_frame_id == 'anna/right_hand'


def applied(message, points):
    """Return points (..., 3) of the child frame in the parent frame."""
    turn, origin = message.transform.rotation, message.transform.translation
    rotation = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w])
    return np.add(rotation.apply(points), (origin.x, origin.y, origin.z))


def test_the_chain_of_frames_gives_back_every_joint_in_the_cameras_frame():
    hands = some_two_hands(*Side, stamp_ns=3_000_000_004, frame_id='eye')
    sent = transforms(hands, prefix='anna/', with_joints=True)
    frames = {message.child_frame_id: message for message in sent}
    assert len(frames) == len(sent) == 42
    for hand in hands.hands:
        parent = f'anna/{hand.side.label}_hand'
        for number, name in enumerate(JOINT_NAMES[1:], start=1):
            joint = frames[f'{parent}_{name}']
            assert joint.header.frame_id == parent
            assert joint.header.stamp == frames[parent].header.stamp
            in_camera = applied(frames[parent], applied(joint, np.zeros(3)))
            np.testing.assert_allclose(in_camera, hand.joints_m[number], atol=1e-12)


def test_joints_have_frames_only_on_request_and_of_hands_that_are_there():
    assert len(transforms(some_two_hands(*Side), prefix='')) == 2
    names = [m.child_frame_id for m in transforms(some_two_hands(Side.LEFT), prefix='')]
    assert names == ['left_hand']
    sent = transforms(some_two_hands(Side.LEFT), prefix='', with_joints=True)
    assert all(message.child_frame_id.startswith('left_hand') for message in sent)
    assert len(sent) == 21
    assert transforms(some_two_hands(), prefix='', with_joints=True) == []


@pytest.mark.parametrize('with_joints', [False, True])
@pytest.mark.parametrize('frame_id', ['', 'c', 'eyes', 'a/b_link'])
@pytest.mark.parametrize('tracked', [(Side.RIGHT,), (Side.LEFT,), tuple(Side)])
def test_all_transforms_travel_in_one_message_of_patched_bytes(tracked, frame_id, with_joints):
    out = TransformsOut(on_fallback=pytest.fail)
    for seed, stamp_ns in ((1, 0), (2, 1_700_000_000_999_999_999)):
        hands = some_two_hands(*tracked, seed=seed, frame_id=frame_id, stamp_ns=stamp_ns)
        patched = out.message(hands, prefix='anna/', with_joints=with_joints)
        assert isinstance(patched, bytes)
        typed = transforms(hands, prefix='anna/', with_joints=with_joints)
        assert deserialize_message(patched, TFMessage) == TFMessage(transforms=typed)
    assert len(out.patcher.templates) == 1


def test_without_hands_there_is_nothing_to_send():
    assert TransformsOut(on_fallback=pytest.fail).message(some_two_hands(), prefix='') is None
