from pathlib import Path
import subprocess
import sys

from interwild_ros.errors import AssetError, TrainingError
from interwild_ros.train.snapshots import check_same_recipe, read_snapshot, write_snapshot
import pytest
import torch


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / 'a' / 'task.pt'
    write_snapshot(path, {'network': {'w': torch.ones(2)}, 'spent': {'steps': 3}})
    found = read_snapshot(path)
    assert torch.equal(found['network']['w'], torch.ones(2))
    assert found['spent'] == {'steps': 3}
    assert [p.name for p in path.parent.iterdir()] == ['task.pt']


@pytest.mark.parametrize('size', [10, 1_000_000])
def test_a_full_disk_loses_nothing(tmp_path, size):
    """A limit on the size of files stands for the disk: the same calls fail in the same places."""
    path = tmp_path / 'task.pt'
    write_snapshot(path, {'number': 1})
    script = f"""
import resource, signal, sys
from pathlib import Path
import torch
from interwild_ros.errors import TrainingError
from interwild_ros.train.snapshots import write_snapshot
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
try:
    write_snapshot(Path({str(path)!r}), {{'number': 2, 'w': torch.zeros(1_000_000)}})
except TrainingError as error:
    sys.exit(str(error))
"""
    found = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 1
    assert f'{path}: cannot be written' in found.stderr
    assert 'the last one is kept' in found.stderr
    assert read_snapshot(path)['number'] == 1
    assert [p.name for p in tmp_path.iterdir()] == ['task.pt']


def test_a_checkpoint_cut_short_is_named(tmp_path):
    path = tmp_path / 'task.pt'
    write_snapshot(path, {'w': torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(AssetError, match=r'task\.pt: damaged'):
        read_snapshot(path)
    with pytest.raises(AssetError, match='no such file'):
        read_snapshot(tmp_path / 'none.pt')


def test_another_file_is_no_checkpoint(tmp_path):
    torch.save({'network': {}}, tmp_path / 'other.pth')
    with pytest.raises(AssetError, match='has format None, wanted 1'):
        read_snapshot(tmp_path / 'other.pth')


def test_everything_that_differs_is_named_with_both_values():
    saved, wanted = {'a': 1, 'b': [1, 2], 'c': 3}, {'a': 2, 'b': (1, 2), 'd': 4}
    with pytest.raises(TrainingError) as caught:
        check_same_recipe(saved, wanted, Path('x.pt'))
    text = str(caught.value)
    assert 'a was 1, is now 2; c was 3, is now (absent); d was (absent), is now 4' in text
    assert 'b was' not in text
