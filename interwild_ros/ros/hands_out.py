"""Turn the pipeline's records into this package's messages."""

from __future__ import annotations

import math
from typing import Any

from builtin_interfaces.msg import Time
from interwild_ros.msg import Hand as HandMsg
from interwild_ros.msg import HandTopology
from interwild_ros.msg import TwoHands as TwoHandsMsg
from interwild_ros.records import (
    Array,
    DepthSource,
    Hand,
    ModelCard,
    NoHand,
    NS_PER_SEC,
    Topology,
    TwoHands,
)
import numpy as np
from std_msgs.msg import Header


def time_message(stamp_ns: int) -> Time:
    """Return a stamp in nanoseconds as a message."""
    sec, nanosec = divmod(stamp_ns, NS_PER_SEC)
    return Time(sec=sec, nanosec=nanosec)


def header_message(stamp_ns: int, frame_id: str) -> Header:
    """Return the header of an image that was taken at this time in this frame."""
    return Header(stamp=time_message(stamp_ns), frame_id=frame_id)


def two_hands_message(two_hands: TwoHands) -> TwoHandsMsg:
    """Return both hands of one picture as a message."""
    message = TwoHandsMsg(
        header=header_message(two_hands.stamp_ns, two_hands.frame_id),
        right=_hand_message(two_hands.right),
        left=_hand_message(two_hands.left),
        interacting=two_hands.interacting,
    )
    left_from_right = two_hands.left_from_right_m
    if left_from_right is None:
        left_from_right = np.full(3, np.nan)
    place(message.left_from_right, left_from_right)
    return message


def topology_message(topology: Topology, card: ModelCard) -> HandTopology:
    """Return what does not change while the node runs as a message."""
    return HandTopology(
        hand_model=topology.hand_model,
        hand_model_is_stand_in=topology.is_stand_in,
        variant=card.variant,
        weights=card.weights,
        weights_meaningful=card.weights_meaningful,
        right_triangles=topology.right_triangles.ravel(),
        left_triangles=topology.left_triangles.ravel(),
        joint_names=list(topology.joint_names),
        joint_parents=np.array(topology.joint_parents, np.int8),
    )


def _hand_message(hand: Hand | NoHand) -> HandMsg:
    if isinstance(hand, NoHand):
        return _no_hand_message(hand)
    message = HandMsg(
        side=int(hand.side),
        tracked=True,
        score=float(hand.box.score),
        depth_source=int(hand.depth_source),
        box=np.array(hand.box.corners, np.float32),
        joints=_flat(hand.joints_m),
        joints_image=_flat(hand.joints_image_px),
        vertices=_flat(hand.vertices_m),
        pose=_flat(hand.pose),
        betas=_flat(hand.betas),
        reprojection_error=float(hand.reprojection_error_px),
    )
    place(message.wrist.position, hand.wrist_m)
    turn(message.wrist.orientation, hand.wrist_quaternion_xyzw)
    return message


def place(vector: Any, xyz: Array) -> None:
    """Write three numbers into a Point or a Vector3."""
    vector.x, vector.y, vector.z = map(float, xyz)


def turn(quaternion: Any, xyzw: Array) -> None:
    """Write four numbers into a Quaternion."""
    quaternion.x, quaternion.y, quaternion.z, quaternion.w = map(float, xyzw)


def _no_hand_message(hand: NoHand) -> HandMsg:
    message = HandMsg(
        side=int(hand.side),
        tracked=False,
        score=float(hand.score),
        depth_source=int(DepthSource.NONE),
        reprojection_error=math.nan,
    )
    for name in ('box', 'joints', 'joints_image', 'vertices', 'pose', 'betas'):
        getattr(message, name).fill(np.nan)
    place(message.wrist.position, np.full(3, np.nan))
    turn(message.wrist.orientation, np.full(4, np.nan))
    return message


def _flat(values: Array) -> Array:
    return np.ravel(values).astype(np.float32)
