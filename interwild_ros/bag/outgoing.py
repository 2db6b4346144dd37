"""From records to messages: what the node publishes, live and into a bag alike.

A message is made by the name of its type and filled by its field names, so that those of rclpy and
those of rosbags both do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math
from typing import Any, TypeAlias

from interwild_ros.bag.patched import Numbers, Patcher, Slot
from interwild_ros.records import (
    Array,
    DepthSource,
    Hand,
    ModelCard,
    NoHand,
    NS_PER_SEC,
    Side,
    Topology,
    TwoHands,
)
import numpy as np

# From `package/msg/Name` to a message of that type: zeros, empty texts, nested messages alike.
New: TypeAlias = Callable[[str], Any]

TWO_HANDS = 'interwild_ros/msg/TwoHands'
HAND = 'interwild_ros/msg/Hand'
TOPOLOGY = 'interwild_ros/msg/HandTopology'

STAMP = 'stamp'  # of a header: sec and nanosec

_KEPT_FORMS = 32  # tracked or not and why, interacting, detected: they come and go

# The float32 arrays of a hand, and its single numbers.
_ARRAYS = {
    'box': 4,
    'joints': 63,
    'joints_image': 42,
    'vertices': 2334,
    'wrist_covariance': 9,
    'pose': 48,
    'betas': 10,
}
_SINGLES = ('score', 'hand_scale', 'reprojection_error')
_WRIST = 'wrist'  # position and orientation
_HAND_SLOTS = {
    **{name: Slot('f4', count) for name, count in _ARRAYS.items()},
    **{name: Slot('f4', 1) for name in _SINGLES},
    _WRIST: Slot('f8', 7),
}
_SLOTS = {
    STAMP: Slot('i4', 2),
    **{f'{side.label}.{name}': slot for side in Side for name, slot in _HAND_SLOTS.items()},
    'left_from_right': Slot('f8', 3),
    'disagreement': Slot('f4', 1),
    'region': Slot('f4', 4),
}


@dataclass(frozen=True)
class HandForm:
    """What a Hand message holds beside numbers."""

    side: Side
    tracked: bool
    reason: str
    depth_source: DepthSource


@dataclass(frozen=True)
class HandsForm:
    """What a TwoHands message holds beside numbers. `new` makes messages."""

    frame_id: str
    right: HandForm
    left: HandForm
    interacting: bool
    detected: bool
    new: New

    def message(self, numbers: Numbers) -> Any:
        """Return the typed message with these numbers."""
        message = self.new(TWO_HANDS)
        sec, nanosec = map(int, numbers[STAMP])
        write_header(message.header, sec * NS_PER_SEC + nanosec, self.frame_id)
        _write_hand(message.right, self.right, numbers)
        _write_hand(message.left, self.left, numbers)
        message.interacting, message.detected = self.interacting, self.detected
        message.disagreement = _single(numbers['disagreement'])
        place(message.left_from_right, numbers['left_from_right'])
        message.region = numbers['region']
        return message

    def slots(self, numbers: Numbers) -> dict[str, Slot]:
        """Return where numbers stand in the message: once each."""
        return _SLOTS


class TwoHandsMessages:
    """Makes messages of both hands as bytes."""

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
        self.patcher = Patcher(
            'hands', serialize=serialize, on_fallback=on_fallback, kept=_KEPT_FORMS
        )

    def message(self, two_hands: TwoHands) -> Any:
        """Return bytes, or a message where patching cannot be used."""
        return self.patcher.message(hands_form(self._new, two_hands), hands_numbers(two_hands))


def two_hands_message(new: New, two_hands: TwoHands) -> Any:
    """Return both hands of one picture as an interwild_ros/TwoHands."""
    return hands_form(new, two_hands).message(hands_numbers(two_hands))


def hands_form(new: New, two_hands: TwoHands) -> HandsForm:
    """Return what the message of both hands holds beside numbers."""
    return HandsForm(
        frame_id=two_hands.frame_id,
        right=_hand_form(two_hands.right),
        left=_hand_form(two_hands.left),
        interacting=two_hands.interacting,
        detected=two_hands.was_detected,
        new=new,
    )


def hands_numbers(two_hands: TwoHands) -> dict[str, Array]:
    """Return the numbers of the message of both hands; what is not known is NaN."""
    left_from_right_m, region = two_hands.left_from_right_m, two_hands.region
    return {
        STAMP: stamp_numbers(two_hands.stamp_ns),
        **_numbers_of(two_hands.right),
        **_numbers_of(two_hands.left),
        'left_from_right': _nan(3) if left_from_right_m is None else left_from_right_m,
        'disagreement': _number(two_hands.disagreement_m),
        'region': _nan(4) if region is None else np.array(region, np.float32),
    }


def stamp_numbers(stamp_ns: int) -> Array:
    """Return the seconds and the nanoseconds of a stamp."""
    return np.array(divmod(stamp_ns, NS_PER_SEC))


def topology_message(new: New, topology: Topology, card: ModelCard) -> Any:
    """Return what does not change while hands are seen as an interwild_ros/HandTopology."""
    message = new(TOPOLOGY)
    message.hand_model = topology.hand_model
    message.hand_model_is_stand_in = topology.is_stand_in
    message.variant = card.variant
    message.weights = card.weights
    message.weights_meaningful = card.weights_meaningful
    message.right_triangles = topology.right_triangles.ravel()
    message.left_triangles = topology.left_triangles.ravel()
    message.joint_names = list(topology.joint_names)
    message.joint_parents = np.array(topology.joint_parents, np.int8)
    return message


def write_header(header: Any, stamp_ns: int, frame_id: str) -> None:
    """Write when and in which frame a picture was taken."""
    write_stamp(header.stamp, stamp_ns)
    header.frame_id = frame_id


def write_stamp(stamp: Any, stamp_ns: int) -> None:
    """Write nanoseconds into a builtin_interfaces/Time or Duration."""
    stamp.sec, stamp.nanosec = divmod(stamp_ns, NS_PER_SEC)


def place(vector: Any, xyz: Array) -> None:
    """Write three numbers into a Point or a Vector3."""
    vector.x, vector.y, vector.z = map(float, xyz)


def turn(quaternion: Any, xyzw: Sequence[float] | Array) -> None:
    """Write four numbers into a Quaternion."""
    quaternion.x, quaternion.y, quaternion.z, quaternion.w = map(float, xyzw)


def _hand_form(hand: Hand | NoHand) -> HandForm:
    if isinstance(hand, NoHand):
        return HandForm(hand.side, False, hand.reason, DepthSource.NONE)
    return HandForm(hand.side, True, '', hand.depth_source)


def _write_hand(message: Any, form: HandForm, numbers: Numbers) -> None:
    of = f'{form.side.label}.'
    message.side, message.tracked = int(form.side), form.tracked
    message.reason, message.depth_source = form.reason, int(form.depth_source)
    for name in _ARRAYS:
        setattr(message, name, numbers[of + name])
    for name in _SINGLES:
        setattr(message, name, _single(numbers[of + name]))
    wrist = numbers[of + _WRIST]
    place(message.wrist.position, wrist[:3])
    turn(message.wrist.orientation, wrist[3:])


def _numbers_of(hand: Hand | NoHand) -> dict[str, Array]:
    found = _nothing(hand) if isinstance(hand, NoHand) else _everything(hand)
    return {f'{hand.side.label}.{name}': numbers for name, numbers in found.items()}


def _everything(hand: Hand) -> dict[str, Array]:
    covariance = hand.wrist_covariance_m2
    return {
        'score': _number(hand.box.score),
        'box': np.array(hand.box.corners, np.float32),
        'joints': _flat(hand.joints_m),
        'joints_image': _flat(hand.joints_image_px),
        'vertices': _flat(hand.vertices_m),
        'pose': _flat(hand.pose),
        'betas': _flat(hand.betas),
        'reprojection_error': _number(hand.reprojection_error_px),
        'hand_scale': _number(hand.scale),
        'wrist_covariance': _nan(9) if covariance is None else _flat(covariance),
        _WRIST: np.concatenate([hand.wrist_m, hand.wrist_quaternion_xyzw]),
    }


def _nothing(hand: NoHand) -> dict[str, Array]:
    numbers = {name: _nan(slot.count) for name, slot in _HAND_SLOTS.items()}
    return numbers | {'score': _number(hand.score)}


def _number(value: float | None) -> Array:
    return np.array([math.nan if value is None else value])


def _single(numbers: Array) -> float:
    return float(numbers[0])


def _nan(count: int) -> Array:
    return np.full(count, np.nan, np.float32)


def _flat(values: Array) -> Array:
    return np.ravel(values).astype(np.float32)
