from dataclasses import replace
import sys

from interwild_ros.msg import Hand, HandTopology, TwoHands
from interwild_ros.records import DepthSource, NoHand, Side
from interwild_ros.ros.hands_out import (
    HandsOut,
    time_message,
    topology_message,
    two_hands_message,
)
from interwild_ros.testing.some_hands import (
    some_card,
    some_hand,
    some_topology,
    some_two_hands,
)
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message


def received(message):
    return deserialize_message(serialize_message(message), type(message))


def assert_same(found, wanted):
    np.testing.assert_array_equal(np.asarray(found), np.ravel(wanted).astype(np.float32))


def xyz(vector):
    return [vector.x, vector.y, vector.z]


def xyzw(quaternion):
    return [*xyz(quaternion), quaternion.w]


@pytest.mark.parametrize('side', Side)
def test_every_number_of_a_hand_arrives_in_its_field(side):
    hand = some_hand(side)
    both = received(two_hands_message(some_two_hands(*Side)))
    message = (both.right, both.left)[side]
    assert_same(message.box, hand.box.corners)
    assert_same(message.joints, hand.joints_m)
    assert_same(message.joints_image, hand.joints_image_px)
    assert_same(message.vertices, hand.vertices_m)
    assert_same(message.pose, hand.pose)
    assert_same(message.betas, hand.betas)
    assert xyz(message.wrist.position) == hand.joints_m[0].tolist()
    assert xyzw(message.wrist.orientation) == hand.wrist_quaternion_xyzw.tolist()
    assert (message.side, message.tracked, message.score) == (side, True, 0.75)
    assert_same(message.wrist_covariance, hand.wrist_covariance_m2)
    assert (message.reprojection_error, message.hand_scale) == (1.5, 1.25)
    assert message.reason == ''
    assert message.depth_source == Hand.DEPTH_INTRINSICS


def test_stamp_and_frame_are_those_of_the_image():
    message = received(two_hands_message(some_two_hands(stamp_ns=5_000_000_007, frame_id='eye')))
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (5, 7)
    assert message.header.frame_id == 'eye'


@pytest.mark.parametrize('stamp_ns', [0, 1, 999_999_999, 1_000_000_000, -1, 2**31 * 10**9 - 1])
def test_a_stamp_keeps_every_nanosecond(stamp_ns):
    message = time_message(stamp_ns)
    assert message.sec * 1_000_000_000 + message.nanosec == stamp_ns


@pytest.mark.parametrize('side', Side)
def test_a_hand_that_is_not_there_has_no_numbers(side):
    both = received(two_hands_message(some_two_hands(side.other)))
    message = (both.right, both.left)[side]
    assert (message.side, message.tracked, message.score) == (side, False, 0.125)
    assert message.depth_source == Hand.DEPTH_NONE
    assert message.reason == 'low_score'
    numbers = ('box', 'joints', 'joints_image', 'vertices', 'wrist_covariance', 'pose', 'betas')
    for name in numbers:
        assert np.isnan(getattr(message, name)).all(), name
    assert np.isnan(xyz(message.wrist.position) + xyzw(message.wrist.orientation)).all()
    assert np.isnan([message.reprojection_error, message.hand_scale]).all()


def test_what_is_not_known_is_nan_and_never_a_zero():
    hand = replace(some_hand(Side.RIGHT), wrist_covariance_m2=None)
    alone = replace(some_two_hands(Side.RIGHT), right=hand)
    message = received(two_hands_message(alone))
    assert np.isnan(message.right.wrist_covariance).all()
    assert np.isnan(message.region).all()
    assert np.isnan(message.disagreement)


@pytest.mark.parametrize('was_detected', [True, False])
def test_what_is_said_of_the_frame_arrives(was_detected):
    region = (-10.5, 20.0, 300.25, 400.0)
    told = replace(some_two_hands(*Side), was_detected=was_detected, region=region)
    message = received(two_hands_message(told))
    assert message.detected is was_detected
    assert message.disagreement == 0.0625
    assert message.region.tolist() == list(region)


def test_left_from_right_needs_both_hands():
    both = received(two_hands_message(some_two_hands(*Side)))
    assert both.interacting
    assert xyz(both.left_from_right) == [0.2, 0.01, -0.02]
    alone = received(two_hands_message(some_two_hands(Side.RIGHT)))
    assert not alone.interacting
    assert np.isnan(xyz(alone.left_from_right)).all()


def test_message_constants_are_those_of_the_records():
    assert (Hand.RIGHT, Hand.LEFT) == (Side.RIGHT, Side.LEFT)
    for source, name in (
        (DepthSource.NONE, 'NONE'),
        (DepthSource.INTRINSICS, 'INTRINSICS'),
        (DepthSource.NOMINAL, 'NOMINAL'),
        (DepthSource.DEPTH_IMAGE, 'IMAGE'),
    ):
        assert getattr(Hand, f'DEPTH_{name}') == source


def test_topology_arrives_whole_and_says_what_the_hands_are():
    topology, card = some_topology(), some_card()
    message = received(topology_message(topology, card))
    assert isinstance(message, HandTopology)
    assert message.hand_model == topology.hand_model
    assert message.hand_model_is_stand_in
    assert (message.variant, message.weights) == (card.variant, card.weights)
    assert not message.weights_meaningful
    right = np.asarray(message.right_triangles).reshape(-1, 3)
    left = np.asarray(message.left_triangles).reshape(-1, 3)
    np.testing.assert_array_equal(right, topology.right_triangles)
    np.testing.assert_array_equal(left, topology.left_triangles)
    assert tuple(message.joint_names) == topology.joint_names
    assert tuple(message.joint_parents) == topology.joint_parents


def test_an_empty_result_is_a_message_too():
    message = received(two_hands_message(some_two_hands()))
    assert isinstance(message, TwoHands)
    assert not message.right.tracked
    assert not message.left.tracked


def as_told(message):
    """Return a message as text: NaN is unlike itself, but reads alike."""
    with np.printoptions(threshold=sys.maxsize):
        return repr(message)


@pytest.mark.parametrize('frame_id', ['', 'c', 'eyes', 'a/b_link'])
@pytest.mark.parametrize('tracked', [(), (Side.RIGHT,), (Side.LEFT,), tuple(Side)])
def test_patched_bytes_say_what_the_typed_message_says(tracked, frame_id):
    out = HandsOut(on_fallback=pytest.fail)
    for seed, stamp_ns in ((1, 0), (2, 1_700_000_000_999_999_999)):
        hands = some_two_hands(*tracked, seed=seed, frame_id=frame_id, stamp_ns=stamp_ns)
        patched = out.message(hands)
        assert isinstance(patched, bytes)
        wanted = received(two_hands_message(hands))
        assert as_told(deserialize_message(patched, TwoHands)) == as_told(wanted)
    assert len(out.patcher.templates) == 1


def test_what_is_no_number_arrives_from_patched_bytes_too():
    out = HandsOut(on_fallback=pytest.fail)
    both = some_two_hands(*Side)
    for hands in (
        both,
        replace(both, interacting=False),
        replace(both, was_detected=False, region=(-10.5, 20.0, 300.25, 400.0)),
        replace(both, right=replace(both.right, depth_source=DepthSource.DEPTH_IMAGE)),
        replace(some_two_hands(), left=NoHand(Side.LEFT, 0.25, 'not_found')),
    ):
        wanted = received(two_hands_message(hands))
        assert as_told(deserialize_message(out.message(hands), TwoHands)) == as_told(wanted)
    assert len(out.patcher.templates) == 5
