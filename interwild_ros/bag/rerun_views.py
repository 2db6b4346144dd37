"""How a file opens in the viewer of rerun: space beside the picture, plots and the log below."""

from __future__ import annotations

from typing import Any, Final

from interwild_ros.bag.export_input import ExportInput
import rerun.blueprint as rrb

STAMP: Final = 'stamp'
SCORE, ERROR, DEPTH = 'score', 'reprojection_error_px', 'wrist_depth_m'
PLOTS: Final = {SCORE: 'score', ERROR: 'reprojection error, px', DEPTH: 'depth of the wrist, m'}


def blueprint_of(source: ExportInput) -> rrb.Blueprint:
    """Return the views: space beside the picture, below them plots and the log."""
    has_lens = source.infos is not None or bool(source.pictures and source.pictures.topics.info)
    above: list[Any] = []
    if source.hands is not None or source.transforms:
        above.append(_space_view(has_lens=has_lens))
    if source.pictures is not None or source.hands is not None:
        above.append(rrb.Spatial2DView(origin='camera', name='picture'))
    rows: list[Any] = [rrb.Horizontal(*above)]
    if source.hands is not None:
        plots = [
            rrb.TimeSeriesView(origin=f'plots/{plot}', name=name) for plot, name in PLOTS.items()
        ]
        rows.append(rrb.Horizontal(*plots, rrb.TextLogView(origin='log', name='lost and found')))
    return rrb.Blueprint(
        rrb.Vertical(*rows, row_shares=[3, 1][: len(rows)]),
        rrb.TimePanel(timeline=STAMP, state='collapsed'),
        rrb.BlueprintPanel(state='collapsed'),
        rrb.SelectionPanel(state='collapsed'),
    )


def _space_view(*, has_lens: bool) -> rrb.Spatial3DView:
    """Return the view of the hands from behind the camera's left shoulder."""
    contents = ['/hands/**', '/tf/**', *(['/camera/**'] if has_lens else [])]
    return rrb.Spatial3DView(
        origin='/',
        contents=contents,
        name='space',
        eye_controls=rrb.EyeControls3D(
            position=(-0.45, -0.35, -0.35), look_target=(0.0, 0.0, 0.5), eye_up=(0.0, -1.0, 0.0)
        ),
    )
