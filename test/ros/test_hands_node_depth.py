"""One hands node process that takes depth beside the images: real DDS, weights that see hands
in any picture."""

from diagnostic_msgs.msg import DiagnosticArray
from interwild_ros.msg import Hand, TwoHands
from interwild_ros.ros.node_process import running
from node_client import calibration, HEIGHT, NodeClient, noise_image, stamp, WIDTH
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import Trigger

HANDS = '/hands_node/two_hands'
WAIT_MS, SLOP_MS = 500.0, 20.0
MS_NS = 1_000_000
HAND_M = 2.0  # nearer than the size of these hands says
SEED = 15  # of a picture in which such weights see two hands beside each other


@pytest.fixture(scope='module')
def node_log(ros_domain, tmp_path_factory):
    folder = tmp_path_factory.mktemp('hands_node')
    settings = {
        'weights': 'rule-made',
        'follow': False,
        'placement': 'apart',
        'use_depth': True,
        'depth_wait_ms': WAIT_MS,
        'depth_slop_ms': SLOP_MS,
    }
    with running('hands_node', settings, folder=folder, environment={}):
        yield (folder / 'hands_node.log').read_text


class Cameras:
    """A colour and a depth camera whose stamps grow, and what is seen in their pictures."""

    def __init__(self, client):
        self._client = client
        make = client.node.create_publisher
        self.images, self.depths = make(Image, 'image', 10), make(Image, 'depth', 10)
        self.infos, self._info = make(CameraInfo, 'camera_info', 10), None
        publishers = (self.images, self.depths, self.infos)
        client.wait_until(lambda: all(p.get_subscription_count() for p in publishers), 60.0)

    def see(self, depth=None, *, first='depth', between_sec=0.1):
        """Send a picture and its depth, one before the other; return the hands that are seen.

        :param depth: makes the depth picture for a stamp.
        """
        image = noise_image(self._client.node.get_clock().now().nanoseconds, seed=SEED)
        at = image.header.stamp
        pictures = [(self.images, image)]
        if depth is not None:
            made = depth(at.sec * 1_000_000_000 + at.nanosec)
            pictures.insert(0 if first == 'depth' else 1, (self.depths, made))
        for publisher, picture in pictures:
            publisher.publish(picture)
            self._client.wait(between_sec)
        return self._client.wait_until(lambda: self._answer_to(at))

    def _answer_to(self, at):
        return next((m for m in self._client.heard[HANDS] if m.header.stamp == at), None)

    def calibrate(self, info):
        """Send camera_info where it is news, and give it time to arrive before any picture."""
        if info != self._info:
            self.infos.publish(info)
            self._info = info
            self._client.wait(0.3)


@pytest.fixture(scope='module')
def client(ros_domain, node_log):
    client = NodeClient(ros_domain)
    client.listen(TwoHands, HANDS)
    client.listen(DiagnosticArray, '/diagnostics')
    yield client
    client.close()


@pytest.fixture(scope='module')
def cameras(client):
    return Cameras(client)


@pytest.fixture(autouse=True)
def calibrated(cameras):
    cameras.calibrate(calibration())


def depth_picture(stamp_ns, *, metres=HAND_M, encoding='32FC1', width=WIDTH):
    """Return a picture of a wall, which the hands touch."""
    kind, unit = {'32FC1': ('<f4', 1), '16UC1': ('<u2', 1000), 'rgb8': ('3u1', 0)}[encoding]
    numbers = np.full((HEIGHT, width), 1, np.dtype(kind)) * np.array(metres * unit)
    numbers = numbers.astype(np.dtype(kind).base)
    picture = Image(height=HEIGHT, width=width, encoding=encoding, step=numbers.strides[0])
    picture.data = numbers.tobytes()
    stamp(picture, stamp_ns, 'depth_eye')
    return picture


def middles_m(message):
    return [
        np.reshape(hand.vertices, (-1, 3)).mean(0)[2] for hand in (message.right, message.left)
    ]


def sources(message):
    return {hand.depth_source for hand in (message.right, message.left)}


def counted(client, cause):
    """Return how often the next diagnostics say that something happened."""
    client.heard['/diagnostics'].clear()
    message = client.wait_until(lambda: client.heard['/diagnostics'])[-1]
    values = {pair.key: pair.value for status in message.status for pair in status.values}
    return int(values.get(f'bad_frames.{cause}', 0))


def test_without_depth_the_hands_are_where_their_size_says(client, cameras):
    before = counted(client, 'no_depth')
    message = cameras.see()
    assert sources(message) == {Hand.DEPTH_INTRINSICS}
    assert all(abs(z - HAND_M) > 0.04 for z in middles_m(message))
    assert counted(client, 'no_depth') == before + 1


def test_without_depth_and_calibration_metres_are_nominal(client, cameras):
    cameras.calibrate(CameraInfo(width=WIDTH, height=HEIGHT))
    assert sources(cameras.see()) == {Hand.DEPTH_NOMINAL}


@pytest.mark.parametrize('encoding', ['16UC1', '32FC1'])
def test_depth_of_the_same_stamp_says_how_far_the_hands_are(encoding, client, cameras):
    by_size = cameras.see()
    message = cameras.see(lambda at: depth_picture(at, encoding=encoding))
    assert sources(message) == {Hand.DEPTH_IMAGE}
    for z in middles_m(message):
        assert z == pytest.approx(HAND_M, abs=0.02)
    for one, other in ((by_size.right, message.right), (by_size.left, message.left)):
        assert np.sqrt(other.wrist_covariance[8]) < 0.02 < np.sqrt(one.wrist_covariance[8])


def test_depth_is_measured_without_a_calibration_too(client, cameras):
    cameras.calibrate(CameraInfo(width=WIDTH, height=HEIGHT))
    message = cameras.see(lambda at: depth_picture(at))
    assert Hand.DEPTH_IMAGE in sources(message)


def test_an_image_waits_a_while_for_its_depth(client, cameras):
    message = cameras.see(depth_picture, first='image', between_sec=0.15)
    assert sources(message) == {Hand.DEPTH_IMAGE}


def test_depth_that_is_late_is_not_waited_for_forever(client, cameras):
    message = cameras.see(depth_picture, first='image', between_sec=2 * WAIT_MS / 1000)
    assert sources(message) == {Hand.DEPTH_INTRINSICS}


@pytest.mark.parametrize('offset_ms', [-3 * SLOP_MS, 3 * SLOP_MS])
def test_depth_of_another_moment_is_not_used(offset_ms, client, cameras):
    message = cameras.see(lambda at: depth_picture(at + int(offset_ms * MS_NS)))
    assert sources(message) == {Hand.DEPTH_INTRINSICS}


def test_depth_of_nearly_the_same_moment_is_used(client, cameras):
    message = cameras.see(lambda at: depth_picture(at - int(SLOP_MS / 2 * MS_NS)))
    assert sources(message) == {Hand.DEPTH_IMAGE}


@pytest.mark.parametrize(
    ('spoilt', 'cause'),
    [({'encoding': 'rgb8'}, 'bad_encoding'), ({'width': WIDTH + 1}, 'depth_size')],
)
def test_a_bad_depth_picture_is_counted_and_the_frame_is_not_lost(
    spoilt, cause, client, cameras, node_log
):
    before = counted(client, cause)
    message = cameras.see(lambda at: depth_picture(at, **spoilt))
    assert sources(message) == {Hand.DEPTH_INTRINSICS}
    client.wait_until(lambda: f'depth not used, {cause}' in node_log())
    assert counted(client, cause) == before + 1
    assert sources(cameras.see(depth_picture)) == {Hand.DEPTH_IMAGE}


def test_after_a_reset_depth_is_joined_again(client, cameras):
    assert cameras.see(depth_picture)
    assert client.call(Trigger, '/hands_node/reset', Trigger.Request()).success
    assert sources(cameras.see(depth_picture)) == {Hand.DEPTH_IMAGE}


def test_a_size_that_nothing_was_measured_for_is_refused_with_a_reason(client, cameras):
    """Hands that are not followed are of nobody in particular."""
    cameras.see(depth_picture)
    answer = client.call(Trigger, '/hands_node/calibrate_hand_size', Trigger.Request())
    assert not answer.success
    assert answer.message == 'no frames with depth in the last 5 s, wanted 10'


def test_nothing_went_wrong_that_was_not_meant_to(client, node_log):
    assert 'Traceback' not in node_log()
    assert '[ERROR]' not in node_log()
    assert '[FATAL]' not in node_log()
