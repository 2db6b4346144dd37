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

from interwild_ros.errors import AssetError

_NAME = 'rviz2'
_LAYOUT = Path('share/interwild_ros/config/hands.rviz')
_SOURCE = Path(__file__).resolve().parents[2] / 'config' / 'hands.rviz'
_LOOKED_AT = ('markers', 'overlay')
_PATIENCE_SEC = 5.0


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


@contextmanager
def running_rviz(command: list[str]) -> Iterator[None]:
    """Run RViz for the length of a block; nobody minds when it is closed before."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_SEC)
                break


def _layout() -> Path:
    sourced = [part for part in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if part]
    places = [*(Path(prefix) / _LAYOUT for prefix in (*sourced, sys.prefix)), _SOURCE]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise AssetError(f'no layout for RViz: looked for {", ".join(map(str, places))}')
    return found
