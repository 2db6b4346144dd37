import time

from interwild_ros.bag.write import write_bag
from interwild_ros.ros.recorder import Recorder
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosReliability
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header, String

RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


@pytest.fixture
def bag(tmp_path):
    with write_bag(tmp_path / 'bag') as writer:
        yield writer


def recorded(folder):
    with AnyReader([folder]) as reader:
        return [(c.topic, stamp_ns, bytes(data)) for c, stamp_ns, data in reader.messages()]


def profile_of(folder):
    with AnyReader([folder]) as reader:
        (profile,) = reader.connections[0].ext.offered_qos_profiles
        return profile.reliability, profile.durability


@pytest.mark.parametrize('profile', [RELIABLE, BEST_EFFORT])
def test_bytes_and_arrival_of_each_message_are_recorded(profile, ros_node, spin_until, tmp_path):
    publisher = ros_node.create_publisher(String, '/words', profile)
    with write_bag(tmp_path / 'bag') as bag:
        recorder = Recorder(ros_node, bag, ['/words'])
        spin_until(lambda: publisher.get_subscription_count())
        before_ns = time.time_ns()
        for count, text in enumerate(('one', 'two', 'three'), start=1):
            publisher.publish(String(data=text))
            spin_until(lambda count=count: recorder.tallies['/words'].count == count)
        after_ns = time.time_ns()
    found = recorded(tmp_path / 'bag')
    wanted = [serialize_message(String(data=text)) for text in ('one', 'two', 'three')]
    assert [data for _, _, data in found] == wanted
    assert all(before_ns <= stamp_ns <= after_ns for _, stamp_ns, _ in found)
    reliable = profile is RELIABLE
    wanted_reliability = QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT
    assert profile_of(tmp_path / 'bag') == (wanted_reliability, QosDurability.VOLATILE)


def test_what_was_said_before_the_recording_is_recorded_when_latched(
    ros_node, spin_until, tmp_path
):
    publisher = ros_node.create_publisher(String, '/words', LATCHED)
    publisher.publish(String(data='early'))
    with write_bag(tmp_path / 'bag') as bag:
        recorder = Recorder(ros_node, bag, ['/words'])
        spin_until(lambda: recorder.tallies['/words'].count == 1)
    assert recorded(tmp_path / 'bag')[0][2] == serialize_message(String(data='early'))
    assert profile_of(tmp_path / 'bag')[1] is QosDurability.TRANSIENT_LOCAL


def test_a_publisher_that_comes_later_is_recorded(bag, ros_node, spin_until):
    recorder = Recorder(ros_node, bag, ['/words'])
    assert not recorder.is_subscribed('/words')
    publisher = ros_node.create_publisher(String, '/words', RELIABLE)
    spin_until(lambda: recorder.is_subscribed('/words') and publisher.get_subscription_count())
    publisher.publish(String(data='late'))
    spin_until(lambda: recorder.tallies['/words'].count == 1)


def test_the_last_stamp_is_read_from_the_bytes(bag, ros_node, spin_until):
    recorder = Recorder(ros_node, bag, ['/picture'])
    assert recorder.tallies['/picture'].last_stamp_ns == 0
    publisher = ros_node.create_publisher(CompressedImage, '/picture', RELIABLE)
    spin_until(lambda: publisher.get_subscription_count())
    header = Header(frame_id='a rather long name of a frame')
    header.stamp.sec, header.stamp.nanosec = 7, 9
    publisher.publish(CompressedImage(header=header, format='jpeg', data=b'12345'))
    spin_until(lambda: recorder.tallies['/picture'].count)
    assert recorder.tallies['/picture'].last_stamp_ns == 7_000_000_009
