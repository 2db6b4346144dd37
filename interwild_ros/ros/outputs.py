"""Publish what was seen in a frame: each output only while somebody listens to it."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import PoseStamped
from interwild_ros.config import Settings
from interwild_ros.msg import HandTopology
from interwild_ros.msg import TwoHands as TwoHandsMsg
from interwild_ros.pipeline.following import Followed
from interwild_ros.records import Hand, ModelCard, Side, Topology, TwoHands
from interwild_ros.ros.camera_names import CameraNames
from interwild_ros.ros.hands_out import HandsOut, topology_message
from interwild_ros.ros.markers_out import MarkersOut
from interwild_ros.ros.standard_out import keypoints_message, wrist_pose_message
from interwild_ros.ros.tf_out import TF_QOS, TF_TOPIC, TransformsOut
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import PointCloud2
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

_HANDS_DEPTH = 10
_MARKERS_DEPTH = 4


class Outputs:
    """The publishers of hands, topology, markers and TF of one camera."""

    def __init__(
        self, node: Node, topology: Topology, card: ModelCard, names: CameraNames | None = None
    ) -> None:
        """Make the publishers and say the topology, once for everybody who will come.

        :param names: what the topics are called; those of an only camera if not given.
        """
        own = (names or CameraNames()).own
        self._node = node
        self._two_hands = make_publisher(node, TwoHandsMsg, own('two_hands'), _HANDS_DEPTH)
        self._raw = make_publisher(node, TwoHandsMsg, own('two_hands_raw'), _HANDS_DEPTH)
        self._poses, self._keypoints = (
            {
                side: make_publisher(node, kind, own(f'{side.label}/{name}'), _HANDS_DEPTH)
                for side in Side
            }
            for kind, name in ((PoseStamped, 'wrist_pose'), (PointCloud2, 'keypoints'))
        )
        self._markers = make_publisher(node, MarkerArray, own('markers'), _MARKERS_DEPTH)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._topology = make_publisher(node, HandTopology, own('topology'), latched)
        self._tf = node.create_publisher(TFMessage, TF_TOPIC, TF_QOS)
        warn = node.get_logger().warning
        self._hands_out = HandsOut(on_fallback=warn)
        self._transforms_out = TransformsOut(on_fallback=warn)
        self._markers_out = MarkersOut(topology, on_fallback=warn)
        self._topology.publish(topology_message(topology, card))

    def publish(self, followed: Followed, settings: Settings) -> None:
        """Publish both hands of a frame; the numbers first, what is for the eye last."""
        two_hands = followed.hands
        if is_heard(self._two_hands):
            self._two_hands.publish(self._hands_out.message(two_hands))
        for hand in two_hands.hands:
            self._publish_standard(two_hands, hand)
        if is_heard(self._raw):
            self._raw.publish(self._hands_out.message(followed.raw))
        if is_heard(self._tf):
            frames = self._transforms_out.message(
                two_hands, prefix=settings.tf_prefix, with_joints=settings.joint_frames
            )
            if frames is not None:
                self._tf.publish(frames)
        if is_heard(self._markers):
            lifetime_sec = settings.marker_lifetime_sec
            markers = self._markers_out.message(two_hands, lifetime_sec=lifetime_sec)
            if markers is not None:
                self._markers.publish(markers)

    def _publish_standard(self, two_hands: TwoHands, hand: Hand) -> None:
        pose, keypoints = self._poses[hand.side], self._keypoints[hand.side]
        if is_heard(pose):
            pose.publish(wrist_pose_message(two_hands, hand))
        if is_heard(keypoints):
            keypoints.publish(keypoints_message(two_hands, hand))

    def take_back_markers(self) -> None:
        """Take the hands off the screen: nothing will follow for a while."""
        markers = self._markers_out.clear()
        if markers is not None:
            self._markers.publish(markers)

    def destroy(self) -> None:
        """Take the publishers away."""
        for publisher in (
            self._two_hands,
            self._raw,
            *self._poses.values(),
            *self._keypoints.values(),
            self._markers,
            self._topology,
            self._tf,
        ):
            self._node.destroy_publisher(publisher)


def make_publisher(node: Node, kind: type[Any], topic: str, qos: QoSProfile | int) -> Publisher:
    """Return a publisher whose QoS the user can override by parameters."""
    return node.create_publisher(
        kind, topic, qos, qos_overriding_options=QoSOverridingOptions.with_default_policies()
    )


def is_heard(publisher: Publisher) -> bool:
    """Return whether anybody listens to a publisher."""
    return bool(publisher.get_subscription_count())
