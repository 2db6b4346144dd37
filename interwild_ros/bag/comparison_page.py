"""A comparison that one looks at: one HTML file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from interwild_ros.bag import html_page, plots
from interwild_ros.bag.comparison import (
    COMPARED,
    Comparison,
    HandsCompared,
    Spread,
    Totals,
    totals_of,
)
from interwild_ros.bag.html_page import Html
from interwild_ros.bag.measures import spans_of
from interwild_ros.bag.plots import Bars, COLOURS, GREY
from interwild_ros.records import Side
import plotly.graph_objects as go

_NONE = '–'


def write_comparison_page(path: Path, comparison: Comparison) -> Path:
    """Write a comparison as one HTML file.

    :raises AssetError: when it cannot be written.
    """
    return html_page.write(path, comparison_page_of(comparison))


def comparison_page_of(comparison: Comparison) -> str:
    """Return the page as HTML."""
    return html_page.document('Hands compared', _body(comparison, totals_of(comparison)))


def _body(comparison: Comparison, totals: Totals) -> Iterator[Html]:
    a, b = comparison.a, comparison.b
    yield html_page.header(
        'Hands compared', f'A: {a.path} ({a.kind.value}); B: {b.path} ({b.kind.value})'
    )
    yield html_page.tiles(_first_figures(totals))
    yield html_page.section(
        'In total', html_page.table(('', 'right', 'left', 'both'), _rows(totals)), _note(totals)
    )
    yield html_page.section(
        'Presence',
        _definition('presence'),
        html_page.plot(_presence_figure(comparison), 'presence'),
    )
    names = ('wrist_error', 'mpjpe', 'mrrpe')
    yield html_page.section(
        'Distances',
        *map(_definition, names),
        html_page.plot(_distance_figure(comparison), 'distances'),
    )
    if totals.latency is not None:
        yield html_page.section(
            'Latency',
            _definition('latency'),
            html_page.plot(_latency_figure(comparison), 'latency'),
        )


def _first_figures(totals: Totals) -> list[tuple[str, str, str]]:
    f1 = totals.hands.presence.f1
    return [
        ('Frames compared', f'{totals.matched:,}', f'of {totals.frames_b:,} in B'),
        _mean_tile('MPJPE', totals.hands.mpjpe_mm),
        _mean_tile('Wrist error', totals.hands.wrist_error_mm),
        _mean_tile('MRRPE', totals.mrrpe_mm),
        ('Presence F1', _NONE if f1 is None else f'{f1:.3f}', 'of both hands'),
    ]


def _mean_tile(name: str, spread: Spread) -> tuple[str, str, str]:
    if spread.mean is None or spread.p95 is None:
        return name, _NONE, 'in no frame'
    return name, f'{spread.mean:.1f} mm', f'95 %: {spread.p95:.1f} mm'


def _rows(totals: Totals) -> Iterator[tuple[str, ...]]:
    hands = (totals.right, totals.left, totals.hands)
    yield 'MPJPE', *(_spread(of.mpjpe_mm) for of in hands)
    yield 'wrist error', *(_spread(of.wrist_error_mm) for of in hands)
    yield 'MRRPE', '', '', _spread(totals.mrrpe_mm)
    yield 'hands of both; A alone; B alone', *map(_counts, hands)
    for name in ('precision', 'recall', 'f1'):
        yield name.replace('f1', 'F1'), *(_share(getattr(of.presence, name)) for of in hands)
    if (latency := totals.latency) is not None:
        text = f'{latency.difference_ms:+.1f} ms ({latency.a_ms:.1f} and {latency.b_ms:.1f})'
        yield 'latency, A minus B', '', '', text


def _note(totals: Totals) -> Html:
    return html_page.paragraph(
        f'B counts as the truth. Aligned by {totals.aligned_by}: frames within '
        f'{totals.tolerance_ms:g} ms belong together; {totals.matched:,} of {totals.frames_a:,} '
        f'frames of A and of {totals.frames_b:,} of B do. Distances are means of the hands that '
        'both have.'
    )


def _definition(name: str) -> Html:
    measure = COMPARED[name]
    return html_page.definition(measure.title, measure.definition)


def _presence_figure(comparison: Comparison) -> go.Figure:
    series = comparison.b.series
    return plots.bars_over_time(
        series,
        [
            Bars(f'{side.label} {name}', COLOURS[side], spans_of(series, there[:, side]), is_b)
            for side in Side
            for name, there, is_b in (
                ('A', comparison.tracked_a, False),
                ('B', comparison.tracked_b, True),
            )
        ],
    )


def _distance_figure(comparison: Comparison) -> go.Figure:
    series = comparison.b.series
    of_hands = {'wrist_error': comparison.wrist_error_mm, 'mpjpe': comparison.mpjpe_mm}
    rows = [
        plots.Row(COMPARED[name], plots.hand_lines(series, [*values.T]))
        for name, values in of_hands.items()
    ]
    line = plots.broken_line(series, 'left from right', GREY, comparison.mrrpe_mm)
    rows.append(plots.Row(COMPARED['mrrpe'], [line]))
    return plots.over_time(rows, end_sec=plots.end_sec_of(series))


def _latency_figure(comparison: Comparison) -> go.Figure:
    series = comparison.b.series
    lines = [
        plots.broken_line(series, name, colour, latencies)
        for name, colour, latencies in zip(
            'AB', (GREY, '#b08d2f'), comparison.latencies_ms, strict=True
        )
    ]
    row = plots.Row(COMPARED['latency'], lines)
    return plots.over_time([row], end_sec=plots.end_sec_of(series))


def _spread(spread: Spread) -> str:
    if spread.mean is None or spread.p95 is None:
        return _NONE
    return f'{spread.mean:.2f} mm; 95 % below {spread.p95:.2f}'


def _counts(of: HandsCompared) -> str:
    return f'{of.presence.both:,}; {of.presence.only_a:,}; {of.presence.only_b:,}'


def _share(share: float | None) -> str:
    return _NONE if share is None else f'{share:.3f}'
