"""One of our nodes as a process of its own, with its log in a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

from interwild_ros import errors
from interwild_ros.errors import NodeError

_TAIL_LINES = 15
_ASKED = (-signal.SIGINT, -signal.SIGTERM)
_PATIENCE_SEC = {signal.SIGINT: 10.0, signal.SIGTERM: 5.0, signal.SIGKILL: 5.0}


class NodeProcess:
    """A running node: `hands_node` runs `interwild_ros.ros.hands_node`.

    It sees the same modules as this process, and stands in a session of its own: a Ctrl-C at the
    terminal reaches this process alone, which then ends the nodes in order.
    """

    def __init__(
        self,
        name: str,
        parameters: Mapping[str, Any],
        *,
        folder: Path,
        environment: Mapping[str, str],
        remappings: Mapping[str, str] | None = None,
    ) -> None:
        """Start the node.

        :param parameters: ROS parameters; the file they are passed in stays in `folder`.
        :param folder: where `<name>.yaml` and `<name>.log` go, and the process runs.
        :param environment: added to this process's own.
        :param remappings: the topics that its own names stand for.
        """
        self.name = name
        self._log = folder / f'{name}.log'
        parameter_file = _write_parameters(folder / f'{name}.yaml', parameters)
        ros_arguments = ['--ros-args', '--params-file', str(parameter_file)]
        for name_here, topic in (remappings or {}).items():
            ros_arguments += ['-r', f'{name_here}:={topic}']
        with self._log.open('w') as log:
            self._process = subprocess.Popen(
                [sys.executable, '-m', f'interwild_ros.ros.{name}', *ros_arguments],
                cwd=folder,
                env=_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def has_ended(self) -> bool:
        """Return whether it ended by itself, and well.

        :raises NodeError: when it died: with its exit code and the last lines of its log.
        """
        code = self._process.poll()
        if code:
            raise NodeError(f'{self.name} died with {_reason(code)}{self.last_lines()}')
        return code == 0

    def stop(self) -> None:
        """Ask it to end, and wait until it has; insist when it does not.

        One that was only just beginning, and did not listen to signals yet, may die of them.

        :raises NodeError: when it had to be killed, or ended with an error.
        """
        for number, patience_sec in _PATIENCE_SEC.items():
            self._send(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_sec)
                break
        if not self._died_of_being_asked():
            self.has_ended()

    def kill(self) -> None:
        """End it now, whatever state it is in."""
        self._send(signal.SIGKILL)
        self._process.wait()

    def last_lines(self) -> str:
        """Return the end of its log as an indented block, for an error message."""
        lines = self._log_lines()[-_TAIL_LINES:]
        if not lines:
            return '; it said nothing'
        return ''.join(['; its last words:', *(f'\n    {line}' for line in lines)])

    def _died_of_being_asked(self) -> bool:
        """Return whether one of our signals was its end.

        Python that is interrupted before it knows its modules says so, and ends with 1.
        """
        code = self._process.returncode
        return code in _ASKED or (code == 1 and self._log_lines()[-1:] == ['KeyboardInterrupt'])

    def _log_lines(self) -> list[str]:
        return self._log.read_text(errors='replace').rstrip().splitlines()

    def _send(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


@contextlib.contextmanager
def running(
    name: str,
    parameters: Mapping[str, Any],
    *,
    folder: Path,
    environment: Mapping[str, str],
    remappings: Mapping[str, str] | None = None,
) -> Iterator[NodeProcess]:
    """Run a node for the length of a block, and end it in order; kill it when that was left early.

    :raises NodeError: when the node ends with an error.
    """
    process = NodeProcess(
        name, parameters, folder=folder, environment=environment, remappings=remappings
    )
    try:
        yield process
        process.stop()
    finally:
        process.kill()


def _write_parameters(path: Path, parameters: Mapping[str, Any]) -> Path:
    """Write a parameter file for any node; JSON is YAML, and leaves no doubt about strings."""
    content = {'/**': {'ros__parameters': dict(parameters)}}
    path.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
    return path


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment: LD_LIBRARY_PATH and the ROS wheels' guard go together."""
    modules = str(Path(errors.__file__).parents[1])
    search_path = os.pathsep.join(filter(None, [modules, os.environ.get('PYTHONPATH', '')]))
    return {
        **os.environ,
        'PYTHONPATH': search_path,
        'PYTHONUNBUFFERED': '1',
        'RCUTILS_COLORIZED_OUTPUT': '0',
        **added,
    }


def _reason(code: int) -> str:
    return f'signal {signal.Signals(-code).name}' if code < 0 else f'exit code {code}'
