"""`interwild play` with a real hands node, over DDS."""

from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import signal
import stat
import subprocess
import sys

from camera_bags import add_frames, camera_bag, FIRST_NS, IMAGE, INFO, picture, stamps
import pytest

pytest.importorskip('rclpy')

from child_processes import processes_about
from domains import own_domain
from interwild_ros.bag.messages import stamp_ns
from interwild_ros.bag.write import write_bag
from interwild_ros.msg import TwoHands
from interwild_ros.ros.node_process import running
from node_client import NodeClient, stamp
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from tf2_msgs.msg import TFMessage

COUNT = 12
HANDS = '/hands_node/two_hands'
LIGHT = ('--device', 'cpu', '--threads', '1')
LONG_SEC = 240.0


@pytest.fixture(scope='module', autouse=True)
def domain() -> Iterator[int]:
    with own_domain() as domain:
        yield domain


@pytest.fixture
def client(domain: int) -> Iterator[NodeClient]:
    client = NodeClient(domain)
    yield client
    client.close()


@contextmanager
def playing(*arguments, folder):
    """Run the command in a process of its own; the node keeps its files in the folder."""
    environment = os.environ | {
        'PYTHONPATH': str(Path(__file__).parents[2]),
        'PYTHONUNBUFFERED': '1',
        'TMPDIR': str(folder),
    }
    with subprocess.Popen(
        [sys.executable, '-m', 'interwild_ros.cli.main', 'play', *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def played(*arguments, folder):
    """Run it to the end, and return exit code, standard output and standard error."""
    with playing(*arguments, folder=folder) as process:
        output, errors = process.communicate(timeout=LONG_SEC)
    return process.returncode, output, errors


def refused(*arguments, folder):
    code, output, errors = played(*arguments, folder=folder)
    assert (code, output) == (2, ''), errors
    assert 'Traceback' not in errors
    assert processes_about(folder) == {}
    (line,) = (line for line in errors.splitlines() if line.startswith('interwild: '))
    return line


def two_hands(stamp_ns, frame_id):
    message = TwoHands()
    stamp(message, stamp_ns, frame_id)
    return message


def tf(*frames):
    from geometry_msgs.msg import TransformStamped

    return TFMessage(transforms=[TransformStamped(child_frame_id=frame) for frame in frames])


@pytest.fixture(scope='module')
def frames(tmp_path_factory):
    """Pictures of a camera alone."""
    folder = tmp_path_factory.mktemp('frames') / 'bag'
    with camera_bag(folder) as bag:
        add_frames(bag, stamps(COUNT))
    return folder


@pytest.fixture(scope='module')
def recorded(tmp_path_factory):
    """What a recorder left that ran beside camera, hands node and robot."""
    place = tmp_path_factory.mktemp('recorded')
    with camera_bag(place / 'frames') as bag:
        add_frames(bag, stamps(COUNT))
    kinds = {
        HANDS: 'interwild_ros/msg/TwoHands',
        '/tf': 'tf2_msgs/msg/TFMessage',
        '/clock': 'rosgraph_msgs/msg/Clock',
    }
    copied = {IMAGE: 'sensor_msgs/msg/Image', INFO: 'sensor_msgs/msg/CameraInfo'}
    with write_bag(place / 'bag') as bag:
        for topic, kind in (kinds | copied).items():
            bag.add_topic(topic, kind)
        for message in in_bag(place / 'frames'):
            bag.write(message.topic, message.data, received_ns=message.received_ns)
        for stamped_ns in stamps(COUNT):
            for topic, message in (
                (HANDS, two_hands(stamped_ns, 'recorded')),
                ('/tf', tf('right_hand')),
                ('/tf', tf('arm', 'left_hand')),
                ('/clock', Clock()),
            ):
                data = serialize_message(message)
                bag.write(topic, data, received_ns=stamped_ns + 8_000_000)
    return place / 'bag'


def in_bag(path):
    from interwild_ros.bag.sturdy import open_sturdy

    with open_sturdy(path) as bag:
        return list(bag.messages(bag.topics))


def test_every_frame_is_answered_and_nothing_recorded_stands_beside(recorded, client, tmp_path):
    client.listen(TwoHands, HANDS, 1000)
    client.listen(Image, IMAGE, 1000)
    client.listen(Clock, '/clock', 1000)
    client.listen(TFMessage, '/tf', 1000)
    # ours and the node's: image, camera_info, /tf
    words = ('--json', '--rate', '3', '--wait-for-subscribers', '4', *LIGHT)
    with playing(recorded, *words, folder=tmp_path) as process:
        client.wait_until(
            lambda: len(client.heard[HANDS]) == COUNT or process.poll() is not None, LONG_SEC
        )
        output, errors = process.communicate(timeout=LONG_SEC)
        client.wait_until(lambda: len(client.heard[IMAGE]) == COUNT, LONG_SEC)
    assert process.returncode == 0, errors
    assert [stamp_ns(m.header.stamp) for m in client.heard[HANDS]] == stamps(COUNT)
    assert {m.header.frame_id for m in client.heard[HANDS]} == {'eye'}
    assert [stamp_ns(m.header.stamp) for m in client.heard[IMAGE]] == stamps(COUNT)
    told = [stamp_ns(message.clock) for message in client.heard['/clock']]
    assert told == sorted(told)
    assert told[0] >= FIRST_NS
    arms = [message for message in client.heard['/tf'] if message == tf('arm')]
    assert len(arms) == COUNT
    assert tf('right_hand') not in client.heard['/tf']

    said = json.loads(output)
    assert said['camera'] == IMAGE
    assert said['pictures'] == said['hands']['messages'] == COUNT
    assert said['hands']['dropped'] == 0
    assert said['taken_out'] == {'/tf': COUNT}
    assert said['left_out'] == {
        HANDS: '/hands_node publishes it anew',
        '/clock': 'the player tells the time',
    }
    assert f'not played: {HANDS} ({COUNT} messages): /hands_node publishes it anew' in errors
    assert processes_about(tmp_path) == {}


def test_pictures_that_the_node_cannot_use_are_counted(client, tmp_path):
    times = stamps(9)
    with camera_bag(tmp_path / 'bag') as bag:
        for number, stamped_ns in enumerate(times[:8]):
            encoding = 'rgb8' if number in (0, 6) else 'odd'
            bag.add(IMAGE, picture(stamped_ns, number, encoding=encoding), stamped_ns)
        bag.add(IMAGE, picture(times[6], 9), times[8])  # its stamp came before
    code, output, errors = played(tmp_path / 'bag', *LIGHT, folder=tmp_path)
    assert code == 0, errors
    assert 'pictures    9' in output
    assert 'hands       2 messages, 0 dropped, 7 skipped' in output
    assert '(6 bad_encoding, 1 repeated_stamp)' in output


def test_ctrl_c_ends_both_processes_and_leaves_the_summary(frames, client, tmp_path):
    client.listen(TwoHands, HANDS, 1000)
    with playing(frames, '--loop', '--rate', '5', *LIGHT, folder=tmp_path) as process:
        client.wait_until(
            lambda: len(client.heard[HANDS]) > COUNT or process.poll() is not None, LONG_SEC
        )
        assert any('hands_node' in words for words in processes_about(tmp_path).values())
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=LONG_SEC)
    assert process.returncode == 130
    assert errors.endswith('interwild: interrupted\n')
    assert 'Traceback' not in errors
    assert 'broken off' in output
    assert processes_about(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_sigterm_while_the_node_loads_ends_both_too(frames, tmp_path):
    with playing(frames, *LIGHT, folder=tmp_path) as process:
        while not any('hands_node' in words for words in processes_about(tmp_path).values()):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=LONG_SEC)
    assert process.returncode == 130, errors
    assert processes_about(tmp_path) == {}


def test_a_node_that_is_killed_is_told(frames, client, tmp_path):
    client.listen(TwoHands, HANDS, 1000)
    with playing(frames, '--loop', *LIGHT, folder=tmp_path) as process:
        client.wait_until(lambda: client.heard[HANDS] or process.poll() is not None, LONG_SEC)
        (node,) = (
            process_id
            for process_id, words in processes_about(tmp_path).items()
            if 'hands_node' in words
        )
        os.kill(node, signal.SIGKILL)
        _, errors = process.communicate(timeout=LONG_SEC)
    assert process.returncode == 2
    assert 'interwild: hands_node died with signal SIGKILL; its last words:' in errors
    assert processes_about(tmp_path) == {}


def test_a_node_that_runs_already_is_played_for(frames, client, tmp_path):
    parameters = {'every_frame': True, 'use_sim_time': True, 'device': 'cpu', 'threads': 1}
    inputs = {'image': IMAGE, 'camera_info': INFO, '__ns': '/robot'}
    client.listen(TwoHands, f'/robot{HANDS}', 1000)
    with running('hands_node', parameters, folder=tmp_path, environment={}, remappings=inputs):
        code, output, errors = played(
            frames, '--hands-node', 'robot/hands_node', '--rate', '3', folder=tmp_path
        )
        assert code == 0, errors
        heard = client.heard[f'/robot{HANDS}']
        client.wait_until(lambda: len(heard) == COUNT, LONG_SEC)
    assert [stamp_ns(message.header.stamp) for message in heard] == stamps(COUNT)
    assert f'hands       {COUNT} messages, 0 dropped' in output


def test_in_real_time_every_picture_is_answered_or_counted(frames, tmp_path):
    code, output, errors = played(
        frames, '--pace', 'real_time', '--rate', '20', '--json', *LIGHT, folder=tmp_path
    )
    assert code == 0, errors
    hands = json.loads(output)['hands']
    assert hands['messages'] >= 1
    assert hands['messages'] + hands['dropped'] == COUNT


def test_without_a_node_all_is_played_as_it_was_recorded(recorded, client, tmp_path):
    client.listen(TwoHands, HANDS, 1000)
    client.listen(TFMessage, '/tf', 1000)
    words = ('--no-node', '--json', '--wait-for-subscribers', '2')
    with playing(recorded, *words, folder=tmp_path) as process:
        client.wait_until(
            lambda: (
                len(client.heard['/tf']) + len(client.heard[HANDS]) == 3 * COUNT
                or process.poll() is not None
            ),
            LONG_SEC,
        )
        output, errors = process.communicate(timeout=LONG_SEC)
    assert process.returncode == 0, errors
    assert {m.header.frame_id for m in client.heard[HANDS]} == {'recorded'}
    assert len(client.heard[HANDS]) == COUNT
    said = json.loads(output)
    assert said['hands'] is None
    assert said['left_out'] == {'/clock': 'the player tells the time'}


def test_a_type_that_is_not_installed_is_skipped_and_named(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        bag.add_unknown('/odd', 'odd_msgs/msg/Odd', 'int8 number', FIRST_NS)
        add_frames(bag, stamps(2))
    code, output, errors = played(tmp_path / 'bag', '--no-node', folder=tmp_path)
    assert code == 0
    assert '4 messages on 2 topics' in output
    assert (
        'not played: /odd (1 messages): the message type odd_msgs/msg/Odd is not installed'
        in errors
    )


def put_rviz(monkeypatch, folder, script):
    """RViz itself is on no bare machine: let a script of its name be found."""
    folder.mkdir()
    rviz = folder / 'rviz2'
    rviz.write_text(f'#!/bin/sh\n{script}\n')
    rviz.chmod(rviz.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')


def test_rviz_looks_at_the_pictures_and_ends_with_the_playing(frames, tmp_path, monkeypatch):
    script = f'echo "$@" > {tmp_path}/called\nsleep 1000\necho over'
    put_rviz(monkeypatch, tmp_path / 'programs', script)
    code, output, errors = played(
        frames, '--no-node', '--camera', IMAGE, '--rviz', '--rate', '2', folder=tmp_path
    )
    assert code == 0, errors
    called = (tmp_path / 'called').read_text()
    assert 'hands.rviz -f eye --ros-args -p use_sim_time:=true' in called
    assert 'rviz2 ended' not in output
    assert processes_about(tmp_path) == {}


def test_an_rviz_that_dies_is_told_with_its_last_words(frames, tmp_path, monkeypatch):
    of_wheels = '$LD_LIBRARY_PATH$_ROS_WHEELS_BOOTSTRAP_COMPLETE'
    put_rviz(monkeypatch, tmp_path / 'programs', f'echo "libraries: {of_wheels}" >&2\nexit 127')
    code, output, errors = played(
        frames, '--no-node', '--camera', IMAGE, '--rviz', '--rate', '2', folder=tmp_path
    )
    assert code == 0, errors
    (told,) = [line for line in output.splitlines() if 'rviz2 ended with' in line]
    assert 'exit code 127: libraries: ' in told
    assert sys.prefix not in told  # libraries of this Python's ROS are not for others


def test_without_rviz_that_is_said_before_any_work(frames, tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    assert 'rviz2 is not installed' in refused(frames, '--rviz', folder=tmp_path)


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        (['--topics', '/nothing'], f'the bag has no topic /nothing, only {INFO}, {IMAGE}'),
        (['--exclude-topics', IMAGE], f'{IMAGE} cannot be excluded: the hands node needs it'),
        (['--camera', '/cam/other'], 'has no pictures on /cam/other'),
        (['--rate', '0'], '--rate is 0, wanted above 0'),
        (['--start-offset', '-1'], '--start-offset is -1, wanted at least 0'),
        (['--remap', 'a:=b'], '--remap a:=b: wanted /old:=/new'),
        (['--no-node', '--device', 'cpu'], 'device: no hands node is started'),
        (['--no-node', '--pace', 'consumed'], '--no-node has none'),
        (['--weights', 'nowhere.pth'], 'nowhere.pth: no such file'),
    ],
)
def test_what_cannot_be_played_is_refused_before_any_work(words, reason, frames, tmp_path):
    assert reason in refused(frames, *words, folder=tmp_path)


def test_no_bag_is_refused(tmp_path):
    assert 'nowhere does not exist' in refused('nowhere', folder=tmp_path)


def test_of_several_cameras_one_must_be_named(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        for name in ('left', 'right'):
            add_frames(bag, stamps(2), image=f'/{name}/image', info_topic='')
    said = refused('bag', folder=tmp_path)
    assert '2 cameras (/left/image, /right/image)' in said
