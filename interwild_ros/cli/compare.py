"""`interwild compare`: how far the hands of one result are from those of another, or the truth."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
import json
import math
from pathlib import Path
from typing import Any

from interwild_ros.bag.comparison import (
    AlignBy,
    compare,
    Comparison,
    HandsCompared,
    Spread,
    Totals,
    totals_of,
)
from interwild_ros.bag.comparison_page import write_comparison_page
from interwild_ros.bag.sources import open_source, Source
from interwild_ros.errors import SettingError
from interwild_ros.records import Array, Side

_AUTO = 'auto'
_WHAT = (
    'a folder of `interwild analyze`, a bag with recorded two_hands, or an .npz file with the '
    "truth, such as the demo clip's truth.npz"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's flags."""
    parser.add_argument('a', type=Path, metavar='A', help=_WHAT)
    parser.add_argument('b', type=Path, metavar='B', help='likewise; it counts as the truth')
    parser.add_argument(
        '--tolerance-ms',
        type=float,
        default=10.0,
        metavar='MS',
        help='stamps that belong together are at most this far apart; default: %(default)s',
    )
    parser.add_argument(
        '--align',
        choices=(_AUTO, *(by.value for by in AlignBy)),
        default=_AUTO,
        help='lay frames on each other by their stamps, or by the time since the first frame; '
        'default: stamps, start where one has no stamps',
    )
    for letter in 'ab':
        parser.add_argument(
            f'--topic-{letter}',
            default='',
            metavar='TOPIC',
            help=f'two_hands in the bag {letter.upper()}, where it has several',
        )
    parser.add_argument('--per-frame', action='store_true', help='say it of every frame, too')
    parser.add_argument('--report', type=Path, metavar='FILE.html', help='write a page')
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')


def run(args: argparse.Namespace) -> int:
    """Compare, write the page that is asked for, and print."""
    comparison = comparison_of(args)
    if args.report is not None:
        write_comparison_page(args.report.expanduser().absolute(), comparison)
    print(_as_json(comparison, args) if args.json else _as_table(comparison, args))
    return 0


def comparison_of(args: argparse.Namespace) -> Comparison:
    """Read both sides and compare them.

    :raises SettingError: for a tolerance that is none.
    """
    if not (math.isfinite(args.tolerance_ms) and args.tolerance_ms >= 0):
        raise SettingError(f'--tolerance-ms is {args.tolerance_ms}, wanted 0 or more')
    return compare(
        open_source(args.a, topic=args.topic_a),
        open_source(args.b, topic=args.topic_b),
        tolerance_ms=args.tolerance_ms,
        align_by=None if args.align == _AUTO else AlignBy(args.align),
    )


def _as_json(comparison: Comparison, args: argparse.Namespace) -> str:
    said: dict[str, Any] = {
        'a': _side(comparison.a),
        'b': _side(comparison.b),
        **asdict(totals_of(comparison)),
    }
    if args.per_frame:
        said['per_frame'] = list(_frames(comparison))
    return json.dumps(said, indent=2)


def _side(source: Source) -> dict[str, str]:
    return {'path': str(source.path), 'kind': source.kind.value}


def _frames(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Yield what is known of each frame of B; None where it is missing in A."""
    c = comparison
    latency_difference_ms = c.latencies_ms[0] - c.latencies_ms[1]
    for row, row_a in enumerate(c.rows_a):
        yield {
            'stamp_b_ns': int(c.b.series.stamps_ns[row]),
            'stamp_a_ns': int(c.a.series.stamps_ns[row_a]) if row_a >= 0 else None,
            **_of_frame(c, row),
            'mrrpe_mm': _number(c.mrrpe_mm[row]),
            'latency_difference_ms': _number(latency_difference_ms[row]),
        }


def _of_frame(comparison: Comparison, row: int) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for side in Side:
        said |= {
            f'{side.label}_tracked_a': bool(comparison.tracked_a[row, side]),
            f'{side.label}_tracked_b': bool(comparison.tracked_b[row, side]),
            f'{side.label}_mpjpe_mm': _number(comparison.mpjpe_mm[row, side]),
            f'{side.label}_wrist_error_mm': _number(comparison.wrist_error_mm[row, side]),
        }
    return said


def _number(value: Array) -> float | None:
    return round(float(value), 3) if math.isfinite(value) else None


def _as_table(comparison: Comparison, args: argparse.Namespace) -> str:
    lines = [*_frame_lines(comparison), ''] if args.per_frame else []
    lines += _total_lines(comparison, totals_of(comparison))
    if args.report is not None:
        lines += ['', f'  {args.report}']
    return '\n'.join(lines)


def _total_lines(comparison: Comparison, totals: Totals) -> Iterator[str]:
    a, b = comparison.a, comparison.b
    yield f'  A             {a.path} ({a.kind.value}, {totals.frames_a} frames)'
    yield f'  B             {b.path} ({b.kind.value}, {totals.frames_b} frames)'
    yield (
        f'  in common     {totals.matched} frames, by {totals.aligned_by}, '
        f'within {totals.tolerance_ms:g} ms'
    )
    yield ''
    yield _line('', ('right', 'left', 'both'))
    hands = (totals.right, totals.left, totals.hands)
    yield _line('MPJPE', [_mean(of.mpjpe_mm) for of in hands])
    yield _line('wrist error', [_mean(of.wrist_error_mm) for of in hands])
    yield _line('precision', [_share(of.presence.precision) for of in hands])
    yield _line('recall', [_share(of.presence.recall) for of in hands])
    yield _line('F1', [_share(of.presence.f1) for of in hands])
    yield _line('hands', [_counts(of) for of in hands])
    yield _line('MRRPE', ('', '', _mean(totals.mrrpe_mm)))
    if (latency := totals.latency) is not None:
        yield (
            f'  latency       A {latency.a_ms:.1f} ms, B {latency.b_ms:.1f} ms, '
            f'A - B {latency.difference_ms:+.1f} ms'
        )


def _frame_lines(comparison: Comparison) -> Iterator[str]:
    titles: list[str] = []
    for frame in _frames(comparison):
        if not titles:
            titles = list(frame)
            yield '\t'.join(titles)
        yield '\t'.join('' if value is None else str(value) for value in frame.values())


def _line(title: str, cells: list[str] | tuple[str, ...]) -> str:
    return f'  {title:14}' + ''.join(f'{cell:>16}' for cell in cells)


def _mean(spread: Spread) -> str:
    return 'none' if spread.mean is None else f'{spread.mean:.2f} mm'


def _share(share: float | None) -> str:
    return 'none' if share is None else f'{share:.3f}'


def _counts(of: HandsCompared) -> str:
    """Return the hands of both, of A alone and of B alone."""
    return f'{of.presence.both} +{of.presence.only_a} -{of.presence.only_b}'
