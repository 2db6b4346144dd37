"""Turn both hands into TF: from the image's frame to right_hand and left_hand."""

from __future__ import annotations

from collections.abc import Callable

from geometry_msgs.msg import TransformStamped
from interwild_ros.bag.transforms import TransformMessages, transforms_of
from interwild_ros.records import TwoHands
from interwild_ros.ros.hands_out import new_message
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message

TF_TOPIC = '/tf'
TF_QOS = QoSProfile(depth=100)


class TransformsOut(TransformMessages):
    """Makes the messages of `/tf`: all frames of a picture in one."""

    def __init__(self, *, on_fallback: Callable[[str], None]) -> None:
        """Begin without templates.

        :param on_fallback: told once, in a sentence, when patching cannot be used here.
        """
        super().__init__(new=new_message, serialize=serialize_message, on_fallback=on_fallback)


def transforms(
    two_hands: TwoHands, *, prefix: str, with_joints: bool = False
) -> list[TransformStamped]:
    """Return the frames of the hands that are there: see `bag.transforms`."""
    form, numbers = transforms_of(new_message, two_hands, prefix=prefix, with_joints=with_joints)
    return form.transforms(numbers)
