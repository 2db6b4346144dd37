from dataclasses import replace

from drawn_series import columns_of, draw_joints, draw_series, drop_frames, write_table
from interwild_ros.bag.read import open_bag, Received
from interwild_ros.bag.series import joints_of, series_of
from interwild_ros.bag.series_file import read_series
from interwild_ros.errors import InputError
from interwild_ros.records import Side
from interwild_ros.testing.some_hands import some_two_hands
import numpy as np
import pytest


def received(*stamps_ns, sides=Side):
    return [
        Received(stamp, stamp + 5_000_000, some_two_hands(*sides, stamp_ns=stamp, seed=number))
        for number, stamp in enumerate(stamps_ns)
    ]


def test_a_missing_frame_is_a_gap_and_many_are_a_break(tmp_path):
    columns = drop_frames(columns_of(draw_joints(40)), [5, *range(20, 30)])
    series = read_series(write_table(tmp_path / 'hands.parquet', columns))
    assert series.frames[series.after_gap].tolist() == [6, 30]
    assert series.frames[series.after_break].tolist() == [30]
    assert series.median_step_sec == pytest.approx(1 / 30, rel=1e-6)


def test_recorded_hands_become_a_series(small_bag):
    with open_bag(small_bag) as bag:
        messages = list(bag.two_hands())
        series, joints_m = series_of(messages), joints_of(messages)
    assert len(series) == len(joints_m) == len(messages)
    for row, message in enumerate(messages):
        assert series.stamps_ns[row] == message.stamp_ns
        assert series.received_ns[row] == message.received_ns
        tracked = [bool(hand.tracked[row]) for hand in series.hands]
        assert tracked == [side in [h.side for h in message.value.hands] for side in Side]
        for hand in message.value.hands:
            np.testing.assert_allclose(joints_m[row, hand.side], hand.joints_m)
            np.testing.assert_allclose(series.of(hand.side).wrist_m[row], hand.wrist_m)


def test_messages_that_arrive_out_of_order_are_put_in_order():
    messages = received(30, 10, 20)
    series = series_of(messages)
    assert series.stamps_ns.tolist() == [10, 20, 30]
    assert series.frames.tolist() == [1, 2, 0]
    (right, _) = messages[1].value.hands
    np.testing.assert_array_equal(joints_of(messages)[0, Side.RIGHT], right.joints_m)


def test_what_a_message_does_not_say_is_nan():
    (message,) = received(7)
    right, _ = message.value.hands
    bare = replace(message.value, right=replace(right, wrist_covariance_m2=None))
    series = series_of([replace(message, value=bare)])
    assert np.isnan(series.right.wrist_std_m[0])
    assert np.isnan(series.right.raw_bends_m).all()
    assert series.left.wrist_std_m[0] > 0
    alone = series_of(received(7, sides=[Side.LEFT]))
    assert np.isnan(alone.left_from_right_m).all()
    assert alone.right.reasons.tolist() == ['low_score']


def test_chosen_rows_are_a_series_of_their_own(tmp_path):
    series = draw_series(tmp_path, draw_joints(6))
    chosen = series.rows(np.array([1, 3]))
    np.testing.assert_array_equal(chosen.stamps_ns, series.stamps_ns[[1, 3]])
    np.testing.assert_array_equal(chosen.left.pinch_m, series.left.pinch_m[[1, 3]])
    with pytest.raises(InputError, match='stamps of a series fall'):
        series.rows(np.array([3, 1]))


def test_arrays_of_another_length_are_refused(tmp_path):
    series = draw_series(tmp_path, draw_joints(4))
    with pytest.raises(InputError, match=r'HandSeries\.wrist_m has shape'):
        replace(series.right, wrist_m=series.right.wrist_m[:3])
