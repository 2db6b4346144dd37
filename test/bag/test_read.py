import dataclasses
import shutil
import subprocess
import sys

from interwild_ros.bag.read import open_bag
from interwild_ros.bag.write import write_bag
from interwild_ros.errors import AssetError, InputError
from interwild_ros.records import Camera, Hand, NoHand, Side
from interwild_ros.ros.hands_out import two_hands_message
from interwild_ros.testing.some_hands import some_card, some_topology
import numpy as np
import pytest
from rclpy.serialization import serialize_message
from recorded import (
    DIAGNOSTICS,
    diagnostics_message,
    HANDS,
    hands_of,
    HEIGHT,
    LATENCY_NS,
    PICTURES,
    raw_hands_of,
    STAMPS_NS,
    TRACKED,
    WIDTH,
)
from sensor_msgs.msg import CompressedImage, Image

SIZE = (WIDTH, HEIGHT)


def assert_same_record(found, wanted):
    """Compare what a message can carry: numbers to float32."""
    for field in dataclasses.fields(wanted):
        one, other = getattr(found, field.name), getattr(wanted, field.name)
        if isinstance(other, np.ndarray):
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
        else:
            assert one == other


def test_hands_come_back_as_the_records_they_were(small_bag):
    with open_bag(small_bag) as bag:
        found = list(bag.two_hands())
    assert [hands.stamp_ns for hands in found] == [STAMPS_NS[index] for index in TRACKED]
    for hands, index in zip(found, TRACKED, strict=True):
        wanted = hands_of(index)
        assert hands.value.stamp_ns == wanted.stamp_ns
        assert hands.value.frame_id == wanted.frame_id
        assert hands.value.interacting == wanted.interacting
        assert {hand.side for hand in hands.value.hands} == set(TRACKED[index])
        for one, other in zip(hands.value.hands, wanted.hands, strict=True):
            assert_same_record(one, other)


def test_left_from_right_is_there_when_both_hands_are(small_bag):
    with open_bag(small_bag) as bag:
        one, both, none = (hands.value for hands in bag.two_hands())
    assert one.left_from_right_m is None
    assert none.left_from_right_m is None
    np.testing.assert_array_equal(both.left_from_right_m, hands_of(2).left_from_right_m)


def test_a_hand_that_is_not_there_keeps_its_score(small_bag):
    with open_bag(small_bag) as bag:
        first = next(bag.two_hands()).value
    assert isinstance(first.right, Hand)
    assert isinstance(first.left, NoHand)
    assert (first.left.side, first.left.score) == (Side.LEFT, 0.125)


def test_latency_is_arrival_minus_stamp(small_bag):
    with open_bag(small_bag) as bag:
        assert {hands.latency_ms for hands in bag.two_hands()} == {LATENCY_NS / 1e6}


def test_pictures_come_back_in_order(small_bag):
    with open_bag(small_bag) as bag:
        pictures = list(bag.pictures())
    assert [picture.stamp_ns for picture in pictures] == STAMPS_NS
    assert [int(picture.value[0, 0, 0]) for picture in pictures] == [0, 40, 80, 120, 160]
    assert {picture.value.shape for picture in pictures} == {(HEIGHT, WIDTH, 3)}


def test_each_answer_finds_the_picture_of_its_stamp(small_bag):
    with open_bag(small_bag) as bag:
        pairs = [
            (picture.value[0, 0, 0] // 40, hands.stamp_ns) for picture, hands in bag.answered()
        ]
    assert pairs == [(index, STAMPS_NS[index]) for index in TRACKED]


def test_the_camera_is_that_of_camera_info(small_bag):
    with open_bag(small_bag) as bag:
        assert bag.camera(image_size=SIZE) == Camera(
            width=WIDTH,
            height=HEIGHT,
            fx=60.0,
            fy=61.0,
            cx=31.0,
            cy=23.0,
            distortion_model='plumb_bob',
            distortion=(0.1, 0.0, 0.0, 0.0, 0.0),
        )
        with pytest.raises(InputError, match='320 x 240'):
            bag.camera(image_size=(320, 240))


def test_topology_and_card_come_back(small_bag):
    with open_bag(small_bag) as bag:
        topology, card = bag.topology(), bag.card()
    assert_same_record(topology, some_topology())
    assert card == dataclasses.replace(some_card(), warnings=())


def test_the_last_diagnostics_win(tmp_path):
    with write_bag(tmp_path / 'bag') as writer:
        writer.add_topic(DIAGNOSTICS, 'diagnostic_msgs/msg/DiagnosticArray')
        said = [diagnostics_message(frames='1', device='cpu'), diagnostics_message(frames='2')]
        for number, message in enumerate(said):
            writer.write(DIAGNOSTICS, serialize_message(message), received_ns=number)
    with open_bag(tmp_path / 'bag') as bag:
        assert bag.diagnostics() == {'frames': '2', 'device': 'cpu'}


def test_topics_say_type_and_count(small_bag):
    with open_bag(small_bag) as bag:
        assert bag.topics[HANDS].kind == 'interwild_ros/msg/TwoHands'
        assert {name: info.count for name, info in bag.topics.items()}[PICTURES] == 5


def test_two_topics_of_a_kind_must_be_told_apart(tmp_path):
    kind = 'sensor_msgs/msg/CompressedImage'
    with write_bag(tmp_path / 'bag') as writer:
        for topic in ('/a', '/b'):
            writer.add_topic(topic, kind)
            writer.write(topic, serialize_message(CompressedImage()), received_ns=1)
    with open_bag(tmp_path / 'bag') as bag:
        with pytest.raises(AssetError, match='/a, /b'):
            bag.picture_stamps()
        assert len(bag.picture_stamps('/b')) == 1


def test_raw_hands_stand_beside_the_steadied_ones(small_bag):
    with open_bag(small_bag) as bag:
        steadied, raw = list(bag.two_hands()), list(bag.raw_two_hands())
        assert bag.topic_of('interwild_ros/msg/TwoHands') == HANDS
    assert [hands.stamp_ns for hands in raw] == [hands.stamp_ns for hands in steadied]
    for hands, index in zip(raw, TRACKED, strict=True):
        for one, other in zip(hands.value.hands, raw_hands_of(index).hands, strict=True):
            assert_same_record(one, other)


def test_a_bag_without_raw_hands_has_none(tmp_path):
    with write_bag(tmp_path / 'bag') as writer:
        writer.add_topic('/hands', 'interwild_ros/msg/TwoHands')
        data = serialize_message(two_hands_message(hands_of(0)))
        writer.write('/hands', data, received_ns=1)
    with open_bag(tmp_path / 'bag') as bag:
        assert len(list(bag.two_hands())) == 1
        assert list(bag.raw_two_hands()) == []


def test_a_camera_topic_that_is_called_raw_is_read(tmp_path):
    with write_bag(tmp_path / 'bag') as writer:
        writer.add_topic('/camera/image_raw', 'sensor_msgs/msg/Image')
        picture = Image(encoding='mono8', height=1, width=1, step=1, data=b'7')
        writer.write('/camera/image_raw', serialize_message(picture), received_ns=1)
    with open_bag(tmp_path / 'bag') as bag:
        assert len(list(bag.pictures())) == 1


def test_a_missing_topic_is_named_with_those_that_are_there(small_bag):
    with (
        open_bag(small_bag) as bag,
        pytest.raises(AssetError, match=r'/other.*two_hands'),
    ):
        bag.picture_stamps('/other')


def test_an_absent_bag_is_named(tmp_path):
    with (
        pytest.raises(AssetError, match=r'cannot read the bag .*nowhere'),
        open_bag(tmp_path / 'nowhere'),
    ):
        pass


def test_a_folder_that_is_no_bag_is_refused(tmp_path):
    with pytest.raises(AssetError, match=r'metadata\.yaml|metadata'), open_bag(tmp_path):
        pass


@pytest.mark.parametrize('share', [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_bag_is_an_asset_error(share, small_bag):
    file = small_bag / 'bag.mcap'
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(AssetError, match='cannot read the bag'), open_bag(small_bag) as bag:
        list(bag.two_hands())


@pytest.mark.parametrize('seed', range(20))
def test_a_damaged_bag_is_an_asset_error_or_reads(seed, small_bag):
    random = np.random.default_rng(seed)
    file = small_bag / 'bag.mcap'
    content = bytearray(file.read_bytes())
    for place in random.integers(0, len(content), 400):
        content[place] = random.integers(256)
    file.write_bytes(content)
    try:
        with open_bag(small_bag) as bag:
            list(bag.two_hands())
            list(bag.pictures())
    except (AssetError, InputError):
        pass


def test_metadata_that_names_no_file_is_an_asset_error(small_bag):
    (small_bag / 'bag.mcap').unlink()
    with pytest.raises(AssetError, match=r'bag\.mcap'), open_bag(small_bag):
        pass


def test_a_bag_is_read_without_ros_and_without_our_installed_messages(small_bag, tmp_path):
    copy = shutil.copytree(small_bag, tmp_path / 'copy')
    code = f"""
import sys
for name in ('rclpy', 'std_msgs', 'sensor_msgs', 'interwild_ros.msg'):
    sys.modules[name] = None
sys.prefix = '/nowhere'
from pathlib import Path
from interwild_ros.bag.read import open_bag
with open_bag(Path({str(copy)!r})) as bag:
    print(len(list(bag.two_hands())), bag.card().hand_model)
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.split(maxsplit=1) == ['3', 'random points\n'], done.stderr
