from dataclasses import fields, replace
import re

from interwild_ros.bag.definitions import read_definition
from interwild_ros.bag.messages import depth_of, NOT_TRACKED, two_hands_of
from interwild_ros.errors import InputError
from interwild_ros.msg import TwoHands as TwoHandsMessage
from interwild_ros.records import Hand, NoHand, Side
from interwild_ros.ros.hands_out import two_hands_message
from interwild_ros.testing.some_hands import some_hand, some_two_hands
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.typesys import get_types_from_msg, get_typestore, Stores
from sensor_msgs.msg import Image

KINDS = ('interwild_ros/msg/Hand', 'interwild_ros/msg/TwoHands')
NEW = ('reason', 'wrist_covariance', 'hand_scale', 'disagreement', 'detected', 'region')


def there_and_back(hands):
    message = serialize_message(two_hands_message(hands))
    return two_hands_of(deserialize_message(message, TwoHandsMessage))


def assert_same(found, wanted):
    """Compare all that two hands say, to what float32 holds."""
    for field in fields(wanted):
        one, other = getattr(found, field.name), getattr(wanted, field.name)
        if isinstance(other, Hand):
            assert_same(one, other)
        elif isinstance(other, np.ndarray):
            np.testing.assert_allclose(one, other, rtol=1e-6, err_msg=field.name)
        else:
            assert one == other, field.name


@pytest.mark.parametrize('sides', [(), (Side.RIGHT,), (Side.LEFT,), tuple(Side)])
@pytest.mark.parametrize('region', [None, (-4.5, 3.0, 640.0, 479.0)])
@pytest.mark.parametrize('was_detected', [True, False])
def test_two_hands_come_back_as_they_went(sides, region, was_detected):
    hands = replace(some_two_hands(*sides), region=region, was_detected=was_detected)
    assert_same(there_and_back(hands), hands)


def test_a_covariance_that_is_not_known_comes_back_as_none():
    hand = replace(some_hand(Side.RIGHT), wrist_covariance_m2=None)
    hands = replace(some_two_hands(Side.RIGHT), right=hand)
    assert there_and_back(hands).right.wrist_covariance_m2 is None


def test_a_covariance_keeps_its_rows_and_columns():
    covariance = np.arange(9.0).reshape(3, 3)
    hand = replace(some_hand(Side.LEFT), wrist_covariance_m2=covariance)
    found = there_and_back(replace(some_two_hands(Side.LEFT), left=hand)).left
    np.testing.assert_array_equal(found.wrist_covariance_m2, covariance)


@pytest.mark.parametrize('reason', ['not_found', 'gathering', 'outlier'])
def test_why_a_hand_is_absent_comes_back(reason):
    hands = replace(some_two_hands(Side.RIGHT), left=NoHand(Side.LEFT, 0.5, reason))
    assert there_and_back(hands).left == NoHand(Side.LEFT, 0.5, reason)


def store_of(definitions):
    store = get_typestore(Stores.ROS2_HUMBLE)
    types = {}
    for kind, text in zip(KINDS, definitions, strict=True):
        types |= get_types_from_msg(text, kind)
    store.register(types)
    return store


@pytest.fixture(scope='module')
def earlier():
    """What makes the messages of an earlier version out of ours, as its bags hold them."""
    texts = [read_definition(kind) for kind in KINDS]
    lines = re.compile(rf'^\S+ +({"|".join(NEW)})\b.*\n', re.M)
    assert sum(len(lines.findall(text)) for text in texts) == len(NEW)
    ours, theirs = store_of(texts), store_of([lines.sub('', text) for text in texts])

    def made(message, kind):
        type_ = theirs.types[kind]
        values = {
            field.name: getattr(message, field.name)
            for field in fields(type_)
            if field.name != '__msgtype__'
        }
        return type_(**values)

    def earlier_message(hands):
        data = serialize_message(two_hands_message(hands))
        both = ours.deserialize_cdr(data, KINDS[1])
        both.right, both.left = made(both.right, KINDS[0]), made(both.left, KINDS[0])
        data = theirs.serialize_cdr(made(both, KINDS[1]), KINDS[1])
        return theirs.deserialize_cdr(data, KINDS[1])

    return earlier_message


def test_messages_of_earlier_versions_are_read_still(earlier):
    hands = some_two_hands(*Side)
    message = earlier(hands)
    assert not [n for n in NEW if hasattr(message, n) or hasattr(message.right, n)]
    found = two_hands_of(message)
    unsaid = {'wrist_covariance_m2': None, 'scale': 1.0}
    right, left = (replace(hand, **unsaid) for hand in hands.hands)
    assert_same(found, replace(hands, right=right, left=left, disagreement_m=None))
    assert found.was_detected


def test_an_earlier_version_did_not_say_why_a_hand_was_absent(earlier):
    found = two_hands_of(earlier(some_two_hands(Side.RIGHT)))
    assert found.left == NoHand(Side.LEFT, 0.125, NOT_TRACKED)
    assert isinstance(found.right, Hand)


def depth_message(encoding, numbers):
    height, width = numbers.shape
    return Image(
        encoding=encoding,
        height=height,
        width=width,
        step=numbers.strides[0],
        data=numbers.tobytes(),
    )


@pytest.mark.parametrize(
    ('encoding', 'kind', 'unit'), [('16UC1', '<u2', 1e3), ('32FC1', '<f4', 1)]
)
def test_depth_messages_are_metres_with_nan_where_there_is_no_reading(encoding, kind, unit):
    metres = np.array([[0.5, 0.0, 1.25], [2.0, 0.75, 0.0]])
    found = depth_of(depth_message(encoding, (metres * unit).astype(kind)))
    np.testing.assert_allclose(found, np.where(metres > 0, metres, np.nan), rtol=1e-6)


def test_a_colour_picture_is_no_depth():
    colours = Image(encoding='rgb8', height=1, width=1, step=3, data=bytes(3))
    with pytest.raises(InputError, match='rgb8') as caught:
        depth_of(colours)
    assert caught.value.cause == 'bad_encoding'
