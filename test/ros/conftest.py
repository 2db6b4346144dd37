"""What tests of ROS nodes share: a DDS domain of their own, a node, and child processes.

Fixtures
    ros_domain      an int; each test module gets a ROS domain that no other test run on this
                    machine uses at the time, reachable from this machine only. It stands in
                    the environment, so child processes are in it too. Automatic.
    ros_node        an rclpy node in that domain, with a fresh context for each test
    spin_until      spin_until(predicate, timeout_sec=10.0): works off the callbacks of ros_node
                    until predicate() is true; returns what it returned, or fails the test
    start_process   start_process('-m', 'package.module', '--ros-args', ...) runs Python in a
                    process of its own and returns a Process; all are ended with the test

A Process has `output` (standard output and error so far), `wait_for(text)`, `wait()` and
`stop(signal)`, which give the exit code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any
import warnings

import pytest

if importlib.util.find_spec('rclpy') is None:
    collect_ignore_glob = ['test_*.py']  # a machine without ROS runs all other tests
else:
    with warnings.catch_warnings():
        # The ROS wheels bring a lark that imports modules which Python calls deprecated.
        warnings.simplefilter('ignore', DeprecationWarning)
        import rclpy
        import rosidl_generator_py  # noqa: F401


class Process:
    """A child process whose output is collected while it runs."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        """Start it in a process group of its own, deaf to nothing."""
        self._popen = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A test run that a script started in the background ignores SIGINT, and so would we.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._popen.stdout:
            self._lines.append(line)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def output(self) -> str:
        return ''.join(self._lines)

    @property
    def exit_code(self) -> int | None:
        return self._popen.poll()

    def wait_for(self, text: str, timeout_sec: float = 20.0) -> None:
        """Wait until the text was printed."""
        deadline = time.monotonic() + timeout_sec
        while text not in self.output:
            if time.monotonic() > deadline or self.exit_code is not None:
                self._reader.join(1.0)
                if text in self.output:
                    return
                pytest.fail(f'{text!r} was not printed (exit {self.exit_code}):\n{self.output}')
            time.sleep(0.02)

    def wait(self, timeout_sec: float = 20.0) -> int:
        """Wait until it ends by itself, and return its exit code."""
        try:
            code = self._popen.wait(timeout_sec)
        except subprocess.TimeoutExpired:
            pytest.fail(f'still running after {timeout_sec} s:\n{self.output}')
        self._reader.join(2.0)
        return code

    def stop(self, number: signal.Signals = signal.SIGINT, timeout_sec: float = 20.0) -> int:
        """Send a signal, and return the exit code."""
        self._popen.send_signal(number)
        return self.wait(timeout_sec)

    def end(self) -> None:
        """Kill what is left of it and its children."""
        if self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._reader.join(2.0)
        self._popen.stdout.close()


@pytest.fixture(scope='module', autouse=True)
def ros_domain() -> Iterator[int]:
    from domains import own_domain

    with own_domain() as domain:
        yield domain


@pytest.fixture
def ros_node(ros_domain: int) -> Iterator[Any]:
    context = rclpy.context.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    node = rclpy.create_node('the_test', context=context)
    yield node
    node.destroy_node()
    context.try_shutdown()


@pytest.fixture
def spin_until(ros_node: Any) -> Iterator[Callable[..., Any]]:
    executor = rclpy.executors.SingleThreadedExecutor(context=ros_node.context)
    executor.add_node(ros_node)

    def spin(predicate: Callable[[], Any], timeout_sec: float = 10.0) -> Any:
        deadline = time.monotonic() + timeout_sec
        while not (found := predicate()):
            if time.monotonic() > deadline:
                pytest.fail(f'did not come true in {timeout_sec} s')
            executor.spin_once(timeout_sec=0.02)
        return found

    yield spin
    executor.shutdown()


@pytest.fixture
def start_process(ros_domain: int) -> Iterator[Callable[..., Process]]:
    processes: list[Process] = []

    def start(*arguments: str, env: dict[str, str] | None = None) -> Process:
        # The whole environment goes along: of LD_LIBRARY_PATH and the ROS wheels' bootstrap
        # guard a child needs both or neither.
        whole = os.environ | {'PYTHONUNBUFFERED': '1'} | (env or {})
        processes.append(Process([sys.executable, *arguments], whole))
        return processes[-1]

    yield start
    for process in processes:
        process.end()
