from camera_bags import IMAGE, INFO, write_camera_bag
from interwild_ros.bag.forward import first_received_ns, forward
from interwild_ros.bag.sturdy import open_sturdy, storage_files
import pytest
from rosbags.rosbag2 import CompressionMode, StoragePlugin

COUNT = 40
ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'


def damaged(folder, share, storage=StoragePlugin.MCAP):
    """Write a bag of packed messages, and spoil the first one after a share of the file."""
    bag = write_camera_bag(folder, COUNT, storage=storage, compression=CompressionMode.MESSAGE)
    (file,) = storage_files(bag)
    content = bytearray(file.read_bytes())
    at = content.index(ZSTD_MAGIC, int(len(content) * share))
    content[at : at + 4] = b'spoi'
    file.write_bytes(content)
    return bag


def times(messages, topic):
    return [message.received_ns for message in messages if message.topic == topic]


def test_a_whole_bag_is_given_as_it_is(tmp_path):
    with open_sturdy(write_camera_bag(tmp_path / 'bag')) as bag:
        assert list(forward(bag, [IMAGE, INFO])) == list(bag.messages([IMAGE, INFO]))
        assert bag.is_whole


@pytest.mark.parametrize('share', [0.3, 0.6, 0.9])
@pytest.mark.parametrize('storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_nothing_of_a_damaged_bag_is_given_twice_or_left(share, storage, tmp_path):
    path = damaged(tmp_path / 'bag', share, storage=storage)
    with open_sturdy(path) as bag:
        given = list(forward(bag, [IMAGE, INFO]))
    with open_sturdy(path) as bag:
        bag.salvage('to see what can be read')
        wanted = list(bag.messages([IMAGE, INFO]))
    for topic in (IMAGE, INFO):
        assert times(given, topic) == times(wanted, topic)
    assert len(given) == 2 * COUNT  # the spoilt one too: who takes it sees what it is worth


def test_damage_that_shows_on_the_way_is_told(tmp_path):
    path = damaged(tmp_path / 'bag', 0.6)
    with open_sturdy(path) as bag:
        given = list(forward(bag, [IMAGE, INFO]))
        assert not bag.is_whole
        assert bag.damage
    assert times(given, IMAGE) == sorted(set(times(given, IMAGE)))


def test_the_beginning_is_that_of_any_topic(tmp_path):
    with open_sturdy(write_camera_bag(tmp_path / 'bag')) as bag:
        assert first_received_ns(bag) == next(bag.messages([INFO])).received_ns


def test_a_bag_without_messages_has_no_beginning(tmp_path):
    with open_sturdy(write_camera_bag(tmp_path / 'bag', 0)) as bag:
        assert first_received_ns(bag) is None
