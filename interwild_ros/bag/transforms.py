"""Both hands as TF: from the image's frame to right_hand and left_hand, and to their joints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from interwild_ros.bag.outgoing import (
    New,
    place,
    STAMP,
    stamp_numbers,
    turn,
    write_header,
)
from interwild_ros.bag.patched import Numbers, Patcher, Slot
from interwild_ros.geometry.wrist_frame import cam_from_hand
from interwild_ros.hand_model.joints import JOINT_NAMES
from interwild_ros.records import Array, Hand, NS_PER_SEC, Side, TwoHands
import numpy as np

TF_MESSAGE = 'tf2_msgs/msg/TFMessage'
TRANSFORM = 'geometry_msgs/msg/TransformStamped'
_UNTURNED = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class TransformsForm:
    """What a TFMessage holds beside numbers: by child frame its parent. `new` makes messages."""

    parents: tuple[tuple[str, str], ...]
    new: New

    def message(self, numbers: Numbers) -> Any:
        """Return the typed message with this stamp and these places."""
        message = self.new(TF_MESSAGE)
        message.transforms = self.transforms(numbers)
        return message

    def transforms(self, numbers: Numbers) -> list[Any]:
        """Return what stands in the message."""
        return [self._transform(child, parent, numbers) for child, parent in self.parents]

    def slots(self, numbers: Numbers) -> dict[str, Slot]:
        """Return where numbers stand in the message: a stamp and a place in each transform."""
        places = {child: Slot('f8', 7) for child, _ in self.parents}
        return {STAMP: Slot('i4', 2, places=len(self.parents)), **places}

    def _transform(self, child: str, parent: str, numbers: Numbers) -> Any:
        message = self.new(TRANSFORM)
        sec, nanosec = map(int, numbers[STAMP])
        write_header(message.header, sec * NS_PER_SEC + nanosec, parent)
        message.child_frame_id = child
        place(message.transform.translation, numbers[child][:3])
        turn(message.transform.rotation, numbers[child][3:])
        return message


class TransformMessages:
    """Makes messages of the hands' frames as bytes: all frames of a picture in one."""

    def __init__(
        self,
        *,
        new: New,
        serialize: Callable[[Any], bytes],
        on_fallback: Callable[[str], None],
    ) -> None:
        """Begin without templates.

        :param new: makes messages; `serialize` their bytes.
        :param on_fallback: told once, in a sentence, when patching cannot be used here.
        """
        self._new = new
        self.patcher = Patcher('transforms', serialize=serialize, on_fallback=on_fallback)

    def message(self, two_hands: TwoHands, *, prefix: str, with_joints: bool = False) -> Any:
        """Return bytes, a message where patching cannot be used, None where no hand is there."""
        form, numbers = transforms_of(self._new, two_hands, prefix=prefix, with_joints=with_joints)
        return self.patcher.message(form, numbers) if form.parents else None


def transforms_of(
    new: New, two_hands: TwoHands, *, prefix: str, with_joints: bool = False
) -> tuple[TransformsForm, dict[str, Array]]:
    """Return the frames of the hands that are there: a lost hand has no transform.

    :param with_joints: also a frame of each joint but the wrist, below that of its hand and turned
        as it is.
    """
    found = [_hand_place(two_hands, hand, prefix) for hand in two_hands.hands]
    if with_joints:
        found += [place for hand in two_hands.hands for place in _joint_places(hand, prefix)]
    parents = tuple((child, parent) for child, parent, _ in found)
    numbers = {STAMP: stamp_numbers(two_hands.stamp_ns)}
    return TransformsForm(parents, new), numbers | {child: at for child, _, at in found}


def child_frame(side: Side, *, prefix: str) -> str:
    """Return the name of a hand's frame."""
    return f'{prefix}{side.label}_hand'


def hand_frames(prefix: str) -> frozenset[str]:
    """Return the names of the frames of both hands and of all their joints."""
    hands = [child_frame(side, prefix=prefix) for side in Side]
    joints = [_joint_frame(hand, name) for hand in hands for name in JOINT_NAMES[1:]]
    return frozenset(hands + joints)


def _hand_place(two_hands: TwoHands, hand: Hand, prefix: str) -> tuple[str, str, Array]:
    """Return a hand's frame, its parent, and position and orientation in that."""
    at = np.concatenate([hand.wrist_m, hand.wrist_quaternion_xyzw])
    return child_frame(hand.side, prefix=prefix), two_hands.frame_id, at


def _joint_places(hand: Hand, prefix: str) -> list[tuple[str, str, Array]]:
    """Return the same of its joints, whose parent it is."""
    parent = child_frame(hand.side, prefix=prefix)
    joints_hand_m = (hand.joints_m - hand.wrist_m) @ cam_from_hand(hand.joints_m, hand.side)
    return [
        (_joint_frame(parent, name), parent, np.concatenate([joint_m, _UNTURNED]))
        for name, joint_m in zip(JOINT_NAMES[1:], joints_hand_m[1:], strict=True)
    ]


def _joint_frame(parent: str, joint: str) -> str:
    return f'{parent}_{joint}'
