from dataclasses import replace

from drawn_series import columns_of, draw_joints, draw_series, drop_frames, START_NS, write_table
from interwild_ros.bag.read import open_bag, Received
from interwild_ros.bag.series import read_series, series_of
from interwild_ros.errors import AssetError, InputError
from interwild_ros.records import Side
from interwild_ros.testing.some_hands import some_two_hands
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def received(*stamps_ns, sides=Side):
    return [
        Received(stamp, stamp + 5_000_000, some_two_hands(*sides, stamp_ns=stamp, seed=number))
        for number, stamp in enumerate(stamps_ns)
    ]


def test_a_table_comes_back_as_it_was_written(tmp_path):
    joints = draw_joints(5)
    tracked = np.array([[1, 1], [0, 1], [1, 0], [0, 0], [1, 1]], bool)
    series = draw_series(tmp_path, joints, tracked=tracked)
    assert len(series) == 5
    assert series.stamps_ns[0] == START_NS
    for hand in series.hands:
        there = tracked[:, hand.side]
        np.testing.assert_array_equal(hand.tracked, there)
        np.testing.assert_allclose(hand.joints_m[there], joints[there, hand.side], atol=1e-6)
        np.testing.assert_allclose(hand.wrist_m[there], joints[there, hand.side, 0], atol=1e-12)
        assert np.isnan(hand.joints_m[~there]).all()
        assert np.isnan(hand.wrist_std_m[~there]).all()
        assert set(hand.reasons[there]) <= {''}
        assert set(hand.reasons[~there]) <= {'not_found'}


def test_the_order_of_the_rows_means_nothing(tmp_path):
    columns = columns_of(draw_joints(6))
    mixed = np.random.default_rng(0).permutation(12)
    shuffled = {name: np.asarray(column)[mixed] for name, column in columns.items()}
    one = read_series(write_table(tmp_path / 'a.parquet', columns))
    other = read_series(write_table(tmp_path / 'b.parquet', shuffled))
    np.testing.assert_array_equal(one.frames, other.frames)
    np.testing.assert_array_equal(one.left.joints_m, other.left.joints_m)


def test_stamps_that_fall_are_put_in_order(tmp_path):
    stamps = START_NS + np.array([0, 2, 1, 3]) * 10_000_000
    series = draw_series(tmp_path, draw_joints(4), stamps_ns=stamps)
    assert series.frames.tolist() == [0, 2, 1, 3]
    assert (np.diff(series.stamps_ns) > 0).all()


def test_a_table_without_rows_is_a_series_without_frames(tmp_path):
    series = draw_series(tmp_path, draw_joints(0))
    assert len(series) == 0
    assert series.times_sec.shape == series.steps_sec.shape == series.after_gap.shape == (0,)


def test_lists_that_are_null_or_empty_are_nan(tmp_path):
    columns = columns_of(draw_joints(2))
    lists = [list(row) for row in columns['raw_joints_m']]
    columns['raw_joints_m'] = [None, [], *lists[2:]]
    path = write_table(tmp_path / 'hands.parquet', columns)
    series = read_series(path)
    assert np.isnan(series.right.raw_joints_m[0]).all()
    assert np.isnan(series.left.raw_joints_m[0]).all()
    assert np.isfinite(series.right.raw_joints_m[1]).all()


def test_lists_of_fixed_size_are_read_too(tmp_path):
    path = write_table(tmp_path / 'hands.parquet', columns_of(draw_joints(3)))
    table = pq.read_table(path)
    at = table.column_names.index('joints_m')
    fixed = table.set_column(
        at, 'joints_m', table.column('joints_m').cast(pa.list_(pa.float32(), 63))
    )
    pq.write_table(fixed, tmp_path / 'fixed.parquet')
    np.testing.assert_array_equal(
        read_series(tmp_path / 'fixed.parquet').left.joints_m, read_series(path).left.joints_m
    )


def test_a_missing_column_is_named(tmp_path):
    path = write_table(tmp_path / 'hands.parquet', columns_of(draw_joints(2)))
    pq.write_table(pq.read_table(path).drop(['score', 'joints_m']), path)
    with pytest.raises(AssetError, match='lacks the columns joints_m, score'):
        read_series(path)


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


def test_a_missing_frame_is_a_gap_and_many_are_a_break(tmp_path):
    columns = drop_frames(columns_of(draw_joints(40)), [5, *range(20, 30)])
    series = read_series(write_table(tmp_path / 'hands.parquet', columns))
    assert series.frames[series.after_gap].tolist() == [6, 30]
    assert series.frames[series.after_break].tolist() == [30]
    assert series.median_step_sec == pytest.approx(1 / 30, rel=1e-6)


def test_recorded_hands_become_a_series(small_bag):
    with open_bag(small_bag) as bag:
        messages = list(bag.two_hands())
        series = series_of(messages)
    assert len(series) == len(messages)
    for row, message in enumerate(messages):
        assert series.stamps_ns[row] == message.stamp_ns
        assert series.received_ns[row] == message.received_ns
        tracked = [bool(hand.tracked[row]) for hand in series.hands]
        assert tracked == [side in [h.side for h in message.value.hands] for side in Side]
        for hand in message.value.hands:
            np.testing.assert_allclose(series.of(hand.side).joints_m[row], hand.joints_m)


def test_messages_that_arrive_out_of_order_are_put_in_order():
    series = series_of(received(30, 10, 20))
    assert series.stamps_ns.tolist() == [10, 20, 30]
    assert series.frames.tolist() == [1, 2, 0]


def test_what_a_message_does_not_say_is_nan():
    (message,) = received(7)
    right, _ = message.value.hands
    bare = replace(message.value, right=replace(right, wrist_covariance_m2=None))
    series = series_of([replace(message, value=bare)])
    assert np.isnan(series.right.wrist_std_m[0])
    assert series.left.wrist_std_m[0] > 0
    alone = series_of(received(7, sides=[Side.LEFT]))
    assert np.isnan(alone.left_from_right_m).all()
    assert alone.right.reasons.tolist() == ['low_score']


def test_chosen_rows_are_a_series_of_their_own(tmp_path):
    series = draw_series(tmp_path, draw_joints(6))
    chosen = series.rows(np.array([1, 3]))
    np.testing.assert_array_equal(chosen.stamps_ns, series.stamps_ns[[1, 3]])
    np.testing.assert_array_equal(chosen.left.joints_m, series.left.joints_m[[1, 3]])
    with pytest.raises(InputError, match='stamps of a series fall'):
        series.rows(np.array([3, 1]))


def test_arrays_of_another_length_are_refused(tmp_path):
    series = draw_series(tmp_path, draw_joints(4))
    with pytest.raises(InputError, match=r'HandSeries\.wrist_m has shape'):
        replace(series.right, wrist_m=series.right.wrist_m[:3])
