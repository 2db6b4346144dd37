"""Turn both hands into RViz markers: a mesh and a skeleton per side, as patched bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from interwild_ros.bag.outgoing import New, STAMP, stamp_numbers, write_header, write_stamp
from interwild_ros.bag.patched import Numbers, Patcher, Slot
from interwild_ros.imaging.overlay import SIDE_COLOURS
from interwild_ros.records import Array, NS_PER_SEC, Side, Topology, TwoHands
import numpy as np

MARKER = 'visualization_msgs/msg/Marker'
MARKERS = 'visualization_msgs/msg/MarkerArray'
POINT = 'geometry_msgs/msg/Point'
BONE_WIDTH_M = 0.004

# of visualization_msgs/Marker
_LINE_LIST, _TRIANGLE_LIST = 5, 11
_ADD, _DELETE = 0, 2


@dataclass(frozen=True)
class Style:
    """How RViz draws the points of one namespace. Opaque: RViz shows transparent meshes badly."""

    kind: int
    scale: tuple[float, float, float]
    rgb: tuple[float, ...]


def _mesh_style(side: Side) -> Style:
    rgb = tuple(part / 255 for part in SIDE_COLOURS[side])
    return Style(_TRIANGLE_LIST, (1.0, 1.0, 1.0), rgb)


def _skeleton_style(side: Side) -> Style:
    rgb = tuple(0.5 * part / 255 for part in SIDE_COLOURS[side])
    return Style(_LINE_LIST, (BONE_WIDTH_M, 0.0, 0.0), rgb)


MESH_NAMESPACES = {side: f'{side.label}_mesh' for side in Side}
SKELETON_NAMESPACES = {side: f'{side.label}_skeleton' for side in Side}
STYLES = {
    **{MESH_NAMESPACES[side]: _mesh_style(side) for side in Side},
    **{SKELETON_NAMESPACES[side]: _skeleton_style(side) for side in Side},
}


@dataclass(frozen=True)
class Scene:
    """What a message holds beside stamp and points: the namespaces it draws and deletes.

    `new` makes messages.
    """

    frame_id: str
    lifetime_sec: float
    drawn: tuple[str, ...]
    deleted: tuple[str, ...]
    new: New

    def message(self, numbers: Numbers) -> Any:
        """Return the typed message with this stamp and these points."""
        array = self.new(MARKERS)
        array.markers = [
            *(self._drawn(name, numbers) for name in self.drawn),
            *(self._marker(name, numbers, action=_DELETE) for name in self.deleted),
        ]
        return array

    def slots(self, numbers: Numbers) -> dict[str, Slot]:
        """Return where numbers stand in the message: a stamp in each marker, points in some."""
        points = {name: Slot('f8', numbers[name].size) for name in self.drawn}
        return {STAMP: Slot('i4', 2, places=len(self.drawn) + len(self.deleted)), **points}

    def _marker(self, namespace: str, numbers: Numbers, *, action: int) -> Any:
        marker = self.new(MARKER)
        sec, nanosec = map(int, numbers[STAMP])
        write_header(marker.header, sec * NS_PER_SEC + nanosec, self.frame_id)
        marker.ns, marker.action = namespace, action
        marker.pose.orientation.w = 1.0
        return marker

    def _drawn(self, namespace: str, numbers: Numbers) -> Any:
        style = STYLES[namespace]
        marker = self._marker(namespace, numbers, action=_ADD)
        marker.type = style.kind
        write_stamp(marker.lifetime, int(self.lifetime_sec * NS_PER_SEC))
        marker.scale.x, marker.scale.y, marker.scale.z = style.scale
        marker.color.r, marker.color.g, marker.color.b = style.rgb
        marker.color.a = 1.0
        marker.points = [self._point(xyz) for xyz in numbers[namespace].reshape(-1, 3).tolist()]
        return marker

    def _point(self, xyz: list[float]) -> Any:
        point = self.new(POINT)
        point.x, point.y, point.z = xyz
        return point


class Markers:
    """Makes MarkerArrays, and remembers which hands are shown."""

    def __init__(
        self,
        topology: Topology,
        *,
        new: New,
        serialize: Callable[[Any], bytes],
        on_fallback: Callable[[str], None],
    ) -> None:
        """Take the order of triangle corners and bone ends.

        :param new: makes messages, and `serialize` their bytes.
        :param on_fallback: told once, in a sentence, when patching cannot be used here.
        """
        self._new = new
        self.patcher = Patcher('markers', serialize=serialize, on_fallback=on_fallback)
        self._corners = {
            Side.RIGHT: topology.right_triangles.ravel(),
            Side.LEFT: topology.left_triangles.ravel(),
        }
        self._bone_ends = _bone_ends(topology.joint_parents)
        self._shown: set[Side] = set()
        self._last = ('', 0)  # frame and stamp of the last message

    def message(self, two_hands: TwoHands, *, lifetime_sec: float) -> Any:
        """Return what to publish, if anything: tracked hands drawn, hands just lost deleted.

        :returns: bytes, or a message where patching cannot be used, or None.
        """
        tracked = {hand.side for hand in two_hands.hands}
        lost, self._shown = self._shown - tracked, tracked
        self._last = (two_hands.frame_id, two_hands.stamp_ns)
        if not (tracked or lost):
            return None
        scene = scene_of(two_hands, lost, lifetime_sec=lifetime_sec, new=self._new)
        return self.patcher.message(scene, self.numbers(two_hands))

    def clear(self) -> Any:
        """Return what deletes the hands that are shown, with the stamp of the last frame, if any.

        :returns: a message, or None where nothing is shown.
        """
        shown, self._shown = self._shown, set()
        if not shown:
            return None
        frame_id, stamp_ns = self._last
        scene = Scene(frame_id, 0.0, drawn=(), deleted=_namespaces(shown), new=self._new)
        return scene.message({STAMP: stamp_numbers(stamp_ns)})

    def numbers(self, two_hands: TwoHands) -> dict[str, Array]:
        """Return the stamp (sec, nanosec), and the points (N, 3) by namespace."""
        numbers = {STAMP: stamp_numbers(two_hands.stamp_ns)}
        for hand in two_hands.hands:
            corners = self._corners[hand.side]
            numbers[MESH_NAMESPACES[hand.side]] = hand.vertices_m.take(corners, axis=0)
            numbers[SKELETON_NAMESPACES[hand.side]] = hand.joints_m.take(self._bone_ends, axis=0)
        return numbers


def scene_of(two_hands: TwoHands, lost: Iterable[Side], *, lifetime_sec: float, new: New) -> Scene:
    """Return what draws the tracked hands and deletes the lost ones."""
    drawn = _namespaces(hand.side for hand in two_hands.hands)
    deleted = _namespaces(lost)
    return Scene(two_hands.frame_id, lifetime_sec, drawn=drawn, deleted=deleted, new=new)


def _namespaces(sides: Iterable[Side]) -> tuple[str, ...]:
    kinds = (MESH_NAMESPACES, SKELETON_NAMESPACES)
    return tuple(kind[side] for side in sorted(sides) for kind in kinds)


def _bone_ends(joint_parents: tuple[int, ...]) -> Array:
    """Return the joints at the ends of every bone in LINE_LIST order: parent, child, ..."""
    bones = [(parent, child) for child, parent in enumerate(joint_parents) if parent >= 0]
    return np.array(bones).ravel()
