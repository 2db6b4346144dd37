"""What tests of the command line share.

Fixtures
    run_interwild   run_interwild('doctor', '--json', cwd=...) runs the command in a process of
                    its own, and returns it finished, with `returncode`, `stdout` and `stderr`
    interwild       the same, in an empty folder
    environment     the variables for other processes that are to see this source tree
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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


@pytest.fixture(scope='session')
def environment() -> dict[str, str]:
    here = str(Path(__file__).parents[2])
    return os.environ | {'PYTHONPATH': here, 'PYTHONFAULTHANDLER': '1'}  # says where it broke


@pytest.fixture(scope='session')
def run_interwild(environment: dict[str, str]) -> Run:
    def run(
        *arguments: object, cwd: Path, timeout_sec: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, '-m', 'interwild_ros.cli.main', *map(str, arguments)],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_sec,
        )

    return run


@pytest.fixture
def interwild(run_interwild: Run, tmp_path: Path) -> Run:
    return partial(run_interwild, cwd=tmp_path)
