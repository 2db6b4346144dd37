"""The launch file, where launch and launch_ros are installed."""

import os
from pathlib import Path
import re
import subprocess
import sys

import pytest
import yaml

pytest.importorskip('launch_ros', reason='launch is not on PyPI: full ROS 2 only')

LAUNCH_FILE = Path(__file__).resolve().parents[2] / 'launch' / 'hands.launch.py'

ARGUMENTS = {
    'namespace',
    'image',
    'camera_info',
    'image_transport',
    'variant',
    'weights',
    'mano_dir',
    'device',
    'autostart',
    'rviz',
    'use_sim_time',
    'params_file',
    'log_level',
    'python',
}

LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

file, *arguments = sys.argv[1:]
pairs = [argument.split(':=', 1) for argument in arguments]
service = LaunchService()
service.include_launch_description(LaunchDescription([
    IncludeLaunchDescription(PythonLaunchDescriptionSource(file), launch_arguments=pairs)
]))
sys.exit(service.run())
"""


@pytest.fixture(scope='module')
def declared():
    from launch.actions import DeclareLaunchArgument
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    description = get_launch_description_from_python_launch_file(str(LAUNCH_FILE))
    return [e for e in description.entities if isinstance(e, DeclareLaunchArgument)]


def started(*arguments):
    """Launch for real, with echo in the place of the Python that runs the node."""
    prefixes = [sys.prefix, *os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)]
    done = subprocess.run(
        [sys.executable, '-c', LAUNCH, str(LAUNCH_FILE), 'python:=echo', *arguments],
        env={**os.environ, 'AMENT_PREFIX_PATH': os.pathsep.join(filter(None, prefixes))},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (words,) = re.findall(r'^\[echo-1\] (.*)$', done.stdout, re.MULTILINE)
    return words


def given_parameters(words):
    """Return the parameters of all the parameter files of a command, the last winning."""
    parameters = {}
    for file in re.findall(r'--params-file (\S+)', words):
        (node,) = yaml.safe_load(Path(file).read_text()).values()
        parameters |= node['ros__parameters']
    return parameters


def test_every_argument_is_there_and_described(declared):
    assert {argument.name for argument in declared} == ARGUMENTS
    assert [a.name for a in declared if len((a.description or '').split()) < 3] == []


def test_no_argument_must_be_given(declared):
    assert [a.name for a in declared if a.default_value is None] == []


def test_by_default_the_installed_node_runs_with_the_defaults():
    from interwild_ros.config import Settings

    words = started()
    assert words.split()[0].endswith('/lib/interwild_ros/hands_node')
    assert '-r __node:=hands_node' in words
    parameters = given_parameters(words)
    assert not parameters.pop('use_sim_time')
    assert Settings(**parameters) == Settings()


def test_given_settings_win_over_the_parameter_file(tmp_path):
    weights = tmp_path / 'weights.pth'
    words = started('device:=cpu', f'weights:={weights}', 'autostart:=false', 'use_sim_time:=true')
    parameters = given_parameters(words)
    assert parameters['device'] == 'cpu'
    assert parameters['weights'] == str(weights)
    assert parameters['autostart'] is False
    assert parameters['use_sim_time'] is True
    assert parameters['variant'] == 'auto'


def test_topics_namespace_and_log_level_reach_the_node():
    words = started(
        'namespace:=robot', 'image:=/cam/image_raw', 'camera_info:=/cam/info', 'log_level:=debug'
    )
    assert '-r __ns:=/robot' in words
    assert '-r image:=/cam/image_raw ' in words
    assert '-r image/compressed:=/cam/image_raw/compressed ' in words
    assert '-r camera_info:=/cam/info' in words
    assert '--log-level debug' in words
