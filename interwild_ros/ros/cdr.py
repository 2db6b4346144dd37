"""Messages of rclpy that are serialised once and then patched: see `bag.patched`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from interwild_ros.bag.patched import LayoutError, Numbers, PatchedBytes, Slot
from rclpy.serialization import serialize_message

__all__ = ['LayoutError', 'Numbers', 'PatchedMessage', 'Slot']


class PatchedMessage(PatchedBytes):
    """A serialised message whose numbers are replaced in place."""

    def __init__(self, build: Callable[[Numbers], Any], slots: Mapping[str, Slot]) -> None:
        """Serialise a message of known numbers and find them in its bytes.

        :param build: makes the typed message from the numbers of every slot.
        :param slots: what the message holds, by name.
        :raises LayoutError: when some numbers are not found as often as their slot says.
        """
        super().__init__(lambda numbers: serialize_message(build(numbers)), slots)
