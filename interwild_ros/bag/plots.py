"""Series drawn with plotly: each function gives one figure, none knows of pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from interwild_ros.bag import measures
from interwild_ros.bag.measures import Measure, MEASURES, Span
from interwild_ros.bag.series import Series
from interwild_ros.bag.thinning import evenly_thinned, merged, MOST_POINTS, thinned
from interwild_ros.imaging.overlay import SIDE_COLOURS
from interwild_ros.records import Array, Side
import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

# Right and left as in the overlay; darker, for they stand on white here.
COLOURS: dict[Side, str] = {
    side: 'rgb({},{},{})'.format(*(round(0.82 * part) for part in colour))
    for side, colour in SIDE_COLOURS.items()
}
GREY = '#5b6570'
_GRID = '#e6e9ec'
_PALE = 0.38
_ROW_PX = 210
_MARGINS = {'l': 64, 'r': 16, 't': 40, 'b': 42}
_FONT = {'family': 'system-ui, sans-serif', 'size': 12.5, 'color': '#27303a'}
_LEAST_WINDOWS = 60
_WINDOWS_SEC = (0.25, 1.0)
_SHORTEST_DRAWN = 1 / 1500  # of the whole time: about a column of the screen


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a plot: `times_sec` (T,), `values` (T,) with NaN where there is none."""

    name: str
    colour: str
    times_sec: Array
    values: Array
    pale: bool = False


@dataclass(frozen=True, eq=False)
class Row:
    """One plot of a figure: its lines, and where its values are to begin."""

    measure: Measure
    lines: Sequence[Line]
    from_zero: bool = True


@dataclass(frozen=True)
class Bars:
    """Stretches of time in one row."""

    name: str
    colour: str
    spans: Sequence[Span]
    pale: bool = False


def over_time(rows: Sequence[Row], *, end_sec: float) -> go.Figure:
    """Draw plots below each other over one time axis; a line ends where it has no value.

    :param end_sec: what the axis reaches to; it begins at 0.
    """
    figure = make_subplots(rows=len(rows), shared_xaxes=True, vertical_spacing=0.24 / len(rows))
    named: set[str] = set()
    for number, row in enumerate(rows, 1):
        for line in row.lines:
            for trace in _traces(line, row.measure, legend=line.name not in named):
                figure.add_trace(trace, row=number, col=1)
            named.add(line.name)
        if not any(np.isfinite(line.values).any() for line in row.lines):
            _say_nothing_is_here(figure, number)
        mode = 'tozero' if row.from_zero else 'normal'
        figure.update_yaxes(title_text=_axis_title(row.measure), rangemode=mode, row=number, col=1)
    figure.update_xaxes(range=[0.0, end_sec])
    figure.update_xaxes(title_text='time, s', row=len(rows), col=1)
    return _calm(figure, height=60 + _ROW_PX * len(rows))


def hand_lines(series: Series, values: Sequence[Array]) -> list[Line]:
    """Return a line a hand, right first, broken where many frames are missing."""
    return [broken_line(series, side.label, COLOURS[side], values[side]) for side in Side]


def broken_line(series: Series, name: str, colour: str, values: Array) -> Line:
    """Return a line over the frames (T,), broken where many frames are missing."""
    rows = np.flatnonzero(series.after_break)
    times = np.insert(series.times_sec, rows, series.times_sec[rows])
    return Line(name, colour, times, np.insert(np.asarray(values, float), rows, np.nan))


def rate_figure(series: Series) -> go.Figure:
    """Draw the frames a second, the time between frames and, where it is known, the latency."""
    rate = Line('frames', GREY, *measures.rate_over_time(series))
    steps = broken_line(series, 'step', GREY, 1e3 * series.steps_sec)
    rows = [Row(MEASURES['rate'], [rate]), Row(MEASURES['step'], [steps])]
    latency = measures.latency_ms(series)
    if latency is not None:
        line = broken_line(series, 'latency', GREY, latency)
        rows.append(Row(MEASURES['latency'], [line]))
    figure = over_time(rows, end_sec=end_sec_of(series))
    for gap in _drawn(measures.gap_spans(series), series):
        figure.add_vrect(
            x0=gap.start_sec, x1=gap.end_sec, fillcolor='#c0392b', opacity=0.18, line_width=0
        )
    return figure.update_layout(showlegend=False)


def presence_figure(series: Series) -> go.Figure:
    """Draw when each hand is there."""
    return bars_over_time(
        series,
        [Bars(side.label, COLOURS[side], measures.present_spans(series, side)) for side in Side],
    )


def bars_over_time(series: Series, bars: Sequence[Bars]) -> go.Figure:
    """Draw stretches of time below each other, the first on top."""
    figure = go.Figure()
    for row in reversed(bars):
        figure.add_trace(_bars(row, _drawn(row.spans, series)))
    figure.update_xaxes(title_text='time, s', range=[0.0, end_sec_of(series)])
    figure.update_layout(barmode='overlay', showlegend=False, bargap=0.35)
    return _calm(figure, height=90 + 38 * len(bars), hovermode='closest')


def path_figure(series: Series) -> go.Figure:
    """Draw the wrists' paths in the camera's frame, as seen from behind the camera."""
    figure = go.Figure()
    for hand in series.hands:
        x, y, z = _path(series, hand.wrist_m)
        if np.isfinite(x).any():
            figure.add_trace(
                go.Scatter3d(
                    x=x,
                    y=y,
                    z=z,
                    name=hand.side.label,
                    mode='lines',
                    line={'color': COLOURS[hand.side], 'width': 4},
                    hovertemplate='x %{x:.3f}, y %{y:.3f}, z %{z:.3f} m',
                )
            )
    figure.add_trace(
        go.Scatter3d(
            x=[0.0],
            y=[0.0],
            z=[0.0],
            name='camera',
            mode='markers',
            marker={'color': GREY, 'size': 5, 'symbol': 'diamond'},
            hovertemplate='the camera',
        )
    )
    _calm(figure, height=540, hovermode='closest')
    return figure.update_layout(scene=_camera_scene(), margin={'l': 0, 'r': 0, 't': 40, 'b': 0})


def distance_figure(series: Series) -> go.Figure:
    """Draw the distance between the wrists and both pinches."""
    apart = broken_line(series, 'between wrists', GREY, measures.wrist_distance_m(series))
    pinches = [measures.pinch_mm(hand) for hand in series.hands]
    return over_time(
        [
            Row(MEASURES['wrist_distance'], [apart]),
            Row(MEASURES['pinch'], hand_lines(series, pinches)),
        ],
        end_sec=end_sec_of(series),
    )


def speed_figure(series: Series) -> go.Figure:
    """Draw how fast the wrists are."""
    speeds = [measures.speed_m_s(series, side) for side in Side]
    rows = [Row(MEASURES['speed'], hand_lines(series, speeds))]
    return over_time(rows, end_sec=end_sec_of(series))


def jitter_figure(series: Series) -> go.Figure:
    """Draw the jitter of each second, or of less in a short recording, raw beside filtered."""
    window_sec = float(np.clip(end_sec_of(series) / _LEAST_WINDOWS, *_WINDOWS_SEC))
    lines = []
    for hand in series.hands:
        colour, name = COLOURS[hand.side], hand.side.label
        raw = measures.jitter_over_time(series, hand.raw_bends_m, window_sec=window_sec)
        filtered = measures.jitter_over_time(series, hand.bends_m, window_sec=window_sec)
        lines.append(Line(f'{name}, raw', colour, *raw, pale=True))
        lines.append(Line(f'{name}, filtered', colour, *filtered))
    return over_time([Row(MEASURES['jitter'], lines)], end_sec=end_sec_of(series))


def certainty_figure(series: Series) -> go.Figure:
    """Draw how well the hands fit the picture and how sure they say they are."""
    return over_time(
        [
            Row(
                MEASURES['reprojection_error'],
                hand_lines(series, [hand.reprojection_error_px for hand in series.hands]),
            ),
            Row(
                MEASURES['wrist_std'],
                hand_lines(series, [measures.wrist_std_mm(hand) for hand in series.hands]),
            ),
            Row(MEASURES['score'], hand_lines(series, [hand.scores for hand in series.hands])),
        ],
        end_sec=end_sec_of(series),
    )


def is_thinned(series: Series) -> bool:
    """Return whether the lines over this series show fewer points than it has frames."""
    return len(series) > MOST_POINTS


def _say_nothing_is_here(figure: go.Figure, row: int) -> None:
    figure.add_annotation(
        text='no values',
        xref='x domain',
        yref='y domain',
        x=0.5,
        y=0.5,
        showarrow=False,
        font={'color': GREY},
        row=row,
        col=1,
    )
    figure.update_yaxes(showticklabels=False, row=row, col=1)


def _traces(line: Line, measure: Measure, *, legend: bool) -> list[go.Scatter]:
    """Return the line and, where there are values without neighbours, dots."""
    times, values = thinned(line.times_sec, line.values)
    style = {
        'name': escape(line.name),
        'legendgroup': line.name,
        'opacity': _PALE if line.pale else 1.0,
        'hovertemplate': f'%{{y:.4~g}} {measure.unit}',
    }
    traces = [
        go.Scatter(
            x=times,
            y=values,
            mode='lines',
            line={'color': line.colour, 'width': 1.5},
            showlegend=legend,
            **style,
        )
    ]
    alone = _alone(values)
    if alone.any():
        dots = {'color': line.colour, 'size': 3.5}
        shown = {'x': times[alone], 'y': values[alone], 'mode': 'markers', 'marker': dots}
        traces.append(go.Scatter(**shown, showlegend=False, **(style | {'hoverinfo': 'skip'})))
    return traces


def _alone(values: Array) -> Array:
    """Return which values have no neighbour that a line could go to."""
    there = np.isfinite(values)
    padded = np.pad(there, 1)
    return np.asarray(there & ~padded[:-2] & ~padded[2:])


def _bars(row: Bars, spans: Sequence[Span]) -> go.Bar:
    return go.Bar(
        y=[escape(row.name)] * max(1, len(spans)),
        base=[span.start_sec for span in spans] or [0.0],
        x=[span.duration_sec for span in spans] or [0.0],
        customdata=[span.end_sec for span in spans] or [0.0],
        orientation='h',
        name=escape(row.name),
        opacity=_PALE if row.pale else 1.0,
        marker={'color': row.colour, 'line': {'width': 0}},
        hovertemplate='%{base:.2f} s to %{customdata:.2f} s',
    )


def _drawn(spans: Sequence[Span], series: Series) -> list[Span]:
    """Return spans as a screen can show them: those with next to nothing between as one."""
    return merged(spans, least_gap_sec=_SHORTEST_DRAWN * end_sec_of(series))


def end_sec_of(series: Series) -> float:
    """Return where the time axis of a series ends: a usual step after its last frame."""
    if not len(series):
        return 1.0
    return float(series.times_sec[-1]) + float(np.nan_to_num(series.median_step_sec))


def _path(series: Series, wrist_m: Array) -> tuple[Array, Array, Array]:
    rows = np.flatnonzero(series.after_break)
    x, y, z = evenly_thinned(np.insert(wrist_m, rows, np.nan, axis=0)).T
    return x, y, z


def _camera_scene() -> dict[str, object]:
    axis = {'gridcolor': _GRID, 'zerolinecolor': '#c8ced4', 'backgroundcolor': 'white'}
    return {
        'aspectmode': 'data',
        'xaxis': {**axis, 'title': {'text': 'x, m'}},
        'yaxis': {**axis, 'title': {'text': 'y, m'}},
        'zaxis': {**axis, 'title': {'text': 'z, m'}},
        # the picture is seen upright: y is down, and the camera looks along z
        'camera': {
            'up': {'x': 0, 'y': -1, 'z': 0},
            'eye': {'x': 0.58, 'y': -0.5, 'z': -1.25},
            'projection': {'type': 'orthographic'},  # what is long is long, near or far
        },
    }


def _axis_title(measure: Measure) -> str:
    return f'{measure.title}, {measure.unit}' if measure.unit else measure.title


def _calm(figure: go.Figure, *, height: int, hovermode: str = 'x unified') -> go.Figure:
    """Give a figure the look of all of them."""
    figure.update_layout(
        template='none',
        height=height,
        margin=_MARGINS,
        font=_FONT,
        hovermode=hovermode,
        paper_bgcolor='white',
        plot_bgcolor='white',
        legend={'orientation': 'h', 'x': 0, 'xanchor': 'left', 'y': 1, 'yanchor': 'bottom'},
    )
    figure.update_xaxes(gridcolor=_GRID, zeroline=False, ticks='outside', tickcolor=_GRID)
    figure.update_yaxes(
        gridcolor=_GRID, zeroline=False, title_standoff=8, automargin=False, fixedrange=True
    )
    return figure
