from interwild_ros.hand_model.joints import JOINT_NAMES
from interwild_ros.train.datasets import joint_orders
import numpy as np
import pytest


@pytest.mark.parametrize('table', [joint_orders.PAIR_FROM_INTERHAND, joint_orders.PAIR_FROM_COCO])
def test_an_order_of_both_hands_leaves_no_joint_out(table):
    assert sorted(table) == list(range(42))


def test_interhand_begins_with_the_tip_of_the_right_thumb_and_ends_with_the_left_wrist():
    theirs = np.empty(42, dtype=object)
    ours = [f'{side} {name}' for side in ('right', 'left') for name in JOINT_NAMES]
    theirs[joint_orders.PAIR_FROM_INTERHAND] = ours
    assert theirs[0] == 'right thumb4'
    assert theirs[5] == 'right index3'
    assert theirs[20] == 'right wrist'
    assert theirs[21] == 'left thumb4'
    assert theirs[41] == 'left wrist'


def test_reinterhand_names_every_joint_of_ours_and_three_more():
    names = np.array(joint_orders.REINTERHAND_NAMES)
    assert len(set(names)) == 24
    assert tuple(names[joint_orders.HAND_FROM_REINTERHAND]) == JOINT_NAMES
    assert set(names) - set(JOINT_NAMES) == {'thumb0', 'pinky0', 'forearm'}
