"""Turn both hands into TF: from the image's frame to right_hand and left_hand."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import TransformStamped
from interwild_ros.bag import outgoing
from interwild_ros.records import TwoHands
from interwild_ros.ros.hands_out import new_message
from rclpy.node import Node
from rclpy.qos import QoSProfile
from tf2_msgs.msg import TFMessage

TF_TOPIC = '/tf'
TF_QOS = QoSProfile(depth=100)


class Broadcaster:
    """What tf2_ros.TransformBroadcaster does, for prefixes that lack tf2_ros."""

    def __init__(self, node: Node) -> None:
        self.pub_tf = node.create_publisher(TFMessage, TF_TOPIC, TF_QOS)

    def sendTransform(self, transforms: list[TransformStamped]) -> None:  # noqa: N802
        """Send some transforms in one message."""
        self.pub_tf.publish(TFMessage(transforms=transforms))


def make_broadcaster(node: Node) -> Any:
    """Return the broadcaster of tf2_ros where it is installed, else our own."""
    try:
        from tf2_ros import TransformBroadcaster
    except ImportError:
        return Broadcaster(node)
    return TransformBroadcaster(node)


def transforms(
    two_hands: TwoHands, *, prefix: str, with_joints: bool = False
) -> list[TransformStamped]:
    """Return the frames of the hands that are there: see `bag.outgoing`."""
    return outgoing.transforms(new_message, two_hands, prefix=prefix, with_joints=with_joints)
