"""hands.parquet: what stands in its columns, and that its description is the documentation's."""

import math
from pathlib import Path
import weakref

from analyses import table_of
from interwild_ros.bag.columns import COLUMNS, SeenFrame
from interwild_ros.bag.series_file import read_series
from interwild_ros.bag.table import schema, write_table
from interwild_ros.errors import AssetError
from interwild_ros.pipeline.following import Followed
from interwild_ros.records import Side
from interwild_ros.testing.some_hands import some_followed, some_two_hands
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DOCUMENT = Path(__file__).parents[2] / 'docs/analysis.md'
WANTED = [
    'stamp_ns',
    'received_ns',
    'frame',
    'side',
    'tracked',
    'reason',
    'score',
    'depth_source',
    'box_x1_px',
    'box_y1_px',
    'box_x2_px',
    'box_y2_px',
    'wrist_x_m',
    'wrist_y_m',
    'wrist_z_m',
    'wrist_qx',
    'wrist_qy',
    'wrist_qz',
    'wrist_qw',
    'wrist_std_m',
    'reprojection_error_px',
    'hand_scale',
    'interacting',
    'detected',
    'disagreement_m',
    'left_from_right_x_m',
    'left_from_right_y_m',
    'left_from_right_z_m',
    'joints_m',
    'raw_joints_m',
    'joints_image_px',
    'pose_rad',
    'betas',
]


def write(folder, *followed):
    with write_table(folder / 'hands.parquet') as table:
        for number, each in enumerate(followed):
            table.add(SeenFrame(number, 100 + number, each))
    return table_of(folder)


def test_the_columns_are_those_that_are_promised():
    assert schema().names == WANTED


def test_unit_and_description_stand_in_the_file(tmp_path):
    write(tmp_path)
    stored = pq.read_schema(tmp_path / 'hands.parquet')
    assert stored.metadata[b'interwild_ros.hands'] == b'1'
    for column in COLUMNS:
        metadata = stored.field(column.name).metadata
        assert metadata[b'unit'].decode() == column.unit
        assert metadata[b'description'].decode() == column.description != ''


def test_the_document_describes_every_column_in_the_same_words():
    names = {pa.float32(): 'float32', pa.float64(): 'float64'}

    def type_of(column):
        if pa.types.is_fixed_size_list(column.type):
            return f'list<float32>[{column.type.list_size}]'
        return names.get(column.type, str(column.type))

    text = DOCUMENT.read_text()
    for column in COLUMNS:
        row = f'| `{column.name}` | {type_of(column)} | {column.unit} | {column.description} |'
        assert row in text


def test_a_tracked_hand_comes_back_as_it_was(tmp_path):
    followed = some_followed(*Side, stamp_ns=7)
    table = write(tmp_path, followed)
    for row, hand in enumerate((followed.hands.right, followed.hands.left)):
        found = {name: column[row] for name, column in table.items()}
        assert found['side'] == hand.side.label
        assert found['tracked']
        assert found['reason'] == ''
        assert (found['stamp_ns'], found['received_ns'], found['frame']) == (7, 100, 0)
        np.testing.assert_array_equal([found[f'wrist_{axis}_m'] for axis in 'xyz'], hand.wrist_m)
        turn = [found[f'wrist_q{axis}'] for axis in 'xyzw']
        np.testing.assert_array_equal(turn, hand.wrist_quaternion_xyzw)
        corners = [found[f'box_{name}_px'] for name in ('x1', 'y1', 'x2', 'y2')]
        assert tuple(corners) == hand.box.corners
        for name, values in {
            'joints_m': hand.joints_m,
            'raw_joints_m': (followed.raw.right, followed.raw.left)[row].joints_m,
            'joints_image_px': hand.joints_image_px,
            'pose_rad': hand.pose,
            'betas': hand.betas,
        }.items():
            np.testing.assert_array_equal(found[name], values.ravel().astype(np.float32))
        assert found['hand_scale'] == 1.25
        ray = hand.wrist_m / np.linalg.norm(hand.wrist_m)
        std_m = math.sqrt(ray @ hand.wrist_covariance_m2 @ ray)
        assert found['wrist_std_m'] == pytest.approx(std_m)
        assert found['left_from_right_x_m'] == pytest.approx(0.2)
        assert found['disagreement_m'] == 0.0625


def test_a_hand_that_is_not_tracked_is_nan_with_a_reason(tmp_path):
    followed = Followed(some_two_hands(Side.LEFT), lambda: some_two_hands(Side.RIGHT))
    table = write(tmp_path, followed)
    assert table['tracked'].tolist() == [False, True]
    assert table['reason'].tolist() == ['low_score', '']
    assert table['score'].tolist() == [0.125, 0.75]
    assert table['depth_source'].tolist() == [0, 1]
    numbers = {'stamp_ns', 'received_ns', 'frame', 'side', 'tracked', 'reason', 'score'}
    said = numbers | {'depth_source', 'interacting', 'detected', 'raw_joints_m'}
    for name in table.keys() - said:
        assert np.isnan(table[name][0]).all(), name
    assert np.isfinite(table['raw_joints_m'][0]).all()
    assert np.isnan(table['raw_joints_m'][1]).all()
    assert np.isnan(table['left_from_right_x_m'][1]), 'both have to be there'


def test_rows_come_in_groups_so_that_memory_is_bounded(tmp_path):
    followed = some_followed(*Side)
    write(tmp_path, *[followed] * 1500)
    stored = pq.ParquetFile(tmp_path / 'hands.parquet').metadata
    assert [stored.row_group(n).num_rows for n in range(stored.num_row_groups)] == [2048, 952]


def test_of_a_frame_that_was_added_nothing_but_its_numbers_is_kept(tmp_path):
    with write_table(tmp_path / 'hands.parquet') as table:
        frame = SeenFrame(0, 100, some_followed(*Side))
        followed = weakref.ref(frame.followed)  # knows the picture, to place its raw hands
        table.add(frame)
        del frame
        assert followed() is None


def test_the_series_of_the_report_is_read_from_it(tmp_path):
    write(tmp_path, *(some_followed(*Side, stamp_ns=ns, seed=ns) for ns in (1, 2, 3)))
    series = read_series(tmp_path / 'hands.parquet')
    assert series.stamps_ns.tolist() == [1, 2, 3]
    assert series.right.tracked.all()


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    with pytest.raises(AssetError, match='cannot write hands'), write_table(tmp_path / 'no/hands'):
        pass


def test_an_error_on_the_way_is_passed_on(tmp_path):
    with pytest.raises(KeyError, match='mine'), write_table(tmp_path / 'hands'):
        raise KeyError('mine')
