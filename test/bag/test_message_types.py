"""Messages without ROS are those that rclpy makes."""

from interwild_ros.bag.definitions import read_definition
from interwild_ros.bag.message_types import collected, MessageTypes
from interwild_ros.bag.outgoing import TOPOLOGY, TWO_HANDS
from interwild_ros.errors import AssetError
import numpy as np
import pytest


def test_an_empty_message_is_zeros_all_the_way_down():
    message = MessageTypes([TWO_HANDS]).new(TWO_HANDS)
    assert message.header.frame_id == ''
    assert message.right.vertices.dtype == np.float32
    assert message.right.vertices.tolist() == [0.0] * 2334
    assert message.left.tracked is False
    assert message.left.wrist.orientation.w == 0.0
    names = MessageTypes([TOPOLOGY]).new(TOPOLOGY).joint_names
    assert names == [''] * 21


@pytest.mark.parametrize(
    'kind', [TWO_HANDS, TOPOLOGY, 'visualization_msgs/msg/MarkerArray', 'tf2_msgs/msg/TFMessage']
)
def test_what_is_serialised_comes_back(kind):
    types = MessageTypes([kind])
    data = types.serialize(types.new(kind))
    assert data[:4] == b'\0\1\0\0'
    assert types.serialize(types.deserialize(data, kind)) == data


def test_the_definition_comes_first_and_then_its_parts():
    texts, types = collected(TWO_HANDS)
    assert next(iter(texts)) == TWO_HANDS
    assert texts.keys() == types.keys()
    assert 'builtin_interfaces/msg/Time' in texts


def test_where_ros_is_not_installed_our_source_and_rosbags_know_the_definitions(
    monkeypatch, tmp_path
):
    monkeypatch.setenv('AMENT_PREFIX_PATH', '')
    monkeypatch.setattr('sys.prefix', str(tmp_path))
    assert read_definition(TWO_HANDS).startswith('# Both hands of a person')
    assert 'string ns' in read_definition('visualization_msgs/msg/Marker')
    with pytest.raises(AssetError, match='no installed package defines the message type a_msgs/'):
        read_definition('a_msgs/msg/Nothing')


def test_definitions_with_and_without_ros_give_the_same_bytes(monkeypatch, tmp_path):
    kinds = (TWO_HANDS, 'visualization_msgs/msg/MarkerArray', 'tf2_msgs/msg/TFMessage')
    with_ros = [collected(kind)[1] for kind in kinds]
    monkeypatch.setenv('AMENT_PREFIX_PATH', '')
    monkeypatch.setattr('sys.prefix', str(tmp_path))
    for kind, types in zip(kinds, with_ros, strict=True):
        alone = collected(kind)[1]
        assert alone.keys() == types.keys()
        for name in alone:
            assert alone[name][1] == types[name][1], name
