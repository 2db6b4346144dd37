import json
import re
import signal
import subprocess
import sys
import time

from child_processes import processes_about
import cv2
from interwild_ros.bag.read import open_bag
from interwild_ros.bag.report import RunReport
import numpy as np
import pytest

pytest.importorskip('rclpy')

FRAME_COUNT = 20
WIDTH, HEIGHT = 160, 120
KINDS = {
    '/image/compressed': 'sensor_msgs/msg/CompressedImage',
    '/camera_info': 'sensor_msgs/msg/CameraInfo',
    '/hands_node/two_hands': 'interwild_ros/msg/TwoHands',
    '/hands_node/two_hands_raw': 'interwild_ros/msg/TwoHands',
    '/hands_node/topology': 'interwild_ros/msg/HandTopology',
    '/hands_node/markers': 'visualization_msgs/msg/MarkerArray',
    '/tf': 'tf2_msgs/msg/TFMessage',
    '/diagnostics': 'diagnostic_msgs/msg/DiagnosticArray',
}


def write_pictures(folder, count=FRAME_COUNT):
    """Write small pictures of noise under a moving square."""
    random = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        picture = random.integers(0, 60, (HEIGHT, WIDTH, 3), np.uint8)
        picture[40:80, 4 * number : 4 * number + 40] = (120, 160, 220)
        cv2.imwrite(str(folder / f'{number:03}.png'), picture)
    return folder


def film_frames(path):
    film = cv2.VideoCapture(str(path))
    frames = []
    while True:
        ok, frame = film.read()
        if not ok:
            film.release()
            return frames
        frames.append(frame)


def command_lines_about(path):
    return list(processes_about(path).values())


@pytest.fixture(scope='module')
def demo(tmp_path_factory, run_interwild):
    """Run the demo once on every picture of a folder, from a folder of its own."""
    folder = tmp_path_factory.mktemp('demo')
    write_pictures(folder / 'pictures')
    done = run_interwild(
        'demo', '--images', 'pictures', '--pace', 'consumed', '--out', 'deep/out', cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / 'deep/out', done


@pytest.fixture
def report(demo):
    return json.loads((demo[0] / 'report.json').read_text())


def test_the_bag_holds_every_topic_with_its_type(demo):
    with open_bag(demo[0] / 'bag') as bag:
        assert {name: info.kind for name, info in bag.topics.items()} == KINDS
        counts = {name: info.count for name, info in bag.topics.items()}
    hands = ('/hands_node/two_hands', '/hands_node/two_hands_raw')
    for topic in ('/image/compressed', '/camera_info', *hands):
        assert counts[topic] == FRAME_COUNT
    assert counts['/hands_node/markers'] <= FRAME_COUNT  # there are none where no hand is seen
    assert counts['/hands_node/topology'] == 1


def test_every_picture_was_answered_under_its_stamp(demo):
    with open_bag(demo[0] / 'bag') as bag:
        stamps = [picture.stamp_ns for picture in bag.picture_stamps()]
        hands = list(bag.two_hands())
    assert [answer.stamp_ns for answer in hands] == stamps
    assert all(answer.latency_ms > 0 for answer in hands)
    assert {answer.value.frame_id for answer in hands} == {'camera_optical_frame'}


def test_the_report_has_its_keys_and_counts_what_is_in_the_bag(report):
    assert set(report) == set(RunReport.__dataclass_fields__)
    assert (report['frames_in'], report['frames_out'], report['dropped']) == (
        FRAME_COUNT,
        FRAME_COUNT,
        0,
    )
    latency = report['latency_ms']
    assert 0 < latency['p50'] <= latency['p95'] <= latency['p99']
    assert report['rate_hz'] > 0
    assert report['bad_frames'] == {}
    assert int(report['diagnostics']['frames_out']) == FRAME_COUNT
    assert report['device'] == report['diagnostics']['device'] == 'cpu'


def test_the_film_has_a_frame_for_every_answer(demo):
    frames = film_frames(demo[0] / 'overlay.mp4')
    assert len(frames) == FRAME_COUNT
    assert {frame.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
    picture = cv2.imread(str(demo[0] / 'overlay.png'))
    assert picture.shape == (HEIGHT, WIDTH, 3)


def test_the_table_says_where_to_look_and_what_the_hands_mean(demo, report):
    out, done = demo
    assert str(out / 'overlay.mp4') in done.stdout
    assert f'{FRAME_COUNT} in, {FRAME_COUNT} out, 0 dropped' in done.stdout
    assert ('mean nothing' in done.stdout) == (not report['weights_meaningful'])
    assert ('no measured human hand' in done.stdout) == report['hand_model_is_stand_in']


def test_progress_is_shown(demo):
    said = demo[1].stderr
    for step in ('starting hands_node', 'starting camera_node', 'drawing what was recorded'):
        assert re.search(rf'^\[ *[\d.]+ s\] {step}$', said, re.MULTILINE)


def test_nothing_else_is_left_behind(demo):
    out, _ = demo
    assert [path.name for path in out.parent.iterdir()] == ['out']
    assert {path.name for path in out.iterdir()} == {
        'bag',
        'logs',
        'overlay.mp4',
        'overlay.png',
        'report.json',
    }
    assert command_lines_about(out.parent) == []


def test_a_node_that_dies_is_told_with_its_last_words(run_interwild, tmp_path):
    write_pictures(tmp_path / 'pictures', count=2)
    (tmp_path / 'weights.pth').write_bytes(b'no checkpoint')
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'earlier').touch()
    done = run_interwild(
        'demo', '--images', 'pictures', '--weights', 'weights.pth', '--out', 'out', cwd=tmp_path
    )
    assert done.returncode == 2
    assert 'hands_node died with exit code 1; its last words:' in done.stderr
    assert 'weights.pth' in done.stderr.partition('its last words')[2]
    assert 'Traceback' not in done.stderr
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['earlier']
    assert command_lines_about(tmp_path) == []


def test_a_source_without_pictures_is_told_by_the_camera_node(run_interwild, tmp_path):
    (tmp_path / 'empty').mkdir()
    done = run_interwild('demo', '--images', 'empty', '--out', 'out', cwd=tmp_path)
    assert done.returncode == 2
    assert 'camera_node died with exit code 1' in done.stderr
    assert not (tmp_path / 'out').exists()


def test_ctrl_c_ends_everything_and_leaves_nothing(tmp_path, environment):
    write_pictures(tmp_path / 'pictures', count=200)
    command = [sys.executable, '-m', 'interwild_ros.cli.main', 'demo']
    with subprocess.Popen(
        [*command, '--images', 'pictures', '--out', 'out'],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stderr:
            if 'frames in' in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.endswith('interwild: interrupted\n')
    assert 'Traceback' not in rest
    assert [path.name for path in tmp_path.iterdir()] == ['pictures']
    deadline = time.monotonic() + 5
    while command_lines_about(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert command_lines_about(tmp_path) == []


def test_without_a_source_the_demo_clip_is_drawn_and_played(run_interwild, tmp_path):
    done = run_interwild('demo', '--seconds', '0.1', '--pace', 'consumed', '--json', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / 'out' / 'demo'
    drawn = [path.read_bytes() for path in sorted((out / 'clip').glob('*.jpg'))]
    with open_bag(out / 'bag') as bag:
        played = [picture.value for picture in bag.picture_files()]
        camera = bag.camera(image_size=(640, 480))
    assert len(drawn) == 3
    assert played == drawn
    assert 'fov' not in (out / 'logs' / 'camera_node.log').read_text()
    assert camera.fx == pytest.approx(320 / np.tan(np.radians(30)), abs=0.01)
    report = json.loads(done.stdout)
    assert report == json.loads((out / 'report.json').read_text())
    assert (report['accuracy'] is not None) == report['weights_meaningful']
