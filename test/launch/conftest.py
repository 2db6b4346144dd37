"""What tests of launch files share.

Fixtures
    launch      launch('replay.launch.py', 'bag:=...', env={}) launches for real, as `ros2 launch`
                does, and returns the finished process
    declared    declared('replay.launch.py') are the arguments that a launch file declares itself
"""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / 'launch'

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


@pytest.fixture(scope='session')
def launch() -> Callable[..., subprocess.CompletedProcess[str]]:
    def launch(
        name: str, *arguments: str, env: dict[str, str] | None = None, timeout_sec: float = 300.0
    ) -> subprocess.CompletedProcess[str]:
        prefixes = [sys.prefix, *os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)]
        return subprocess.run(
            [sys.executable, '-c', LAUNCH, str(FOLDER / name), *arguments],
            env={
                **os.environ,
                'AMENT_PREFIX_PATH': os.pathsep.join(filter(None, prefixes)),
                **(env or {}),
            },
            capture_output=True,
            text=True,
            timeout=timeout_sec,
        )

    return launch


@pytest.fixture(scope='session')
def declared() -> Callable[[str], list[Any]]:
    def declared(name: str) -> list[Any]:
        from launch.actions import DeclareLaunchArgument
        from launch.launch_description_sources import (
            get_launch_description_from_python_launch_file,
        )

        description = get_launch_description_from_python_launch_file(str(FOLDER / name))
        return [e for e in description.entities if isinstance(e, DeclareLaunchArgument)]

    return declared
