"""The launch file, where launch and launch_ros are installed."""

from pathlib import Path
import re

import pytest
import yaml

pytest.importorskip('launch_ros', reason='launch is not on PyPI: full ROS 2 only')

LAUNCH_FILE = 'hands.launch.py'

ARGUMENTS = {
    'namespace',
    'image',
    'camera_info',
    'cameras',
    'image_transport',
    'every_frame',
    'variant',
    'weights',
    'mano_dir',
    'device',
    'autostart',
    'rviz',
    'fixed_frame',
    'use_sim_time',
    'params_file',
    'log_level',
    'python',
}


@pytest.fixture(scope='module')
def found(declared):
    return declared(LAUNCH_FILE)


@pytest.fixture
def started(launch):
    """Launch with echo in the place of the Python that runs the node, and return its words."""

    def started(*arguments):
        done = launch(LAUNCH_FILE, 'python:=echo', *arguments)
        assert done.returncode == 0, done.stderr
        (words,) = re.findall(r'^\[echo-1\] (.*)$', done.stdout, re.MULTILINE)
        return words

    return started


class ParameterLoader(yaml.SafeLoader):
    """Reads parameter files as nodes do, for which a list that launch wrote as a tuple is one."""


ParameterLoader.add_constructor(
    'tag:yaml.org,2002:python/tuple', yaml.SafeLoader.construct_sequence
)


def given_parameters(words):
    """Return the parameters of all the parameter files of a command, the last winning."""
    parameters = {}
    for file in re.findall(r'--params-file (\S+)', words):
        (node,) = yaml.load(Path(file).read_text(), ParameterLoader).values()
        parameters |= node['ros__parameters']
    return parameters


def test_every_argument_is_there_and_described(found):
    assert {argument.name for argument in found} == ARGUMENTS
    assert [a.name for a in found if len((a.description or '').split()) < 3] == []


def test_no_argument_must_be_given(found):
    assert [a.name for a in found if a.default_value is None] == []


def test_by_default_the_installed_node_runs_with_the_defaults(started):
    from interwild_ros.config import Settings

    words = started()
    assert words.split()[0].endswith('/lib/interwild_ros/hands_node')
    assert '-r __node:=hands_node' in words
    parameters = given_parameters(words)
    assert not parameters.pop('use_sim_time')
    assert Settings(**parameters) == Settings()


def test_given_settings_win_over_the_parameter_file(started, tmp_path):
    weights = tmp_path / 'weights.pth'
    words = started('device:=cpu', f'weights:={weights}', 'autostart:=false', 'use_sim_time:=true')
    parameters = given_parameters(words)
    assert parameters['device'] == 'cpu'
    assert parameters['weights'] == str(weights)
    assert parameters['autostart'] is False
    assert parameters['use_sim_time'] is True
    assert parameters['variant'] == 'auto'


def test_topics_namespace_and_log_level_reach_the_node(started):
    words = started(
        'namespace:=robot', 'image:=/cam/image_raw', 'camera_info:=/cam/info', 'log_level:=debug'
    )
    assert '-r __ns:=/robot' in words
    assert '-r image:=/cam/image_raw ' in words
    assert '-r image/compressed:=/cam/image_raw/compressed ' in words
    assert '-r camera_info:=/cam/info' in words
    assert '--log-level debug' in words


def test_topics_of_several_cameras_are_below_their_names(started):
    words = started('cameras:=[front, wrist]', 'image:=color/image_raw')
    assert given_parameters(words)['cameras'] == ['front', 'wrist']
    for name in ('front', 'wrist'):
        assert f'-r {name}/image:={name}/color/image_raw ' in words
        assert f'-r {name}/image/compressed:={name}/color/image_raw/compressed ' in words
        assert f'-r {name}/camera_info:={name}/camera_info' in words
