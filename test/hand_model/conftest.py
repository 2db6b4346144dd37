"""What tests of the hand models share: parity hands, as files and as models."""

from pathlib import Path
import pickle
from typing import Any

from interwild_ros.hand_model.mano_file import find_hand_models, HandModelFile
from interwild_ros.testing.parity_hand import parity_right, write_parity_mano
import pytest


@pytest.fixture(scope='session')
def parity_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp('parity_mano')
    write_parity_mano(folder)
    return folder


@pytest.fixture(scope='session')
def parity_models(parity_dir: Path) -> tuple[HandModelFile, HandModelFile]:
    return find_hand_models(str(parity_dir))


@pytest.fixture(scope='session')
def _parity_pickle() -> bytes:
    return pickle.dumps(parity_right(), protocol=2)


@pytest.fixture
def parity_arrays(_parity_pickle: bytes) -> dict[str, Any]:
    """Return a right hand's dictionary that a test may spoil."""
    arrays: dict[str, Any] = pickle.loads(_parity_pickle)
    return arrays
