"""Python processes of a benchmark: started, ended, and what Linux says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import contextlib
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

TICKS_PER_SEC = os.sysconf('SC_CLK_TCK')
BENCH = Path(__file__).resolve().parent.parent
ENDING_SEC = 20.0


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python with these arguments; what still runs at the end is ended."""
    path = os.pathsep.join(filter(None, (str(BENCH), os.environ.get('PYTHONPATH'))))
    environment = os.environ | {'PYTHONPATH': path}
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[str]) -> str:
    """Tell a process to end, and return what it printed last."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        printed, _ = process.communicate(timeout=ENDING_SEC)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return (printed.split('\n') if printed else [''])[-2 if printed.endswith('\n') else -1]


def resident_mb(pid: int) -> float:
    """Return how much memory a process holds."""
    status = Path(f'/proc/{pid}/status').read_text()
    (line,) = (line for line in status.splitlines() if line.startswith('VmRSS:'))
    return round(int(line.split()[1]) / 1024, 1)


def proportional_mb(pid: int) -> float:
    """Return how much memory a process holds, with its share of pages that others hold too."""
    rollup = Path(f'/proc/{pid}/smaps_rollup').read_text()
    (line,) = (line for line in rollup.splitlines() if line.startswith('Pss:'))
    return round(int(line.split()[1]) / 1024, 1)


def cpu_sec(pid: int) -> float:
    """Return how much processor time a process has used, in all its threads."""
    after_name = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    user, system = int(after_name[11]), int(after_name[12])
    return (user + system) / TICKS_PER_SEC


class CpuShares:
    """How many cores each of some processes keeps busy."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._since_sec = time.monotonic()
        self._before = self._used()

    def _used(self) -> dict[str, float]:
        return {name: cpu_sec(pid) for name, pid in self._pids.items()}

    def cores(self) -> dict[str, float]:
        """Return processor seconds a second since the beginning, by name."""
        seconds = time.monotonic() - self._since_sec
        used = self._used()
        return {name: round((used[name] - self._before[name]) / seconds, 3) for name in used}
