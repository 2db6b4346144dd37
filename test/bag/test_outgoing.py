"""What is patched for a bag is, byte by byte, what its typed message would be."""

from dataclasses import replace

from interwild_ros.bag.message_types import MessageTypes
from interwild_ros.bag.outgoing import TWO_HANDS, two_hands_message, TwoHandsMessages
from interwild_ros.bag.transforms import TF_MESSAGE, TransformMessages, transforms_of
from interwild_ros.records import Side
from interwild_ros.testing.some_hands import some_two_hands
import numpy as np
import pytest

SIDES = [(), (Side.RIGHT,), (Side.LEFT,), tuple(Side)]


@pytest.fixture(scope='module')
def types():
    return MessageTypes([TWO_HANDS, TF_MESSAGE])


def by(types, kind):
    def refuse(problem):
        raise AssertionError(problem)

    return kind(new=types.new, serialize=types.serialize, on_fallback=refuse)


def seen(sides, seed):
    """Return hands of a random picture, with some of what may be known and may not."""
    hands = some_two_hands(*sides, stamp_ns=10**18 + seed * 33_333_333, seed=seed)
    region = None if seed % 2 else (1.5, 2.0, 3.25, 4.0)
    return replace(hands, region=region, was_detected=bool(seed % 3))


def test_both_hands_are_the_same_bytes_patched_and_typed(types):
    messages = by(types, TwoHandsMessages)
    for seed, sides in enumerate(SIDES * 3):
        hands = seen(sides, seed)
        typed = types.serialize(two_hands_message(types.new, hands))
        assert messages.message(hands) == typed


def test_a_covariance_that_is_not_known_is_patched_too(types):
    hands = some_two_hands(*Side)
    unsure = replace(hands, right=replace(hands.right, wrist_covariance_m2=None))
    messages = by(types, TwoHandsMessages)
    messages.message(hands)
    found = types.deserialize(messages.message(unsure), TWO_HANDS)
    assert np.isnan(found.right.wrist_covariance).all()
    assert not np.isnan(found.left.wrist_covariance).any()


@pytest.mark.parametrize('with_joints', [False, True])
def test_frames_are_the_same_bytes_patched_and_typed(types, with_joints):
    messages = by(types, TransformMessages)
    for seed, sides in enumerate(SIDES * 2):
        hands = seen(sides, seed)
        form, numbers = transforms_of(types.new, hands, prefix='p/', with_joints=with_joints)
        typed = types.serialize(form.message(numbers)) if sides else None
        assert messages.message(hands, prefix='p/', with_joints=with_joints) == typed
