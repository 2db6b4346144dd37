"""`interwild analyze`: every frame of recorded bags, in order, as hands and figures."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import fields, replace
import json
from pathlib import Path
import sys
from typing import Any

from interwild_ros.bag.account import NODE_ONLY
from interwild_ros.bag.cameras import Wanted
from interwild_ros.bag.jobs import (
    analyse_bags,
    check_bags,
    named_bags,
    NamedBag,
    Outcome,
    Progress,
    Request,
    Say,
)
from interwild_ros.bag.workers import Crew, crew_of, workers_beside
from interwild_ros.cli.flags import (
    add_camera_info_flag,
    add_depth_flag,
    add_setting_flags,
    given_settings,
    with_whole_paths,
)
from interwild_ros.cli.interrupts import signals_as_interrupts
from interwild_ros.cli.progress import ProgressLine
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.pipeline.warm_up import warm_up

_LOST = (
    'interwild: {} of {} workers died on the way; what they had not foreseen was seen without them'
)
SETTINGS = tuple(f.name for f in fields(Settings) if f.name not in NODE_ONLY)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's flags."""
    parser.add_argument(
        'bags', nargs='+', type=Path, metavar='BAG', help='a rosbag2 folder, or one of its files'
    )
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='DIR',
        help='results of each camera go into DIR/<bag>/<camera>/',
    )
    parser.add_argument(
        '--camera',
        action='append',
        default=[],
        metavar='TOPIC',
        help='image topic to work on, may be given several times; default: all',
    )
    add_camera_info_flag(parser)
    add_depth_flag(parser)
    parser.add_argument(
        '--with-images', action='store_true', help='write the pictures into hands.mcap too'
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='leave results be that are finished, of the same bag and settings',
    )
    _add_worker_flags(parser)
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    add_setting_flags(parser, Settings, title='hands, as in the node', only=SETTINGS)


def _add_worker_flags(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        '--workers',
        type=_positive,
        default=0,
        metavar='N',
        help='processes that work on a long recording, each with --threads threads, which are 1 '
        'on a CPU if not given; default: one a core, on a GPU one',
    )
    where.add_argument(
        '--ray',
        nargs='?',
        const='',
        metavar='ADDRESS',
        help='work on a Ray cluster, that at host:port or auto; without an address on the cores '
        'and GPUs of this machine. Each worker has as many threads as without --ray',
    )
    parser.add_argument(
        '--share',
        type=_positive,
        default=0,
        metavar='FRAMES',
        help='with --ray: pictures that a worker takes at a time; default: by the cluster',
    )


def run(args: argparse.Namespace) -> int:
    """Analyse every bag, and print what came out of each camera as soon as it is there."""
    progress = ProgressLine()
    results = sys.stdout
    outcomes = []
    with signals_as_interrupts():
        try:
            for outcome in analyze(args, progress):
                progress.end()
                outcomes.append(outcome)
                if not args.json:
                    print(_as_table(outcome), file=results, flush=True)
        finally:
            progress.end()
    if args.json:
        print(_as_json(outcomes))
    return 0


def analyze(args: argparse.Namespace, progress: ProgressLine) -> Iterator[Outcome]:
    """Yield the result of every camera."""
    request, crew = with_crew(request_of(args), args.workers)
    out = args.out.expanduser().absolute()
    bags = named_bags(args.bags)
    longest = check_bags(bags, out, request)

    def say(now: Progress) -> None:
        title = ' '.join(filter(None, (now.bag, now.camera or 'reading')))
        progress.show(title, now.done, now.total)

    if args.ray is not None:
        yield from _on_cluster(args, bags, out, request, say)
        return
    with workers_beside(request.settings, crew.workers - 1, out) as workers:
        if not request.resume:  # else most may be finished
            workers.expect(longest)
        pipeline = load_pipeline(request.settings)
        warm_up(pipeline)
        yield from analyse_bags(bags, out, request, pipeline, workers=workers, say=say)
        if workers.lost:
            progress.end()
            print(_LOST.format(workers.lost, crew.workers), file=sys.stderr)


def _on_cluster(
    args: argparse.Namespace, bags: Sequence[NamedBag], out: Path, request: Request, say: Say
) -> Iterator[Outcome]:
    try:
        from interwild_ros.bag.cluster import analyse_on_cluster, cluster
    except ModuleNotFoundError as error:
        raise AssetError(
            f'--ray wants a package that is not here, {error.name}: pip install interwild_ros[ray]'
        ) from error
    # Ray tells of workers that died, on standard output
    with redirect_stdout(sys.stderr), cluster(args.ray or None):
        yield from analyse_on_cluster(bags, out, request, length=args.share, say=say)


def request_of(args: argparse.Namespace) -> Request:
    """Return what the flags ask for.

    :raises SettingError: for a value that is refused.
    """
    settings: Settings = Settings(**with_whole_paths(given_settings(args, Settings)))
    if args.depth:
        settings = settings.changed({'use_depth': True})
    return Request(
        settings=settings,
        wanted=Wanted(
            images=tuple(args.camera),
            info=args.camera_info,
            depth=args.depth,
            use_depth=settings.use_depth,
        ),
        with_images=args.with_images,
        resume=args.resume,
    )


def with_crew(request: Request, workers: int) -> tuple[Request, Crew]:
    """Return who works, and the request with the threads that each of them has.

    :param workers: how many there shall be; 0 chooses.
    :raises DeviceError: when a required GPU is absent.
    """
    crew = crew_of(request.settings, workers)
    settings = request.settings.changed({'threads': crew.threads})
    return replace(request, settings=settings), crew


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} is no number above 0')
    return number


def _as_json(outcomes: Sequence[Outcome]) -> str:
    found = [{'folder': str(o.folder), 'was_there': o.was_there, **o.summary} for o in outcomes]
    return json.dumps(found, indent=2)


def _as_table(outcome: Outcome) -> str:
    return '\n'.join(_lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    said = outcome.summary
    frames, tracked = said['frames'], said['tracked']
    yield f'{said["bag"]} {said["camera"]}'
    yield f'  frames      {frames["in"]} in, {frames["analysed"]} analysed{_skipped(frames)}'
    yield f'  recording   {_of(said["duration_sec"], "s")}, {_of(said["rate_hz"], "Hz")}'
    yield f'  tracked     right {tracked["right"]}, left {tracked["left"]}, both {tracked["both"]}'
    if outcome.was_there:
        yield '  speed       was finished before'
    else:
        yield f'  speed       {_of(said["timings"]["fps"], "frames a second")}'
    yield from (f'  !           {warning}' for warning in said['warnings'])
    yield f'  {outcome.folder}'


def _skipped(frames: dict[str, Any]) -> str:
    skipped = ', '.join(f'{count} {cause}' for cause, count in frames['skipped'].items())
    return f', skipped: {skipped}' if skipped else ''


def _of(value: float | None, unit: str) -> str:
    return 'unknown' if value is None else f'{value:.2f} {unit}'
