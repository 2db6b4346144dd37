"""Start RViz beside a recording that is played."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import BinaryIO, cast

from interwild_ros.errors import AssetError
from interwild_ros.ros.shared_files import shared_file, shared_places

_NAME = 'rviz2'
_LAYOUT = 'config/hands.rviz'
_LOOKED_AT = ('markers', 'overlay')
_PATIENCE_SEC = 5.0
_OF_WHEELS = ('LD_LIBRARY_PATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')


def rviz_command(*, hands_node: str, frame_id: str) -> list[str]:
    """Return how to start RViz with our layout, in the time of the recording.

    :param hands_node: full name of the node that is looked at; empty leaves the layout's own.
    :param frame_id: the frame to stand in: that of the pictures; empty leaves the layout's own.
    :raises AssetError: when RViz or the layout is not installed.
    """
    program = shutil.which(_NAME)
    if program is None:
        raise AssetError(
            f'{_NAME} is not installed (or no ROS 2 is sourced): leave out --rviz, and look at '
            'the topics with RViz on another machine or with Foxglove'
        )
    remappings = [f'/hands_node/{name}:={hands_node}/{name}' for name in _LOOKED_AT]
    return [
        program,
        '-d',
        str(_layout()),
        *(['-f', frame_id] if frame_id else []),
        '--ros-args',
        '-p',
        'use_sim_time:=true',
        *(word for rule in remappings if hands_node for word in ('-r', rule)),
    ]


class Rviz:
    """A running RViz."""

    def __init__(self, command: list[str]) -> None:
        """Start it."""
        self._said = cast('BinaryIO', tempfile.TemporaryFile())  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,
        )

    def problem(self) -> str:
        """Return why it ended, empty where it runs or was closed."""
        code = self._process.poll()
        if not code:
            return ''
        self._said.seek(0)
        lines = self._said.read().decode(errors='replace').split('\n')
        last = next((line for line in reversed(lines) if line.strip()), 'it said nothing')
        return f'{_NAME} ended with exit code {code}: {last}'

    def end(self) -> None:
        """Have it end."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE_SEC)
                break
        self._said.close()


@contextmanager
def running_rviz(command: list[str]) -> Iterator[Rviz]:
    """Run RViz for the length of a block; nobody minds when it is closed before."""
    rviz = Rviz(command)
    try:
        yield rviz
    finally:
        rviz.end()


def _environment() -> dict[str, str]:
    """Return the environment for a program that is not of this Python's prefix.

    ROS from PyPI puts its own libraries first, on which a RViz that was built for others breaks.
    """
    paths = os.environ.get('LD_LIBRARY_PATH', '').split(os.pathsep)
    foreign = [path for path in paths if path and not Path(path).is_relative_to(sys.prefix)]
    others = {name: value for name, value in os.environ.items() if name not in _OF_WHEELS}
    return others | ({'LD_LIBRARY_PATH': os.pathsep.join(foreign)} if foreign else {})


def _layout() -> Path:
    found = shared_file(_LAYOUT)
    if found is None:
        places = ', '.join(map(str, shared_places(_LAYOUT)))
        raise AssetError(f'no layout for RViz: looked for {places}')
    return found
