from drawn_series import columns_of, draw_joints, draw_series, write_table
from interwild_ros.bag.least_certain import least_certain, least_certain_frames
from interwild_ros.bag.series_file import read_series
import numpy as np
import pytest


def series_with(folder, tracked=None, **changed):
    """Return two calm hands over 10 s, where some numbers of the right hand stand out."""
    columns = columns_of(draw_joints(300), tracked=tracked)
    columns |= {'score': np.full(600, 0.9), 'wrist_std_m': np.full(600, 0.01)}
    columns['reprojection_error_px'] = np.full(600, 1.0)
    for name, (frame, value) in changed.items():
        columns[name][2 * frame] = value
    return read_series(write_table(folder / 'hands.parquet', columns))


@pytest.mark.parametrize(
    ('column', 'value', 'why'),
    [
        ('reprojection_error_px', 9.0, 'largest reprojection error, right'),
        ('score', 0.3, 'lowest score, right'),
        ('wrist_std_m', 0.2, 'largest deviation, right'),
    ],
)
def test_what_stands_out_is_chosen_for_its_reason(tmp_path, column, value, why):
    series = series_with(tmp_path, **{column: (150, value)})
    chosen = {frame.why: frame.row for frame in least_certain_frames(series, 8)}
    assert chosen[why] == 150


def test_the_frame_in_which_a_hand_is_lost_is_chosen(tmp_path):
    tracked = np.ones((300, 2), bool)
    tracked[140:160, 1] = False
    series = series_with(tmp_path, tracked=tracked)
    chosen = {frame.why: frame.row for frame in least_certain_frames(series, 8)}
    assert chosen['lost, left'] == 140


def test_chosen_frames_are_a_quarter_of_a_second_apart(tmp_path):
    series = draw_series(tmp_path, draw_joints(300))
    frames = least_certain_frames(series, 12)
    times = np.sort(series.times_sec[[frame.row for frame in frames]])
    assert len(frames) == 12
    assert (np.diff(times) >= 0.25).all()


def test_a_short_series_has_fewer(tmp_path):
    series = draw_series(tmp_path, draw_joints(10))
    assert len(least_certain(series, 12)) == 1
    assert least_certain(draw_series(tmp_path, draw_joints(0)), 12) == ()


def test_the_stamps_are_those_of_the_frames(tmp_path):
    series = draw_series(tmp_path, draw_joints(120))
    frames = least_certain_frames(series, 5)
    assert least_certain(series, 5) == tuple(series.stamps_ns[[f.row for f in frames]])


def test_where_no_hand_is_ever_tracked_nothing_is_uncertain(tmp_path):
    series = draw_series(tmp_path, draw_joints(30), tracked=np.zeros((30, 2), bool))
    assert least_certain(series, 3) == ()
