from interwild_ros.bag.piped_file import piped_file
from interwild_ros.errors import AssetError
import numpy as np
import pytest


def test_what_goes_into_the_pipe_is_in_the_file(tmp_path):
    content = np.random.default_rng(0).bytes(3_000_000)  # more than a pipe holds
    with piped_file(tmp_path / 'file.bin') as file:
        file.pipe.write_bytes(content)
    assert (tmp_path / 'file.bin').read_bytes() == content
    assert not file.pipe.exists()


def test_nothing_may_be_written(tmp_path):
    with piped_file(tmp_path / 'file.bin'):
        pass
    assert (tmp_path / 'file.bin').read_bytes() == b''


def test_a_file_that_cannot_be_written_stops_nobody_and_is_told(tmp_path):
    with (
        pytest.raises(AssetError, match=r'cannot write file\.bin: .*No such file'),
        piped_file(tmp_path / 'absent/file.bin') as file,
    ):
        file.pipe.write_bytes(bytes(3_000_000))


def test_a_failure_is_told_as_soon_as_it_is_asked_for(tmp_path):
    reached = []

    def write():
        with piped_file(tmp_path / 'absent/file.bin') as file:
            file.pipe.write_bytes(bytes(3_000_000))  # returns when it was taken
            file.check()
            reached.append('the end')

    with pytest.raises(AssetError, match='No such file'):
        write()
    assert not reached


def test_an_error_of_the_writer_passes(tmp_path):
    def write():
        with piped_file(tmp_path / 'file.bin') as file:
            file.pipe.write_bytes(b'some')
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert (tmp_path / 'file.bin').read_bytes() == b'some'
