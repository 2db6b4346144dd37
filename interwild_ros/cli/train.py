"""`interwild train`: train networks by a recipe, go on after a break, and export what came out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
import json
from pathlib import Path
import signal
import sys
import time
from typing import Any, TextIO

from interwild_ros.errors import SettingError, TrainingError
from interwild_ros.networks.checkpoint import leave_out, load_checkpoint, OPTIONAL_PARTS
from interwild_ros.train.allocation import keep_freed_memory
from interwild_ros.train.assembly import assemble, new_networks
from interwild_ros.train.export import export, load_trained
from interwild_ros.train.loop import StepReport, Trainer, ValidationReport
from interwild_ros.train.recipe import read_recipe, Recipe
from interwild_ros.train.recipe_sections import PairData
from interwild_ros.train.world import joined_world, World
import torch

_STOPPED = 130
_BAR_CELLS = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's flags."""
    parser.add_argument('--config', type=Path, required=True, metavar='FILE', help='the recipe')
    parser.add_argument(
        '--out', type=Path, metavar='DIR', help='default: out/train/ and the name of the recipe'
    )
    parser.add_argument('--task', metavar='NAME', help='train this task only')
    parser.add_argument(
        '--resume', action='store_true', help='go on where the checkpoints in --out stand'
    )
    parser.add_argument('--steps', type=int, metavar='N', help='budget of each task, in steps')
    parser.add_argument('--seconds', type=float, metavar='S', help='budget of each task, in time')
    parser.add_argument('--device', help='where to train: auto, cpu, cuda or cuda:N')
    parser.add_argument('--threads', type=int, metavar='N', help='CPU threads of the networks')
    parser.add_argument('--workers', type=int, metavar='N', help='processes that make samples')
    parser.add_argument(
        '--export',
        type=Path,
        metavar='FILE',
        help='write the trained weights: .safetensors, or .pth as the official ones',
    )
    parser.add_argument(
        '--export-only', action='store_true', help='train nothing, export what is in --out'
    )
    parser.add_argument('--half', action='store_true', help='export in float16')
    parser.add_argument(
        '--kept',
        type=float,
        default=0.0,
        metavar='SHARE',
        help='export the mean of the weights that the recipe begins with, which count this much, '
        'and the trained ones; 0 to 1',
    )


def run(args: argparse.Namespace) -> int:
    """Train every task of the recipe that is not finished; 0 when all are, 130 when stopped."""
    recipe = _recipe(args)
    _check_kept(args.kept, recipe)
    out = args.out or Path('out/train') / args.config.stem
    names = [args.task] if args.task else [task.name for task in recipe.tasks]
    if not args.export_only:
        if args.export and not recipe.general.begin:
            _check_rest_is_trained(recipe, out, names)
        keep_freed_memory()
        with joined_world(recipe.running.device) as world, _stop_signals() as should_stop:
            if recipe.running.threads:
                torch.set_num_threads(recipe.running.threads)
            for name in names:
                if not _train(name, recipe, world, out, should_stop, resume=args.resume):
                    return _STOPPED
            is_first = world.is_first
    if args.export and (args.export_only or is_first):
        _export(recipe, out, args.export, halved=args.half, kept=args.kept)
    return 0


def _check_kept(kept: float, recipe: Recipe) -> None:
    if not 0 <= kept < 1:
        raise SettingError(f'--kept is {kept}, wanted at least 0 and less than 1')
    if kept and not recipe.general.begin:
        raise SettingError(f'--kept is {kept}, but the recipe begins without weights')


def _recipe(args: argparse.Namespace) -> Recipe:
    recipe = read_recipe(args.config)
    if args.task:
        recipe.task(args.task)
    if args.steps is not None and args.seconds is not None:
        raise SettingError('--steps and --seconds are both given, wanted one budget')
    if args.steps is not None:
        recipe = recipe.with_optimisation({'steps': args.steps, 'seconds': 0.0, 'epochs': 0})
    if args.seconds is not None:
        recipe = recipe.with_optimisation({'seconds': args.seconds, 'steps': 0, 'epochs': 0})
    given = {
        name: getattr(args, name)
        for name in ('device', 'threads', 'workers')
        if getattr(args, name) is not None
    }
    return replace(recipe, running=recipe.running.changed(given))


def _train(
    name: str,
    recipe: Recipe,
    world: World,
    out: Path,
    should_stop: Callable[[], bool],
    *,
    resume: bool,
) -> bool:
    """Train one task; returns whether its budget is spent."""
    snapshot = _snapshot(out, name)
    if snapshot.exists() and not resume:
        raise TrainingError(f'{snapshot} is there: --resume goes on, another --out begins anew')
    data = recipe.task(name).data
    if isinstance(data, PairData) and data.read:
        _say(world, f'{name}: SHNet reads {data.read} pairs first')
    trainer = Trainer(name, recipe, assemble(name, recipe, world, out), world, snapshot)
    if snapshot.exists() and trainer.resume():
        _say(world, f'{name}: finished before, {trainer.spent.steps} steps')
        return True
    out.mkdir(parents=True, exist_ok=True)
    with open(out / 'log.jsonl', 'a', encoding='utf-8') as log:
        is_finished = trainer.run(_Journal(log, sys.stderr), should_stop)
    if not is_finished:
        _say(world, f'{name}: stopped after {trainer.spent.steps} steps; --resume goes on')
    return is_finished


def _snapshot(out: Path, name: str) -> Path:
    return out / f'{name}.pt'


def _check_rest_is_trained(recipe: Recipe, out: Path, names: Sequence[str]) -> None:
    """Refuse, before training, an export that would lack what other tasks have to learn."""
    rest = [task.name for task in recipe.tasks if task.name not in names]
    if missing := [str(path) for name in rest if not (path := _snapshot(out, name)).exists()]:
        raise TrainingError(
            f'--export wants all tasks trained, and there is no {", ".join(missing)}: train these '
            'first, or have the recipe begin with weights that have their parts'
        )


def _export(recipe: Recipe, out: Path, path: Path, *, halved: bool, kept: float) -> None:
    """Export what is trained; parts without a checkpoint are those that the recipe begins with."""
    networks = new_networks(recipe.general)
    snapshots = [_snapshot(out, task.name) for task in recipe.tasks]
    untrained = {name for name, _ in networks.named_children()}
    if begin := recipe.general.begin:
        untrained = set(load_checkpoint(networks, Path(begin), optional=OPTIONAL_PARTS))
        if kept and untrained:
            lacking = ', '.join(sorted(untrained))
            raise SettingError(f'--kept is {kept}, but {begin} lacks {lacking}')
        snapshots = [path for path in snapshots if path.exists()]
        if not snapshots:
            raise TrainingError(f'nothing to export: there is no checkpoint in {out}')
    untrained &= set(load_trained(networks, snapshots, kept=kept))
    leave_out(networks, untrained.intersection(OPTIONAL_PARTS))
    if missing := sorted(untrained.difference(OPTIONAL_PARTS)):
        raise TrainingError(f'nothing to export: {", ".join(missing)} have not been trained')
    export(networks, path, halved=halved)
    print(f'{path}: {path.stat().st_size / 1e6:.2f} MB')


def _say(world: World, text: str) -> None:
    if world.is_first:
        print(text, file=sys.stderr)


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether SIGINT or SIGTERM came; a second one ends at once."""
    came: list[int] = []

    def take(number: int, _frame: object) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    before = {number: signal.signal(number, take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Journal:
    """Writes reports as lines of JSON, and shows them to a person."""

    def __init__(self, log: TextIO, shown: TextIO) -> None:
        self._log, self._shown = log, shown
        self._rewrites = shown.isatty()

    def stepped(self, report: StepReport) -> None:
        """Log a line, and show how far it is; on a terminal one line is written over."""
        self._record('step', asdict(report))
        end = '\r' if self._rewrites else '\n'
        print(progress_line(report), end=end, file=self._shown, flush=True)

    def validated(self, report: ValidationReport) -> None:
        """Log and show measures."""
        self._record('validation', asdict(report))
        numbers = '  '.join(f'{name} {value:.4g}' for name, value in report.measures.items())
        start = '\n' if self._rewrites else ''
        print(f'{start}{report.task} held out: {numbers}', file=self._shown, flush=True)

    def _record(self, event: str, content: dict[str, Any]) -> None:
        line = {'event': event, 'time': round(time.time(), 1), **content}
        print(json.dumps(line), file=self._log, flush=True)


def progress_line(report: StepReport) -> str:
    """Return a bar, the time that is left, the pace, and the running means of the losses."""
    filled = round(report.fraction * _BAR_CELLS)
    bar = '#' * filled + '.' * (_BAR_CELLS - filled)
    minutes, seconds = divmod(round(report.remaining_sec), 60)
    losses = ' '.join(f'{name} {value:.3g}' for name, value in report.losses.items())
    return (
        f'{report.task} [{bar}] {report.fraction:4.0%} left {minutes}:{seconds:02d} '
        f'step {report.step} {report.samples_per_sec:.0f}/s lr {report.learning_rate:.1e} {losses}'
    )
