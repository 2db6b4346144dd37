"""Fixtures of all tests."""

import os
from pathlib import Path

from interwild_ros.openmp import wait_passively
import pytest

wait_passively()  # processes that tests start inherit it


@pytest.fixture(scope='session')
def shared():
    """The folder with the full goldens and photographs, which users do not have."""
    folder = Path(os.environ.get('INTERWILD_SHARED', Path(__file__).parents[2] / 'shared'))
    if not (folder / 'parity').is_dir():
        pytest.skip(f'{folder} with the full goldens is not here')
    return folder.resolve()
