"""Do the paper's two ablations hold on synthetic hands?

usage: python bench/ablation.py [--steps 1200] [--samples 6000] [--held-out 1000] [--threads 2]
                                [--table crops|relations|both] [--annotations exact|noisy]

Compact networks, from nothing; every row of a table has the same drawn samples in the same order,
the same steps, and is judged on the held-out domain, of which nothing is ever trained on. First
table: SHNet on crops of one hand against crops of both, MPVPE in mm of hands alone and of hands
beside another. Second table: the relative translation from the picture, the picture with 2.5D
joints, 2D joints, or 2.5D joints (TransNet), each without and with weak supervision by the wild
domain's 2D joints; MRRPE in mm on the held-out domain, and on unseen hands of the studio. Joints
are wrong as SHNet's are. What supervises weakly is exact, or with `--annotations noisy` wrong as
people's 2D joints and fits to single pictures are. The last line is JSON with both tables.
"""

from __future__ import annotations

from interwild_ros.openmp import wait_passively

wait_passively()  # it must come before torch is loaded

import argparse
import json
import sys
import time

from interwild_ros.networks.variants import VARIANTS
from interwild_ros.train.ablation.studies import ablate_crops, ablate_relations, Budget
from interwild_ros.train.ablation.views import EXACT, NOISY
from interwild_ros.train.allocation import keep_freed_memory
import torch

CROPS = (
    ('mpvpe_single_mm', 'MPVPE single'),
    ('mpvpe_two_mm', 'MPVPE two hands'),
    ('error_2d', '2D error / box'),
)
ANNOTATIONS = {'exact': EXACT, 'noisy': NOISY}
RELATIONS = (('mrrpe_mm', 'MRRPE held out'), ('mrrpe_studio_mm', 'MRRPE studio'))


def main() -> None:
    args = _arguments()
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    budget = Budget(steps=args.steps, samples=args.samples, held_out=args.held_out)
    start = time.perf_counter()

    def say(text: str) -> None:
        print(f'{time.perf_counter() - start:6.0f} s  {text}', file=sys.stderr, flush=True)

    variant = VARIANTS['compact']
    tables = {}
    if args.table in ('crops', 'both'):
        tables['crops'] = ablate_crops(variant, budget, say)
        _print('SHNet', tables['crops'], CROPS)
    if args.table in ('relations', 'both'):
        annotating = ANNOTATIONS[args.annotations]
        tables['relations'] = ablate_relations(variant, budget, say, annotating)
        _print('relative translation', tables['relations'], RELATIONS)
    budget_used = {'steps': args.steps, 'samples': args.samples, 'held_out': args.held_out}
    annotations = {'annotations': args.annotations}
    print(json.dumps({'name': 'ablation', **budget_used, **annotations, **tables}))


def _print(title: str, rows: dict[str, dict[str, float]], columns: tuple) -> None:
    print(f'{title:42}' + ''.join(f'{name:>18}' for _, name in columns))
    for row, measures in rows.items():
        print(f'{row:42}' + ''.join(f'{measures[key]:18.3f}' for key, _ in columns))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=1200, help='batches of 64 that each row has')
    parser.add_argument('--samples', type=int, default=6000, help='drawn of each domain')
    parser.add_argument('--held-out', type=int, default=1000, help='samples that judge')
    parser.add_argument('--table', choices=('crops', 'relations', 'both'), default='both')
    parser.add_argument(
        '--annotations', choices=ANNOTATIONS, default='exact', help='what supervises weakly'
    )
    parser.add_argument('--threads', type=int, default=2)
    return parser.parse_args()


if __name__ == '__main__':
    main()
