"""One hands node process, and everything around it: real DDS, default settings but for weights
that see hands in any picture."""

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from interwild_ros.bag.messages import stamp_ns
from interwild_ros.config import Settings
from interwild_ros.msg import HandTopology, TwoHands
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.records import Hand
from interwild_ros.ros.frame_in import FrameReader
from interwild_ros.ros.hands_out import two_hands_message
from interwild_ros.ros.node_process import running
from node_client import calibration, HEIGHT, NodeClient, noise_image, WIDTH
import numpy as np
import pytest
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_srvs.srv import SetBool, Trigger
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

HANDS = '/hands_node/two_hands'
MARKERS = '/hands_node/markers'
OVERLAY = '/hands_node/overlay'
SECOND_NS = 1_000_000_000


@pytest.fixture(scope='module')
def node_log(ros_domain, tmp_path_factory):
    folder = tmp_path_factory.mktemp('hands_node')
    with running(
        'hands_node', {'weights': 'rule-made', 'follow': False}, folder=folder, environment={}
    ):
        yield (folder / 'hands_node.log').read_text


@pytest.fixture(scope='module')
def client(ros_domain, node_log):
    client = NodeClient(ros_domain)
    client.listen(TwoHands, HANDS)
    client.listen(MarkerArray, MARKERS)
    client.listen(TFMessage, '/tf', 100)
    client.listen(DiagnosticArray, '/diagnostics')
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    client.listen(HandTopology, '/hands_node/topology', latched)
    client.wait_until(lambda: client.heard['/hands_node/topology'], timeout_sec=60.0)
    yield client
    client.close()


class Camera:
    """Publishes pictures and camera_info with growing stamps."""

    def __init__(self, client, qos=10):
        self._client = client
        self.images = client.node.create_publisher(Image, 'image', qos)
        self.infos = client.node.create_publisher(CameraInfo, 'camera_info', qos)
        client.wait_until(
            lambda: self.images.get_subscription_count() and self.infos.get_subscription_count()
        )

    def now_ns(self):
        return self._client.node.get_clock().now().nanoseconds

    def send(self, image=None):
        """Send a picture and return its stamp."""
        image = image or noise_image(self.now_ns())
        self.images.publish(image)
        return image.header.stamp

    def see(self):
        """Send a picture, and return the hands that were seen in it."""
        wanted = self.send()
        return self._client.wait_until(lambda: answer_to(self._client, wanted))

    def see_any(self):
        """Send pictures until one is answered: what comes while a node subscribes anew is lost."""
        sent = [self.send()]

        def answer():
            if self.now_ns() - stamp_ns(sent[-1]) > SECOND_NS:
                sent.append(self.send())
            return any(answer_to(self._client, wanted) for wanted in sent)

        return self._client.wait_until(answer)

    def calibrate(self, info):
        """Send camera_info, and give it time to arrive before any picture."""
        self.infos.publish(info)
        self._client.wait(0.3)

    def close(self):
        self._client.node.destroy_publisher(self.images)
        self._client.node.destroy_publisher(self.infos)


@pytest.fixture
def camera(client):
    camera = Camera(client)
    camera.calibrate(calibration())
    yield camera
    camera.close()
    client.wait_until(lambda: not client.node.get_publishers_info_by_topic('image'))


def answer_to(client, wanted):
    return next((m for m in client.heard[HANDS] if m.header.stamp == wanted), None)


def values(client):
    """Return the values of the next diagnostics."""
    client.heard['/diagnostics'].clear()
    message = client.wait_until(lambda: client.heard['/diagnostics'])[-1]
    return {pair.key: pair.value for status in message.status for pair in status.values}


def set_parameter(client, name, value):
    kinds = {
        float: (ParameterType.PARAMETER_DOUBLE, 'double_value'),
        str: (ParameterType.PARAMETER_STRING, 'string_value'),
    }
    kind, field = kinds[type(value)]
    parameter = Parameter(name=name, value=ParameterValue(type=kind, **{field: value}))
    request = SetParameters.Request(parameters=[parameter])
    (result,) = client.call(SetParameters, '/hands_node/set_parameters', request).results
    return result


def test_the_log_says_what_runs_and_what_it_is_worth(client, node_log):
    client.wait_until(lambda: 'these hands mean nothing' in node_log())
    assert "compact networks with the weights 'rule-made'" in node_log()
    assert "the hand model 'stand-in' on cpu" in node_log()


def test_the_topology_waits_for_whoever_comes(client):
    topology = client.heard['/hands_node/topology'][0]
    assert topology.hand_model_is_stand_in
    assert not topology.weights_meaningful
    assert topology.variant == 'compact'
    assert np.max(topology.right_triangles) == 777


def test_each_output_bears_the_stamp_and_frame_of_the_image(client, camera):
    hands = camera.see()
    wanted = hands.header
    assert wanted.frame_id == 'eye'
    markers = client.wait_until(lambda: drawn_at(client, wanted.stamp))
    assert {m.header.frame_id for m in markers} == {'eye'}
    assert {m.action for m in markers} == {Marker.ADD}
    frames = client.wait_until(lambda: frames_at(client, wanted.stamp))
    assert [t.child_frame_id for t in frames] == ['right_hand', 'left_hand']
    assert {t.header.frame_id for t in frames} == {'eye'}
    assert frames[0].transform.translation.x == hands.right.wrist.position.x


def drawn_at(client, wanted):
    messages = (m.markers for m in client.heard[MARKERS])
    return next((m for m in messages if m[0].header.stamp == wanted), None)


def frames_at(client, wanted):
    messages = (m.transforms for m in client.heard['/tf'])
    return next((m for m in messages if m[0].header.stamp == wanted), None)


def test_the_message_holds_what_the_pipeline_says_of_the_picture(client, camera):
    image = noise_image(camera.now_ns(), seed=3)
    camera.send(image)
    message = client.wait_until(lambda: answer_to(client, image.header.stamp))
    reader = FrameReader(Settings())
    reader.camera_info(calibration())
    two_hands = load_pipeline(Settings(weights='rule-made', follow=False))(reader.frame(image))
    assert all(isinstance(hand, Hand) for hand in (two_hands.right, two_hands.left))
    wanted = two_hands_message(two_hands)
    for found_hand, wanted_hand in ((message.right, wanted.right), (message.left, wanted.left)):
        for name in ('vertices', 'joints', 'joints_image', 'pose', 'betas', 'box'):
            found, want = getattr(found_hand, name), getattr(wanted_hand, name)
            np.testing.assert_allclose(found, want, rtol=1e-3, atol=1e-3, err_msg=name)
    assert message.right.depth_source == wanted.right.depth_source


def test_standard_and_raw_messages_come_to_those_who_listen(client, camera):
    topics = {
        '/hands_node/right/wrist_pose': PoseStamped,
        '/hands_node/left/keypoints': PointCloud2,
        '/hands_node/two_hands_raw': TwoHands,
    }
    subscriptions = [client.listen(kind, topic) for topic, kind in topics.items()]

    def all_came():
        hands = camera.see()
        client.wait(0.2)  # these are published after the hands
        same = [
            next((m for m in client.heard[topic] if m.header == hands.header), None)
            for topic in topics
        ]
        return (hands, *same) if all(same) else None

    hands, pose, keypoints, raw = client.wait_until(all_came)
    assert pose.pose == hands.right.wrist
    xyz = np.frombuffer(keypoints.data, '<f4').reshape(21, 4)[:, :3]
    np.testing.assert_array_equal(xyz.ravel(), hands.left.joints)
    np.testing.assert_array_equal(raw.left.joints, hands.left.joints)  # nothing is followed here
    for subscription in subscriptions:
        client.node.destroy_subscription(subscription)


def test_depth_is_not_subscribed_to_unless_it_is_wanted(client, camera):
    assert client.node.count_subscribers('/depth') == 0


def unknown_encoding(image):
    image.encoding = 'rgb77'


def short_data(image):
    image.data = image.data[:-1]


def zero_size(image):
    image.width = image.height = image.step = 0
    image.data = image.data[:0]


def wrong_size(image):
    image.height //= 2
    image.data = image.data[: image.height * image.step]


@pytest.mark.parametrize(
    ('spoil', 'cause'),
    [
        (unknown_encoding, 'bad_encoding'),
        (short_data, 'short_data'),
        (zero_size, 'zero_size'),
        (wrong_size, 'camera_size'),
    ],
)
def test_a_bad_image_is_counted_and_the_next_one_is_seen(spoil, cause, client, camera, node_log):
    before = int(values(client).get(f'bad_frames.{cause}', 0))
    bad = noise_image(camera.now_ns())
    spoil(bad)
    camera.send(bad)
    client.wait_until(lambda: f'frame skipped, {cause}' in node_log())
    assert camera.see()
    assert answer_to(client, bad.header.stamp) is None
    assert int(values(client)[f'bad_frames.{cause}']) == before + 1


def test_a_camera_without_focal_length_is_refused_until_it_is_mended(client, camera, node_log):
    camera.calibrate(calibration(focal_px=float('nan')))
    bad = camera.send()
    client.wait_until(lambda: 'frame skipped, bad_camera' in node_log())
    assert answer_to(client, bad) is None
    assert values(client)['camera_info'].startswith('bad')
    camera.calibrate(calibration())
    assert camera.see()
    assert values(client)['camera_info'] == 'calibrated'


def test_a_repeated_stamp_is_skipped(client, camera, node_log):
    hands = camera.see()
    again = noise_image(0, seed=9)
    again.header = hands.header
    camera.send(again)
    client.wait_until(lambda: 'frame skipped, repeated_stamp' in node_log())
    assert camera.see()
    assert sum(m.header.stamp == hands.header.stamp for m in client.heard[HANDS]) == 1
    assert int(values(client)['bad_frames.repeated_stamp']) == 1


def test_when_time_goes_backwards_it_begins_anew(client, camera, node_log):
    now_ns = camera.see().header.stamp.sec * SECOND_NS
    for earlier_ns in (now_ns - 100 * SECOND_NS, now_ns - 99 * SECOND_NS):
        wanted = camera.send(noise_image(earlier_ns))
        assert client.wait_until(lambda wanted=wanted: answer_to(client, wanted))
    assert 'stamps went backwards' in node_log()
    assert int(values(client)['bad_frames.backward_stamp']) == 1


def test_live_only_the_newest_frame_counts_and_dropped_ones_are_counted(client, camera):
    before = values(client)
    stamps = [camera.send() for _ in range(12)]
    assert client.wait_until(lambda: answer_to(client, stamps[-1]))
    after = values(client)
    taken, worked, dropped = (
        int(after[key]) - int(before[key]) for key in ('frames_in', 'frames_out', 'frames_dropped')
    )
    assert taken == worked + dropped
    assert worked < 12


def test_disabling_stops_everything_and_deletes_the_markers(client, camera):
    camera.see()
    response = client.call(SetBool, '/hands_node/enable', SetBool.Request(data=False))
    assert response.success
    assert 'disabled' in response.message
    client.wait_until(lambda: client.heard[MARKERS][-1].markers[0].action == Marker.DELETE)
    assert {m.action for m in client.heard[MARKERS][-1].markers} == {Marker.DELETE}
    client.wait_until(lambda: not camera.images.get_subscription_count())
    count = len(client.heard[HANDS])
    camera.send()
    assert values(client)['enabled'] == 'false'
    assert len(client.heard[HANDS]) == count
    response = client.call(SetBool, '/hands_node/enable', SetBool.Request(data=True))
    assert response.success
    client.wait_until(camera.images.get_subscription_count)
    assert camera.see()


def test_after_a_reset_an_old_stamp_is_new_again(client, camera):
    stamp_of_old = camera.see().header.stamp
    assert client.call(Trigger, '/hands_node/reset', Trigger.Request()).success
    client.heard[HANDS].clear()
    old = noise_image(0)
    old.header.stamp = stamp_of_old
    camera.send(old)
    assert client.wait_until(lambda: answer_to(client, stamp_of_old))


@pytest.mark.parametrize(
    ('name', 'value', 'reason'),
    [
        ('variant', 'official', 'read-only'),
        ('min_score', 2.0, '1.0'),
        ('crop_source', 'moon', 'frame, network'),
        ('tf_prefix', 1.5, 'str'),
    ],
)
def test_a_parameter_is_refused_with_a_reason(name, value, reason, client):
    result = set_parameter(client, name, value)
    assert not result.successful
    assert reason in result.reason
    assert name in result.reason


def test_parameters_count_from_the_next_frame_on(client, camera):
    assert set_parameter(client, 'tf_prefix', 'anna/').successful
    stamp = camera.see().header.stamp
    frames = client.wait_until(lambda: frames_at(client, stamp))
    assert [t.child_frame_id for t in frames] == ['anna/right_hand', 'anna/left_hand']
    assert set_parameter(client, 'tf_prefix', '').successful


def test_a_lost_hand_has_no_numbers_no_frame_and_no_marker(client, camera):
    before = camera.see().header.stamp
    client.wait_until(lambda: drawn_at(client, before))
    assert set_parameter(client, 'max_reprojection_px', 1e-3).successful
    hands = camera.see()
    assert not hands.right.tracked
    assert not hands.left.tracked
    assert np.isnan(hands.right.vertices).all()
    markers = client.wait_until(lambda: drawn_at(client, hands.header.stamp))
    assert {m.action for m in markers} == {Marker.DELETE}
    assert frames_at(client, hands.header.stamp) is None
    assert set_parameter(client, 'max_reprojection_px', 0.0).successful
    assert camera.see().right.tracked


def test_the_overlay_comes_to_those_who_look(client, camera):
    raw = client.listen(Image, OVERLAY)
    jpeg = client.listen(CompressedImage, f'{OVERLAY}/compressed')

    def both_came():
        camera.see()
        return client.heard[OVERLAY] and client.heard[f'{OVERLAY}/compressed']

    client.wait_until(both_came)
    picture, compressed = client.heard[OVERLAY][0], client.heard[f'{OVERLAY}/compressed'][0]
    assert (picture.width, picture.height, picture.encoding) == (WIDTH, HEIGHT, 'rgb8')
    assert picture.header.frame_id == compressed.header.frame_id == 'eye'
    assert answer_to(client, picture.header.stamp)
    assert bytes(compressed.data[:2]) == b'\xff\xd8'
    assert 'jpeg' in compressed.format
    client.node.destroy_subscription(raw)
    client.node.destroy_subscription(jpeg)


def test_two_cameras_on_one_topic_are_named_and_both_are_seen(
    client, camera, node_log, ros_domain
):
    other = NodeClient(ros_domain, name='second_camera')
    second = Camera(other)
    client.wait_until(lambda: '/second_camera' in node_log())
    assert '2 publishers send pictures on /image' in node_log()
    image = noise_image(camera.now_ns())
    second.send(image)
    assert client.wait_until(lambda: answer_to(client, image.header.stamp))
    assert camera.see()
    other.close()


def test_a_camera_that_restarts_with_other_qos_is_seen_again(client):
    for reliability in ('BEST_EFFORT', 'RELIABLE', 'BEST_EFFORT'):
        camera = Camera(client, QoSProfile(depth=5, reliability=ReliabilityPolicy[reliability]))
        assert camera.see_any()
        offered = f'/client ({reliability.lower().replace("_", " ")})'
        assert values(client)['publishers'] == offered
        camera.close()
        client.wait_until(lambda: not client.node.get_publishers_info_by_topic('image'))


def test_silence_is_explained_in_log_and_diagnostics(client, node_log):
    elsewhere = client.node.create_publisher(CompressedImage, 'image/compressed', 1)
    assert set_parameter(client, 'silence_sec', 0.5).successful

    def complaint():
        statuses = [s for m in client.heard['/diagnostics'] for s in m.status]
        return next((s for s in statuses if s.level == DiagnosticStatus.ERROR), None)

    message = client.wait_until(complaint).message
    assert 'nobody publishes /image (sensor_msgs/msg/Image)' in message
    assert '/image/compressed would do with image_transport set to compressed' in message
    client.wait_until(lambda: 'no image for' in node_log())
    assert set_parameter(client, 'silence_sec', 3.0).successful
    client.node.destroy_publisher(elsewhere)


def test_diagnostics_tell_rates_and_times_while_frames_come(client, camera):
    for _ in range(10):
        camera.see()
    found = values(client)
    assert float(found['input_rate_hz']) > 0
    assert float(found['output_rate_hz']) > 0
    assert 0 < float(found['latency_p50_ms']) <= float(found['latency_max_ms'])
    assert float(found['networks_ms']) > 0
    assert float(found['overhead_ms']) > 0
    assert found['device'] == 'cpu'
    assert found['camera_info'] == 'calibrated'


def test_nothing_went_wrong_that_was_not_meant_to(client, node_log):
    assert 'Traceback' not in node_log()
    assert '[ERROR]' not in node_log()
    assert '[FATAL]' not in node_log()
