"""One hands node process that serves two cameras: real DDS, the weights that ship.

`front` sees both hands of the demo clip, `wrist` a black picture, its stamps years earlier.
"""

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from interwild_ros.bag.messages import stamp_ns
from interwild_ros.imaging.demo_clip import demo_clip
from interwild_ros.msg import HandTopology, TwoHands
from interwild_ros.networks.checkpoint import SHIPPED
from interwild_ros.ros.node_process import running
from node_client import calibration, NodeClient, stamp
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import SetBool, Trigger
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

pytestmark = pytest.mark.skipif(not SHIPPED.is_file(), reason='no weights ship')

NODE = '/hands_node'
CAMERAS = ('front', 'wrist')
PERIOD_NS = 33_000_000
BEGINNING_NS = {'front': 1_900_000_000_000_000_000, 'wrist': 1_000_000_000}
APPEARING = 8  # pictures until a hand is believed


@pytest.fixture(scope='module')
def node_log(ros_domain, tmp_path_factory):
    folder = tmp_path_factory.mktemp('hands_node')
    settings = {'cameras': list(CAMERAS), 'silence_sec': 1.0}
    with running('hands_node', settings, folder=folder, environment={}):
        yield (folder / 'hands_node.log').read_text


@pytest.fixture(scope='module')
def client(ros_domain, node_log):
    client = NodeClient(ros_domain)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    for name in CAMERAS:
        client.listen(TwoHands, f'{NODE}/{name}/two_hands')
        client.listen(MarkerArray, f'{NODE}/{name}/markers')
        client.listen(HandTopology, f'{NODE}/{name}/topology', latched)
    client.listen(TFMessage, '/tf', 100)
    client.listen(DiagnosticArray, '/diagnostics')
    yield client
    client.close()


class Camera:
    """Sends one picture again and again, with growing stamps."""

    def __init__(self, client, name, pixels, focal_px):
        self.name = name
        self._client = client
        self._pixels = pixels
        self._stamp_ns = BEGINNING_NS[name]
        height, width = pixels.shape[:2]
        self._info = calibration(width, height, focal_px=focal_px)
        self.images = client.node.create_publisher(Image, f'{name}/image', 20)
        self._infos = client.node.create_publisher(CameraInfo, f'{name}/camera_info', 10)

    def calibrate(self):
        """Send camera_info once the node listens."""
        both = (self.images, self._infos)
        self._client.wait_until(lambda: all(p.get_subscription_count() for p in both), 60.0)
        self._infos.publish(self._info)

    def send(self, at_ns=None):
        """Send a picture and return its stamp."""
        self._stamp_ns += PERIOD_NS
        height, width = self._pixels.shape[:2]
        image = Image(height=height, width=width, encoding='rgb8', step=3 * width)
        image.data = self._pixels.tobytes()
        stamp(image, at_ns or self._stamp_ns, f'{self.name}_eye')
        self.images.publish(image)
        return image.header.stamp

    def answer(self, wanted):
        """Return what was said of the picture of a stamp, waiting for it."""
        heard = self._client.heard[f'{NODE}/{self.name}/two_hands']
        return self._client.wait_until(
            lambda: next((m for m in heard if m.header.stamp == wanted), None)
        )


@pytest.fixture(scope='module')
def cameras(client):
    picture = next(demo_clip(frames=1, size=(320, 240)))
    cameras = (
        Camera(client, 'front', picture.image, picture.camera.fx),
        Camera(client, 'wrist', np.zeros((120, 160, 3), np.uint8), 150.0),
    )
    for camera in cameras:
        camera.calibrate()
    client.wait(0.3)
    return cameras


def values(client, name):
    """Return what the next diagnostics say of a camera."""
    client.heard['/diagnostics'].clear()
    message = client.wait_until(lambda: client.heard['/diagnostics'])[-1]
    own = [s for s in message.status if s.name.startswith(f'{NODE}/{name}: ')]
    return {pair.key: pair.value for status in own for pair in status.values}


def level(client, name):
    message = client.heard['/diagnostics'][-1]
    wanted = f'{NODE}/{name}: camera'
    return next(s for s in message.status if s.name == wanted).level


def test_each_camera_is_answered_for_itself_from_a_memory_of_its_own(client, cameras, node_log):
    for _ in range(APPEARING):  # in turns, so that a shared memory would be torn
        sent = [camera.send() for camera in cameras]
        seen, empty = (c.answer(at) for c, at in zip(cameras, sent, strict=True))
    assert (seen.header.frame_id, empty.header.frame_id) == ('front_eye', 'wrist_eye')
    assert (seen.right.tracked, seen.left.tracked) == (True, True)
    assert (empty.right.tracked, empty.left.tracked) == (False, False)
    assert 'went backwards' not in node_log()
    client.wait_until(lambda: client.heard['/tf'] and client.heard[f'{NODE}/front/markers'])
    frames = {
        (t.header.frame_id, t.child_frame_id) for m in client.heard['/tf'] for t in m.transforms
    }
    assert frames == {('front_eye', 'front/right_hand'), ('front_eye', 'front/left_hand')}
    assert not client.heard[f'{NODE}/wrist/markers']


def test_each_camera_has_its_own_calibration(client, cameras):
    for camera in cameras:
        camera.answer(camera.send())
        assert values(client, camera.name)['camera_info'] == 'calibrated'


def test_the_topics_of_an_only_camera_are_not_there(client, cameras):
    topics = {name for name, _ in client.node.get_topic_names_and_types()}
    assert not topics & {'/image', '/camera_info', f'{NODE}/two_hands', f'{NODE}/topology'}
    client.wait_until(lambda: all(client.heard[f'{NODE}/{name}/topology'] for name in CAMERAS))


def test_a_silent_camera_is_named_and_the_other_goes_on(client, cameras, node_log):
    front, _ = cameras
    before = len(node_log())

    def told():
        front.answer(front.send())
        return 'wrist: no image for' in node_log()[before:]

    client.wait_until(told)
    assert values(client, 'wrist')['frames_dropped'] == '0'
    assert (level(client, 'front'), level(client, 'wrist')) == (
        DiagnosticStatus.OK,
        DiagnosticStatus.ERROR,
    )
    assert 'front: no image for' not in node_log()[before:]


def test_a_camera_that_is_too_fast_drops_its_own_pictures_alone(client, cameras):
    front, wrist = cameras
    before = {name: values(client, name) for name in CAMERAS}
    stamps = [front.send() for _ in range(6)]
    empty = wrist.send()
    stamps += [front.send() for _ in range(6)]
    assert wrist.answer(empty)
    assert front.answer(stamps[-1])
    keys = ('frames_in', 'frames_out', 'frames_dropped')
    done = {}
    for name in CAMERAS:
        after = values(client, name)
        done[name] = [int(after[key]) - int(before[name][key]) for key in keys]
    taken, worked, dropped = done['front']
    assert taken == worked + dropped
    assert worked < len(stamps)
    assert done['wrist'] == [1, 1, 0]


def test_a_reset_is_for_all_cameras(client, cameras):
    last = [camera.send() for camera in cameras]
    for camera, at in zip(cameras, last, strict=True):
        assert camera.answer(at)
    assert client.call(Trigger, f'{NODE}/reset', Trigger.Request()).success
    for camera, at in zip(cameras, last, strict=True):
        client.heard[f'{NODE}/{camera.name}/two_hands'].clear()
        camera.send(stamp_ns(at))
        assert camera.answer(at)


def test_enabling_is_for_all_cameras(client, cameras):
    for wanted in (False, True):
        request = SetBool.Request(data=wanted)
        assert client.call(SetBool, f'{NODE}/enable', request).success
        for camera in cameras:
            count = camera.images.get_subscription_count
            client.wait_until(lambda wanted=wanted, count=count: bool(count()) == wanted)


def test_the_operator_is_measured_by_one_camera(client, cameras):
    for name in CAMERAS:
        service = f'{NODE}/{name}/calibrate_hand_size'
        answer = client.call(Trigger, service, Trigger.Request())
        assert not answer.success  # there is neither depth nor a known distance
        assert answer.message
