"""The launch file that plays a bag, where launch and launch_ros are installed."""

from pathlib import Path
import re
import shutil

from camera_bags import add_frames, camera_bag, FRAME_ID, IMAGE, INFO, stamps, write_camera_bag
import pytest
import yaml

pytest.importorskip('launch_ros', reason='launch is not on PyPI: full ROS 2 only')

LAUNCH_FILE = 'replay.launch.py'
COUNT = 6


@pytest.fixture
def started(launch):
    """Launch with echo in the place of Python, and return the words of node and player."""

    def started(*arguments):
        done = launch(LAUNCH_FILE, 'python:=echo', 'rviz:=false', *arguments)
        assert done.returncode == 0, done.stderr
        lines = re.findall(r'^\[[\w-]+-\d\] (.*)$', done.stdout, re.MULTILINE)
        (node,) = (line for line in lines if line.split()[0].endswith('/hands_node'))
        (player,) = (line for line in lines if '/interwild play ' in line)
        return node, player, done.stdout + done.stderr

    return started


def parameter(words, name):
    """Return what a node's parameter is in the last of its parameter files that has it."""
    files = re.findall(r'--params-file (\S+)', words)
    found = [
        node['ros__parameters'][name]
        for file in files
        for node in yaml.safe_load(Path(file).read_text()).values()
        if name in node['ros__parameters']
    ]
    return found[-1]


def test_only_the_bag_must_be_given_and_all_is_described(declared):
    found = declared(LAUNCH_FILE)
    assert [a.name for a in found if a.default_value is None] == ['bag']
    assert [a.name for a in found if len((a.description or '').split()) < 3] == []


def test_node_and_player_are_told_what_is_in_the_bag(started, tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 2)
    node, player, said = started(f'bag:={bag}', 'rate:=2.0', 'namespace:=robot', 'loop:=true')
    assert f'-r image:={IMAGE} ' in node
    assert f'-r camera_info:={INFO}' in node
    assert '-r __ns:=/robot' in node
    assert parameter(node, 'image_transport') == 'raw'
    assert parameter(node, 'every_frame') is True
    assert parameter(node, 'use_sim_time') is True
    assert f'play {bag} --camera {IMAGE} --hands-node /robot/hands_node' in player
    assert '--rate 2.0 --start-offset 0.0 --pace consumed' in player
    assert player.endswith('--loop')
    assert f'--camera-info {INFO}' in player
    assert 'the player has ended' in said


def test_compressed_pictures_and_real_time(started, tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(
            bag, stamps(2), image='/left/image/compressed', info_topic='', is_compressed=True
        )
        add_frames(bag, stamps(2), image='/right/image', info_topic='')
    node, player, _ = started(
        f'bag:={tmp_path}/bag', 'camera:=/left/image/compressed', 'pace:=real_time', 'device:=cpu'
    )
    assert '-r image/compressed:=/left/image/compressed ' in node
    assert '-r camera_info:=/left/image/camera_info' in node
    assert parameter(node, 'image_transport') == 'compressed'
    assert parameter(node, 'every_frame') is False
    assert parameter(node, 'device') == 'cpu'
    assert '--camera /left/image/compressed' in player
    assert '--camera-info' not in player


def test_of_several_cameras_one_must_be_named(launch, tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        for name in ('left', 'right'):
            add_frames(bag, stamps(2), image=f'/{name}/image', info_topic='')
    done = launch(LAUNCH_FILE, f'bag:={tmp_path}/bag')
    assert done.returncode != 0
    assert '2 cameras (/left/image, /right/image)' in done.stdout + done.stderr


def test_every_frame_is_answered_and_then_all_ends(launch, tmp_path):
    pytest.importorskip('rclpy')
    from domains import locked_domain
    from interwild_ros.ros.domain import local_environment

    bag = write_camera_bag(tmp_path / 'bag', COUNT)
    with locked_domain() as domain:
        done = launch(
            LAUNCH_FILE,
            f'bag:={bag}',
            'device:=cpu',
            'rviz:=false',
            env={**local_environment(domain), 'OMP_NUM_THREADS': '1'},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f'hands       {COUNT} messages, 0 dropped' in done.stdout
    assert 'the player has ended' in done.stdout


def test_where_rviz_is_missing_the_bag_is_played_without_it(started, tmp_path):
    if shutil.which('rviz2'):
        pytest.skip('RViz is here')
    bag = write_camera_bag(tmp_path / 'bag', 2)
    _, _, said = started(f'bag:={bag}', 'rviz:=true')
    assert 'rviz2 is not installed: the bag is played without it' in said


def test_rviz_stands_in_the_frame_of_the_pictures(started, tmp_path, monkeypatch):
    """RViz itself is on no bare machine: a program of its name says how it was called."""
    program = tmp_path / 'prefix/lib/rviz2/rviz2'
    index = tmp_path / 'prefix/share/ament_index/resource_index/packages'
    for folder in (program.parent, index):
        folder.mkdir(parents=True)
    (index / 'rviz2').touch()
    called = tmp_path / 'called'
    program.write_text(f'#!/bin/sh\necho "$@" > {called}\n')
    program.chmod(0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path / 'prefix'))
    bag = write_camera_bag(tmp_path / 'bag', 2)
    started(f'bag:={bag}', 'rviz:=true')
    words = called.read_text()
    assert f'hands.rviz -f {FRAME_ID} ' in words
    assert parameter(words, 'use_sim_time') is True
