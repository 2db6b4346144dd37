"""Hands nodes that start, change state, refuse and end: each a process of its own."""

import signal

import cv2
from interwild_ros.msg import TwoHands
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from node_client import NodeClient, noise_image
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import Trigger

HANDS = '/hands_node/two_hands'
START_SEC = 60.0  # a crowded machine takes its time to load torch


@pytest.fixture
def client(ros_domain):
    client = NodeClient(ros_domain)
    client.listen(TwoHands, HANDS)
    yield client
    client.close()


@pytest.fixture
def start_hands(start_process):
    def start(*remapping, **parameters):
        given = [part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')]
        rules = [part for rule in remapping for part in ('-r', rule)]
        return start_process('-m', 'interwild_ros.ros.hands_node', '--ros-args', *given, *rules)

    return start


def change(client, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    return client.call(ChangeState, '/hands_node/change_state', request, START_SEC).success


def state(client):
    return client.call(GetState, '/hands_node/get_state', GetState.Request()).current_state.label


def send_for(client, publisher, seconds):
    """Send 30 pictures a second, and return how many messages with hands came in."""
    before = len(client.heard[HANDS])
    for _ in range(int(30 * seconds)):
        publisher.publish(noise_image(client.node.get_clock().now().nanoseconds))
        client.wait(1 / 30)
    return len(client.heard[HANDS]) - before


def test_without_autostart_the_node_follows_a_lifecycle_manager(client, start_hands):
    node = start_hands(autostart=False)
    images = client.node.create_publisher(Image, 'image', 1)
    assert state(client) == 'unconfigured'
    for service in ('reset', 'calibrate_hand_size'):
        answer = client.call(Trigger, f'/hands_node/{service}', Trigger.Request())
        assert not answer.success
        assert 'the node is unconfigured' in answer.message
    for _ in range(2):
        assert change(client, Transition.TRANSITION_CONFIGURE)
        assert state(client) == 'inactive'
        assert send_for(client, images, 0.5) == 0
        for _ in range(2):
            assert change(client, Transition.TRANSITION_ACTIVATE)
            client.wait_until(images.get_subscription_count)
            client.wait_until(lambda: send_for(client, images, 0.2), START_SEC)
            assert change(client, Transition.TRANSITION_DEACTIVATE)
            client.wait(0.2)
            assert send_for(client, images, 0.5) == 0
        assert change(client, Transition.TRANSITION_CLEANUP)
        assert state(client) == 'unconfigured'
        client.wait_until(lambda: client.node.count_publishers(HANDS) == 0)
    assert change(client, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)
    assert state(client) == 'finalized'
    assert node.stop() == 0
    assert 'Traceback' not in node.output


def test_a_node_that_cannot_configure_says_why_and_lives(client, start_hands):
    node = start_hands(autostart=False, weights='/nowhere/weights.pth')
    assert not change(client, Transition.TRANSITION_CONFIGURE)
    assert state(client) == 'unconfigured'
    assert node.output.count('cannot configure: ') == 1
    assert '/nowhere/weights.pth' in node.output
    assert not change(client, Transition.TRANSITION_CONFIGURE)
    assert node.stop() == 0
    assert 'Traceback' not in node.output


@pytest.mark.parametrize(
    ('parameters', 'reason'),
    [
        ({'mano_dir': '/nowhere'}, '/nowhere'),
        ({'device': 'abacus'}, 'abacus'),
        ({'min_score': 7.0}, 'min_score'),
        ({'image_transport': 'pigeon'}, 'image_transport'),
        ({'cameras': '[front, wrist, front]'}, "'front' more than once"),
        ({'cameras': "['front', '2nd eye']"}, "'2nd eye'"),
    ],
)
def test_alone_a_node_that_cannot_start_ends_with_the_reason(parameters, reason, start_hands):
    node = start_hands(**parameters)
    assert node.wait(START_SEC) not in (0, None)
    (line,) = [line for line in node.output.splitlines() if '[ERROR]' in line]
    assert reason in line
    assert 'Traceback' not in node.output


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_node_in_the_middle_of_a_frame_in_order(number, client, start_hands):
    node = start_hands()
    images = client.node.create_publisher(Image, 'image', 1)
    client.wait_until(images.get_subscription_count, START_SEC)
    client.wait_until(lambda: send_for(client, images, 0.2), START_SEC)
    assert node.stop(number) == 0
    assert 'Traceback' not in node.output
    assert 'rror' not in node.output


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_node_that_waits_to_be_configured(number, client, start_hands):
    node = start_hands(autostart=False)
    assert state(client) == 'unconfigured'
    assert node.stop(number) == 0
    assert node.output == ''


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_networks_are_loaded_ends_the_node(number, client, start_hands):
    node = start_hands()
    client.wait_until(lambda: 'hands_node' in client.node.get_node_names(), START_SEC)
    assert node.stop(number, timeout_sec=START_SEC) == 0
    assert 'Traceback' not in node.output


def test_in_replay_every_frame_is_answered_once_and_in_order(client, start_hands):
    node = start_hands('image:=/eye/rgb', every_frame=True, image_transport='compressed')
    images = client.node.create_publisher(CompressedImage, '/eye/rgb/compressed', 100)
    client.wait_until(images.get_subscription_count, START_SEC)
    sent = [jpeg(number * 1_000_000) for number in range(1, 41)]
    for image in sent:
        images.publish(image)
    client.wait_until(lambda: len(client.heard[HANDS]) == len(sent), START_SEC)
    wanted = [image.header.stamp for image in sent]
    assert [hands.header.stamp for hands in client.heard[HANDS]] == wanted
    truncated = jpeg(1_000_000_000)
    truncated.data = truncated.data[: len(truncated.data) // 2]
    images.publish(truncated)
    node.wait_for('frame skipped, corrupt_image')
    images.publish(jpeg(2_000_000_000))
    client.wait_until(lambda: client.heard[HANDS][-1].header.stamp.sec == 2)
    assert node.stop() == 0


def jpeg(stamp_ns):
    raw = noise_image(stamp_ns)
    pixels = np.asarray(raw.data).reshape(raw.height, raw.width, 3)
    _, data = cv2.imencode('.jpg', pixels)
    return CompressedImage(header=raw.header, format='jpeg', data=data.tobytes())
