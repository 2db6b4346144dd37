"""One hand over time, as entities of rerun.

    hands/<side>          mesh, joints, bones and wrist (a transform with axes), metres
    camera/<side>         joints, bones and box, px of the picture
    plots/<what>/<side>   score, reprojection error and depth of the wrist
    log                   when it is lost or there again, and why

Colours, names and triangles hold at all times and are written once. What a lost hand leaves is
cleared at the frame that lacks it.
"""

from __future__ import annotations

from interwild_ros.bag.export_tally import ExportTally
from interwild_ros.bag.markers import BONE_WIDTH_M
from interwild_ros.bag.rerun_recording import Recording
from interwild_ros.bag.rerun_views import DEPTH, ERROR, PLOTS, SCORE
from interwild_ros.hand_model.joints import FINGERS, JOINT_NAMES, JOINT_PARENTS
from interwild_ros.hand_model.surface import Normals
from interwild_ros.imaging.overlay import FINGER_COLOURS, SIDE_COLOURS
from interwild_ros.records import Array, Hand, NoHand, Side, Topology, VERTEX_COUNT
import numpy as np
import rerun as rr
import torch

AXES_M = 0.05
_WHILE_TRACKED = (ERROR, DEPTH)
_LINE_RADIUS_UI, _JOINT_RADIUS_UI = 1.5, 3.0


class HandWriter:
    """Writes one hand over time."""

    def __init__(
        self, recording: Recording, side: Side, topology: Topology | None, tally: ExportTally
    ) -> None:
        """Write what holds at all times: triangles, names and colours."""
        self._recording, self._side, self._tally = recording, side, tally
        self._hand, self._seen = f'hands/{side.label}', f'camera/{side.label}'
        parents = topology.joint_parents if topology else JOINT_PARENTS
        self._bones = np.array([(p, joint) for joint, p in enumerate(parents) if p >= 0])
        self._normals: Normals | None = None
        self._state: str | None = None  # empty while it is tracked, else why not
        if topology is not None:
            self._write_triangles(_triangles(topology, side))
        self._write_looks(topology.joint_names if topology else JOINT_NAMES)

    def write(self, hand: Hand | NoHand) -> None:
        """Write the hand of a frame, or clear what the last one left."""
        state = hand.reason if isinstance(hand, NoHand) else ''
        was_there = self._state == ''
        if isinstance(hand, Hand):
            self._tally.tracked[self._side.label] += 1
            self._write_space(hand)
            self._write_picture(hand)
            self._plot(ERROR, hand.reprojection_error_px)
            self._plot(DEPTH, float(hand.wrist_m[2]))
        elif was_there:
            self._tally.lost[self._side.label] += 1
            self._clear()
        self._plot(SCORE, hand.box.score if isinstance(hand, Hand) else hand.score)
        if state != self._state:
            self._say(state)
        self._state = state

    def _write_triangles(self, triangles: Array) -> None:
        self._normals = Normals(triangles, VERTEX_COUNT)
        self._recording.log_static(
            f'{self._hand}/mesh',
            rr.Mesh3D.from_fields(
                triangle_indices=triangles, albedo_factor=SIDE_COLOURS[self._side]
            ),
        )

    def _write_looks(self, joint_names: tuple[str, ...]) -> None:
        colour, width_m = SIDE_COLOURS[self._side], BONE_WIDTH_M
        dark = [part // 2 for part in colour]
        write, names = self._recording.log_static, list(joint_names)
        fingers = np.repeat(FINGER_COLOURS, len(self._bones) // len(FINGERS), axis=0)
        ui = rr.Radius.ui_points
        write(
            f'{self._hand}/joints',
            rr.Points3D.from_fields(
                radii=0.75 * width_m, colors=dark, labels=names, show_labels=False
            ),
        )
        write(f'{self._hand}/bones', rr.LineStrips3D.from_fields(radii=width_m / 2, colors=dark))
        write(
            f'{self._seen}/joints',
            rr.Points2D.from_fields(
                radii=ui(_JOINT_RADIUS_UI), colors=colour, labels=names, show_labels=False
            ),
        )
        write(
            f'{self._seen}/bones',
            rr.LineStrips2D.from_fields(radii=ui(_LINE_RADIUS_UI), colors=fingers),
        )
        write(f'{self._seen}/box', rr.Boxes2D.from_fields(colors=colour))
        for plot in PLOTS:
            write(self._plot_path(plot), rr.SeriesLines(colors=colour, names=self._side.label))

    def _write_space(self, hand: Hand) -> None:
        joints_m = hand.joints_m.astype(np.float32)
        write = self._recording.log
        if self._normals is not None:
            vertices_m = hand.vertices_m.astype(np.float32)
            normals = self._normals(torch.from_numpy(vertices_m)[None])[0].numpy()
            mesh = rr.Mesh3D.from_fields(vertex_positions=vertices_m, vertex_normals=normals)
            write(f'{self._hand}/mesh', mesh, size_bytes=2 * vertices_m.nbytes)
        write(f'{self._hand}/joints', rr.Points3D.from_fields(positions=joints_m))
        write(f'{self._hand}/bones', rr.LineStrips3D.from_fields(strips=joints_m[self._bones]))
        write(
            f'{self._hand}/wrist',
            rr.Transform3D(
                translation=hand.wrist_m, quaternion=rr.Quaternion(xyzw=hand.wrist_quaternion_xyzw)
            ),
            rr.TransformAxes3D(AXES_M),
        )

    def _write_picture(self, hand: Hand) -> None:
        joints_px = hand.joints_image_px.astype(np.float32)
        x1, y1, x2, y2 = hand.box.corners
        box = rr.Boxes2D(
            mins=[x1, y1],
            sizes=[x2 - x1, y2 - y1],
            labels=[f'{self._side.label} {hand.box.score:.2f}'],
        )
        write = self._recording.log
        write(f'{self._seen}/joints', rr.Points2D.from_fields(positions=joints_px))
        write(f'{self._seen}/bones', rr.LineStrips2D.from_fields(strips=joints_px[self._bones]))
        write(f'{self._seen}/box', box)

    def _clear(self) -> None:
        for entity in (self._hand, self._seen):
            self._recording.log(entity, rr.Clear(recursive=True))
        for plot in _WHILE_TRACKED:
            self._recording.log(self._plot_path(plot), rr.Clear(recursive=False))

    def _plot(self, plot: str, value: float) -> None:
        self._recording.log(self._plot_path(plot), rr.Scalars(value))

    def _plot_path(self, plot: str) -> str:
        return f'plots/{plot}/{self._side.label}'

    def _say(self, state: str) -> None:
        """Say that the hand is there, is lost, or is away for another reason than before."""
        side = f'{self._side.label} hand'
        if not state:
            text, level = f'{side} is there', rr.TextLogLevel.INFO
        elif self._state == '':
            text, level = f'{side} is lost: {state}', rr.TextLogLevel.WARN
        else:
            text, level = f'{side} is not there: {state}', rr.TextLogLevel.INFO
        self._recording.log('log', rr.TextLog(text, level=level, color=SIDE_COLOURS[self._side]))


def _triangles(topology: Topology, side: Side) -> Array:
    return topology.right_triangles if side is Side.RIGHT else topology.left_triangles
