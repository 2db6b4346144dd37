import hashlib
import json
import os
from pathlib import Path

from interwild_ros.testing.parity_hand import write_parity_mano
import pytest

SHARED = Path(os.environ.get('INTERWILD_SHARED', Path(__file__).parents[2] / '../shared'))


def test_parity_files_are_those_the_golden_numbers_were_made_with(tmp_path: Path) -> None:
    manifest = SHARED / 'parity' / 'manifest.json'
    if not manifest.is_file():
        pytest.skip(f'no {manifest}')
    write_parity_mano(tmp_path)
    wanted = json.loads(manifest.read_text())['mano_sha256']
    for side, sha256 in wanted.items():
        content = (tmp_path / f'MANO_{side}.pkl').read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ('a', 'b'):
        write_parity_mano(tmp_path / folder)
    for name in ('MANO_RIGHT.pkl', 'MANO_LEFT.pkl'):
        assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' / name).read_bytes()
