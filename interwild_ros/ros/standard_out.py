"""Each hand as messages that everybody knows: the wrist as a pose, the joints as points."""

from __future__ import annotations

from array import array

from geometry_msgs.msg import PoseStamped
from interwild_ros.records import Hand, JOINT_COUNT, TwoHands
from interwild_ros.ros.hands_out import header_message, place, turn
import numpy as np
from sensor_msgs.msg import PointCloud2, PointField

_OFFSETS = {'x': 0, 'y': 4, 'z': 8, 'joint': 12}
_POINT = np.dtype(
    {
        'names': list(_OFFSETS),
        'formats': ['<f4', '<f4', '<f4', 'u1'],
        'offsets': list(_OFFSETS.values()),
        'itemsize': 16,  # padded, so that points are aligned
    }
)


def wrist_pose_message(two_hands: TwoHands, hand: Hand) -> PoseStamped:
    """Return where the wrist is and how it is turned, in the camera's frame."""
    message = PoseStamped(header=header_message(two_hands.stamp_ns, two_hands.frame_id))
    place(message.pose.position, hand.wrist_m)
    turn(message.pose.orientation, hand.wrist_quaternion_xyzw)
    return message


def keypoints_message(two_hands: TwoHands, hand: Hand) -> PointCloud2:
    """Return the 21 joints as points in the camera's frame, each with its index."""
    points = np.zeros(JOINT_COUNT, _POINT)
    for axis, name in enumerate('xyz'):
        points[name] = hand.joints_m[:, axis]
    points['joint'] = np.arange(JOINT_COUNT)
    return PointCloud2(
        header=header_message(two_hands.stamp_ns, two_hands.frame_id),
        height=1,
        width=JOINT_COUNT,
        fields=_fields(),
        is_bigendian=False,
        point_step=_POINT.itemsize,
        row_step=_POINT.itemsize * JOINT_COUNT,
        data=array('B', points.tobytes()),
        is_dense=True,
    )


def _fields() -> list[PointField]:
    kinds = {'x': PointField.FLOAT32, 'y': PointField.FLOAT32, 'z': PointField.FLOAT32}
    kinds['joint'] = PointField.UINT8
    return [
        PointField(name=name, offset=_OFFSETS[name], datatype=kind, count=1)
        for name, kind in kinds.items()
    ]
