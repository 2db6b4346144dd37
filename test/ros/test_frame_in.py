from array import array

from builtin_interfaces.msg import Time
import cv2
from interwild_ros.bag.messages import picture_of
from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.imaging.encodings import PACKED
from interwild_ros.records import Camera
from interwild_ros.ros.bridge import load_bridge
from interwild_ros.ros.frame_in import FrameReader
import numpy as np
import pytest
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header

WIDTH, HEIGHT = 16, 12
RGB = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
HEADER = Header(stamp=Time(sec=12, nanosec=345), frame_id='head_camera')
K = [20.0, 0.0, 7.5, 0.0, 21.0, 5.5, 0.0, 0.0, 1.0]
P = [19.0, 0.0, 7.0, 0.0, 0.0, 19.5, 5.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def _image(**changes) -> Image:
    given = {
        'header': HEADER,
        'width': WIDTH,
        'height': HEIGHT,
        'encoding': 'rgb8',
        'step': 3 * WIDTH,
        'data': array('B', RGB.tobytes()),
    }
    return Image(**(given | changes))


def _info(**changes) -> CameraInfo:
    given = {
        'width': WIDTH,
        'height': HEIGHT,
        'k': K,
        'p': P,
        'd': [-0.1, 0.01, 0.0, 0.0, 0.0],
        'distortion_model': 'plumb_bob',
    }
    return CameraInfo(**(given | changes))


def _refused(reader: FrameReader, message: Image | CompressedImage) -> str:
    with pytest.raises(InputError) as raised:
        reader.frame(message)
    return raised.value.cause


def test_a_frame_has_the_pixels_the_stamp_and_the_frame_id_of_its_message():
    frame = FrameReader(Settings()).frame(_image())
    np.testing.assert_array_equal(frame.image, RGB)
    assert frame.stamp_ns == 12_000_000_345
    assert frame.frame_id == 'head_camera'


def test_a_header_without_a_frame_id_gets_the_fallback():
    reader = FrameReader(Settings(fallback_frame_id='somewhere'))
    assert reader.frame(_image(header=Header())).frame_id == 'somewhere'


def test_a_compressed_image_becomes_the_same_frame():
    png = cv2.imencode('.png', RGB[..., ::-1])[1].tobytes()
    message = CompressedImage(header=HEADER, format='rgb8; png compressed bgr8', data=png)
    frame = FrameReader(Settings()).frame(message)
    np.testing.assert_array_equal(frame.image, RGB)
    assert (frame.stamp_ns, frame.frame_id) == (12_000_000_345, 'head_camera')


def test_without_camera_info_the_camera_is_nominal():
    reader = FrameReader(Settings(nominal_fov_deg=90.0))
    camera = reader.frame(_image()).camera
    assert camera.nominal
    assert camera.fx == pytest.approx(WIDTH / 2)
    assert reader.camera_state == 'nominal'


def test_camera_info_makes_the_camera_calibrated():
    reader = FrameReader(Settings())
    reader.camera_info(_info())
    camera = reader.frame(_image()).camera
    distortion = (-0.1, 0.01, 0.0, 0.0, 0.0)
    assert camera == Camera(WIDTH, HEIGHT, 20.0, 21.0, 7.5, 5.5, 'plumb_bob', distortion)
    assert reader.camera_state == 'calibrated'


def test_the_latest_camera_info_counts():
    reader = FrameReader(Settings())
    reader.camera_info(_info())
    reader.camera_info(_info(k=[40.0, *K[1:]]))
    assert reader.frame(_image()).camera.fx == 40.0


def test_roi_and_binning_of_the_message_reach_the_camera():
    roi = RegionOfInterest(x_offset=100, y_offset=50, width=2 * WIDTH, height=2 * HEIGHT)
    info = _info(width=640, height=480, roi=roi, binning_x=2, binning_y=2)
    reader = FrameReader(Settings())
    reader.camera_info(info)
    camera = reader.frame(_image()).camera
    assert (camera.fx, camera.cx) == (10.0, (7.5 - 100) / 2)


def test_changed_settings_hold_from_the_next_frame():
    reader = FrameReader(Settings())
    reader.camera_info(_info())
    reader.use(Settings(image_is_rectified=True))
    camera = reader.frame(_image()).camera
    assert (camera.fx, camera.cx, camera.distortion) == (19.0, 7.0, ())


def test_a_zeroed_camera_info_says_uncalibrated_and_leaves_the_camera_nominal():
    reader = FrameReader(Settings())
    reader.camera_info(CameraInfo(width=WIDTH, height=HEIGHT))
    assert reader.frame(_image()).camera.nominal
    assert reader.camera_state == 'nominal'


@pytest.mark.parametrize(
    ('changes', 'cause', 'words'),
    [
        ({'k': [float('nan'), *K[1:]]}, 'bad_camera', 'nan'),
        ({'k': [0.0, *K[1:]]}, 'bad_camera', '0.0'),
        ({'width': 640, 'height': 480}, 'camera_size', '640 x 480'),
        ({'distortion_model': 'mercator'}, 'bad_camera', 'mercator'),
        ({'d': [0.1, 0.2]}, 'bad_camera', '2'),
    ],
)
def test_a_bad_camera_info_refuses_frames_until_a_good_one_comes(changes, cause, words):
    reader = FrameReader(Settings())
    reader.camera_info(_info(**changes))
    assert _refused(reader, _image()) == cause
    assert reader.camera_state.startswith('bad: ')
    assert words in reader.camera_state
    reader.camera_info(_info())
    assert not reader.frame(_image()).camera.nominal
    assert reader.camera_state == 'calibrated'


def test_a_bad_image_is_refused_and_the_next_is_read():
    reader = FrameReader(Settings())
    assert _refused(reader, _image(encoding='rgb9')) == 'bad_encoding'
    assert _refused(reader, _image(data=array('B', RGB.tobytes()[:-1]))) == 'short_data'
    assert _refused(reader, _image(width=0)) == 'zero_size'
    assert _refused(reader, _image(step=1)) == 'bad_step'
    assert (
        _refused(reader, CompressedImage(format='jpeg', data=b'\xff\xd8\xff')) == 'corrupt_image'
    )
    assert reader.frame(_image()).image.shape == RGB.shape


def test_messages_that_crossed_dds_give_the_same_frame(ros_node, spin_until):
    received = []
    qos = QoSProfile(depth=1)
    ros_node.create_subscription(Image, 'image', received.append, qos)
    ros_node.create_subscription(CameraInfo, 'camera_info', received.append, qos)
    publishers = (
        ros_node.create_publisher(Image, 'image', qos),
        ros_node.create_publisher(CameraInfo, 'camera_info', qos),
    )
    spin_until(lambda: all(p.get_subscription_count() for p in publishers))
    for publisher, message in zip(publishers, (_image(), _info()), strict=True):
        publisher.publish(message)
    spin_until(lambda: len(received) == 2)
    image, info = sorted(received, key=lambda message: isinstance(message, CameraInfo))
    reader = FrameReader(Settings())
    reader.camera_info(info)
    frame = reader.frame(image)
    np.testing.assert_array_equal(frame.image, RGB)
    assert frame.image.flags.writeable
    assert frame.camera.fx == 20.0


needs_bridge = pytest.mark.skipif(load_bridge() is None, reason='no cv_bridge that works')


@needs_bridge
@pytest.mark.parametrize('padded_px', [0, 3])
@pytest.mark.parametrize('encoding', PACKED)
def test_cv_bridge_and_our_own_decoding_give_the_same_pixels(encoding, padded_px):
    packed = PACKED[encoding]
    step = (WIDTH + padded_px) * packed.channels * packed.bits // 8
    data = np.random.default_rng(1).bytes(step * HEIGHT)
    message = _image(encoding=encoding, step=step, data=array('B', data))
    reader = FrameReader(Settings())
    assert reader.decoder == 'cv_bridge'
    np.testing.assert_array_equal(reader.frame(message).image, picture_of(message))


def test_a_mirrored_image_is_turned_back_together_with_its_camera():
    reader = FrameReader(Settings(mirrored_image=True))
    reader.camera_info(_info())
    frame = reader.frame(_image())
    np.testing.assert_array_equal(frame.image, RGB[:, ::-1])
    assert frame.camera.cx == WIDTH - 1 - K[2]


@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_a_serialised_message_gives_the_frame_of_the_message(transport):
    reader = FrameReader(Settings(image_transport=transport))
    message = _image(encoding='bgr8') if transport == 'raw' else _png()
    read = reader.message(serialize_message(message))
    found, wanted = reader.frame(read), reader.frame(message)
    np.testing.assert_array_equal(found.image, wanted.image)
    assert (found.stamp_ns, found.frame_id) == (12_000_000_345, 'head_camera')
    assert not read.data.flags.owndata
    assert found.image.flags.writeable


def _png() -> CompressedImage:
    _, data = cv2.imencode('.png', RGB)
    return CompressedImage(header=HEADER, format='png', data=array('B', data.tobytes()))
