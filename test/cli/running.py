"""Waiting for what a running process does."""

from collections.abc import Callable
import subprocess
import time
from typing import Any


def wait_until(
    condition: Callable[[], Any], process: subprocess.Popen[str], timeout_sec: float = 60.0
) -> None:
    """Wait until a condition holds, while the process, whose stderr is a pipe, runs.

    :raises RuntimeError: when the process ends before; `TimeoutError`: when time is up.
    """
    deadline = time.monotonic() + timeout_sec
    while not condition():
        if process.poll() is not None:
            said = process.stderr.read() if process.stderr else ''
            raise RuntimeError(f'ended with {process.returncode} before: {said}')
        if time.monotonic() > deadline:
            raise TimeoutError(f'did not come true in {timeout_sec} s')
        time.sleep(0.005)
