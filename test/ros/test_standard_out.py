from interwild_ros.records import Side
from interwild_ros.ros.standard_out import keypoints_message, wrist_pose_message
from interwild_ros.testing.some_hands import some_two_hands
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import PointField

NUMPY_KINDS = {PointField.FLOAT32: '<f4', PointField.UINT8: 'u1'}


def received(message):
    return deserialize_message(serialize_message(message), type(message))


def points_of(cloud):
    """Read a point cloud as anybody does who knows nothing but its fields."""
    kind = np.dtype(
        {
            'names': [field.name for field in cloud.fields],
            'formats': [NUMPY_KINDS[field.datatype] for field in cloud.fields],
            'offsets': [field.offset for field in cloud.fields],
            'itemsize': cloud.point_step,
        }
    )
    return np.frombuffer(cloud.data, kind)


@pytest.mark.parametrize('side', Side)
def test_the_wrist_pose_is_that_of_the_hand(side):
    hands = some_two_hands(side, stamp_ns=3_000_000_004, frame_id='eye')
    (hand,) = hands.hands
    message = received(wrist_pose_message(hands, hand))
    at, turn = message.pose.position, message.pose.orientation
    assert [at.x, at.y, at.z] == hand.wrist_m.tolist()
    assert [turn.x, turn.y, turn.z, turn.w] == hand.wrist_quaternion_xyzw.tolist()
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (3, 4)
    assert message.header.frame_id == 'eye'


@pytest.mark.parametrize('side', Side)
def test_the_keypoints_are_the_joints_by_their_index(side):
    hands = some_two_hands(side)
    (hand,) = hands.hands
    points = points_of(received(keypoints_message(hands, hand)))
    xyz = np.stack([points[axis] for axis in 'xyz'], axis=1)
    np.testing.assert_array_equal(xyz, hand.joints_m.astype(np.float32))
    assert points['joint'].tolist() == list(range(21))


def test_the_keypoints_lie_as_point_clouds_do():
    """Of 16 bytes a point, x y z first: what libraries read without a copy."""
    hands = some_two_hands(Side.LEFT)
    cloud = received(keypoints_message(hands, hands.left))
    assert [field.name for field in cloud.fields] == ['x', 'y', 'z', 'joint']
    assert [field.offset for field in cloud.fields] == [0, 4, 8, 12]
    assert {field.count for field in cloud.fields} == {1}
    assert (cloud.height, cloud.width, cloud.point_step) == (1, 21, 16)
    assert cloud.row_step == len(cloud.data) == 21 * 16
    assert cloud.is_dense
    assert not cloud.is_bigendian
