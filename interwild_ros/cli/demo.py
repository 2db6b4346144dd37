"""`interwild demo`: camera to two hands over DDS, recorded, drawn and put into figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
import json
from pathlib import Path
import sys
import time

from interwild_ros.bag.figures import Percentiles
from interwild_ros.bag.film import draw_film
from interwild_ros.bag.read import open_bag
from interwild_ros.bag.report import make_report, RunReport
from interwild_ros.cli.demo_plan import CAMERA_SETTINGS, HANDS_SETTINGS, is_own_source, plan_of
from interwild_ros.cli.flags import add_setting_flags
from interwild_ros.cli.interrupts import signals_as_interrupts
from interwild_ros.config import CameraSettings, Settings
from interwild_ros.ros.recording import record_nodes
from interwild_ros.whole import whole_folder

CLIP = 'clip'
_FILM_RATES_HZ = (1.0, 60.0)
_USUAL_RATE_HZ = 30.0
_FILM_PROGRESS = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's flags."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--video', type=Path, metavar='FILE', help='a video file')
    source.add_argument('--images', type=Path, metavar='DIR', help='a folder of pictures')
    source.add_argument('--camera', type=int, metavar='N', help='number of a webcam')
    parser.add_argument(
        '--seconds',
        type=float,
        metavar='S',
        help='end after this time (default: at the end; webcam: 10)',
    )
    parser.add_argument(
        '--out', type=Path, default=Path('out/demo'), metavar='DIR', help='default: %(default)s'
    )
    parser.add_argument(
        '--domain-id',
        type=int,
        metavar='ID',
        help='ROS domain to run in, to watch it live; default: a free one of its own',
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    add_setting_flags(parser, CameraSettings, title='camera', only=CAMERA_SETTINGS)
    add_setting_flags(parser, Settings, title='hands', only=HANDS_SETTINGS)


def run(args: argparse.Namespace) -> int:
    """Run everything, and leave the output folder whole or as it was."""
    out = args.out.expanduser().absolute()
    say = _Progress().say
    with signals_as_interrupts(), whole_folder(out) as folder:
        say('checking the source' if is_own_source(args) else 'drawing the demo clip: a minute')
        plan = plan_of(args, clip=folder / CLIP)
        record_nodes(plan, folder, say=say)
        say('drawing what was recorded')
        clip = None if is_own_source(args) else folder / CLIP
        report = _draw_and_report(folder, clip, say=say)
    print(_as_json(report) if args.json else _as_table(report, out))
    return 0


def notes_of(report: RunReport) -> tuple[str, ...]:
    """Return what has to be said wherever these hands are shown."""
    notes = []
    if not report.weights_meaningful:
        notes.append(f'{report.weights} weights: these hands mean nothing yet')
    if report.hand_model_is_stand_in:
        notes.append(f'{report.hand_model} hand model: no measured human hand')
    return tuple(notes)


def _draw_and_report(folder: Path, clip: Path | None, *, say: Callable[[str], None]) -> RunReport:
    def say_count(count: int) -> None:
        if count % _FILM_PROGRESS == 0:
            say(f'{count} frames drawn')

    with open_bag(folder / 'bag') as bag:
        report = make_report(bag, clip=clip)
        notes = notes_of(report)
        draw_film(bag, folder, rate_hz=_film_rate_hz(report), notes=notes, say=say_count)
    (folder / 'report.json').write_text(_as_json(report) + '\n', encoding='utf-8')
    return report


def _film_rate_hz(report: RunReport) -> float:
    """Return the rate at which the film takes as long as the recording."""
    low, high = _FILM_RATES_HZ
    return min(high, max(low, report.rate_hz or _USUAL_RATE_HZ))


def _as_json(report: RunReport) -> str:
    return json.dumps(asdict(report), indent=2)


def _as_table(report: RunReport, out: Path) -> str:
    tracked = report.tracked
    rows = {
        'frames': f'{report.frames_in} in, {report.frames_out} out, {report.dropped} dropped',
        'rate': f'{_hz(report.rate_hz)} (camera {_hz(report.input_rate_hz)})',
        'latency': f'{_spread(report.latency_ms, "ms")} from image stamp to message',
        'tracked': f'right {tracked.right}, left {tracked.left}, both {tracked.both} frames',
        'reprojection': _spread(report.reprojection_error_px, 'px'),
        'networks': f'{report.model}, {report.weights} weights, on {report.device}',
        'hand model': report.hand_model,
    }
    if report.steadiness is not None:
        jitter, presence = report.steadiness.jitter, report.steadiness.presence
        rows['jitter'] = (
            f'raw {_number(jitter.raw_mm)}, steadied {_number(jitter.filtered_mm)} mm/frame^2'
        )
        rows['detector'] = f'looked at {100 * presence.detected_share:.0f} % of the frames'
    if report.accuracy is not None:
        rows['MPVPE, MRRPE'] = f'{_mm(report.accuracy.mpvpe_mm)}, {_mm(report.accuracy.mrrpe_mm)}'
        rows['wrist error'] = _spread(report.accuracy.wrist_error_mm, 'mm')
        rows['joint error'] = _spread(report.accuracy.joint_error_mm, 'mm')
    lines = [f'  {name:14}{value}' for name, value in rows.items()]
    lines += [f'  !             {note}' for note in notes_of(report)]
    files = ('overlay.mp4', 'overlay.png', 'report.json', 'bag')
    lines += ['', *(f'  {out / name}' for name in files)]
    return '\n'.join(lines)


def _hz(rate_hz: float | None) -> str:
    return 'unknown' if rate_hz is None else f'{rate_hz:.1f} Hz'


def _mm(value: float | None) -> str:
    return 'none' if value is None else f'{value:.1f} mm'


def _number(value: float | None) -> str:
    return 'none' if value is None else f'{value:.1f}'


def _spread(values: Percentiles, unit: str) -> str:
    if values.p50 is None:
        return 'none'
    return f'p50 {values.p50:.1f}, p95 {values.p95:.1f}, p99 {values.p99:.1f} {unit}'


class _Progress:
    """Says on standard error what is going on, with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        print(f'[{time.monotonic() - self._start:6.1f} s] {text}', file=sys.stderr, flush=True)
