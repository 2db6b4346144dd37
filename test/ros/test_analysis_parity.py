"""The same bag through the live node in every-frame mode, over DDS, and through the analysis."""

from camera_bags import camera_bag, IMAGE, INFO, info, picture, stamps
import cv2
from interwild_ros.bag.jobs import analyse_bags, named_bags, Request
from interwild_ros.bag.message_types import MessageTypes
from interwild_ros.bag.sturdy import open_sturdy
from interwild_ros.config import Settings
from interwild_ros.imaging.demo_clip import write_demo_clip
from interwild_ros.msg import HandTopology, TwoHands
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.ros.node_process import running
from node_client import NodeClient
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

COUNT = 8
SETTINGS = {
    'weights': '',
    'follow': True,
    'joint_frames': True,
    'tf_prefix': 'seen_',
    'detect_every': 4,
}
HANDS = '/hands_node/two_hands'
KINDS = {
    HANDS: TwoHands,
    f'{HANDS}_raw': TwoHands,
    '/hands_node/markers': MarkerArray,
    '/tf': TFMessage,
    '/hands_node/topology': HandTopology,
}


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    """The beginning of the demo clip, in which both hands are seen."""
    place = tmp_path_factory.mktemp('recorded')
    write_demo_clip(place / 'clip', frames=COUNT, rate_hz=30.0)
    pictures = sorted((place / 'clip').glob('*.jpg'))
    with camera_bag(place / 'bag') as bag:
        for file, stamp_ns in zip(pictures, stamps(COUNT), strict=True):
            shown = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
            bag.add(INFO, of_size(info(stamp_ns), shown), stamp_ns)
            message = of_size(picture(stamp_ns, seed=0), shown)
            message.step, message.data = 3 * message.width, shown.ravel()
            bag.add(IMAGE, message, stamp_ns)
    return place / 'bag'


def of_size(message, shown):
    message.height, message.width = shown.shape[:2]
    return message


@pytest.fixture(scope='module')
def live(ros_domain, bag, tmp_path_factory):
    """What the node says, by topic."""
    parameters = {'device': 'cpu', 'every_frame': True, **SETTINGS}
    folder = tmp_path_factory.mktemp('hands_node')
    client = NodeClient(ros_domain)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    for topic, kind in KINDS.items():
        client.listen(kind, topic, latched if kind is HandTopology else 100)
    with running('hands_node', parameters, folder=folder, environment={}):
        client.wait_until(lambda: client.heard['/hands_node/topology'], timeout_sec=120.0)
        play(bag, client)
        client.wait(1.0)  # what is for the eye comes last
    yield client.heard
    client.close()


def play(bag, client):
    """Send every picture when the one before it was answered."""
    images = client.node.create_publisher(Image, 'image', 10)
    infos = client.node.create_publisher(CameraInfo, 'camera_info', 10)
    client.wait_until(lambda: images.get_subscription_count() and infos.get_subscription_count())
    with open_sturdy(bag) as opened:
        for count, message in enumerate(opened.messages([IMAGE, INFO]), 1):
            if message.topic == INFO:
                infos.publish(deserialize_message(message.data, CameraInfo))
                client.wait(0.1)
            else:
                images.publish(deserialize_message(message.data, Image))
                client.wait_until(lambda wanted=count // 2: len(client.heard[HANDS]) >= wanted)


@pytest.fixture(scope='module')
def replayed(bag, tmp_path_factory):
    """What the analysis says: bytes, by topic."""
    settings = Settings(device='cpu', **SETTINGS)
    named, out = named_bags([bag]), tmp_path_factory.mktemp('out')
    (outcome,) = analyse_bags(named, out, Request(settings), load_pipeline(settings))
    with open_sturdy(outcome.folder / 'hands.mcap') as opened:
        found = {topic: [] for topic in KINDS}
        for message in opened.messages(found):
            found[message.topic].append(message)
        return found


def test_hands_come_and_the_filters_have_something_to_do(live):
    steadied, raw = live[HANDS], live[f'{HANDS}_raw']
    assert len(steadied) == len(raw) == COUNT
    assert any(message.right.tracked or message.left.tracked for message in steadied)
    assert not all(message.detected for message in steadied)
    assert len(live['/tf']) > 0


@pytest.mark.parametrize('topic', KINDS)
def test_both_say_the_same_byte_for_byte(topic, live, replayed):
    kind = f'{KINDS[topic].__module__.rpartition(".msg")[0]}/msg/{KINDS[topic].__name__}'
    types = MessageTypes([kind])

    def plain(data):
        """Return the bytes without what Fast DDS leaves between the numbers."""
        return types.serialize(types.deserialize(bytes(data), kind))

    said = [plain(serialize_message(message)) for message in live[topic]]
    assert len(replayed[topic]) == len(said)
    assert [message.data for message in replayed[topic]] == said
    assert [message.data for message in replayed[topic]] == [
        plain(message.data) for message in replayed[topic]
    ]
    if topic == HANDS:
        assert [message.received_ns for message in replayed[topic]] == stamps(COUNT)
