from geometry_msgs.msg import PoseStamped
from interwild_ros.config import Settings
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.msg import HandTopology, TwoHands
from interwild_ros.records import Frame, Side
from interwild_ros.ros.hands_out import two_hands_message
from interwild_ros.ros.outputs import Outputs
from interwild_ros.ros.overlay_out import OverlayOut
from interwild_ros.ros.standard_out import keypoints_message, wrist_pose_message
from interwild_ros.testing.some_hands import (
    some_card,
    some_followed,
    some_topology,
    some_two_hands,
)
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage, Image, PointCloud2
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray


@pytest.fixture
def outputs(ros_node):
    outputs = Outputs(ros_node, some_topology(), some_card())
    yield outputs
    outputs.destroy()


@pytest.fixture
def overlay(ros_node):
    overlay = OverlayOut(ros_node, some_topology(), notes=('a note',), every_frame=False)
    yield overlay
    overlay.destroy()


@pytest.fixture
def listen(ros_node, spin_until):
    def start(kind, topic):
        heard = []
        ros_node.create_subscription(kind, topic, heard.append, 10)
        spin_until(lambda: ros_node.count_subscribers(topic))
        return heard

    return start


def some_frame():
    pixels = np.full((48, 64, 3), 200, np.uint8)
    return Frame(pixels, camera_from_fov(64, 48, 60.0), stamp_ns=5_000_000_007, frame_id='eye')


def test_each_listener_hears_its_own_output(outputs, listen, spin_until):
    heard = [
        listen(TwoHands, '/the_test/two_hands'),
        listen(MarkerArray, '/the_test/markers'),
        listen(TFMessage, '/tf'),
    ]
    outputs.publish(some_followed(*Side), Settings())
    spin_until(lambda: all(heard))
    assert [len(messages) for messages in heard] == [1, 1, 1]


def test_the_raw_topic_says_what_the_frame_says_by_itself(outputs, listen, spin_until):
    steadied = listen(TwoHands, '/the_test/two_hands')
    raw = listen(TwoHands, '/the_test/two_hands_raw')
    followed = some_followed(*Side)
    outputs.publish(followed, Settings())
    spin_until(lambda: steadied and raw)
    for (message,), wanted in ((steadied, followed.hands), (raw, followed.raw)):
        wanted = two_hands_message(wanted)
        assert message.header == wanted.header
        assert (message.right, message.left) == (wanted.right, wanted.left)
    assert raw[0].right != steadied[0].right


@pytest.mark.parametrize('side', Side)
def test_wrist_and_joints_go_out_as_standard_messages_of_hands_that_are_there(
    side, outputs, listen, spin_until
):
    heard = {
        (one, name): listen(kind, f'/the_test/{one.label}/{name}')
        for one in Side
        for kind, name in ((PoseStamped, 'wrist_pose'), (PointCloud2, 'keypoints'))
    }
    everything = listen(TwoHands, '/the_test/two_hands_raw')
    followed = some_followed(side, stamp_ns=5_000_000_007, frame_id='eye')
    outputs.publish(followed, Settings())
    spin_until(lambda: everything and heard[side, 'wrist_pose'] and heard[side, 'keypoints'])
    assert {key for key, messages in heard.items() if messages} == {
        (side, 'wrist_pose'),
        (side, 'keypoints'),
    }
    (hand,) = followed.hands.hands
    for name, said in (('wrist_pose', wrist_pose_message), ('keypoints', keypoints_message)):
        (message,) = heard[side, name]
        assert message == said(followed.hands, hand)
        assert (message.header.stamp.sec, message.header.stamp.nanosec) == (5, 7)
        assert message.header.frame_id == 'eye'


def test_frames_of_the_joints_are_sent_on_request(outputs, listen, spin_until):
    heard = listen(TFMessage, '/tf')
    for joint_frames, wanted in ((False, 2), (True, 42)):
        heard.clear()
        outputs.publish(some_followed(*Side), Settings(joint_frames=joint_frames))
        (message,) = spin_until(lambda: heard)
        assert len(message.transforms) == wanted


def test_destroyed_outputs_leave_no_topic(ros_node, spin_until):
    before = {
        topic for topic, _ in ros_node.get_publisher_names_and_types_by_node('the_test', '/')
    }
    outputs = Outputs(ros_node, some_topology(), some_card())
    outputs.destroy()
    after = {topic for topic, _ in ros_node.get_publisher_names_and_types_by_node('the_test', '/')}
    assert after == before


def test_markers_are_not_made_for_nobody(outputs, listen, spin_until):
    outputs.publish(some_followed(*Side), Settings())
    assert not outputs._markers_out.patcher.templates
    heard = listen(MarkerArray, '/the_test/markers')
    outputs.publish(some_followed(*Side), Settings())
    spin_until(lambda: heard)
    assert outputs._markers_out.patcher.templates


def test_without_hands_there_is_a_message_but_no_frame_and_no_marker(outputs, listen, spin_until):
    hands = listen(TwoHands, '/the_test/two_hands')
    others = [listen(MarkerArray, '/the_test/markers'), listen(TFMessage, '/tf')]
    outputs.publish(some_followed(), Settings())
    spin_until(lambda: hands)
    assert others == [[], []]


def test_the_topology_is_there_for_those_who_come_late(outputs, ros_node, spin_until):
    heard = []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    ros_node.create_subscription(HandTopology, '/the_test/topology', heard.append, latched)
    spin_until(lambda: heard)


def test_publishers_can_be_tuned_by_qos_overrides(outputs, ros_node):
    for topic in ('two_hands', 'two_hands_raw', 'left/wrist_pose', 'right/keypoints', 'markers'):
        name = f'qos_overrides./the_test/{topic}.publisher.reliability'
        assert ros_node.get_parameter(name).value == 'reliable'


def test_the_overlay_is_not_drawn_for_nobody(overlay, listen):
    overlay._worker.stop()  # so that what is offered stays in the mailbox
    overlay.offer(some_frame(), some_two_hands(), jpeg_quality=80)
    assert overlay._mailbox.has_room
    listen(Image, '/the_test/overlay')
    overlay.offer(some_frame(), some_two_hands(), jpeg_quality=80)
    assert not overlay._mailbox.has_room


@pytest.mark.parametrize(
    ('kind', 'topic', 'wanted'),
    [(Image, 'overlay', 'rgb8'), (CompressedImage, 'overlay/compressed', 'jpeg')],
)
def test_the_overlay_is_drawn_for_those_who_look(kind, topic, wanted, overlay, listen, spin_until):
    heard = listen(kind, f'/the_test/{topic}')
    overlay.offer(some_frame(), some_two_hands(*Side), jpeg_quality=80)
    (message,) = spin_until(lambda: heard)
    overlay.check()
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (5, 7)
    assert message.header.frame_id == 'eye'
    assert wanted in (message.encoding if kind is Image else message.format)
