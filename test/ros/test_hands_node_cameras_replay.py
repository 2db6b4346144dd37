"""A node with two cameras in this process: what they share, and that no frame is lost."""

import threading

from interwild_ros.msg import TwoHands
from interwild_ros.pipeline import pipeline
from interwild_ros.ros.hands_node import HandsNode
from interwild_ros.ros.stop_signals import StopSignals
from node_client import NodeClient, noise_image
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

CAMERAS = ('front', 'wrist')
PARAMETERS = ('cameras:=[front, wrist]', 'every_frame:=true', 'weights:=rule-made')
FRAMES = 12
# A receiver may be known a moment before it knows of who sends, and would miss what comes first.
SETTLING_SEC = 0.5


@pytest.fixture
def loaded(monkeypatch):
    """Return what is loaded from now on."""
    loaded, load = [], pipeline.load_pipeline

    def load_and_note(settings):
        loaded.append(load(settings))
        return loaded[-1]

    monkeypatch.setattr(pipeline, 'load_pipeline', load_and_note)
    return loaded


@pytest.fixture
def node(ros_domain, loaded):
    given = [word for parameter in PARAMETERS for word in ('-p', parameter)]
    rclpy.init(args=['--ros-args', *given], domain_id=ros_domain)
    with StopSignals() as stop:
        node = HandsNode(stop)
        assert node.start()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        thread = threading.Thread(target=executor.spin, daemon=True)
        thread.start()
        yield node
        executor.shutdown()
        thread.join(10.0)
        node.end_session()
        node.destroy_node()
    rclpy.try_shutdown()


@pytest.fixture
def client(ros_domain):
    client = NodeClient(ros_domain)
    yield client
    client.close()


def test_cameras_share_the_networks_and_in_replay_every_frame_of_each_is_answered(
    node, loaded, client
):
    publishers = {
        name: client.node.create_publisher(Image, f'{name}/image', 100) for name in CAMERAS
    }
    for name, publisher in publishers.items():
        topic = f'/hands_node/{name}/two_hands'
        client.listen(TwoHands, topic)
        client.wait_until(publisher.get_subscription_count)
        client.wait_until(lambda topic=topic: client.node.count_publishers(topic))
        client.wait_until(lambda topic=topic: node.count_subscribers(topic))
    client.wait(SETTLING_SEC)
    sent = {name: [] for name in CAMERAS}
    for number in range(1, FRAMES + 1):
        for name, publisher in publishers.items():
            image = noise_image(number * 1_000_000, seed=number, frame_id=name)
            publisher.publish(image)
            sent[name].append(image.header)
    heard = {name: client.heard[f'/hands_node/{name}/two_hands'] for name in CAMERAS}
    client.wait_until(lambda: all(len(messages) == FRAMES for messages in heard.values()))
    for name in CAMERAS:
        assert [message.header for message in heard[name]] == sent[name]
    (once,) = loaded
    cameras = node._session._cameras.values()
    assert len({id(camera._inference._follower) for camera in cameras}) == len(CAMERAS)
    assert {id(c._inference._pipeline.networks) for c in cameras} == {id(once.networks)}
