"""A node's process that is ended before it is one."""

import time

from interwild_ros.errors import NodeError
from interwild_ros.ros.node_process import running
import pytest

BEGIN = 'from pathlib import Path\nPath({began!r}).touch()\n'
SLOW = BEGIN + 'import time\ntime.sleep(60)\n'
BROKEN = BEGIN + 'import os\nprint("no such library", flush=True)\nos._exit(1)\n'


def started(folder, script):
    """Run `script` where Python has not looked up its modules yet, and wait until it does."""
    began = folder / 'began'
    (folder / 'sitecustomize.py').write_text(script.format(began=str(began)))
    environment = {'PYTHONPATH': str(folder)}
    with running('hands_node', {}, folder=folder, environment=environment):
        deadline = time.monotonic() + 60
        while not began.exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_stopped_while_python_starts_it_has_ended_as_it_was_asked(tmp_path):
    started(tmp_path, SLOW)
    assert (tmp_path / 'hands_node.log').read_text().rstrip().endswith('KeyboardInterrupt')


def test_one_that_breaks_by_itself_while_python_starts_is_told(tmp_path):
    with pytest.raises(NodeError, match=r'exit code 1; its last words:\s+no such library'):
        started(tmp_path, BROKEN)
