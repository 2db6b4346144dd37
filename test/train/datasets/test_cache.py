from dataclasses import dataclass
import os

from interwild_ros.errors import AssetError
from interwild_ros.records import Array
from interwild_ros.train.datasets.cache import cached
import numpy as np
import pytest


@dataclass(frozen=True, eq=False)
class Numbers:
    """Two columns."""

    ids: Array
    points: Array


class Reader:
    """Reads a file, and counts how often."""

    def __init__(self, source):
        self.source = source
        self.reads = 0

    def __call__(self, cache_dir, identity='all'):
        return cached(
            cache_dir,
            identity=identity,
            sources=[self.source],
            kind=Numbers,
            build=self.build,
        )

    def build(self):
        self.reads += 1
        count = len(self.source.read_text())
        return Numbers(np.arange(count), np.full((count, 3), 0.5, np.float32))


@pytest.fixture
def read(tmp_path):
    source = tmp_path / 'source.json'
    source.write_text('four')
    return Reader(source)


@pytest.fixture
def cache_dir(tmp_path):
    return tmp_path / 'deep' / 'cache'


def test_what_was_read_once_is_not_read_again(read, cache_dir):
    first, again = read(cache_dir), read(cache_dir)
    assert read.reads == 1
    np.testing.assert_array_equal(first.ids, again.ids)
    np.testing.assert_array_equal(first.points, again.points)
    assert again.points.dtype == np.float32


def test_without_a_folder_nothing_is_kept(read, tmp_path):
    before = set(tmp_path.iterdir())
    read(None)
    read(None)
    assert read.reads == 2
    assert set(tmp_path.iterdir()) == before


def test_another_size_or_time_makes_it_void(read, cache_dir):
    read(cache_dir)
    read.source.write_text('seven..')
    assert len(read(cache_dir).ids) == 7
    found = read.source.stat()
    os.utime(read.source, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000))
    read(cache_dir)
    assert read.reads == 3
    assert len(list(cache_dir.iterdir())) == 1


def test_other_options_have_a_file_of_their_own(read, cache_dir):
    read(cache_dir, 'all')
    read(cache_dir, 'some')
    read(cache_dir, 'all')
    assert read.reads == 2


@pytest.mark.parametrize('share', [0.0, 0.5, 0.99])
def test_a_damaged_file_counts_as_none(read, cache_dir, share):
    read(cache_dir)
    (file,) = cache_dir.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    assert len(read(cache_dir).ids) == 4
    assert read.reads == 2
    read(cache_dir)
    assert read.reads == 2


def test_a_folder_that_cannot_be_written_is_named(read, tmp_path):
    (tmp_path / 'file').write_text('in the way')
    with pytest.raises(AssetError, match=r'file.cache.Numbers-.*npz: cannot write the cache'):
        read(tmp_path / 'file' / 'cache')


def test_a_full_disk_leaves_nothing_behind(read, cache_dir, monkeypatch):
    def full(*_, **__):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(AssetError, match='No space left on device; make room'):
        read(cache_dir)
    assert list(cache_dir.iterdir()) == []
