import contextlib
from pathlib import Path
import signal

import cv2
from interwild_ros.config import CameraSettings, Settings
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.imaging.sources import Picture
from interwild_ros.msg import TwoHands
from interwild_ros.ros.frame_in import FrameReader, stamp_ns
from interwild_ros.ros.pacing import Consumed, TWO_HANDS_TOPIC
from interwild_ros.ros.pictures_out import PicturesOut
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
import yaml

WIDTH, HEIGHT = 64, 48
COUNT = 6
QOS = QoSProfile(depth=100)


def _rgb(number: int) -> np.ndarray:
    picture = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return cv2.GaussianBlur(picture, (0, 0), 3)


def _folder(path: Path, suffix: str) -> Path:
    path.mkdir()
    for number in range(COUNT):
        cv2.imwrite(str(path / f'{number}{suffix}'), _rgb(number)[..., ::-1])
    return path


@pytest.fixture
def pngs(tmp_path) -> Path:
    return _folder(tmp_path / 'pngs', '.png')


@pytest.fixture
def jpegs(tmp_path) -> Path:
    return _folder(tmp_path / 'jpegs', '.jpg')


@pytest.fixture
def calibration(tmp_path) -> Path:
    content = {
        'image_width': WIDTH,
        'image_height': HEIGHT,
        'camera_matrix': {'data': [50.0, 0.0, 31.0, 0.0, 51.0, 23.0, 0.0, 0.0, 1.0]},
        'distortion_model': 'plumb_bob',
        'distortion_coefficients': {'data': [-0.1, 0.01, 0.0, 0.0, 0.0]},
    }
    path = tmp_path / 'camera.yaml'
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def start_camera(start_process):
    def start(source: object, **parameters: object):
        given = {'source': source, **parameters}
        options = [part for name, value in given.items() for part in ('-p', f'{name}:={value}')]
        return start_process('-m', 'interwild_ros.ros.camera_node', '--ros-args', *options)

    return start


@pytest.fixture
def listen(ros_node):
    def listen_to(kind: type, topic: str) -> list:
        received: list = []
        ros_node.create_subscription(kind, topic, received.append, QOS)
        return received

    return listen_to


def _stamps(messages: list) -> list[int]:
    return [stamp_ns(message.header.stamp) for message in messages]


def _ends_well(process, spin_until) -> None:
    spin_until(lambda: process.exit_code is not None, 20.0)
    assert process.wait() == 0, process.output
    assert 'Traceback' not in process.output


def test_every_picture_of_a_folder_arrives_with_its_pixels_its_stamp_and_the_calibration(
    pngs, calibration, start_camera, listen, spin_until
):
    images, infos = listen(Image, 'image'), listen(CameraInfo, 'camera_info')
    process = start_camera(
        pngs, camera_info=calibration, stamps='file', rate_hz=20, frame_id='head'
    )
    spin_until(lambda: len(images) == COUNT and len(infos) == COUNT, 20.0)
    _ends_well(process, spin_until)
    assert _stamps(images) == _stamps(infos) == [n * 50_000_000 for n in range(COUNT)]
    reader = FrameReader(Settings())
    for number, (image, info) in enumerate(zip(images, infos, strict=True)):
        reader.camera_info(info)
        frame = reader.frame(image)
        np.testing.assert_array_equal(frame.image, _rgb(number))
        assert frame.frame_id == info.header.frame_id == 'head'
        assert (frame.camera.fx, frame.camera.cy) == (50.0, 23.0)
        assert frame.camera.distortion[:2] == (-0.1, 0.01)
    assert f'sent {COUNT} pictures' in process.output


def test_a_jpegs_own_bytes_go_out_compressed(jpegs, start_camera, listen, spin_until):
    images = listen(CompressedImage, 'image/compressed')
    process = start_camera(jpegs, image_transport='compressed')
    spin_until(lambda: len(images) == COUNT, 20.0)
    _ends_well(process, spin_until)
    for number, image in enumerate(images):
        assert bytes(image.data) == (jpegs / f'{number}.jpg').read_bytes()
        assert image.format == 'jpeg'


def test_both_transports_show_the_same_pictures_under_the_same_stamps(
    pngs, start_camera, listen, spin_until
):
    raw, compressed = listen(Image, 'image'), listen(CompressedImage, 'image/compressed')
    process = start_camera(pngs, image_transport='both', jpeg_quality=95, wait_for_subscribers=2)
    spin_until(lambda: len(raw) == COUNT and len(compressed) == COUNT, 20.0)
    _ends_well(process, spin_until)
    assert _stamps(raw) == _stamps(compressed)
    reader = FrameReader(Settings())
    for one, other in zip(raw, compressed, strict=True):
        assert other.format == 'rgb8; jpeg compressed bgr8'
        apart = reader.frame(one).image.astype(int) - reader.frame(other).image
        assert np.abs(apart).mean() < 3


def test_without_a_calibration_the_camera_info_follows_from_the_field_of_view(
    pngs, start_camera, listen, spin_until
):
    infos, images = listen(CameraInfo, 'camera_info'), listen(Image, 'image')
    process = start_camera(pngs, fov_deg=90)
    spin_until(lambda: infos and len(images) == COUNT, 20.0)
    assert infos[0].k[0] == pytest.approx(camera_from_fov(WIDTH, HEIGHT, 90.0).fx)
    assert infos[0].p[5] == infos[0].k[4]
    assert list(infos[0].r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    _ends_well(process, spin_until)
    assert 'fov_deg = 90' in process.output


def test_real_time_keeps_the_rate(pngs, start_camera, listen, spin_until):
    images = listen(Image, 'image')
    start_camera(pngs, rate_hz=10)
    spin_until(lambda: len(images) == COUNT, 20.0)
    stamps = np.array(_stamps(images)) / 1e9
    assert stamps[-1] - stamps[0] == pytest.approx((COUNT - 1) / 10, abs=0.15)


def test_consumed_sends_the_next_picture_when_the_last_was_answered(
    pngs, start_camera, listen, ros_node, spin_until
):
    images = listen(Image, 'image')
    answers = ros_node.create_publisher(TwoHands, TWO_HANDS_TOPIC, QOS)
    process = start_camera(pngs, pace='consumed', rate_hz=1000)
    for count in range(1, COUNT + 1):
        spin_until(lambda count=count: len(images) == count, 20.0)
        _spin_for(spin_until, 0.15)
        assert len(images) == count
        answers.publish(TwoHands(header=images[-1].header))
    _ends_well(process, spin_until)
    assert 'not answered' not in process.output


def test_a_signal_ends_the_wait_for_an_answer(pngs, start_camera, listen, spin_until):
    images = listen(Image, 'image')
    process = start_camera(pngs, pace='consumed')
    spin_until(lambda: images, 20.0)
    _spin_for(spin_until, 0.2)
    assert process.stop() == 0, process.output
    assert len(images) == 1
    assert 'answer' not in process.output


def _spin_for(spin_until, seconds: float) -> None:
    with pytest.raises(pytest.fail.Exception):
        spin_until(lambda: False, seconds)


def test_an_answer_that_never_comes_is_given_up_and_counted(ros_node, spin_until):
    def wait(is_over, timeout_sec):
        with contextlib.suppress(pytest.fail.Exception):
            spin_until(is_over, timeout_sec)
        return True

    pace = Consumed(wait, ros_node, timeout_sec=0.2)
    picture = Picture(WIDTH, HEIGHT, 0)
    for number in range(3):
        pace.wait_for_turn(picture)
        pace.sent(number)
    assert pace.finish() == '3 were not answered'


def test_a_loop_begins_again_with_stamps_that_go_forward(pngs, start_camera, listen, spin_until):
    images = listen(Image, 'image')
    process = start_camera(pngs, loop=True, stamps='file', rate_hz=50)
    spin_until(lambda: len(images) >= 2 * COUNT + 1, 20.0)
    assert process.stop() == 0, process.output
    stamps = _stamps(images)
    assert stamps[: 2 * COUNT] == [n * 20_000_000 for n in range(2 * COUNT)]
    np.testing.assert_array_equal(images[COUNT].data, images[0].data)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('listens', [False, True])
def test_a_signal_ends_the_node_in_order(pngs, start_camera, listen, spin_until, number, listens):
    images = listen(Image, 'image') if listens else []
    process = start_camera(pngs, loop=True)
    if listens:
        spin_until(lambda: images, 20.0)
    else:
        process.wait_for('waiting for 1 subscribers on /image: 0 so far')
    assert process.stop(number) == 0, process.output
    assert 'Traceback' not in process.output
    assert 'rror' not in process.output


def test_the_clock_tells_the_stamp_of_every_picture(pngs, start_camera, listen, spin_until):
    images, clock = listen(Image, 'image'), listen(Clock, '/clock')
    start_camera(pngs, publish_clock=True, stamps='file')
    spin_until(lambda: len(images) == COUNT and len(clock) == COUNT, 20.0)
    assert [stamp_ns(message.clock) for message in clock] == _stamps(images)


def test_who_comes_late_still_hears_the_calibration(ros_node, spin_until):
    out = PicturesOut(ros_node, CameraSettings(), None)
    out.publish(Picture(WIDTH, HEIGHT, 0, pixels=_rgb(0)), 7)
    received: list = []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    ros_node.create_subscription(CameraInfo, 'camera_info', received.append, latched)
    spin_until(lambda: received)
    assert _stamps(received) == [7]


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'source': '/absent/clip.mp4'}, '/absent/clip.mp4: no such file'),
        ({'source': 97}, 'webcam 97 cannot be opened'),
        ({'source': "''"}, 'no source'),
        ({'camera_info': '/absent/camera.yaml'}, '/absent/camera.yaml'),
        ({'fov_deg': 5.0}, '10'),
        ({'pace': 'slow'}, 'consumed'),
        ({'rate_hz': 'fast'}, 'rate_hz'),
        ({'publish_clock': True, 'use_sim_time': True}, 'use_sim_time'),
    ],
)
def test_what_cannot_work_is_said_in_a_line_with_exit_code_1(
    pngs, start_camera, parameters, words
):
    process = start_camera(**({'source': pngs} | parameters))
    assert process.wait() == 1
    assert words in process.output
    assert 'Traceback' not in process.output


def test_pictures_of_another_size_than_the_calibrations_are_refused(
    pngs, calibration, start_camera
):
    cv2.imwrite(str(pngs / '0.png'), np.zeros((HEIGHT, 2 * WIDTH, 3), np.uint8))
    process = start_camera(pngs, camera_info=calibration, wait_for_subscribers=0)
    assert process.wait() == 1
    assert f'{WIDTH} x {HEIGHT} px' in process.output
    assert f'{2 * WIDTH} x {HEIGHT} px' in process.output
    assert 'Traceback' not in process.output
