import os

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
