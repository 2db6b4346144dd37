r"""Lead a robot arm by a hand: wrist poses come in, pose commands for MoveIt Servo go out.

    python examples/servo_pose.py --ros-args -p frame_id:=panda_link0 \
        -p start_x:=0.3 -p start_y:=0.0 -p start_z:=0.5 -p start_xyzw:='[1.0, 0.0, 0.0, 0.0]'
    ros2 service call /servo_pose/clutch std_srvs/srv/SetBool '{data: true}'

The target moves only while the clutch is engaged, and only by what the hand moved since then. A
hand that is lost, late or out of order releases the clutch, and nothing is sent until somebody
engages it again. Heard: `hands_node/<side>/wrist_pose`. Sent: `servo_node/pose_target_cmds`, and
`~/engaged` (latched). The parameters are `Settings` in tool_motion.py; docs/teleoperation.md says
how all this is wired.

MoveIt Servo in Jazzy takes geometry_msgs/PoseStamped on `~/pose_target_cmds` of its node while its
command type is POSE, moves the tip of its IK solver there, and halts when the stamp is older than
`incoming_command_timeout` (0.1 s); so a target keeps the stamp of its picture. Source: moveit2,
branch jazzy, moveit_ros/moveit_servo: config/servo_parameters.yaml, src/servo_node.cpp.
"""

from __future__ import annotations

from dataclasses import fields

from geometry_msgs.msg import PoseStamped
from interwild_ros.errors import InputError
from interwild_ros.records import NS_PER_SEC
from interwild_ros.ros.hands_out import place, turn
from interwild_ros.ros.stop_signals import StopSignals
from interwild_ros.tracking.manifolds import ROTATIONS, VECTORS
import numpy as np
from rcl_interfaces.msg import ParameterDescriptor
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from rclpy.time import Time
from rclpy.utilities import try_shutdown
from std_msgs.msg import Bool
from std_srvs.srv import SetBool
from tool_motion import followed, limited, Pose, Settings

NAME = 'servo_pose'


class ServoPose(Node):
    """Hears a hand, minds the clutch, sends targets."""

    def __init__(self) -> None:
        """Read the parameters, and announce the topics and the service.

        :raises ValueError: for parameters that are refused.
        """
        super().__init__(NAME)
        fixed = ParameterDescriptor(read_only=True, dynamic_typing=True)
        given = {
            f.name: self.declare_parameter(f.name, f.default, fixed) for f in fields(Settings)
        }
        self._settings = Settings(**{name: parameter.value for name, parameter in given.items()})
        self._tool = self._settings.start  # as last commanded
        self._hand: PoseStamped | None = None  # as last heard
        self._then: tuple[Pose, Pose] | None = None  # hand and tool when the clutch engaged
        self._is_awaited = self._settings.engaged
        self._targets = self.create_publisher(PoseStamped, 'servo_node/pose_target_cmds', 1)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._engaged = self.create_publisher(Bool, '~/engaged', latched)
        self._engaged.publish(Bool(data=False))
        topic = f'hands_node/{self._settings.side}/wrist_pose'
        self.create_subscription(PoseStamped, topic, self._hear, 1)
        self.create_service(SetBool, '~/clutch', self._clutch)
        self.create_timer(self._settings.timeout_sec / 4, self._release_when_late)

    def _hear(self, hand: PoseStamped) -> None:
        before, self._hand = self._hand, hand
        if doubt := self._breach(before, hand) or self._lateness():
            self._release(doubt)
        elif self._is_awaited:
            self._engage(hand)
        elif self._then:
            self._send(hand, *self._then)

    def _breach(self, before: PoseStamped | None, hand: PoseStamped) -> str:
        """Say why the way between two poses may be none that the hand went, or nothing."""
        try:
            _pose(hand)
        except InputError as error:
            self._hand = None
            return str(error)
        if before is None:
            return ''
        if before.header.frame_id != hand.header.frame_id:
            return f'the camera is now {hand.header.frame_id}, it was {before.header.frame_id}'
        gap_sec = (_time(hand) - _time(before)).nanoseconds / NS_PER_SEC
        if 0 <= gap_sec <= self._settings.timeout_sec:
            return ''
        return f'stamps go on by {gap_sec:.3f} s, wanted 0 to {self._settings.timeout_sec} s'

    def _lateness(self) -> str:
        """Say why the last hand is not the present one, or nothing."""
        if self._hand is None:
            return f'no {self._settings.side} hand was heard'
        age_sec = (self.get_clock().now() - _time(self._hand)).nanoseconds / NS_PER_SEC
        if abs(age_sec) <= self._settings.timeout_sec:
            return ''
        return f'the last {self._settings.side} hand is {age_sec:.3f} s old'

    def _release_when_late(self) -> None:
        if doubt := self._lateness():
            self._release(doubt)

    def _clutch(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._is_awaited = False
        doubt = self._lateness() if request.data else ''
        if request.data and self._hand and not doubt:
            self._engage(self._hand)
        else:
            self._release(doubt or 'by the clutch')
        response.success, response.message = not doubt, doubt
        return response

    def _engage(self, hand: PoseStamped) -> None:
        self._is_awaited = False
        self._then = _pose(hand), self._tool
        self._engaged.publish(Bool(data=True))
        self.get_logger().info('engaged')

    def _release(self, reason: str) -> None:
        if self._then is None:
            return
        self._then = None
        self._engaged.publish(Bool(data=False))
        self.get_logger().warning(f'released: {reason}')

    def _send(self, hand: PoseStamped, hand_then: Pose, tool_then: Pose) -> None:
        target = followed(_pose(hand), hand_then, tool_then, self._settings)
        self._tool = limited(target, self._tool, self._settings)
        message = PoseStamped()
        message.header.stamp = hand.header.stamp
        message.header.frame_id = self._settings.frame_id
        place(message.pose.position, self._tool.xyz_m)
        turn(message.pose.orientation, self._tool.xyzw)
        self._targets.publish(message)


def _time(message: PoseStamped) -> Time:
    return Time.from_msg(message.header.stamp)


def _pose(message: PoseStamped) -> Pose:
    at, to = message.pose.position, message.pose.orientation
    xyz_m, xyzw = np.array([at.x, at.y, at.z]), np.array([to.x, to.y, to.z, to.w])
    return Pose(VECTORS.checked(xyz_m), ROTATIONS.checked(xyzw))


def main() -> int:
    """Run the node until it is told to stop; return the exit code."""
    with StopSignals() as stop:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        executor = SingleThreadedExecutor()
        try:
            executor.add_node(ServoPose())
        except (TypeError, ValueError) as error:
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
