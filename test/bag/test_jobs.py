"""Whole bags analysed: what goes in, what comes out, and that it is always the same."""

import resource
import shutil

from analyses import analyse, bytes_of, table_of
from camera_bags import (
    add_frames,
    camera_bag,
    compressed,
    DEPTH,
    depth,
    IMAGE,
    INFO,
    info,
    picture,
    stamps,
    write_camera_bag,
    write_split_bag,
)
from interwild_ros.bag.cameras import Wanted
from interwild_ros.bag.jobs import named_bags
from interwild_ros.bag.read import open_bag
from interwild_ros.errors import AssetError
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

CAMERA = 'cam.image'
FILES = {'hands.mcap', 'hands.parquet', 'summary.json', 'report.html'}


@pytest.fixture(scope='module')
def reference(tmp_path_factory):
    """The result of a bag of six frames, and what is in it."""
    place = tmp_path_factory.mktemp('reference')
    (outcome,) = analyse(write_camera_bag(place / 'bag'), out=place / 'out')
    return outcome.folder, outcome.summary, table_of(outcome.folder)


def assert_same_hands(found, wanted):
    assert found.keys() == wanted.keys()
    for name in found.keys() - {'received_ns', 'frame'}:
        np.testing.assert_array_equal(found[name], wanted[name], err_msg=name)


def test_a_result_is_a_bag_a_table_and_a_summary_in_the_folder_of_the_camera(reference):
    folder, summary, table = reference
    assert folder.parts[-3:] == ('out', 'bag', CAMERA)
    assert {file.name for file in folder.iterdir()} >= FILES
    assert [p.name for p in folder.parent.iterdir()] == [CAMERA], 'something was left beside it'
    assert summary['frames'] == {
        'in': 6,
        'analysed': 6,
        'skipped': {},
        'calibrated': 6,
        'nominal': 0,
        'with_depth': 0,
    }
    assert summary['rate_hz'] == pytest.approx(1e9 / 33e6, abs=1e-3)
    assert summary['gaps'] == []
    assert summary['damage'] == []
    assert summary['tracked']['both'] == 6
    assert summary['settings']['follow'] is False
    assert summary['assets']['weights'] == 'rule-made'
    assert table['stamp_ns'].tolist() == [s for s in stamps(6) for _ in range(2)]
    assert table['side'].tolist() == ['right', 'left'] * 6
    assert table['tracked'].all()


@pytest.mark.parametrize('storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_split_files_of_any_storage_give_the_same_hands(storage, reference, tmp_path):
    bag = write_split_bag(tmp_path / 'bag', (2, 4), storage=storage)
    (outcome,) = analyse(bag, out=tmp_path)
    assert_same_hands(table_of(outcome.folder), reference[2])


def test_compressed_pictures_without_loss_give_the_same_hands(reference, tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(6), image=f'{IMAGE}/compressed', is_compressed=True)
    (outcome,) = analyse(tmp_path / 'bag', out=tmp_path / 'out')
    assert outcome.folder.name == 'cam.image.compressed'
    assert_same_hands(table_of(outcome.folder), reference[2])


def test_two_runs_leave_the_same_bytes(reference, tmp_path):
    folder = reference[0]
    (again,) = analyse(folder.parents[2] / 'bag', out=tmp_path)
    assert bytes_of(again.folder) == bytes_of(folder)


def test_frames_out_of_order_give_the_hands_of_frames_in_order(reference, tmp_path):
    order = [3, 0, 5, 1, 2, 4]
    with camera_bag(tmp_path / 'bag') as bag:
        for arrival, index in enumerate(order):
            stamp_ns = stamps(6)[index]
            bag.add(IMAGE, picture(stamp_ns, index), arrival)
            bag.add(INFO, info(stamp_ns), arrival)
    (outcome,) = analyse(tmp_path / 'bag', out=tmp_path)
    table = table_of(outcome.folder)
    assert_same_hands(table, reference[2])
    assert table['frame'][::2].tolist() == np.argsort(order).tolist()
    assert '4 pictures are out of the order of their stamps' in outcome.summary['warnings']


def test_a_stamp_that_comes_again_is_skipped_and_counted(reference, tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(6))
        add_frames(bag, stamps(6)[2:4], first_seed=50)
    (outcome,) = analyse(tmp_path / 'bag', out=tmp_path)
    assert outcome.summary['frames']['skipped'] == {'repeated_stamp': 2}
    assert outcome.summary['frames']['in'] == 8
    assert_same_hands(table_of(outcome.folder), reference[2])


def test_every_camera_of_a_bag_is_analysed_by_itself(reference, tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(3), first_seed=30, image='/left/image', info_topic='')
        add_frames(bag, stamps(6))
    left, cam = sorted(analyse(tmp_path / 'bag', out=tmp_path), key=lambda o: o.folder.name)[::-1]
    assert [left.folder.name, cam.folder.name] == ['left.image', CAMERA]
    assert left.summary['frames']['nominal'] == 3
    assert_same_hands(table_of(cam.folder), reference[2])
    (alone,) = analyse(tmp_path / 'bag', out=tmp_path / 'x', wanted=Wanted(images=(IMAGE,)))
    assert bytes_of(alone.folder) == bytes_of(cam.folder)


def test_without_camera_info_places_are_nominal_and_that_is_said(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(2), info_topic='')
    (outcome,) = analyse(tmp_path / 'bag', out=tmp_path)
    assert outcome.summary['frames']['nominal'] == 2
    assert any('no CameraInfo belongs to' in text for text in outcome.summary['warnings'])
    assert set(table_of(outcome.folder)['depth_source']) == {2}


def test_intrinsics_that_change_are_honoured(tmp_path):
    (first, second), (wide, tele) = stamps(2), (100.0, 200.0)

    def hands(name, *infos):
        with camera_bag(tmp_path / name) as bag:
            for received_ns, (stamp_ns, focal_px) in enumerate(infos):
                bag.add(INFO, info(stamp_ns, focal_px=focal_px), received_ns)
            add_frames(bag, [first, second], info_topic='')
        (outcome,) = analyse(tmp_path / name, out=tmp_path / 'out')
        return table_of(outcome.folder)['joints_m']

    changing = hands('changing', (second - 1, tele), (first, wide))
    of_wide, of_tele = hands('wide', (first, wide)), hands('tele', (first, tele))
    np.testing.assert_array_equal(changing, np.concatenate([of_wide[:2], of_tele[2:]]))
    assert not np.array_equal(of_wide, of_tele)


def test_depth_is_joined_by_its_stamp(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(3))
        for index in (0, 2):
            bag.add(DEPTH, depth(stamps(3)[index] + 1_000_000, 4.0), stamps(3)[index])
    (without,) = analyse(tmp_path / 'bag', out=tmp_path / 'a')
    assert f'depth on {DEPTH} is not used; --use-depth takes it' in without.summary['warnings']
    (found,) = analyse(tmp_path / 'bag', out=tmp_path / 'b', wanted=Wanted(use_depth=True))
    (named,) = analyse(tmp_path / 'bag', out=tmp_path / 'c', wanted=Wanted(depth=DEPTH))
    assert bytes_of(found.folder) == bytes_of(named.folder)
    assert found.summary['frames']['with_depth'] == 2
    assert '1 pictures have no depth near their stamp' in found.summary['warnings']
    sources = table_of(found.folder)['depth_source'].reshape(3, 2)
    assert set(sources[1]) == {1}
    assert 3 in sources[0]


def test_pictures_that_cannot_be_used_are_skipped_and_counted(tmp_path):
    first, second, third, fourth = stamps(4)
    with camera_bag(tmp_path / 'bag') as bag:
        bag.add(IMAGE, picture(first, 0), 1)
        bag.add(IMAGE, picture(second, 1, encoding='gibberish'), 2)
        bag.add_bytes(IMAGE, 'sensor_msgs/msg/Image', b'\0\1', 3)
        broken = picture(third, 2)
        broken.data = broken.data[:100]
        bag.add(IMAGE, broken, 4)
        bag.add(IMAGE, picture(fourth, 3), 5)
    (outcome,) = analyse(tmp_path / 'bag', out=tmp_path)
    frames = outcome.summary['frames']
    assert (frames['in'], frames['analysed']) == (5, 2)
    assert frames['skipped'] == {'bad_encoding': 1, 'bad_message': 1, 'short_data': 1}
    assert table_of(outcome.folder)['frame'].tolist() == [0, 0, 4, 4]


def test_a_camera_of_which_no_picture_can_be_used_leaves_an_empty_result(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        bag.add(IMAGE, picture(1, 0, encoding='gibberish'), 1)
    (outcome,) = analyse(tmp_path / 'bag', out=tmp_path)
    assert outcome.summary['frames']['analysed'] == 0
    assert outcome.summary['timings']['fps'] is None
    assert len(table_of(outcome.folder)['frame']) == 0
    with open_bag(outcome.folder / 'hands.mcap') as bag:
        assert sum(info.count for info in bag.topics.values()) == 0


def test_everything_readable_of_a_damaged_bag_is_analysed(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 24)
    file = bag / 'bag.mcap'
    with file.open('r+b') as opened:
        opened.truncate(file.stat().st_size * 9 // 24)
    (outcome,) = analyse(bag, out=tmp_path)
    frames = outcome.summary['frames']
    assert frames['in'] == frames['analysed'] >= 7
    assert any('there is no index' in damage['reason'] for damage in outcome.summary['damage'])
    assert any(text.startswith('damaged: bag.mcap') for text in outcome.summary['warnings'])
    (again,) = analyse(bag, out=tmp_path / 'again')
    assert bytes_of(again.folder) == bytes_of(outcome.folder)


def test_pictures_are_written_into_the_bag_where_that_is_wanted(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 3)
    (outcome,) = analyse(bag, out=tmp_path, with_images=True)
    with open_bag(outcome.folder / 'hands.mcap') as found, open_bag(bag) as recorded:
        pictures = [p.value for p in found.pictures(IMAGE)]
        for ours, theirs in zip(pictures, recorded.pictures(IMAGE), strict=True):
            np.testing.assert_array_equal(ours, theirs.value)
        assert len(list(found.answered())) == 3


def test_a_finished_result_is_left_be_and_any_other_is_made_anew(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 1)
    out = tmp_path / 'out'

    def was_there(**options):
        (outcome,) = analyse(bag, out=out, resume=True, **options)
        return outcome.was_there

    assert not was_there()
    assert was_there()
    assert not was_there(settings={'min_score': 0.01})
    assert was_there(settings={'min_score': 0.01})
    assert was_there(settings={'min_score': 0.01, 'silence_sec': 1.0}), 'this is of the node alone'
    assert not was_there(with_images=True)
    assert not was_there()
    (out / 'bag' / CAMERA / 'hands.parquet').unlink()
    assert not was_there()
    (out / 'bag' / CAMERA / 'summary.json').write_text('{"half of it')
    assert not was_there()
    shutil.rmtree(bag)
    write_camera_bag(bag, 2)
    assert not was_there()


def test_without_resume_a_result_is_made_anew(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 1)
    assert [o.was_there for _ in range(2) for o in analyse(bag, out=tmp_path)] == [False, False]


def test_a_bag_without_pictures_says_what_is_in_it(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        bag.add(INFO, info(1), 1)
    with pytest.raises(AssetError, match=r'no pictures of a camera; it holds /cam/camera_info \('):
        analyse(tmp_path / 'bag', out=tmp_path)


def test_of_several_bags_all_are_looked_at_before_any_is_worked_on(tmp_path):
    good = write_camera_bag(tmp_path / 'good', 2)
    with pytest.raises(AssetError, match='absent does not exist'):
        analyse(good, tmp_path / 'absent', out=tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_what_cannot_be_written_to_is_refused_before_any_work(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 2)
    (tmp_path / 'file').touch()
    with pytest.raises(AssetError, match='cannot write to'):
        analyse(bag, out=tmp_path / 'file' / 'out')


def test_pictures_that_do_not_fit_on_the_disk_are_refused_before_any_work(tmp_path, monkeypatch):
    bag = write_camera_bag(tmp_path / 'bag', 2)
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage)
    with pytest.raises(AssetError, match='leave out --with-images'):
        analyse(bag, out=tmp_path, with_images=True)
    (outcome,) = analyse(bag, out=tmp_path)
    assert outcome.summary['frames']['analysed'] == 2


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 6)
    (before,) = analyse(bag, out=tmp_path / 'out', wanted=Wanted(images=(IMAGE,)))
    kept = bytes_of(before.folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(AssetError, match=r'cannot write .*: .*File too large'):
            analyse(bag, out=tmp_path / 'out', settings={'min_score': 0.01})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in before.folder.parent.iterdir()] == [CAMERA]
    assert bytes_of(before.folder) == kept


def test_bags_are_called_as_their_folders_and_if_need_be_as_those_above(tmp_path):
    places = ('a/bag', 'b/bag', 'b/other')
    paths = [tmp_path / place for place in places]
    for path in paths:
        path.mkdir(parents=True)
    (tmp_path / 'single_0.db3').touch()
    paths.append(tmp_path / 'single_0.db3')
    assert [b.name for b in named_bags(paths)] == ['a.bag', 'b.bag', 'other', 'single_0']
    assert len(named_bags([paths[0], paths[0]])) == 1
    for same in ('x/c/bag', 'y/c/bag'):
        (tmp_path / same).mkdir(parents=True)
    with pytest.raises(AssetError, match='would all be called c'):
        named_bags([tmp_path / 'x/c/bag', tmp_path / 'y/c/bag'])


def test_pictures_without_stamps_come_in_the_order_of_their_arrival(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        for index in range(3):
            bag.add(f'{IMAGE}/compressed', compressed(0, index), 100 + index)
    (outcome,) = analyse(tmp_path / 'bag', out=tmp_path)
    assert table_of(outcome.folder)['stamp_ns'][::2].tolist() == [100, 101, 102]
    assert 'no picture has a stamp: times of arrival are taken' in outcome.summary['warnings']
