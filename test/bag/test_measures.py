from drawn_series import (
    columns_of,
    draw_joints,
    draw_series,
    drop_frames,
    LATENCY_NS,
    START_NS,
    write_table,
)
from interwild_ros.bag import measures
from interwild_ros.bag.measures import MEASURES
from interwild_ros.bag.series_file import read_series
from interwild_ros.records import Side
import numpy as np
import pytest

PERIOD_SEC = 1 / 30


def series_without(folder, joints, frames):
    columns = drop_frames(columns_of(joints), frames)
    return read_series(write_table(folder / 'hands.parquet', columns))


def moving(count, step_m):
    """Return hands that move evenly along x, the fingers as they are."""
    joints = np.repeat(draw_joints(1), count, axis=0)
    joints[..., 0] += step_m * np.arange(count)[:, None, None]
    return joints


def test_every_measure_says_what_it_is():
    for name, measure in MEASURES.items():
        assert measure.title, name
        assert measure.definition.endswith('.'), name


def test_the_rate_is_that_of_the_stamps(tmp_path):
    figures = measures.measure(draw_series(tmp_path, draw_joints(91)))
    assert figures.rate_hz == pytest.approx(30.0, abs=1e-3)
    assert figures.duration_sec == pytest.approx(3.0, abs=1e-3)
    assert figures.gaps == 0
    assert figures.longest_gap_sec is None


def test_frames_of_all_windows_are_all_frames_but_those_after_the_last_window(tmp_path):
    series = series_without(tmp_path, draw_joints(100), [40, 41, 70])
    middles, rates = measures.rate_over_time(series)
    assert middles.tolist() == [0.5, 1.5, 2.5]
    assert rates.sum() == (series.times_sec < 3).sum()


def test_a_gap_reaches_from_the_frame_before_to_the_frame_after(tmp_path):
    (gap,) = measures.gap_spans(series_without(tmp_path, draw_joints(20), [7, 8, 9]))
    assert gap.start_sec == pytest.approx(6 * PERIOD_SEC, abs=1e-6)
    assert gap.duration_sec == pytest.approx(4 * PERIOD_SEC, abs=1e-6)


def test_latency_is_arrival_minus_stamp(tmp_path):
    found = measures.latency_ms(draw_series(tmp_path, draw_joints(10)))
    assert (found >= LATENCY_NS / 1e6).all()
    assert (found <= LATENCY_NS / 1e6 + 4).all()


@pytest.mark.parametrize('later_sec', [-3600, 3600])
def test_clocks_that_differ_tell_no_latency(tmp_path, later_sec):
    stamps = START_NS + later_sec * 10**9 + np.arange(10) * 33_000_000
    columns = columns_of(draw_joints(10))
    columns['stamp_ns'] = np.repeat(stamps, 2)
    series = read_series(write_table(tmp_path / 'hands.parquet', columns))
    assert measures.latency_ms(series) is None
    assert measures.measure(series).latency_ms is None


def test_presence_counts_coming_and_going(tmp_path):
    tracked = np.ones((10, 2), bool)
    tracked[:, 0] = [0, 1, 1, 0, 0, 1, 0, 1, 1, 1]
    series = draw_series(tmp_path, draw_joints(10), tracked=tracked)
    right, left = map(measures.presence, series.hands)
    assert (right.tracked_share, right.appearances, right.losses) == (0.6, 3, 2)
    assert right.absent == {'not_found': 4}
    assert (left.tracked_share, left.appearances, left.losses, left.absent) == (1, 1, 0, {})


def test_spans_are_as_long_as_the_frames_that_they_hold(tmp_path):
    tracked = np.ones((10, 2), bool)
    tracked[:, 0] = [0, 1, 1, 0, 0, 1, 0, 1, 1, 1]
    series = draw_series(tmp_path, draw_joints(10), tracked=tracked)
    spans = measures.present_spans(series, Side.RIGHT)
    starts = [round(span.start_sec / PERIOD_SEC) for span in spans]
    assert starts == [1, 5, 7]
    lengths = [round(span.duration_sec / PERIOD_SEC) for span in spans]
    assert lengths == [2, 1, 3]


def test_a_span_ends_where_nothing_is_known(tmp_path):
    series = series_without(tmp_path, draw_joints(40), range(10, 30))
    one, other = measures.present_spans(series, Side.LEFT)
    assert one.end_sec == pytest.approx(10 * PERIOD_SEC, abs=1e-6)
    assert other.start_sec == pytest.approx(30 * PERIOD_SEC, abs=1e-6)


def test_even_motion_has_its_speed_everywhere_and_no_jitter(tmp_path):
    series = draw_series(tmp_path, moving(30, 0.01), raw_noise_m=0)
    speeds = measures.speed_m_s(series, Side.RIGHT)
    assert np.isnan(speeds[0])
    np.testing.assert_allclose(speeds[1:], 0.3, rtol=1e-5)
    assert measures.path_length_m(series, Side.RIGHT) == pytest.approx(0.29)
    assert measures.jitter_mm(series, series.right.bends_m) == pytest.approx(0, abs=1e-3)


def test_speed_over_a_missing_frame_is_that_of_the_longer_time(tmp_path):
    series = series_without(tmp_path, moving(20, 0.01), [10])
    np.testing.assert_allclose(measures.speed_m_s(series, Side.LEFT)[1:], 0.3, rtol=1e-5)


def test_speed_times_time_is_the_path(tmp_path):
    tracked = np.ones((60, 2), bool)
    tracked[20:25, 0] = False
    series = draw_series(tmp_path, draw_joints(60), tracked=tracked)
    speeds = measures.speed_m_s(series, Side.RIGHT)
    path_m = np.nansum(speeds * series.steps_sec)
    assert path_m == pytest.approx(measures.path_length_m(series, Side.RIGHT))


def test_nothing_is_known_of_the_way_through_a_break(tmp_path):
    series = series_without(tmp_path, moving(40, 0.01), range(10, 30))
    assert measures.path_length_m(series, Side.LEFT) == pytest.approx(0.18)
    assert np.isnan(measures.speed_m_s(series, Side.LEFT)[series.after_break]).all()


def test_repeated_stamps_have_no_speed_and_are_counted(tmp_path):
    stamps = START_NS + np.array([0, 1, 1, 2]) * 33_000_000
    series = draw_series(tmp_path, draw_joints(4), stamps_ns=stamps)
    assert np.isnan(measures.speed_m_s(series, Side.RIGHT)[2])
    assert measures.measure(series).repeated_stamps == 1


def test_distances_do_not_change_when_everything_moves(tmp_path):
    joints = draw_joints(20)
    here = draw_series(tmp_path, joints)
    there = draw_series(tmp_path, joints + np.array([0.3, -0.2, 0.5]))
    np.testing.assert_allclose(
        measures.wrist_distance_m(here), measures.wrist_distance_m(there), rtol=1e-9
    )
    for one, other in zip(here.hands, there.hands, strict=True):
        np.testing.assert_allclose(measures.pinch_mm(one), measures.pinch_mm(other), atol=1e-3)


def test_a_pinch_is_from_the_tip_of_the_thumb_to_that_of_the_index_finger(tmp_path):
    joints = draw_joints(3)
    joints[:, 0, 8] = joints[:, 0, 4] + np.array([0.0, 0.03, 0.04])
    series = draw_series(tmp_path, joints)
    np.testing.assert_allclose(measures.pinch_mm(series.right), 50.0, atol=1e-3)


def test_the_wrists_are_apart_only_where_both_are_there(tmp_path):
    tracked = np.array([[1, 1], [1, 0], [0, 1]], bool)
    found = measures.wrist_distance_m(draw_series(tmp_path, draw_joints(3), tracked=tracked))
    assert np.isfinite(found).tolist() == [True, False, False]


def test_noise_has_the_jitter_that_theory_says(tmp_path):
    rng = np.random.default_rng(0)
    joints = np.repeat(draw_joints(1), 400, axis=0)
    joints = joints + rng.normal(0, 0.001, joints.shape)
    series = draw_series(tmp_path, joints)
    # the length of three normal numbers of deviation sqrt(6) mm
    wanted = np.sqrt(6) * 2 * np.sqrt(2 / np.pi)
    assert measures.jitter_mm(series, series.left.bends_m) == pytest.approx(wanted, rel=0.02)


def test_raw_hands_are_less_steady_when_noise_is_added(tmp_path):
    figures = measures.measure(draw_series(tmp_path, draw_joints(60), raw_noise_m=0.002))
    for hand in (figures.right, figures.left):
        assert hand.jitter.raw_mm > 5 * hand.jitter.filtered_mm


def test_jitter_does_not_jump_over_a_gap(tmp_path):
    series = series_without(tmp_path, moving(20, 0.01), [10])
    assert measures.jitter_mm(series, series.right.bends_m) == pytest.approx(0, abs=1e-3)
    _, windows = measures.jitter_over_time(series, series.right.bends_m)
    np.testing.assert_allclose(windows, 0, atol=1e-3)


def test_jitter_over_time_tells_when(tmp_path):
    joints = moving(90, 0.0)
    joints[40:50:2] += 0.002
    middles, found = measures.jitter_over_time(
        draw_series(tmp_path, joints), draw_series(tmp_path, joints).right.bends_m
    )
    assert middles.tolist() == [0.5, 1.5, 2.5]
    assert found[1] > 0.1
    assert found[[0, 2]] == pytest.approx(0, abs=1e-3)


def test_without_hands_there_are_no_figures_of_them(tmp_path):
    series = draw_series(tmp_path, draw_joints(30), tracked=np.zeros((30, 2), bool))
    figures = measures.measure(series)
    assert figures.both_share == 0
    assert figures.wrist_distance_m.p50 is None
    for hand in (figures.right, figures.left):
        assert hand.jitter.filtered_mm is None
        assert hand.reprojection_error_px.p50 is None
        assert hand.path_length_m == 0


@pytest.mark.parametrize('count', [0, 1, 2])
def test_series_of_any_length_can_be_measured(tmp_path, count):
    series = draw_series(tmp_path, draw_joints(count))
    figures = measures.measure(series)
    assert figures.frames == count
    assert figures.right.jitter.filtered_mm is None
    assert len(measures.present_spans(series, Side.RIGHT)) == min(1, count)
    measures.rate_over_time(series)
    measures.jitter_over_time(series, series.left.bends_m)
