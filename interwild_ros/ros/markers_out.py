"""Turn both hands into RViz markers: a mesh and a skeleton per side, sent as patched bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Vector3
from interwild_ros.imaging.overlay import SIDE_COLOURS
from interwild_ros.records import Array, Side, Topology, TwoHands
from interwild_ros.ros.cdr import LayoutError, Numbers, PatchedMessage, Slot
from interwild_ros.ros.hands_out import time_message
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


@dataclass(frozen=True)
class Scene:
    """What a message holds beside stamp and points: the namespaces it draws and deletes."""

    frame_id: str
    lifetime_sec: float
    drawn: tuple[str, ...]
    deleted: tuple[str, ...]

    def message(self, numbers: Numbers) -> MarkerArray:
        """Return the typed message with this stamp and these points."""
        sec, nanosec = map(int, numbers[STAMP])
        header = Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=self.frame_id)
        lifetime = Duration(seconds=self.lifetime_sec).to_msg()
        drawn = [
            _marker(name, numbers[name].reshape(-1, 3), header=header, lifetime=lifetime)
            for name in self.drawn
        ]
        deleted = [Marker(header=header, ns=name, action=Marker.DELETE) for name in self.deleted]
        return MarkerArray(markers=[*drawn, *deleted])

    def slots(self, numbers: Numbers) -> dict[str, Slot]:
        """Return where numbers stand in the message: a stamp in each marker, points in some."""
        points = {name: Slot('f8', numbers[name].size) for name in self.drawn}
        return {STAMP: Slot('i4', 2, places=len(self.drawn) + len(self.deleted)), **points}


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
        self._templates: dict[Scene, PatchedMessage] = {}
        self._shown: set[Side] = set()
        self._last = ('', 0)  # frame and stamp of the last message

    def message(self, two_hands: TwoHands, *, lifetime_sec: float) -> MarkerArray | bytes | None:
        """Return what to publish, if anything: tracked hands drawn, hands just lost deleted."""
        tracked = {hand.side for hand in two_hands.hands}
        lost, self._shown = self._shown - tracked, tracked
        self._last = (two_hands.frame_id, two_hands.stamp_ns)
        if not (tracked or lost):
            return None
        scene = scene_of(two_hands, lost, lifetime_sec=lifetime_sec)
        numbers = self.numbers(two_hands)
        if self._can_patch:
            try:
                return self.patched(scene, numbers)
            except LayoutError as error:
                self._can_patch = False
                self._on_fallback(f'markers are made the slow way: {error}')
        return scene.message(numbers)

    def clear(self) -> MarkerArray | None:
        """Return what deletes the hands that are shown, with the stamp of the last frame."""
        shown, self._shown = self._shown, set()
        if not shown:
            return None
        frame_id, stamp_ns = self._last
        scene = Scene(frame_id, lifetime_sec=0.0, drawn=(), deleted=_namespaces(shown))
        return scene.message({STAMP: _stamp_numbers(stamp_ns)})

    def patched(self, scene: Scene, numbers: Numbers) -> bytes:
        """Return the serialised message with this stamp and these points.

        :raises LayoutError: when the serialised message is laid out in a way we do not know.
        """
        if scene not in self._templates:
            if len(self._templates) >= KEPT_TEMPLATES:
                self._templates.clear()
            self._templates[scene] = PatchedMessage(scene.message, scene.slots(numbers))
        return self._templates[scene].filled(numbers)

    def numbers(self, two_hands: TwoHands) -> dict[str, Array]:
        """Return the stamp (sec, nanosec), and the points (N, 3) by namespace."""
        numbers = {STAMP: _stamp_numbers(two_hands.stamp_ns)}
        for hand in two_hands.hands:
            corners = self._corners[hand.side]
            numbers[MESH_NAMESPACES[hand.side]] = hand.vertices_m.take(corners, axis=0)
            numbers[SKELETON_NAMESPACES[hand.side]] = hand.joints_m.take(self._bone_ends, axis=0)
        return numbers


def scene_of(two_hands: TwoHands, lost: Iterable[Side], *, lifetime_sec: float) -> Scene:
    """Return what draws the tracked hands and deletes the lost ones."""
    drawn = _namespaces(hand.side for hand in two_hands.hands)
    return Scene(two_hands.frame_id, lifetime_sec, drawn=drawn, deleted=_namespaces(lost))


def _namespaces(sides: Iterable[Side]) -> tuple[str, ...]:
    kinds = (MESH_NAMESPACES, SKELETON_NAMESPACES)
    return tuple(kind[side] for side in sorted(sides) for kind in kinds)


def _stamp_numbers(stamp_ns: int) -> Array:
    stamp = time_message(stamp_ns)
    return np.array([stamp.sec, stamp.nanosec])


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
