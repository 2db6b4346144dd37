"""The report that one looks at: report.html, one file, from what an analysis left in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from interwild_ros.bag import html_page, plots
from interwild_ros.bag.figures import Percentiles
from interwild_ros.bag.html_page import Html
from interwild_ros.bag.least_certain import least_certain_frames
from interwild_ros.bag.measures import HandFigures, measure, MEASURES, SeriesFigures
from interwild_ros.bag.series import HandSeries, Series, TABLE_FILE
from interwild_ros.bag.series_file import read_series
from interwild_ros.bag.summary_file import read_said, Said, SUMMARY_FILE
import numpy as np
import plotly.graph_objects as go

PAGE_FILE = 'report.html'

_LISTED = 12
_NONE = '–'


def write_page(folder: Path, thumbnails: Sequence[tuple[int, bytes]] = ()) -> Path:
    """Write report.html beside hands.parquet and summary.json, and return its path.

    :param thumbnails: the stamp, nanoseconds, and a JPEG file with the hands drawn over it, of the
        frames that `least_certain` chooses; in this order on the page.
    :raises AssetError: when the table or the summary cannot be read, or the page not be written.
    """
    series = read_series(folder / TABLE_FILE)
    page = page_of(series, read_said(folder / SUMMARY_FILE), thumbnails)
    return html_page.write(folder / PAGE_FILE, page)


def page_of(series: Series, said: Said, thumbnails: Sequence[tuple[int, bytes]] = ()) -> str:
    """Return the page as HTML."""
    return html_page.document(
        f'Hands in {said.bag or "a recording"}', _body(series, said, thumbnails)
    )


def _body(series: Series, said: Said, thumbnails: Sequence[tuple[int, bytes]]) -> Iterator[Html]:
    figures = measure(series)
    yield html_page.header(f'Hands in {said.bag or "a recording"}', _subtitle(said))
    yield html_page.tiles(_first_figures(figures, said))
    if warnings := _warnings(series, figures, said):
        yield html_page.section('Warnings', html_page.items(warnings), kind='notice')
    if len(series):
        yield from _plots(series, figures)
        yield _least_certain(series, thumbnails)
    yield _settings(said)


def _subtitle(said: Said) -> str:
    return f'camera {said.camera}' if said.camera else 'camera not known'


def _first_figures(figures: SeriesFigures, said: Said) -> list[tuple[str, str, str]]:
    of_bag = '' if said.frames_in is None else f'of {said.frames_in:,}'
    gap = figures.longest_gap_sec
    latency = figures.latency_ms
    first = [
        ('Frames', f'{figures.frames:,}', of_bag),
        ('Duration', f'{figures.duration_sec:.1f} s', _rate(figures)),
        ('Gaps', str(figures.gaps), '' if gap is None else f'longest {gap:.2f} s'),
        ('Right hand', _share(figures.right.presence.tracked_share), 'of the frames'),
        ('Left hand', _share(figures.left.presence.tracked_share), 'of the frames'),
        ('Both hands', _share(figures.both_share), 'of the frames'),
    ]
    if latency is not None:
        first.append(('Latency', _one(latency.p50, 'ms'), f'95 %: {_one(latency.p95, "ms")}'))
    return first


def _warnings(series: Series, figures: SeriesFigures, said: Said) -> list[str]:
    warnings = list(said.warnings)
    if not len(series):
        return [*warnings, 'no frame was analysed: there is nothing to draw']
    if figures.repeated_stamps:
        warnings.append(f'{figures.repeated_stamps} frames repeat the stamp of another one')
    if figures.latency_ms is None:
        warnings.append('stamps and arrival are of different clocks: latency is not told')
    absent = [hand.side.label for hand in series.hands if not hand.tracked.any()]
    if absent:
        warnings.append(f'never tracked: the {" and the ".join(absent)} hand')
    return warnings


def _plots(series: Series, figures: SeriesFigures) -> Iterator[Html]:
    """Yield the sections with plots; the first says how to look closer."""
    yield html_page.section('Each hand', _hands_table(figures), _note(series))
    yield _section('Presence', ['presence'], plots.presence_figure(series))
    yield _section('Frames', ['rate', 'step', 'gap', 'latency'], plots.rate_figure(series))
    if any(hand.tracked.any() for hand in series.hands):
        yield html_page.section(
            'Wrist paths',
            _definitions(['wrist_path']),
            html_page.paragraph('Drag to turn, scroll to come closer.'),
            html_page.plot(plots.path_figure(series), 'wrist-paths', over_time=False),
        )
    yield _section('Distances', ['wrist_distance', 'pinch'], plots.distance_figure(series))
    yield _section('Speed', ['speed'], plots.speed_figure(series))
    yield _section('Steadiness', ['jitter'], plots.jitter_figure(series))
    yield _section(
        'Certainty',
        ['reprojection_error', 'wrist_std', 'score'],
        plots.certainty_figure(series),
    )


def _section(title: str, names: Sequence[str], figure: go.Figure) -> Html:
    name = title.lower().replace(' ', '-')
    return html_page.section(title, _definitions(names), html_page.plot(figure, name))


def _definitions(names: Sequence[str]) -> Html:
    return Html(
        ''.join(
            html_page.definition(MEASURES[name].title, MEASURES[name].definition) for name in names
        )
    )


def _note(series: Series) -> Html:
    text = (
        'Drag over a plot to look closer, in all plots over time at once; double click to see all.'
    )
    if plots.is_thinned(series):
        text += (
            f' Lines are thinned for drawing: of {len(series):,} frames they show the smallest '
            'and the largest value of each stretch, and no absence too short for the screen. '
            'The figures are those of all frames.'
        )
    return html_page.paragraph(text)


def _hands_table(figures: SeriesFigures) -> Html:
    hands = (figures.right, figures.left)
    rows = [
        (name, *(text(hand) for hand in hands))
        for name, text in (
            ('tracked', lambda hand: _share(hand.presence.tracked_share)),
            ('appeared and lost', _comings),
            ('absent, frames', _absences),
            ('wrist path', lambda hand: f'{hand.path_length_m:.2f} m'),
            ('wrist speed', lambda hand: _spread(hand.speed_m_s, 'm/s')),
            ('pinch', lambda hand: _spread(hand.pinch_mm, 'mm')),
            ('jitter, raw; filtered', _jitters),
            ('reprojection error', lambda hand: _spread(hand.reprojection_error_px, 'px')),
            ('wrist deviation', lambda hand: _spread(hand.wrist_std_mm, 'mm')),
        )
    ]
    return html_page.table(('', 'right', 'left'), rows)


def _comings(hand: HandFigures) -> str:
    return f'{hand.presence.appearances} and {hand.presence.losses} times'


def _absences(hand: HandFigures) -> str:
    absent = sorted(hand.presence.absent.items(), key=lambda entry: -entry[1])
    return ', '.join(f'{r.replace("_", " ") or "no reason"} {n}' for r, n in absent) or _NONE


def _jitters(hand: HandFigures) -> str:
    raw, filtered = hand.jitter.raw_mm, hand.jitter.filtered_mm
    return f'{_one(raw, "")}; {_one(filtered, MEASURES["jitter"].unit)}'


def _least_certain(series: Series, thumbnails: Sequence[tuple[int, bytes]]) -> Html:
    frames = least_certain_frames(series, max(_LISTED, len(thumbnails)))
    reasons = {frame.stamp_ns: frame.why for frame in frames}
    text = html_page.paragraph(
        'The worst of each kind in turn, a quarter of a second apart: largest reprojection '
        'error, lowest score, largest deviation of the wrist, and where a hand was lost.'
    )
    if thumbnails:
        shown = [
            (jpeg, _caption(series, stamp, reasons.get(stamp, ''))) for stamp, jpeg in thumbnails
        ]
        return html_page.section('Least certain frames', text, html_page.pictures(shown))
    listed = [
        (f'{series.times_sec[f.row]:.2f} s', str(f.stamp_ns), f.why, *_states(series, f.row))
        for f in frames
    ]
    head = ('time', 'stamp, ns', 'chosen for', 'right', 'left')
    return html_page.section('Least certain frames', text, html_page.table(head, listed))


def _caption(series: Series, stamp_ns: int, why: str) -> list[str]:
    rows = np.flatnonzero(series.stamps_ns == stamp_ns)
    if not rows.size:
        return [f'stamp {stamp_ns}']
    right, left = _states(series, int(rows[0]))
    title = f'{series.times_sec[rows[0]]:.2f} s'
    return [f'{title}: {why}' if why else title, f'right: {right}', f'left: {left}']


def _states(series: Series, row: int) -> list[str]:
    return [_state(hand, row) for hand in series.hands]


def _state(hand: HandSeries, row: int) -> str:
    """Return what is known of a hand in one frame."""
    if not hand.tracked[row]:
        return str(hand.reasons[row]).replace('_', ' ') or 'absent'
    said = [f'score {hand.scores[row]:.2f}', f'{hand.reprojection_error_px[row]:.1f} px']
    if np.isfinite(hand.wrist_std_m[row]):
        said.append(f'± {1e3 * hand.wrist_std_m[row]:.0f} mm')
    return ', '.join(said)


def _settings(said: Said) -> Html:
    tables = [
        Html(html_page.heading(title) + html_page.pairs(values))
        for title, values in said.tables.items()
    ]
    shown = html_page.columns(tables) if tables else html_page.paragraph('Not told.')
    return html_page.section('Settings and assets', shown)


def _rate(figures: SeriesFigures) -> str:
    return '' if figures.rate_hz is None else f'{figures.rate_hz:.1f} frames/s'


def _share(share: float | None) -> str:
    return _NONE if share is None else f'{100 * share:.1f} %'


def _one(value: float | None, unit: str) -> str:
    return _NONE if value is None else f'{value:.3g} {unit}'.rstrip()


def _spread(values: Percentiles, unit: str) -> str:
    if values.p50 is None or values.p95 is None:
        return _NONE
    return f'{values.p50:.3g} {unit}; 95 % below {values.p95:.3g}'
