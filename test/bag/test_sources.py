from drawn_series import columns_of, draw_joints, write_output
from interwild_ros.bag.sources import Kind, open_source, read_truth
from interwild_ros.errors import AssetError
from interwild_ros.imaging.demo_clip import TRUTH_FILE, write_demo_clip
from interwild_ros.records import Side
import numpy as np
import pytest

STAMPS = np.arange(4) * 33_000_000


def write_truth(path, **changed):
    arrays = {'joints_m': draw_joints(4), 'stamps_ns': STAMPS, 'visible': np.ones((4, 2), bool)}
    arrays |= changed
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def test_a_folder_of_an_analysis_and_its_table_are_the_same(tmp_path):
    folder = write_output(tmp_path / 'out', columns_of(draw_joints(5)))
    one, other = open_source(folder), open_source(folder / 'hands.parquet')
    assert one.kind is other.kind is Kind.ANALYSIS
    np.testing.assert_array_equal(one.joints_m, other.joints_m)
    np.testing.assert_array_equal(one.series.left.pinch_m, other.series.left.pinch_m)


def test_a_bag_is_a_recording_and_so_is_its_file(small_bag):
    (file,) = small_bag.glob('*.mcap')
    for path in (small_bag, file):
        source = open_source(path)
        assert source.kind is Kind.RECORDING
        assert source.has_arrivals
        assert len(source.series) == 3


def test_the_truth_of_the_demo_clip_has_times_but_no_stamps(tmp_path):
    write_demo_clip(tmp_path / 'clip', frames=3, size=(64, 48))
    source = open_source(tmp_path / 'clip' / TRUTH_FILE)
    assert source.kind is Kind.TRUTH
    assert not source.has_stamps
    assert not source.has_arrivals
    with np.load(tmp_path / 'clip' / TRUTH_FILE) as truth:
        for side in Side:
            hand = source.series.of(side)
            np.testing.assert_array_equal(hand.tracked, truth['visible'][:, side])
            seen = source.joints_m[hand.tracked, side]
            np.testing.assert_array_equal(seen, truth['joints_m'][hand.tracked, side])


def test_a_truth_with_stamps_is_put_in_their_order(tmp_path):
    path = write_truth(tmp_path / 't.npz', stamps_ns=STAMPS[[0, 2, 1, 3]])
    source = read_truth(path)
    assert source.has_stamps
    assert source.series.frames.tolist() == [0, 2, 1, 3]
    between = source.series.left.wrist_m - source.series.right.wrist_m
    np.testing.assert_array_equal(source.series.left_from_right_m, between)


def test_joints_that_are_nan_or_out_of_sight_are_no_hand(tmp_path):
    joints = draw_joints(4)
    joints[1, 0, 5] = np.nan
    visible = np.array([[1, 0], [1, 1], [1, 1], [1, 1]], bool)
    source = read_truth(write_truth(tmp_path / 't.npz', joints_m=joints, visible=visible))
    assert source.series.right.tracked.tolist() == [True, False, True, True]
    assert source.series.left.tracked.tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ('changed', 'match'),
    [
        ({'stamps_ns': None}, 'wanted joints_m and stamps_ns or offsets_ns'),
        ({'joints_m': None}, 'it holds stamps_ns, visible, wanted joints_m'),
        ({'joints_m': np.zeros((4, 21, 3))}, r'joints_m has shape \(4, 21, 3\)'),
        ({'visible': np.ones(4)}, r'visible has shape \(4,\)'),
    ],
)
def test_a_truth_of_another_form_is_refused(tmp_path, changed, match):
    with pytest.raises(AssetError, match=match):
        open_source(write_truth(tmp_path / 't.npz', **changed))


def test_a_damaged_truth_is_refused(tmp_path):
    path = tmp_path / 't.npz'
    path.write_bytes(b'PK\x03\x04 and nothing more')
    with pytest.raises(AssetError, match='cannot read the truth'):
        open_source(path)


def test_a_path_that_leads_nowhere_is_named(tmp_path):
    with pytest.raises(AssetError, match=r'there is no .*nowhere'):
        open_source(tmp_path / 'nowhere')


@pytest.mark.parametrize('name', ['film.mp4', 'notes.txt'])
def test_what_is_no_source_says_what_would_be(tmp_path, name):
    (tmp_path / name).write_bytes(b'x')
    with pytest.raises(AssetError, match='wanted a folder of `interwild analyze`'):
        open_source(tmp_path / name)


def test_a_folder_above_several_cameras_names_them(tmp_path):
    for camera in ('front', 'back'):
        write_output(tmp_path / 'out' / 'bag' / camera, columns_of(draw_joints(2)))
    with pytest.raises(AssetError, match=r'holds 2 of them, name one: .*back, .*front'):
        open_source(tmp_path / 'out')


def test_an_unknown_topic_of_a_bag_is_named(small_bag):
    with pytest.raises(AssetError, match='has no topic /nope'):
        open_source(small_bag, topic='/nope')
