"""The look-alike of MANO is the one that the golden numbers were made with, on any processor."""

import hashlib
from pathlib import Path
import pickle

from interwild_ros.testing.parity_hand import write_parity_mano
import numpy as np
import pytest

# Of all arrays, rounded to nine places: the last bits are the processor's matter. With the bytes
# that parity/manifest.json names (OpenBLAS's Haswell kernels make them) the digests are these.
DIGESTS = {
    'RIGHT': 'ae160af54b74c0d3b6771f39f6ce4114bec000b1479f0075e21df0a6c398020d',
    'LEFT': '424992a38601d6b99f75a55f62678b81bd396427753de54763bde47cb3a16745',
}


def digest_of(path: Path) -> str:
    content = pickle.loads(path.read_bytes())
    digest = hashlib.sha256()
    for name in sorted(content):
        value = content[name]
        value = value.toarray() if hasattr(value, 'toarray') else value
        if isinstance(value, np.ndarray) and value.dtype.kind == 'f':
            value = np.round(value, 9) + 0.0  # no negative zero
        digest.update(name.encode())
        digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return digest.hexdigest()


@pytest.mark.parametrize('side', DIGESTS)
def test_the_numbers_are_those_the_golden_ones_were_made_with(side: str, tmp_path: Path) -> None:
    write_parity_mano(tmp_path)
    assert digest_of(tmp_path / f'MANO_{side}.pkl') == DIGESTS[side]


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ('a', 'b'):
        write_parity_mano(tmp_path / folder)
    for name in ('MANO_RIGHT.pkl', 'MANO_LEFT.pkl'):
        assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' / name).read_bytes()
