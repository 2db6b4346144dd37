"""From records to messages: what the node publishes, live and into a bag alike.

A message is made by the name of its type and filled by its field names, so that those of rclpy and
those of rosbags both do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import math
from typing import Any, TypeAlias

from interwild_ros.geometry.wrist_frame import cam_from_hand
from interwild_ros.hand_model.joints import JOINT_NAMES
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
TRANSFORM = 'geometry_msgs/msg/TransformStamped'

_NUMBERS = {
    'box': 4,
    'joints': 63,
    'joints_image': 42,
    'vertices': 2334,
    'wrist_covariance': 9,
    'pose': 48,
    'betas': 10,
}


def two_hands_message(new: New, two_hands: TwoHands) -> Any:
    """Return both hands of one picture as an interwild_ros/TwoHands."""
    message = new(TWO_HANDS)
    write_header(message.header, two_hands.stamp_ns, two_hands.frame_id)
    _write_hand(message.right, two_hands.right)
    _write_hand(message.left, two_hands.left)
    message.interacting = two_hands.interacting
    message.disagreement = _number(two_hands.disagreement_m)
    message.detected = two_hands.was_detected
    left_from_right_m, region = two_hands.left_from_right_m, two_hands.region
    place(message.left_from_right, _nan(3) if left_from_right_m is None else left_from_right_m)
    message.region = _flat(_nan(4) if region is None else np.array(region))
    return message


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


def transforms(
    new: New, two_hands: TwoHands, *, prefix: str, with_joints: bool = False
) -> list[Any]:
    """Return the frames of the hands that are there: a lost hand has no transform.

    :param with_joints: also a frame of each joint but the wrist, below that of its hand and turned
        as it is.
    """
    frames = [_hand_transform(new, two_hands, hand, prefix) for hand in two_hands.hands]
    if with_joints:
        for hand in two_hands.hands:
            frames += _joint_transforms(new, two_hands, hand, prefix)
    return frames


def child_frame(side: Side, *, prefix: str) -> str:
    """Return the name of a hand's frame."""
    return f'{prefix}{side.label}_hand'


def hand_frames(prefix: str) -> frozenset[str]:
    """Return the names of the frames of both hands and of all their joints."""
    hands = [child_frame(side, prefix=prefix) for side in Side]
    joints = [_joint_frame(hand, name) for hand in hands for name in JOINT_NAMES[1:]]
    return frozenset(hands + joints)


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


def _write_hand(message: Any, hand: Hand | NoHand) -> None:
    message.side = int(hand.side)
    if isinstance(hand, NoHand):
        _write_no_hand(message, hand)
        return
    message.tracked = True
    message.score = float(hand.box.score)
    message.depth_source = int(hand.depth_source)
    message.box = np.array(hand.box.corners, np.float32)
    message.joints = _flat(hand.joints_m)
    message.joints_image = _flat(hand.joints_image_px)
    message.vertices = _flat(hand.vertices_m)
    message.pose = _flat(hand.pose)
    message.betas = _flat(hand.betas)
    message.reprojection_error = float(hand.reprojection_error_px)
    message.hand_scale = float(hand.scale)
    covariance = hand.wrist_covariance_m2
    message.wrist_covariance = _flat(_nan(9) if covariance is None else covariance)
    place(message.wrist.position, hand.wrist_m)
    turn(message.wrist.orientation, hand.wrist_quaternion_xyzw)


def _write_no_hand(message: Any, hand: NoHand) -> None:
    message.tracked = False
    message.score = float(hand.score)
    message.reason = hand.reason
    message.depth_source = int(DepthSource.NONE)
    message.reprojection_error = math.nan
    message.hand_scale = math.nan
    for name, count in _NUMBERS.items():
        setattr(message, name, _nan(count))
    place(message.wrist.position, _nan(3))
    turn(message.wrist.orientation, _nan(4))


def _hand_transform(new: New, two_hands: TwoHands, hand: Hand, prefix: str) -> Any:
    message = new(TRANSFORM)
    write_header(message.header, two_hands.stamp_ns, two_hands.frame_id)
    message.child_frame_id = child_frame(hand.side, prefix=prefix)
    place(message.transform.translation, hand.wrist_m)
    turn(message.transform.rotation, hand.wrist_quaternion_xyzw)
    return message


def _joint_transforms(new: New, two_hands: TwoHands, hand: Hand, prefix: str) -> list[Any]:
    parent = child_frame(hand.side, prefix=prefix)
    hand_from_cam = cam_from_hand(hand.joints_m, hand.side).T
    frames = []
    for name, joint_m in zip(JOINT_NAMES[1:], hand.joints_m[1:], strict=True):
        message = new(TRANSFORM)
        write_header(message.header, two_hands.stamp_ns, parent)
        message.child_frame_id = _joint_frame(parent, name)
        place(message.transform.translation, hand_from_cam @ (joint_m - hand.wrist_m))
        turn(message.transform.rotation, (0.0, 0.0, 0.0, 1.0))
        frames.append(message)
    return frames


def _joint_frame(parent: str, joint: str) -> str:
    return f'{parent}_{joint}'


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _nan(count: int) -> Array:
    return np.full(count, np.nan, np.float32)


def _flat(values: Array) -> Array:
    return np.ravel(values).astype(np.float32)
