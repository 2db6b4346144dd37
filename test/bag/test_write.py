import json
from pathlib import Path
import sys

from interwild_ros.bag.write import OfferedQos, write_bag
from interwild_ros.errors import AssetError
import pytest
from rclpy.serialization import serialize_message
from recorded import DIAGNOSTICS, diagnostics_message, HANDS, OFFERED, TOPOLOGY
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosReliability
from std_msgs.msg import String
import yaml

KINDS = [
    'interwild_ros/msg/TwoHands',
    'interwild_ros/msg/HandTopology',
    'visualization_msgs/msg/MarkerArray',
    'tf2_msgs/msg/TFMessage',
    'sensor_msgs/msg/CompressedImage',
]


def raw_messages(folder):
    with AnyReader([folder]) as reader:
        return [(c.topic, stamp_ns, bytes(data)) for c, stamp_ns, data in reader.messages()]


def written(folder, *texts):
    with write_bag(folder) as bag:
        bag.add_topic('/words', 'std_msgs/msg/String')
        for number, text in enumerate(texts):
            bag.write('/words', serialize_message(String(data=text)), received_ns=number)
    return folder


def interrupted(folder):
    with write_bag(folder) as bag:
        bag.add_topic('/words', 'std_msgs/msg/String')
        raise KeyboardInterrupt


def test_the_same_bytes_come_back_with_their_times(tmp_path):
    folder = written(tmp_path / 'bag', 'one', 'two')
    wanted = [
        ('/words', number, serialize_message(String(data=text)))
        for number, text in enumerate(('one', 'two'))
    ]
    assert raw_messages(folder) == wanted


@pytest.mark.parametrize('kind', KINDS)
def test_a_type_bears_the_hash_that_rosidl_gave_it(kind, tmp_path):
    with write_bag(tmp_path / 'bag') as bag:
        bag.add_topic('/topic', kind)
    package, _, name = kind.partition('/msg/')
    described = Path(sys.prefix) / 'share' / package / 'msg' / f'{name}.json'
    hashes = {
        h['type_name']: h['hash_string'] for h in json.loads(described.read_text())['type_hashes']
    }
    with AnyReader([tmp_path / 'bag']) as reader:
        assert reader.connections[0].digest == hashes[kind]


def test_definitions_are_embedded_whole_with_their_comments(small_bag):
    with AnyReader([small_bag]) as reader:
        definition = reader.topics[HANDS].msgdef.data
    own = (Path(__file__).parents[2] / 'msg' / 'TwoHands.msg').read_text()
    assert definition.startswith(own)
    assert 'MSG: interwild_ros/Hand\n' in definition
    assert 'MSG: std_msgs/Header\n' in definition


def test_offered_qos_is_kept(small_bag):
    with AnyReader([small_bag]) as reader:
        (profile,) = reader.topics[TOPOLOGY].connections[0].ext.offered_qos_profiles
    assert profile.durability is QosDurability.TRANSIENT_LOCAL
    assert profile.reliability is QosReliability.RELIABLE
    assert profile.depth == OFFERED.depth


def test_metadata_says_what_rosbag2_wants_to_know(small_bag):
    content = yaml.safe_load((small_bag / 'metadata.yaml').read_text())
    info = content['rosbag2_bagfile_information']
    assert info['storage_identifier'] == 'mcap'
    assert info['relative_file_paths'] == ['bag.mcap']
    assert info['message_count'] == len(raw_messages(small_bag))
    # Humble reads profiles as text with numbers, which is how version 8 has them
    profiles = info['topics_with_message_count'][0]['topic_metadata']['offered_qos_profiles']
    assert isinstance(yaml.safe_load(profiles)[0]['durability'], int)


def test_an_interrupted_bag_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / 'bag')
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_bag_is_replaced_only_by_a_whole_one(tmp_path):
    folder = written(tmp_path / 'bag', 'old')
    with pytest.raises(ValueError, match='broken'), write_bag(folder):
        raise ValueError('broken')
    assert len(raw_messages(folder)) == 1
    written(folder, 'new', 'newer')
    assert len(raw_messages(folder)) == 2
    assert list(tmp_path.iterdir()) == [folder]


def test_a_type_that_is_not_installed_is_named(tmp_path):
    with (
        pytest.raises(AssetError, match='no_such_msgs/msg/Thing'),
        write_bag(tmp_path / 'bag') as bag,
    ):
        bag.add_topic('/topic', 'no_such_msgs/msg/Thing')


def test_a_bag_cannot_stand_below_a_file(tmp_path):
    (tmp_path / 'file').touch()
    with (
        pytest.raises(AssetError, match='cannot write to'),
        write_bag(tmp_path / 'file' / 'bag'),
    ):
        pass


def test_several_publishers_keep_their_profiles(tmp_path):
    with write_bag(tmp_path / 'bag') as bag:
        offered = [OfferedQos(reliable=False), OfferedQos(depth=7)]
        bag.add_topic(DIAGNOSTICS, 'diagnostic_msgs/msg/DiagnosticArray', offered=offered)
        bag.write(DIAGNOSTICS, serialize_message(diagnostics_message()), received_ns=1)
    with AnyReader([tmp_path / 'bag']) as reader:
        profiles = reader.connections[0].ext.offered_qos_profiles
    assert [p.reliability for p in profiles] == [
        QosReliability.BEST_EFFORT,
        QosReliability.RELIABLE,
    ]
    assert [p.depth for p in profiles] == [10, 7]
