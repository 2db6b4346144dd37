"""Messages on topics that many nodes share, without what a hands node says there itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from diagnostic_msgs.msg import DiagnosticArray
from interwild_ros.bag.transforms import hand_frames
from interwild_ros.ros.tf_out import TF_TOPIC
from rclpy.serialization import deserialize_message
from tf2_msgs.msg import TFMessage

DIAGNOSTICS_TOPIC = '/diagnostics'

# Takes a message's bytes; gives them, a message with less in it, or None when nothing is left.
Sieve: TypeAlias = Callable[[bytes], Any]


def sieves_for(hands_node: str, *, tf_prefix: str) -> dict[str, Sieve]:
    """Return what to let messages of shared topics go through, by topic.

    :param hands_node: full name of the node whose words are taken out.
    :param tf_prefix: the text before its TF frames.
    """
    frames = hand_frames(tf_prefix)
    return {
        TF_TOPIC: lambda data: _without(
            data, TFMessage, 'transforms', lambda entry: entry.child_frame_id in frames
        ),
        DIAGNOSTICS_TOPIC: lambda data: _without(
            data, DiagnosticArray, 'status', lambda entry: entry.name.startswith(f'{hands_node}: ')
        ),
    }


def _without(data: bytes, kind: type, field: str, is_own: Callable[[Any], bool]) -> Any:
    message = deserialize_message(data, kind)
    entries = getattr(message, field)
    others = [entry for entry in entries if not is_own(entry)]
    if len(others) == len(entries):
        return data
    if not others:
        return None
    setattr(message, field, others)
    return message
