import json

from drawn_series import some_summary
from interwild_ros.bag.summary_file import read_said, said_of
from interwild_ros.errors import AssetError
import pytest


def test_what_a_summary_says_is_text_by_title():
    said = said_of(some_summary())
    assert (said.bag, said.camera, said.frames_in) == (
        'kitchen_2024_03_05',
        '/camera/color/image_raw',
        1500,
    )
    assert said.tables['Skipped pictures'] == {'bad_encoding': '20'}
    assert said.tables['Settings']['batch_size'] == '8'
    assert said.warnings == ('no CameraInfo: a field of view of 60 degrees was assumed',)


def test_what_is_said_twice_or_is_empty_is_no_table_of_numbers():
    said = said_of({'assets': {'warnings': ['a'], 'device': ''}, 'settings': {'list': [1, 'b']}})
    assert said.tables == {'Assets': {'device': '–'}, 'Settings': {'list': '1, b'}}


def test_tables_within_tables_are_flat():
    said = said_of({'assets': {'sha256': {'right': 'ab'}}, 'files': [{'name': 'a.mcap'}]})
    assert said.tables['Assets'] == {'sha256.right': 'ab'}
    assert said.tables['More'] == {'files.0.name': 'a.mcap'}


@pytest.mark.parametrize(
    'found',
    [
        {},
        {'frames': None, 'settings': [], 'warnings': None, 'assets': 3},
        {'frames': {'in': 'many', 'skipped': [1]}, 'warnings': {'a': 1}},
    ],
)
def test_what_is_missing_or_strange_is_empty(found):
    said = said_of(found)
    assert said.frames_in is None
    assert said.warnings == ()


def test_a_missing_file_is_a_warning(tmp_path):
    assert 'missing' in read_said(tmp_path / 'summary.json').warnings[0]


@pytest.mark.parametrize('text', ['', '[1]', '{', '"text"'])
def test_what_is_no_summary_is_refused(tmp_path, text):
    path = tmp_path / 'summary.json'
    path.write_text(text)
    with pytest.raises(AssetError, match=r'summary\.json'):
        read_said(path)


def test_numbers_that_json_does_not_know_do_no_harm():
    said = said_of(json.loads('{"software": {"fps": NaN}, "frames": {"in": Infinity}}'))
    assert said.tables['Software'] == {'fps': 'nan'}
    assert said.frames_in is None
