"""Both hands as RViz markers of rclpy: see `bag.markers`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from interwild_ros.bag import markers
from interwild_ros.bag.markers import Scene
from interwild_ros.records import Side, Topology, TwoHands
from interwild_ros.ros.hands_out import new_message
from rclpy.serialization import serialize_message

__all__ = ['MarkersOut', 'Scene', 'scene_of']


class MarkersOut(markers.Markers):
    """Makes the messages of `~/markers`, and remembers which hands RViz shows."""

    def __init__(self, topology: Topology, *, on_fallback: Callable[[str], None]) -> None:
        """Take the order of triangle corners and bone ends.

        :param on_fallback: told once, in a sentence, when patching cannot be used here.
        """
        super().__init__(
            topology, new=new_message, serialize=serialize_message, on_fallback=on_fallback
        )


def scene_of(two_hands: TwoHands, lost: Iterable[Side], *, lifetime_sec: float) -> Scene:
    """Return what draws the tracked hands and deletes the lost ones."""
    return markers.scene_of(two_hands, lost, lifetime_sec=lifetime_sec, new=new_message)
