from pathlib import Path

from drawn_series import columns_of, draw_joints, draw_series, drop_frames, START_NS, write_output
from interwild_ros.bag.comparison import AlignBy, compare, match, totals_of
from interwild_ros.bag.series_file import read_joints
from interwild_ros.bag.sources import Kind, open_source, Source
from interwild_ros.errors import AssetError
from interwild_ros.records import Side
import numpy as np
import pytest

MS = 1_000_000


def source_of(folder, joints, **options):
    series = draw_series(folder, joints, **options)
    return Source(Path(folder), Kind.ANALYSIS, series, read_joints(folder / 'hands.parquet'))


def totals(a, b, **options):
    return totals_of(compare(a, b, **options))


def test_a_result_against_itself_is_all_zero(tmp_path):
    tracked = np.ones((30, 2), bool)
    tracked[5:9, 1] = False
    one = source_of(tmp_path, draw_joints(30), tracked=tracked)
    found = totals(one, one)
    assert found.matched == found.frames_a == found.frames_b == 30
    for hands in (found.right, found.left, found.hands):
        assert hands.mpjpe_mm.mean == hands.mpjpe_mm.largest == 0
        assert hands.wrist_error_mm.mean == 0
        assert hands.presence.f1 == hands.presence.recall == hands.presence.precision == 1
    assert found.mrrpe_mm.mean == 0
    assert found.mrrpe_mm.count == 26
    assert found.latency.difference_ms == 0


def test_repeated_stamps_against_themselves_are_all_matched(tmp_path):
    stamps = START_NS + np.array([0, 1, 1, 1, 2]) * 33 * MS
    one = source_of(tmp_path, draw_joints(5), stamps_ns=stamps)
    comparison = compare(one, one)
    assert comparison.rows_a.tolist() == [0, 1, 2, 3, 4]
    assert totals_of(comparison).hands.wrist_error_mm.largest == 0


def test_a_shift_of_both_hands_is_a_wrist_error_and_nothing_else(tmp_path):
    joints = draw_joints(20)
    found = totals(
        source_of(tmp_path, joints + np.array([0.0, 0.006, 0.008])), source_of(tmp_path, joints)
    )
    assert found.hands.wrist_error_mm.mean == pytest.approx(10, abs=1e-3)
    assert found.hands.wrist_error_mm.largest == pytest.approx(10, abs=1e-3)
    assert found.hands.mpjpe_mm.largest == pytest.approx(0, abs=1e-3)
    assert found.mrrpe_mm.largest == pytest.approx(0, abs=1e-3)


def test_a_shift_of_one_hand_is_an_error_of_where_the_other_one_is(tmp_path):
    joints = draw_joints(20)
    shifted = joints.copy()
    shifted[:, 1, :, 0] += 0.01
    found = totals(source_of(tmp_path, shifted), source_of(tmp_path, joints))
    assert found.mrrpe_mm.mean == pytest.approx(10, abs=1e-3)
    assert found.right.wrist_error_mm.mean == pytest.approx(0, abs=1e-3)
    assert found.left.wrist_error_mm.mean == pytest.approx(10, abs=1e-3)


def test_a_bent_finger_is_an_error_of_the_joints_alone(tmp_path):
    joints = draw_joints(20)
    bent = joints.copy()
    bent[:, 0, 8, 2] += 0.021
    found = totals(source_of(tmp_path, bent), source_of(tmp_path, joints))
    assert found.right.mpjpe_mm.mean == pytest.approx(1, abs=1e-3)
    assert found.right.wrist_error_mm.mean == pytest.approx(0, abs=1e-3)
    assert found.left.mpjpe_mm.mean == 0


def test_distances_are_the_same_seen_from_the_other_side(tmp_path):
    rng = np.random.default_rng(0)
    joints = draw_joints(20)
    one = source_of(tmp_path, joints)
    other = source_of(tmp_path, joints + rng.normal(0, 0.01, joints.shape))
    there, back = totals(one, other), totals(other, one)
    assert there.hands.mpjpe_mm == back.hands.mpjpe_mm
    assert there.mrrpe_mm == back.mrrpe_mm
    assert there.hands.presence.f1 == back.hands.presence.f1


def test_missing_frames_lower_recall_and_nothing_else(tmp_path):
    columns = columns_of(draw_joints(20))
    whole = open_source(write_output(tmp_path / 'whole', columns))
    part = open_source(write_output(tmp_path / 'part', drop_frames(columns, range(5))))
    found = totals(part, whole)
    assert found.matched == 15
    assert found.hands.presence.recall == 0.75
    assert found.hands.presence.precision == 1
    assert found.hands.wrist_error_mm.largest == 0
    assert totals(whole, part).hands.presence.f1 == 1


def test_hands_of_one_alone_count_against_it(tmp_path):
    joints = draw_joints(10)
    of_a, of_b = np.ones((10, 2), bool), np.ones((10, 2), bool)
    of_a[:4, 0] = False
    of_b[8:, 0] = False
    found = totals(
        source_of(tmp_path, joints, tracked=of_a), source_of(tmp_path, joints, tracked=of_b)
    )
    presence = found.right.presence
    assert (presence.both, presence.only_a, presence.only_b) == (4, 2, 4)
    assert presence.precision == pytest.approx(4 / 6, abs=1e-4)
    assert presence.recall == 0.5
    assert presence.f1 == pytest.approx(8 / 14, abs=1e-4)
    assert found.left.presence.f1 == 1


def test_without_any_hand_there_is_no_score(tmp_path):
    empty = source_of(tmp_path, draw_joints(5), tracked=np.zeros((5, 2), bool))
    found = totals(empty, empty)
    assert found.hands.presence.f1 is None
    assert found.hands.mpjpe_mm.mean is None
    assert found.mrrpe_mm.count == 0


def test_latency_that_is_later_is_a_difference(tmp_path):
    columns = columns_of(draw_joints(10))
    early = open_source(write_output(tmp_path / 'early', columns))
    columns['received_ns'] = columns['received_ns'] + 7 * MS
    late = open_source(write_output(tmp_path / 'late', columns))
    assert totals(late, early).latency.difference_ms == pytest.approx(7)
    assert totals(early, late).latency.difference_ms == pytest.approx(-7)


def test_the_truth_has_no_latency_and_is_laid_on_the_start(tmp_path):
    joints = draw_joints(10)
    offsets = 33_333_333 * np.arange(10)
    np.savez(tmp_path / 'truth.npz', joints_m=joints, offsets_ns=offsets)
    truth = open_source(tmp_path / 'truth.npz')
    found = totals(source_of(tmp_path, joints), truth)
    assert found.aligned_by == 'start'
    assert found.latency is None
    assert found.matched == 10
    assert found.hands.wrist_error_mm.largest == pytest.approx(0, abs=1e-3)
    assert found.mrrpe_mm.largest == pytest.approx(0, abs=1e-3)
    with pytest.raises(AssetError, match='holds no stamps'):
        compare(source_of(tmp_path, joints), truth, align_by=AlignBy.STAMPS)


def test_nothing_in_common_says_where_both_are(tmp_path):
    joints = draw_joints(3)
    one = source_of(tmp_path, joints)
    later = source_of(tmp_path, joints, stamps_ns=START_NS + (1000 + np.arange(3)) * 33 * MS)
    with pytest.raises(AssetError, match=r'nothing in common.*within 10 ms.*3 frames from'):
        compare(one, later)
    assert totals(one, later, align_by=AlignBy.START).matched == 3
    with pytest.raises(AssetError, match='has no frames'):
        compare(one, source_of(tmp_path, joints[:0]))


def matched(a_ms, b_ms, tolerance_ms=10):
    a, b = (np.array(stamps, np.int64) * MS for stamps in (a_ms, b_ms))
    return match(a, b, tolerance_ns=tolerance_ms * MS).tolist()


@pytest.mark.parametrize(
    ('a_ms', 'b_ms', 'rows'),
    [
        ([0, 33, 66], [0, 33, 66], [0, 1, 2]),
        ([2, 31, 70], [0, 33, 66], [0, 1, 2]),
        ([0, 66], [0, 33, 66], [0, -1, 1]),
        ([0, 33, 66], [33], [1]),
        ([30], [24, 33], [-1, 0]),  # the nearer one has it
        ([30], [25, 35], [0, -1]),  # the earlier among equals
        ([5], [5], [0]),
        ([100], [5], [-1]),
        ([], [5], [-1]),
        ([5], [], []),
        ([1, 1, 2], [1, 1, 1], [0, 1, -1]),
        ([0, 11], [5], [0]),
    ],
)
def test_frames_are_matched_to_the_nearest_and_each_once(a_ms, b_ms, rows):
    assert matched(a_ms, b_ms) == rows


def test_no_match_is_farther_than_the_tolerance_nor_taken_twice():
    rng = np.random.default_rng(0)
    a, b = (np.sort(rng.integers(0, 100_000, 300)) for _ in range(2))
    rows = match(a, b, tolerance_ns=200)
    found = rows >= 0
    assert found.any()
    assert (np.abs(a[rows[found]] - b[found]) <= 200).all()
    assert len(set(rows[found])) == found.sum()


def test_frames_that_are_not_matched_have_no_distance(tmp_path):
    columns = columns_of(draw_joints(10))
    whole = open_source(write_output(tmp_path / 'whole', columns))
    part = open_source(write_output(tmp_path / 'part', drop_frames(columns, [3])))
    comparison = compare(part, whole)
    lost = ~comparison.matched
    assert np.flatnonzero(lost).tolist() == [3]
    assert np.isnan(comparison.mpjpe_mm[lost]).all()
    assert np.isnan(comparison.mrrpe_mm[lost]).all()
    assert not comparison.tracked_a[lost].any()
    assert comparison.tracked_b[lost, Side.LEFT].all()
