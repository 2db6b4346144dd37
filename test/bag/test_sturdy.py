"""Bags of every kind that rosbag2 leaves, whole and damaged, read without ROS."""

import sqlite3

from camera_bags import (
    add_frames,
    camera_bag,
    IMAGE,
    INFO,
    stamps,
    write_camera_bag,
    write_split_bag,
)
from interwild_ros.bag.plan import header_stamp_ns
from interwild_ros.bag.read import TopicInfo
from interwild_ros.bag.sturdy import DamagedBagError, open_sturdy, storage_files
from interwild_ros.errors import AssetError
import pytest
from rosbags.rosbag2 import CompressionMode, StoragePlugin

MCAP, SQLITE = StoragePlugin.MCAP, StoragePlugin.SQLITE3
NONE, FILE, MESSAGE, STORAGE = (
    CompressionMode.NONE,
    CompressionMode.FILE,
    CompressionMode.MESSAGE,
    CompressionMode.STORAGE,
)
# rosbag2 packs the chunks of mcap; files and messages in both
KINDS = [
    pytest.param(MCAP, NONE, id='mcap'),
    pytest.param(MCAP, STORAGE, id='mcap_packed_chunks'),
    pytest.param(MCAP, FILE, id='mcap_packed_file'),
    pytest.param(MCAP, MESSAGE, id='mcap_packed_messages'),
    pytest.param(SQLITE, NONE, id='sqlite3'),
    pytest.param(SQLITE, FILE, id='sqlite3_packed_file'),
    pytest.param(SQLITE, MESSAGE, id='sqlite3_packed_messages'),
]


def read(path, topics=(IMAGE,)):
    """Return the stamps that can be read, salvaging where that is needed, and the damage."""
    with open_sturdy(path) as bag:
        try:
            found = list(bag.messages(topics))
        except DamagedBagError as error:
            bag.salvage(str(error))
            found = list(bag.messages(topics))
        assert found == list(bag.messages(topics)), 'the second reading differs'
        return [header_stamp_ns(message.data) for message in found], list(bag.damage)


def overwrite(file, at, data):
    with file.open('r+b') as opened:
        opened.seek(at)
        opened.write(data)


def cut(file, share):
    with file.open('r+b') as opened:
        opened.truncate(int(file.stat().st_size * share))


def only_file(bag):
    (file,) = storage_files(bag)
    return file


@pytest.mark.parametrize(('storage', 'compression'), KINDS)
def test_every_storage_and_compression_is_read(storage, compression, tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', storage=storage, compression=compression)
    assert read(bag) == (stamps(6), [])
    with open_sturdy(bag) as opened:
        assert opened.topics == {
            IMAGE: TopicInfo('sensor_msgs/msg/Image', 6),
            INFO: TopicInfo('sensor_msgs/msg/CameraInfo', 6),
        }
        assert opened.is_whole
        assert opened.unknown == {}


@pytest.mark.parametrize('storage', [MCAP, SQLITE])
def test_split_files_are_read_as_one(storage, tmp_path):
    bag = write_split_bag(tmp_path / 'bag', (2, 3, 1), storage=storage)
    assert len(storage_files(bag)) == 3
    assert read(bag) == (stamps(6), [])


@pytest.mark.parametrize('storage', [MCAP, SQLITE])
def test_a_file_by_itself_is_read(storage, tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', storage=storage)
    assert read(only_file(bag)) == (stamps(6), [])


@pytest.mark.parametrize(('storage', 'compression'), KINDS)
def test_a_bag_without_metadata_is_read_from_its_files(storage, compression, tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', storage=storage, compression=compression)
    (bag / 'metadata.yaml').unlink()
    found, damage = read(bag)
    assert found == stamps(6)
    assert 'metadata' in str(damage[0])


def test_files_without_metadata_come_in_the_order_of_their_numbers(tmp_path):
    for number in (0, 2, 10):
        (tmp_path / f'bag_{number}.mcap').touch()
    assert [f.name for f in storage_files(tmp_path)] == ['bag_0.mcap', 'bag_2.mcap', 'bag_10.mcap']


def test_a_missing_file_of_a_split_bag_is_told_and_the_others_are_read(tmp_path):
    bag = write_split_bag(tmp_path / 'bag', (2, 3))
    (bag / 'part_1.mcap').unlink()
    found, damage = read(bag)
    assert found == stamps(5)[:2]
    assert 'part_1.mcap, the whole file: it is not there' in map(str, damage)


@pytest.mark.parametrize('compression', [NONE, STORAGE])
@pytest.mark.parametrize('share', [0.4, 0.75, 0.999])
def test_an_mcap_file_that_was_cut_off_is_read_to_there(share, compression, tmp_path):
    # chunks of a megabyte: 19 pictures each
    bag = write_camera_bag(tmp_path / 'bag', 60, compression=compression)
    cut(only_file(bag), share)
    found, damage = read(bag)
    assert found == stamps(60)[: len(found)]
    whole_chunks = int(60 * share) // 19 * 19
    assert len(found) >= (int(60 * share) - 1 if compression is NONE else whole_chunks)
    assert any('there is no index' in str(d) for d in damage)


def chunks_of(bag):
    with open_sturdy(bag) as opened:
        return sorted(c.chunk_start_offset for c in opened._whole.storage.storages[0].chunks)


def test_a_damaged_chunk_is_left_out_and_told_where(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 60, compression=STORAGE)
    second = chunks_of(bag)[1]
    overwrite(only_file(bag), second + 53, b'\xff' * 8)  # where the packed bytes begin
    found, damage = read(bag)
    assert set(found) < set(stamps(60))
    assert len(found) >= 60 - 19 - 1
    assert found[-1] == stamps(60)[-1]
    assert len(damage) == 2
    assert str(damage[1]).startswith('bag.mcap, ')
    assert f' bytes from {second}: ' in str(damage[1])


def test_where_records_are_lost_reading_goes_on_at_the_next_chunk(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 60, compression=STORAGE)
    first, second, third, *_ = chunks_of(bag)
    overwrite(only_file(bag), first + 53, b'\xff' * 8)  # rosbags alone finds no fault with this:
    overwrite(only_file(bag), second, b'\xff' * 9)
    found, damage = read(bag)
    assert len(found) >= 60 - 2 * 20
    assert found[-1] == stamps(60)[-1]
    lost = f'bag.mcap, {third - second} bytes from {second}: no record of an mcap file'
    assert lost in map(str, damage)


@pytest.mark.parametrize('share', [0.4, 0.75])
def test_an_sqlite3_file_that_was_cut_off_is_read_to_there(share, tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 40, storage=SQLITE)
    cut(only_file(bag), share)
    found, damage = read(bag)
    assert found == stamps(40)[: len(found)]
    assert len(found) >= 40 * share - 3
    assert any('how many messages there were is not known' in str(d) for d in damage)


def test_the_readable_messages_of_a_damaged_sqlite3_file_are_read(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 40, storage=SQLITE)
    file = only_file(bag)
    size = file.stat().st_size
    overwrite(file, size // 2 // 4096 * 4096, b'\xff' * 4096 * 3)
    found, damage = read(bag)
    if damage:  # a page of a picture's pixels says nothing of its damage
        assert set(found) <= set(stamps(40))
    assert len(found) >= 36


def test_a_packed_file_that_was_cut_off_is_read_to_there(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 60, compression=FILE)
    cut(only_file(bag), 0.7)
    found, _ = read(bag)
    assert found == stamps(60)[: len(found)]
    assert len(found) >= 30


def test_messages_that_metadata_promise_are_missed(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag')
    text = (bag / 'metadata.yaml').read_text()
    assert 'message_count: 6' in text
    (bag / 'metadata.yaml').write_text(text.replace('message_count: 6', 'message_count: 9'))
    with open_sturdy(bag) as opened:
        assert opened.topics[IMAGE].count == 9
    assert read(bag)[0] == stamps(6)


def test_an_unknown_message_type_is_named_and_the_others_are_read(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        bag.add_unknown('/odd', 'odd_msgs/msg/Odd', 'strange_msgs/Strange part', 1)
        bag.add_unknown('/odder', 'odd_msgs/msg/Odder', 'this is no definition ~ at all', 2)
        add_frames(bag, stamps(3))
    with open_sturdy(tmp_path / 'bag') as opened:
        assert opened.is_whole
        assert set(opened.unknown) == {'odd_msgs/msg/Odd', 'odd_msgs/msg/Odder'}
        assert 'strange_msgs/msg/Strange' in opened.unknown['odd_msgs/msg/Odd']
        pictures = [opened.deserialize(message) for message in opened.messages([IMAGE])]
        assert [picture.header.frame_id for picture in pictures] == ['eye'] * 3
        (odd,) = opened.messages(['/odd'])
        with pytest.raises(AssetError, match='/odd is of the unknown type odd_msgs/msg/Odd'):
            opened.deserialize(odd)


def test_a_bag_without_definitions_is_read_by_those_that_are_known(tmp_path):
    # as Humble's sqlite3 storage leaves it
    bag = write_camera_bag(tmp_path / 'bag', storage=SQLITE)
    base = sqlite3.connect(only_file(bag))
    base.execute('DELETE FROM message_definitions')
    base.commit()
    base.close()
    with open_sturdy(bag) as opened:
        assert opened.is_whole
        pictures = [opened.deserialize(message) for message in opened.messages([IMAGE])]
        assert len(pictures) == 6


def test_a_message_that_is_not_of_its_type_is_an_asset_error(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        bag.add_bytes(IMAGE, 'sensor_msgs/msg/Image', b'\0\1\0\0' + bytes(12), 1)
    with open_sturdy(tmp_path / 'bag') as opened:
        (message,) = opened.messages([IMAGE])
        with pytest.raises(AssetError, match='a message on /cam/image is no sensor_msgs/msg/Imag'):
            opened.deserialize(message)


def test_what_is_not_there_or_no_bag_is_refused(tmp_path):
    with (
        pytest.raises(AssetError, match='absent does not exist'),
        open_sturdy(tmp_path / 'absent'),
    ):
        pass
    (tmp_path / 'folder').mkdir()
    with pytest.raises(AssetError, match='folder is no rosbag2'), open_sturdy(tmp_path / 'folder'):
        pass
    file = tmp_path / 'bag.mcap'
    file.write_bytes(b'nothing of the kind')
    with pytest.raises(AssetError, match='not that of an mcap file'), open_sturdy(file):
        pass
    file = tmp_path / 'bag.db3'
    file.write_bytes(b'nothing of the kind' * 100)
    with pytest.raises(AssetError, match='file is not a database'), open_sturdy(file):
        pass
