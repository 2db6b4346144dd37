"""One hands node process that follows the hands of the demo clip, with the weights that ship."""

import re

from interwild_ros.hand_model.joints import JOINT_NAMES
from interwild_ros.imaging.demo_clip import demo_clip
from interwild_ros.msg import TwoHands
from interwild_ros.networks.checkpoint import SHIPPED
from interwild_ros.ros.node_process import running
from node_client import calibration, NodeClient, stamp
import numpy as np
import pytest
from rcl_interfaces.srv import GetParameters
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import Trigger

pytestmark = pytest.mark.skipif(not SHIPPED.is_file(), reason='no weights ship')

HANDS = '/hands_node/two_hands'
HELD_AT_M = 0.7  # as the operator says; by their size alone these hands are much nearer
PERIOD_NS = 33_000_000
MIDDLE = JOINT_NAMES.index('middle1')


@pytest.fixture(scope='module')
def node_log(ros_domain, tmp_path_factory):
    folder = tmp_path_factory.mktemp('hands_node')
    settings = {'calibration_distance_m': HELD_AT_M, 'placement': 'apart'}
    with running('hands_node', settings, folder=folder, environment={}):
        yield (folder / 'hands_node.log').read_text


@pytest.fixture(scope='module')
def picture():
    """A picture of the clip, in which both hands are held still before the camera."""
    return next(demo_clip(frames=1, size=(320, 240)))


class Operator:
    """Shows both hands, picture by picture."""

    def __init__(self, client, picture):
        self._client = client
        self._stamp_ns = client.node.get_clock().now().nanoseconds
        height, width = picture.image.shape[:2]
        self._image = Image(height=height, width=width, encoding='rgb8', step=3 * width)
        self._image.data = picture.image.tobytes()
        self._images = client.node.create_publisher(Image, 'image', 10)
        infos = client.node.create_publisher(CameraInfo, 'camera_info', 10)
        publishers = (self._images, infos)
        client.wait_until(lambda: all(p.get_subscription_count() for p in publishers), 60.0)
        infos.publish(calibration(width, height, focal_px=picture.camera.fx))
        client.wait(0.3)

    def show(self, count):
        """Show the hands in a few pictures; return what was seen in the last of them."""
        for _ in range(count):
            self._stamp_ns += PERIOD_NS
            stamp(self._image, self._stamp_ns, 'eye')
            self._images.publish(self._image)
            message = self._client.wait_until(self._answer)
        return message

    def _answer(self):
        wanted = self._image.header.stamp
        return next((m for m in self._client.heard[HANDS] if m.header.stamp == wanted), None)


@pytest.fixture(scope='module')
def client(ros_domain, node_log):
    client = NodeClient(ros_domain)
    client.listen(TwoHands, HANDS)
    yield client
    client.close()


@pytest.fixture(scope='module')
def operator(client, picture):
    return Operator(client, picture)


def call(client, service):
    return client.call(Trigger, f'/hands_node/{service}', Trigger.Request())


def palm_length_setting_m(client):
    request = GetParameters.Request(names=['palm_length_m'])
    (value,) = client.call(GetParameters, '/hands_node/get_parameters', request).values
    return value.double_value


def hands_of(message):
    assert message.right.tracked, message.right.reason
    assert message.left.tracked, message.left.reason
    return message.right, message.left


def palm_m(hand):
    joints = np.reshape(hand.joints, (21, 3))
    return np.linalg.norm(joints[MIDDLE] - joints[0])


def distance_m(hand):
    return hand.wrist.position.z


def test_before_any_frame_there_is_nothing_to_measure(client, operator):
    answer = call(client, 'calibrate_hand_size')
    assert not answer.success
    assert answer.message == 'no frames with depth in the last 5 s, wanted 10'
    assert palm_length_setting_m(client) == 0


def test_a_few_frames_are_too_few(client, operator):
    hands_of(operator.show(5))
    answer = call(client, 'calibrate_hand_size')
    assert not answer.success
    assert re.fullmatch(r'\d frames with depth in the last 5 s, wanted 10', answer.message)
    assert palm_length_setting_m(client) == 0


def test_the_operators_hand_is_measured_and_distances_follow_its_size(client, operator):
    before = hands_of(operator.show(12))
    assert all(distance_m(hand) < 0.62 for hand in before)
    assert all(hand.hand_scale == 1 for hand in before)
    answer = call(client, 'calibrate_hand_size')
    assert answer.success, answer.message
    length_m = palm_length_setting_m(client)
    assert 0.05 < length_m < 0.14
    assert answer.message.startswith(f'palm_length_m is {length_m}: ')
    after = hands_of(operator.show(6))
    for one, other in zip(before, after, strict=True):
        assert palm_m(other) == pytest.approx(length_m, rel=2e-3)
        grown = palm_m(other) / palm_m(one)
        assert other.hand_scale == pytest.approx(grown, rel=0.03)
        assert distance_m(other) / distance_m(one) == pytest.approx(grown, rel=0.03)
    assert np.mean([distance_m(hand) for hand in after]) == pytest.approx(HELD_AT_M, rel=0.04)


def test_measuring_again_gives_the_same_size(client, operator):
    before_m = palm_length_setting_m(client)
    operator.show(12)
    answer = call(client, 'calibrate_hand_size')
    assert answer.success, answer.message
    assert palm_length_setting_m(client) == pytest.approx(before_m, rel=0.02)


def test_after_a_reset_hands_appear_anew_of_the_size_that_was_measured(client, operator):
    length_m = palm_length_setting_m(client)
    assert call(client, 'reset').success
    first = operator.show(1)
    assert {first.right.reason, first.left.reason} == {'gathering'}
    assert not call(client, 'calibrate_hand_size').success
    for hand in hands_of(operator.show(4)):
        assert palm_m(hand) == pytest.approx(length_m, rel=2e-3)
    assert palm_length_setting_m(client) == length_m


def test_nothing_went_wrong(client, node_log):
    assert 'Traceback' not in node_log()
    assert '[ERROR]' not in node_log()
