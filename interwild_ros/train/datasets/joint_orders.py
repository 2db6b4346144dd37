"""In which order each data set lists its joints, and how to bring them into ours.

Ours is TH-42: the 21 joints of `hand_model.joints` of the right hand, then those of the left.
Each table below is an index: ours = theirs[..., TABLE, :]. Source: NETWORKS.md section 16.
"""

from __future__ import annotations

from interwild_ros.hand_model.joints import FINGERS, JOINT_NAMES
from interwild_ros.records import JOINT_COUNT
from interwild_ros.train.annotations import PAIR_JOINT_COUNT
import numpy as np

# InterHand2.6M: from the tip of the thumb inwards, finger by finger, the wrist last; right first.
_INTERHAND_NAMES = (
    *(f'{finger}{number}' for finger in FINGERS for number in (4, 3, 2, 1)),
    'wrist',
)
_INTERHAND_HAND = np.array([_INTERHAND_NAMES.index(name) for name in JOINT_NAMES])
PAIR_FROM_INTERHAND = np.concatenate([_INTERHAND_HAND, _INTERHAND_HAND + JOINT_COUNT])

# COCO-WholeBody: left before right, each hand as ours.
PAIR_FROM_COCO = np.roll(np.arange(PAIR_JOINT_COUNT), JOINT_COUNT)

# ReInterHand, each hand: thumb and little finger begin one joint nearer to the wrist, and the
# forearm comes last. Section 16 names the joints; this order of them is what the names suggest.
FOREARM = 'forearm'
REINTERHAND_NAMES = (
    'wrist',
    *(f'thumb{number}' for number in range(5)),
    *(f'{finger}{number}' for finger in ('index', 'middle', 'ring') for number in range(1, 5)),
    *(f'pinky{number}' for number in range(5)),
    FOREARM,
)
HAND_FROM_REINTERHAND = np.array([REINTERHAND_NAMES.index(name) for name in JOINT_NAMES])
REINTERHAND_IS_JOINT = np.array([name != FOREARM for name in REINTERHAND_NAMES])
