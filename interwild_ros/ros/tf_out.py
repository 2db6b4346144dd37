"""Turn both hands into TF: from the image's frame to right_hand and left_hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import TransformStamped
from interwild_ros.bag.patched import Patcher
from interwild_ros.bag.transforms import transforms_of
from interwild_ros.records import TwoHands
from interwild_ros.ros.hands_out import new_message
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message

TF_TOPIC = '/tf'
TF_QOS = QoSProfile(depth=100)


class TransformsOut:
    """Makes the messages of `/tf`: all frames of a picture in one."""

    def __init__(self, *, on_fallback: Callable[[str], None]) -> None:
        """Begin without templates.

        :param on_fallback: told once, in a sentence, when patching cannot be used here.
        """
        self.patcher = Patcher('transforms', serialize=serialize_message, on_fallback=on_fallback)

    def message(self, two_hands: TwoHands, *, prefix: str, with_joints: bool = False) -> Any:
        """Return what to publish, if anything: see `bag.transforms`.

        :returns: bytes, or a message where patching cannot be used, or None.
        """
        form, numbers = transforms_of(
            new_message, two_hands, prefix=prefix, with_joints=with_joints
        )
        return self.patcher.message(form, numbers) if form.parents else None


def transforms(
    two_hands: TwoHands, *, prefix: str, with_joints: bool = False
) -> list[TransformStamped]:
    """Return the frames of the hands that are there: see `bag.transforms`."""
    form, numbers = transforms_of(new_message, two_hands, prefix=prefix, with_joints=with_joints)
    return form.transforms(numbers)
