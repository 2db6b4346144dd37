from interwild_ros.records import Side
from interwild_ros.ros.tf_out import make_broadcaster, transforms
from interwild_ros.testing.some_hands import some_two_hands
from rclpy.qos import QoSProfile
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


def test_both_transforms_travel_in_one_message(ros_node, spin_until):
    heard = []
    ros_node.create_subscription(TFMessage, '/tf', heard.append, QoSProfile(depth=100))
    broadcaster = make_broadcaster(ros_node)
    spin_until(broadcaster.pub_tf.get_subscription_count)
    sent = transforms(some_two_hands(*Side), prefix='')
    broadcaster.sendTransform(sent)
    spin_until(lambda: heard)
    assert heard == [TFMessage(transforms=sent)]
