"""What tests of the command line share.

Fixtures
    interwild   interwild('doctor', '--json', cwd=...) runs the command in a process of its own,
                and returns the finished process with `returncode`, `stdout` and `stderr`
"""

from __future__ import annotations

from collections.abc import Callable
import importlib.util
import os
from pathlib import Path
import subprocess
import sys
import warnings

import pytest

if importlib.util.find_spec('rclpy') is not None:
    with warnings.catch_warnings():
        # The ROS wheels bring a lark that imports modules which Python calls deprecated.
        warnings.simplefilter('ignore', DeprecationWarning)
        import rclpy  # noqa: F401
        import rosidl_generator_py  # noqa: F401

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def interwild(tmp_path: Path) -> Run:
    def run(
        *arguments: object, cwd: Path = tmp_path, timeout_sec: float = 120.0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, '-m', 'interwild_ros.cli.main', *map(str, arguments)],
            cwd=cwd,
            env=os.environ | {'PYTHONPATH': str(Path(__file__).parents[2])} | environment,
            capture_output=True,
            text=True,
            timeout=timeout_sec,
        )

    return run
