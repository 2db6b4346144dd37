"""What tests of the examples share: the examples as modules, and those of test/ros to run them.

Fixtures
    client          a node beside the example's, as in test/ros
    start_example   start_example('servo_pose', side='left') runs an example with these
                    parameters in a process of its own, and returns a Process
    ros_domain, start_process
                    those of test/ros/conftest.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import importlib.util
from pathlib import Path
import sys
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / 'examples'
sys.path.append(str(EXAMPLES))  # scripts find their neighbours there, and so do tests


def _fixtures_of_ros_tests() -> Any:
    place = Path(__file__).parents[1] / 'ros' / 'conftest.py'
    spec = importlib.util.spec_from_file_location('conftest_of_test_ros', place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_ROS = _fixtures_of_ros_tests()
ros_domain, start_process = _ROS.ros_domain, _ROS.start_process
if importlib.util.find_spec('rclpy') is None:
    collect_ignore_glob = ['test_*.py']


@pytest.fixture
def client(ros_domain: int) -> Iterator[Any]:
    from node_client import NodeClient

    client = NodeClient(ros_domain)
    yield client
    client.close()


@pytest.fixture
def start_example(start_process: Callable[..., Any]) -> Callable[..., Any]:
    def start(name: str, **parameters: object) -> Any:
        given = [f'{key}:={value}' for key, value in parameters.items()]
        options = [part for rule in given for part in ('-p', rule)]
        return start_process(str(EXAMPLES / f'{name}.py'), '--ros-args', *options)

    return start
