"""ROS domains for tests: each is used by one test module at a time, on the whole machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
from pathlib import Path
import tempfile

from interwild_ros.errors import NodeError
from interwild_ros.ros.domain import DOMAIN_IDS, free_domain_id, local_environment
import pytest


@contextmanager
def locked_domain() -> Iterator[int]:
    """Give a domain without nodes, locked before another test run's nodes are there."""
    for _ in DOMAIN_IDS:
        domain = free_domain_id()
        with (Path(tempfile.gettempdir()) / f'ros_domain_{domain}.lock').open('w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield domain
            return
    raise NodeError('no ROS domain is free')


@contextmanager
def own_domain() -> Iterator[int]:
    """Give a locked domain, in which everything is that is started meanwhile."""
    with pytest.MonkeyPatch.context() as patch, locked_domain() as domain:
        for name, value in local_environment(domain).items():
            patch.setenv(name, value)
        yield domain
