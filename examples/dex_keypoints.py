"""Feed dex-retargeting: a hand's keypoints come in, its points in the operator frame go out.

    python examples/dex_keypoints.py --ros-args -p side:=right

Heard: `hands_node/<side>/keypoints`. Sent: `~/points`, the same layout in the frame
`<side>_operator`: origin at the wrist, x out of the palm, z to the middle knuckle, y completes it,
in metres. That is what dex-retargeting's retargeting takes in the place of what its own detector
finds. docs/teleoperation.md says how.

Source: dex-retargeting, example/vector_retargeting/single_hand_detector.py,
`SingleHandDetector.detect` and `estimate_frame_from_hand_points`.
"""

from __future__ import annotations

import array

from interwild_ros.records import Array
from interwild_ros.ros.stop_signals import StopSignals
import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

NAME = 'dex_keypoints'
JOINT_COUNT = 21
POINT = np.dtype(
    {'names': ['xyz', 'joint'], 'formats': ['3<f4', 'u1'], 'offsets': [0, 12], 'itemsize': 16}
)
FIELDS = [
    PointField(name='x', offset=0, datatype=PointField.FLOAT32, count=1),
    PointField(name='y', offset=4, datatype=PointField.FLOAT32, count=1),
    PointField(name='z', offset=8, datatype=PointField.FLOAT32, count=1),
    PointField(name='joint', offset=12, datatype=PointField.UINT8, count=1),
]
# Columns: the operator's axes in those of dex-retargeting's wrist frame.
WRIST_FROM_OPERATOR = {
    'right': np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
    'left': np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
}
# No palm is so thin: below this share of its length its plane would be noise.
_LEAST_WIDTH = 1e-3


def operator_points(joints_m: Array, side: str) -> Array:
    """Return a hand's joints (21, 3) in the operator frame, in metres from the wrist.

    :param joints_m: (21, 3) metres in any right-handed frame: wrist, then thumb, index, middle,
        ring and pinky, tips last.
    :raises ValueError: when wrist, index and middle knuckle span no plane, or hold NaN.
    """
    points_m = joints_m - joints_m[0]
    palm_m = points_m[[0, 5, 9]]  # wrist, index and middle knuckle
    _, lengths, axes = np.linalg.svd(palm_m - palm_m.mean(axis=0))
    if not lengths[1] > _LEAST_WIDTH * lengths[0]:
        raise ValueError(f'wrist, index and middle knuckle are {palm_m.tolist()}, wanted a plane')
    normal = axes[2]
    x = (palm_m[0] - palm_m[2]) - ((palm_m[0] - palm_m[2]) @ normal) * normal
    x /= np.linalg.norm(x)
    z = np.cross(x, normal)
    if z @ (palm_m[1] - palm_m[2]) < 0:
        normal, z = -normal, -z
    points: Array = points_m @ np.stack([x, normal, z], axis=1) @ WRIST_FROM_OPERATOR[side]
    return points


def joints_of(cloud: PointCloud2) -> Array:
    """Return the joints (21, 3) that a message of keypoints holds.

    :raises ValueError: when it has another layout.
    """
    is_ours = list(cloud.fields) == FIELDS and cloud.point_step == POINT.itemsize
    if not is_ours or cloud.is_bigendian or len(cloud.data) != JOINT_COUNT * POINT.itemsize:
        raise ValueError(f'{cloud.header.frame_id} keypoints are laid out otherwise')
    points = np.frombuffer(cloud.data, POINT)
    if not np.array_equal(points['joint'], np.arange(JOINT_COUNT)):
        raise ValueError(f'joints are {points["joint"].tolist()}, wanted 0 to 20 in order')
    return points['xyz'].astype(np.float64)


def cloud_of(joints_m: Array, header: Header) -> PointCloud2:
    """Return joints (21, 3) as a message of keypoints."""
    points = np.zeros(JOINT_COUNT, POINT)
    points['xyz'], points['joint'] = joints_m, np.arange(JOINT_COUNT)
    return PointCloud2(
        header=header,
        height=1,
        width=JOINT_COUNT,
        fields=FIELDS,
        point_step=POINT.itemsize,
        row_step=JOINT_COUNT * POINT.itemsize,
        data=array.array('B', points.tobytes()),
        is_dense=True,
    )


class DexKeypoints(Node):
    """Turns keypoints into operator points, one message for one."""

    def __init__(self) -> None:
        """Read the side, and announce the topics.

        :raises ValueError: for a side that no hand has.
        """
        super().__init__(NAME)
        self._side = self.declare_parameter('side', 'right').value
        if self._side not in WRIST_FROM_OPERATOR:
            raise ValueError(f'side is {self._side!r}, wanted right or left')
        self._points = self.create_publisher(PointCloud2, '~/points', 1)
        self.create_subscription(
            PointCloud2, f'hands_node/{self._side}/keypoints', self._convert, 1
        )

    def _convert(self, cloud: PointCloud2) -> None:
        try:
            points_m = operator_points(joints_of(cloud), self._side)
        except ValueError as error:
            self.get_logger().warning(f'not converted: {error}', throttle_duration_sec=5.0)
            return
        header = Header(stamp=cloud.header.stamp, frame_id=f'{self._side}_operator')
        self._points.publish(cloud_of(points_m, header))


def main() -> int:
    """Run the node until it is told to stop; return the exit code."""
    with StopSignals() as stop:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        executor = SingleThreadedExecutor()
        try:
            executor.add_node(DexKeypoints())
        except ValueError as error:
            get_logger(NAME).error(f'cannot start: {error}')
            return 1
        else:
            while not stop.came:
                executor.spin_once(timeout_sec=0.1)
            return 0
        finally:
            executor.shutdown()
            try_shutdown()


if __name__ == '__main__':
    raise SystemExit(main())
