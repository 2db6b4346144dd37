import os
import signal
import subprocess
import sys

from interwild_ros import whole
from interwild_ros.errors import AssetError
from interwild_ros.whole import whole_file, whole_folder
import pytest


def half_written(place, path):
    """Begin to write in a whole_file or whole_folder, and fail."""
    with place as scratch:
        (scratch / path).write_text('half')
        raise KeyboardInterrupt


def test_a_folder_appears_at_the_end_and_not_before(tmp_path):
    target = tmp_path / 'deep' / 'result'
    with whole_folder(target) as folder:
        (folder / 'file').write_text('new')
        assert not target.exists()
    assert (target / 'file').read_text() == 'new'
    assert os.listdir(target.parent) == ['result']


def test_a_folder_that_failed_leaves_what_was_there(tmp_path):
    target = tmp_path / 'result'
    target.mkdir()
    (target / 'file').write_text('old')
    with pytest.raises(KeyboardInterrupt):
        half_written(whole_folder(target), 'file')
    assert (target / 'file').read_text() == 'old'
    assert os.listdir(tmp_path) == ['result']


def test_a_folder_replaces_all_of_an_earlier_one(tmp_path):
    target = tmp_path / 'result'
    target.mkdir()
    (target / 'stale').touch()
    with whole_folder(target) as folder:
        (folder / 'fresh').touch()
    assert os.listdir(target) == ['fresh']


def test_a_file_is_whole_or_as_it_was(tmp_path):
    target = tmp_path / 'file.txt'
    target.write_text('old')
    with pytest.raises(KeyboardInterrupt):
        half_written(whole_file(target), '')
    assert target.read_text() == 'old'
    with whole_file(target) as path:
        path.write_text('new')
    assert target.read_text() == 'new'
    assert os.listdir(tmp_path) == ['file.txt']


def test_the_scratch_file_keeps_its_name_for_writers_that_go_by_the_suffix(tmp_path):
    with whole_file(tmp_path / 'film.mp4') as path:
        assert path.name == 'film.mp4'
        path.touch()


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_a_read_only_place_is_an_asset_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(AssetError, match='cannot write to'), whole_folder(tmp_path / 'result'):
        pass


def test_a_file_in_the_way_of_the_parent_is_an_asset_error(tmp_path):
    (tmp_path / 'file').touch()
    with (
        pytest.raises(AssetError, match='cannot write to'),
        whole_folder(tmp_path / 'file' / 'result'),
    ):
        pass


KILLED = """
import os, signal, sys
from pathlib import Path
from interwild_ros import whole

target, kind, when = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
with getattr(whole, kind)(target) as place:
    (place / 'file' if kind == 'whole_folder' else place).write_text('half')
    if when == 'exchanging':
        Path.rename = lambda path, to: os.rename(path, to) or os.kill(os.getpid(), signal.SIGKILL)
    elif when == 'waiting':
        print('ready', flush=True)
        sys.stdin.read()
    else:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def run_and_kill(target, kind='whole_folder', when='writing'):
    """Make a result in a process of its own, which is killed on the way."""
    command = [sys.executable, '-c', KILLED, str(target), kind, when]
    assert subprocess.run(command, timeout=60).returncode == -signal.SIGKILL


@pytest.mark.parametrize('kind', ['whole_folder', 'whole_file'])
def test_what_a_killed_process_left_is_removed_by_the_next_of_the_same_place(kind, tmp_path):
    target, other = tmp_path / 'result', tmp_path / 'result-2'
    run_and_kill(target, kind)
    run_and_kill(other, kind)
    left = sorted(os.listdir(tmp_path))
    assert [name.startswith('.result') for name in left] == [True, True]
    with getattr(whole, kind)(target) as place:
        (place / 'file' if kind == 'whole_folder' else place).write_text('new')
    assert sorted(os.listdir(tmp_path)) == [name for name in left if 'result-2-' in name] + [
        'result'
    ]


def test_what_another_process_is_making_is_left_alone(tmp_path):
    target = tmp_path / 'result'
    command = [sys.executable, '-c', KILLED, str(target), 'whole_folder', 'waiting']
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b'ready\n'
        with whole_folder(target) as folder:
            (folder / 'file').write_text('ours')
        assert len(os.listdir(tmp_path)) == 2
        other.communicate(timeout=60)
    assert other.returncode == 0
    assert (target / 'file').read_text() == 'half', 'the last one to finish stands there'
    assert os.listdir(tmp_path) == ['result']


def test_a_kill_between_both_moves_loses_nothing(tmp_path):
    target = tmp_path / 'result'
    with whole_folder(target) as folder:
        (folder / 'file').write_text('before')
    run_and_kill(target, when='exchanging')
    assert not target.exists()
    with pytest.raises(KeyboardInterrupt):
        half_written(whole_folder(target), 'file')
    assert (target / 'file').read_text() == 'before'
    assert os.listdir(tmp_path) == ['result']


def test_hidden_folders_that_are_called_otherwise_are_left_alone(tmp_path):
    names = ['.result', '.result-mine', '.result-abcdefgh', '.result-abcdefghi.unfinished']
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / '.result-12345678.unfinished').symlink_to(tmp_path / 'elsewhere')
    with whole_folder(tmp_path / 'result'):
        pass
    wanted = {*names, '.result-12345678.unfinished', 'elsewhere', 'result'}
    assert set(os.listdir(tmp_path)) == wanted
