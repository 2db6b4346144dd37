"""`interwild evaluate`: the paper's row for weights on a data set."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import sys
from typing import Any

from interwild_ros.errors import SettingError
from interwild_ros.eval.benchmark import BenchmarkResult, PictureScore, summarise
from interwild_ros.eval.data_sets import DATA_SETS, open_data, SYNTHETIC
from interwild_ros.eval.pictures import EvaluationSet, joined, score_batches
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models, read_stand_in
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.pipeline.device import choose_device
from interwild_ros.records import Side
from torch.utils.data import DataLoader, Subset

_SHOWN_EVERY = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's flags."""
    parser.add_argument(
        '--weights', default='', metavar='FILE', help='default: those that ship with the package'
    )
    parser.add_argument('--variant', choices=('auto', 'official', 'compact'), default='auto')
    parser.add_argument('--data', choices=DATA_SETS, default=SYNTHETIC, help='%(default)s')
    parser.add_argument('--root', default='', metavar='DIR', help='folder of the data set')
    parser.add_argument(
        '--count', type=int, metavar='N', help='pictures; default: all, 1000 synthetic ones'
    )
    parser.add_argument('--mano-dir', default='', metavar='DIR', help='folder with MANO')
    parser.add_argument('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    parser.add_argument('--batch-size', type=int, default=16, metavar='N')
    parser.add_argument('--workers', type=int, default=0, metavar='N', help='reading processes')
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')


def run(args: argparse.Namespace) -> int:
    """Evaluate, and print the row."""
    if args.count is not None and args.count < 1:
        raise SettingError(f'--count is {args.count}, wanted at least 1')
    result = evaluate(args)
    print(result.as_json() if args.json else _as_table(result))
    return 0


def evaluate(args: argparse.Namespace) -> BenchmarkResult:
    """Score every picture, and take the means."""
    device, warnings = choose_device(args.device, require_gpu=False)
    networks, weights = build_networks(args.variant, args.weights)
    if not weights.meaningful:
        warnings += (f'the weights are {weights.name}: what comes out means nothing',)
    for warning in warnings:
        print(f'interwild: {warning}', file=sys.stderr)
    # synthetic truth is made with the stand-in, so it is compared with the stand-in
    is_drawn = args.data == SYNTHETIC
    files = [read_stand_in(s) for s in Side] if is_drawn else find_hand_models(args.mano_dir)
    batches = _batches(args, HandPair(*files).eval(), networks.spaces)
    on_device = HandPair(*files).eval().to(device)
    scores = _shown(score_batches(batches, networks.to(device), on_device))
    return summarise([*scores], args.data)


def _batches(args: argparse.Namespace, hand_models: HandPair, spaces: Any) -> Any:
    data = open_data(args.data, args.root, synthetic_count=args.count or 1000)
    pictures = EvaluationSet(
        data.annotations, data.load_picture, data.truth_of, hand_models, spaces=spaces
    )
    count = min(args.count or len(pictures), len(pictures))
    return DataLoader(
        Subset(pictures, range(count)),
        args.batch_size,
        num_workers=args.workers,
        collate_fn=joined,
    )


def _shown(scores: Iterator[PictureScore]) -> Iterator[PictureScore]:
    """Pass scores on, and show their number on a terminal."""
    for number, score in enumerate(scores, 1):
        if sys.stderr.isatty() and number % _SHOWN_EVERY == 0:
            print(f'\r{number} pictures', end='', file=sys.stderr, flush=True)
        yield score


def _as_table(result: BenchmarkResult) -> str:
    rows = [('data', result.data), ('pictures', str(result.picture_count)), *result.as_row()]
    return '\n'.join(f'{title:20}{value:>14}' for title, value in rows)
