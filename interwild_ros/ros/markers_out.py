"""Turn both hands into RViz markers: a mesh and a skeleton per side, sent as patched bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Vector3
from interwild_ros.imaging.overlay import SIDE_COLOURS
from interwild_ros.records import Array, Side, Topology, TwoHands
from interwild_ros.ros.cdr import LayoutError, Numbers, PatchedMessage, Slot
from interwild_ros.ros.hands_out import header_message, time_message
import numpy as np
from rclpy.duration import Duration
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

BONE_WIDTH_M = 0.004
KEPT_TEMPLATES = 8
STAMP = 'stamp'


@dataclass(frozen=True)
class Style:
    """How RViz draws the points of one namespace. Opaque: RViz shows transparent meshes badly."""

    kind: int
    scale: tuple[float, float, float]
    rgb: tuple[float, ...]


def _mesh_style(side: Side) -> Style:
    rgb = tuple(part / 255 for part in SIDE_COLOURS[side])
    return Style(Marker.TRIANGLE_LIST, (1.0, 1.0, 1.0), rgb)


def _skeleton_style(side: Side) -> Style:
    rgb = tuple(0.5 * part / 255 for part in SIDE_COLOURS[side])
    return Style(Marker.LINE_LIST, (BONE_WIDTH_M, 0.0, 0.0), rgb)


MESH_NAMESPACES = {side: f'{side.label}_mesh' for side in Side}
SKELETON_NAMESPACES = {side: f'{side.label}_skeleton' for side in Side}
STYLES = {
    **{MESH_NAMESPACES[side]: _mesh_style(side) for side in Side},
    **{SKELETON_NAMESPACES[side]: _skeleton_style(side) for side in Side},
}


class MarkersOut:
    """Makes the messages of `~/markers`, and remembers which hands RViz shows."""

    def __init__(self, topology: Topology, *, on_fallback: Callable[[str], None]) -> None:
        """Take the order of triangle corners and bone ends.

        :param on_fallback: told once, in a sentence, when patching cannot be used here.
        """
        self._corners = {
            Side.RIGHT: topology.right_triangles.ravel(),
            Side.LEFT: topology.left_triangles.ravel(),
        }
        self._bone_ends = _bone_ends(topology.joint_parents)
        self._on_fallback = on_fallback
        self._can_patch = True
        self._templates: dict[tuple[object, ...], PatchedMessage] = {}
        self._shown: set[Side] = set()
        self._header = Header()

    def messages(self, two_hands: TwoHands, *, lifetime_sec: float) -> list[MarkerArray | bytes]:
        """Return what to publish: hands lost since the last call are deleted, others drawn."""
        tracked = {hand.side for hand in two_hands.hands}
        self._header = header_message(two_hands.stamp_ns, two_hands.frame_id)
        messages: list[MarkerArray | bytes] = self._deletions(self._shown - tracked)
        if tracked:
            messages.append(self._drawing(two_hands, lifetime_sec))
        self._shown = tracked
        return messages

    def clear(self) -> list[MarkerArray | bytes]:
        """Return what deletes every hand that is shown, with the stamp of the last frame."""
        shown, self._shown = self._shown, set()
        return self._deletions(shown)

    def typed(self, two_hands: TwoHands, *, lifetime_sec: float) -> MarkerArray:
        """Return the drawing of the tracked hands as a typed message."""
        return drawing(two_hands.frame_id, lifetime_sec, self._numbers(two_hands))

    def patched(self, two_hands: TwoHands, *, lifetime_sec: float) -> bytes:
        """Return the drawing of the tracked hands as a serialised message.

        :raises LayoutError: when the serialised message is laid out in a way we do not know.
        """
        numbers = self._numbers(two_hands)
        key = (two_hands.frame_id, lifetime_sec, *numbers)
        if key not in self._templates:
            if len(self._templates) >= KEPT_TEMPLATES:
                self._templates.clear()
            build = partial(drawing, two_hands.frame_id, lifetime_sec)
            self._templates[key] = PatchedMessage(build, _slots(numbers))
        return self._templates[key].filled(numbers)

    def _deletions(self, sides: set[Side]) -> list[MarkerArray | bytes]:
        return [deletions(self._header, sides)] if sides else []

    def _drawing(self, two_hands: TwoHands, lifetime_sec: float) -> MarkerArray | bytes:
        if self._can_patch:
            try:
                return self.patched(two_hands, lifetime_sec=lifetime_sec)
            except LayoutError as error:
                self._can_patch = False
                self._on_fallback(f'markers are made the slow way: {error}')
        return self.typed(two_hands, lifetime_sec=lifetime_sec)

    def _numbers(self, two_hands: TwoHands) -> dict[str, Array]:
        """Return the stamp (sec, nanosec), and the points (N, 3) by namespace."""
        stamp = time_message(two_hands.stamp_ns)
        numbers: dict[str, Array] = {STAMP: np.array([stamp.sec, stamp.nanosec])}
        for hand in two_hands.hands:
            corners = self._corners[hand.side]
            numbers[MESH_NAMESPACES[hand.side]] = hand.vertices_m.take(corners, axis=0)
            numbers[SKELETON_NAMESPACES[hand.side]] = hand.joints_m[self._bone_ends]
        return numbers


def drawing(frame_id: str, lifetime_sec: float, numbers: Numbers) -> MarkerArray:
    """Return markers with this stamp and these points, one marker per namespace."""
    sec, nanosec = map(int, numbers[STAMP])
    header = Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=frame_id)
    lifetime = Duration(seconds=lifetime_sec).to_msg()
    return MarkerArray(
        markers=[
            _marker(name, points.reshape(-1, 3), header=header, lifetime=lifetime)
            for name, points in numbers.items()
            if name != STAMP
        ]
    )


def deletions(header: Header, sides: Iterable[Side]) -> MarkerArray:
    """Return a message that takes the hands of these sides off the screen."""
    return MarkerArray(
        markers=[
            Marker(header=header, ns=namespaces[side], action=Marker.DELETE)
            for side in sorted(sides)
            for namespaces in (MESH_NAMESPACES, SKELETON_NAMESPACES)
        ]
    )


def _marker(namespace: str, points: Array, **rest: Any) -> Marker:
    style = STYLES[namespace]
    red, green, blue = style.rgb
    x, y, z = style.scale
    marker = Marker(ns=namespace, type=style.kind, action=Marker.ADD, **rest)
    marker.pose.orientation.w = 1.0
    marker.scale = Vector3(x=x, y=y, z=z)
    marker.color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
    marker.points = [Point(x=x, y=y, z=z) for x, y, z in points.tolist()]
    return marker


def _bone_ends(joint_parents: tuple[int, ...]) -> Array:
    """Return the joints at the ends of every bone in LINE_LIST order: parent, child, ..."""
    bones = [(parent, child) for child, parent in enumerate(joint_parents) if parent >= 0]
    return np.array(bones).ravel()


def _slots(numbers: Numbers) -> dict[str, Slot]:
    slots = {name: Slot('f8', points.size) for name, points in numbers.items() if name != STAMP}
    return {STAMP: Slot('i4', 2, places=len(slots)), **slots}
