from camera_bags import add_frames, camera_bag, IMAGE, INFO, info, picture, stamps
from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.ordered import camera_times, in_order, times_of
from interwild_ros.bag.plan import entry_of, header_stamp_ns, plan_of
from interwild_ros.bag.sturdy import open_sturdy
from interwild_ros.errors import AssetError
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

CAMERA = CameraTopics(IMAGE, INFO)


def plan_and_pictures(path, **options):
    with open_sturdy(path) as bag:
        plan = plan_of(camera_times(CAMERA, times_of(bag, (CAMERA,))), depth_slop_ns=0)
        return plan, list(in_order(bag, CAMERA, plan, **options))


def write_shuffled(path, count, seed=0):
    order = np.random.default_rng(seed).permutation(count)
    wanted = stamps(count)
    with camera_bag(path) as bag:
        for arrival, index in enumerate(order):
            bag.add(IMAGE, picture(wanted[index], index), arrival)
        for arrival, index in enumerate(order[::-1], count):
            bag.add(INFO, info(wanted[index]), arrival)
    return order


@pytest.mark.parametrize('kept_bytes', [0, 100_000, 10**9])
def test_any_order_comes_out_right_with_any_memory(kept_bytes, tmp_path):
    order = write_shuffled(tmp_path / 'bag', 12)
    _, found = plan_and_pictures(tmp_path / 'bag', kept_bytes=kept_bytes)
    assert [picture.stamp_ns for picture in found] == stamps(12)
    assert [header_stamp_ns(picture.image.data) for picture in found] == stamps(12)
    assert [header_stamp_ns(picture.info.data) for picture in found] == stamps(12)
    assert [picture.number for picture in found] == np.argsort(order).tolist()


def test_an_info_that_holds_for_many_pictures_comes_with_each(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(3), info_topic='')
        bag.add(INFO, info(1), 10**15)
    plan, found = plan_and_pictures(tmp_path / 'bag', kept_bytes=0)
    assert plan.early == 0
    assert [header_stamp_ns(picture.info.data) for picture in found] == [1] * 3


def test_the_bag_is_read_no_further_than_needed(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(3))
    with open_sturdy(tmp_path / 'bag') as bag:
        times = camera_times(CAMERA, times_of(bag, (CAMERA,)))
        plan = plan_of(times, depth_slop_ns=0)
        read = []
        messages = bag.messages
        bag.messages = lambda *what: (read.append(m) or m for m in messages(*what))
        next(in_order(bag, CAMERA, plan))
        assert len(read) == 2


def identity(pictures):
    return [
        (p.number, p.stamp_ns, p.image.data, p.info and p.info.data, p.info_number)
        for p in pictures
    ]


@pytest.mark.parametrize('storage', list(StoragePlugin))
@pytest.mark.parametrize('rows', [(0, 3), (4, 9), (11, 12)])
def test_a_part_that_is_read_from_its_entry_is_that_of_the_whole(tmp_path, storage, rows):
    with camera_bag(tmp_path / 'bag', storage=storage) as bag:
        add_frames(bag, stamps(12))
    plan, whole = plan_and_pictures(tmp_path / 'bag')
    with open_sturdy(tmp_path / 'bag') as bag:
        times = camera_times(CAMERA, times_of(bag, (CAMERA,)))
        part = plan.rows(*rows)
        entry = entry_of(part, CAMERA, times)
        assert entry.at[IMAGE] == rows[0]
        found = list(in_order(bag, CAMERA, part, entry=entry))
    assert identity(found) == identity(whole[slice(*rows)])


def test_reading_begins_where_the_earliest_message_that_is_needed_lies(tmp_path):
    order = write_shuffled(tmp_path / 'bag', 12)
    plan, whole = plan_and_pictures(tmp_path / 'bag')
    with open_sturdy(tmp_path / 'bag') as bag:
        times = camera_times(CAMERA, times_of(bag, (CAMERA,)))
        part = plan.rows(5, 8)
        entry = entry_of(part, CAMERA, times)
        assert entry.received_ns == min(order.tolist().index(index) for index in (5, 6, 7))
        found = list(in_order(bag, CAMERA, part, entry=entry))
    assert identity(found) == identity(whole[5:8])


def test_a_part_without_pictures_has_no_entry(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(2))
    plan, _ = plan_and_pictures(tmp_path / 'bag')
    with open_sturdy(tmp_path / 'bag') as bag:
        times = camera_times(CAMERA, times_of(bag, (CAMERA,)))
    assert entry_of(plan.rows(1, 1), CAMERA, times) is None


def test_a_bag_that_became_another_one_is_told(tmp_path):
    for name, count in (('long', 4), ('short', 2)):
        with camera_bag(tmp_path / name) as bag:
            add_frames(bag, stamps(count))
    plan, _ = plan_and_pictures(tmp_path / 'long')
    with (
        open_sturdy(tmp_path / 'short') as bag,
        pytest.raises(AssetError, match='has changed while it was read'),
    ):
        list(in_order(bag, CAMERA, plan))


def test_a_topic_without_a_message_has_no_times(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(2), info_topic='')
    with open_sturdy(tmp_path / 'bag') as bag:
        times = camera_times(CameraTopics(IMAGE), times_of(bag, (CameraTopics(IMAGE),)))
    assert (len(times.images), len(times.infos), len(times.depths)) == (2, 0, 0)
    assert times.images.size_bytes > 2 * 3 * 160 * 120
