from drawn_series import columns_of, draw_joints, draw_series, START_NS, write_table
from interwild_ros.bag import series_file
from interwild_ros.bag.joint_motion import bends_m, pinches_m
from interwild_ros.bag.series_file import read_joints, read_series
from interwild_ros.errors import AssetError
from interwild_ros.records import Side
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def coming_and_going(count):
    """Return where each hand is tracked, (T, 2)."""
    return np.random.default_rng(5).random((count, 2)) < 0.8


def assert_same_series(one, other):
    for record, like in ((one, other), *zip(one.hands, other.hands, strict=True)):
        for name, array in vars(record).items():
            if isinstance(array, np.ndarray):
                np.testing.assert_array_equal(array, getattr(like, name), err_msg=name)


def test_a_table_comes_back_as_it_was_written(tmp_path):
    joints = draw_joints(5)
    tracked = np.array([[1, 1], [0, 1], [1, 0], [0, 0], [1, 1]], bool)
    series = draw_series(tmp_path, joints, tracked=tracked)
    read = read_joints(tmp_path / 'hands.parquet')
    assert len(series) == len(read) == 5
    assert series.stamps_ns[0] == START_NS
    for hand in series.hands:
        there = tracked[:, hand.side]
        np.testing.assert_array_equal(hand.tracked, there)
        np.testing.assert_allclose(read[there, hand.side], joints[there, hand.side], atol=1e-6)
        np.testing.assert_allclose(hand.wrist_m[there], joints[there, hand.side, 0], atol=1e-12)
        assert np.isnan(read[~there, hand.side]).all()
        assert np.isnan(hand.pinch_m[~there]).all()
        assert np.isnan(hand.wrist_std_m[~there]).all()
        assert set(hand.reasons[there]) <= {''}
        assert set(hand.reasons[~there]) <= {'not_found'}


@pytest.mark.parametrize('rows_at_a_time', [1, 2, 3, 7, 64, 10_000])
@pytest.mark.parametrize('rows_a_group', [1, 5, 1000])
def test_what_is_kept_of_the_joints_does_not_depend_on_how_many_are_read_at_a_time(
    rows_at_a_time, rows_a_group, tmp_path
):
    joints, tracked = draw_joints(40, noise_m=0.001), coming_and_going(40)
    path = write_table(tmp_path / 'hands.parquet', columns_of(joints, tracked=tracked))
    pq.write_table(pq.read_table(path), path, row_group_size=rows_a_group)
    series, whole = read_series(path, rows_at_a_time=rows_at_a_time), read_joints(path)
    for hand in series.hands:
        np.testing.assert_array_equal(hand.pinch_m, pinches_m(whole[:, hand.side]))
        np.testing.assert_array_equal(hand.bends_m, bends_m(whole[:, hand.side]))
        # the raw hand is the tracked one with noise, so it is there in the same frames
        np.testing.assert_array_equal(np.isnan(hand.raw_bends_m), np.isnan(hand.bends_m))
        assert (np.nanmean(hand.raw_bends_m)) > np.nanmean(hand.bends_m)


def test_of_a_long_table_only_some_rows_are_in_memory_at_a_time(tmp_path, monkeypatch):
    path = write_table(tmp_path / 'hands.parquet', columns_of(draw_joints(200)))
    lists, sizes = series_file._lists, []

    def noted(column, name):
        sizes.append(len(column))
        return lists(column, name)

    monkeypatch.setattr(series_file, '_lists', noted)
    read_series(path, rows_at_a_time=32)
    assert max(sizes) == 32
    assert sum(sizes) == 2 * 400


def test_the_order_of_the_rows_means_nothing(tmp_path):
    columns = columns_of(draw_joints(6), tracked=coming_and_going(6))
    mixed = np.random.default_rng(0).permutation(12)
    shuffled = {name: np.asarray(column)[mixed] for name, column in columns.items()}
    paths = write_table(tmp_path / 'a', columns), write_table(tmp_path / 'b', shuffled)
    assert_same_series(*(read_series(path, rows_at_a_time=4) for path in paths))
    np.testing.assert_array_equal(*map(read_joints, paths))


def test_stamps_that_fall_are_put_in_order(tmp_path):
    stamps = START_NS + np.array([0, 2, 1, 3]) * 10_000_000
    series = draw_series(tmp_path, draw_joints(4), stamps_ns=stamps)
    assert series.frames.tolist() == [0, 2, 1, 3]
    assert (np.diff(series.stamps_ns) > 0).all()


def test_a_table_without_rows_is_a_series_without_frames(tmp_path):
    series = draw_series(tmp_path, draw_joints(0))
    assert len(series) == 0
    assert series.times_sec.shape == series.steps_sec.shape == series.after_gap.shape == (0,)
    assert read_joints(tmp_path / 'hands.parquet').shape == (0, 2, 21, 3)


def test_lists_that_are_null_or_empty_are_nan(tmp_path):
    columns = columns_of(draw_joints(3))
    lists = [list(row) for row in columns['joints_m']]
    columns['joints_m'] = [None, [], *lists[2:]]
    joints_m = read_joints(write_table(tmp_path / 'hands.parquet', columns))
    assert np.isnan(joints_m[0]).all()
    assert np.isfinite(joints_m[1:]).all()


def test_lists_of_fixed_size_are_read_too(tmp_path):
    path = write_table(tmp_path / 'hands.parquet', columns_of(draw_joints(5)))
    table = pq.read_table(path)
    fixed = table
    for name in ('joints_m', 'raw_joints_m'):
        column = table.column(name).cast(pa.list_(pa.float32(), 63))
        fixed = fixed.set_column(table.column_names.index(name), name, column)
    pq.write_table(fixed, tmp_path / 'fixed.parquet')
    assert_same_series(
        read_series(tmp_path / 'fixed.parquet', rows_at_a_time=3), read_series(path)
    )


def test_a_missing_column_is_named(tmp_path):
    path = write_table(tmp_path / 'hands.parquet', columns_of(draw_joints(2)))
    pq.write_table(pq.read_table(path).drop(['score', 'joints_m']), path)
    for read in (read_series, read_joints):
        with pytest.raises(AssetError, match='lacks the columns joints_m, score'):
            read(path)


def test_lists_of_another_length_are_refused(tmp_path):
    columns = columns_of(draw_joints(2))
    columns['raw_joints_m'] = [[0.0] * 62] * 4
    with pytest.raises(AssetError, match=r'raw_joints_m holds lists of \[62\] numbers, wanted 63'):
        read_series(write_table(tmp_path / 'hands.parquet', columns))


def test_a_frame_with_one_row_only_is_refused(tmp_path):
    columns = columns_of(draw_joints(3))
    path = write_table(tmp_path / 'h.parquet', {n: np.asarray(c)[1:] for n, c in columns.items()})
    with pytest.raises(AssetError, match='2 rows of right hands and 3 of left'):
        read_series(path)


@pytest.mark.parametrize('content', [b'', b'PAR1 no table', b'\0' * 200])
def test_what_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / 'hands.parquet'
    path.write_bytes(content)
    with pytest.raises(AssetError, match=r'cannot read .*hands\.parquet'):
        read_series(path)


def test_both_hands_have_a_row_a_frame(tmp_path):
    series = draw_series(tmp_path, draw_joints(3))
    for side in Side:
        assert series.of(side).pinch_m.shape == (3,)
