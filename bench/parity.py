"""Do our networks compute what the original computes? One row a value, and a JSON line.

usage: python bench/parity.py GOLDEN.npz [--f64 GOLDEN_F64.npz]

Builds the official networks with rule-made weights, runs them on the golden's input in float32
(and with --f64 in float64), and exits with 1 when a value is over its limit. A small golden comes
with the repository: test/data/parity_rand1.npz holds both precisions.
"""

from __future__ import annotations

from interwild_ros.openmp import wait_passively

wait_passively()  # as the node does; it must come before torch is loaded

import argparse
import json
import sys

from interwild_ros.errors import AssetError
from interwild_ros.testing import parity
from interwild_ros.testing.intermediates import computed_values
import numpy as np
import torch


def main() -> int:
    args = _arguments()
    golden = np.load(args.golden)
    picture = parity.golden_input(golden)
    networks, hand_models = parity.official_with_rule_weights()
    values = computed_values(networks, hand_models, picture)
    missing = parity.missing_outputs(values, golden)
    rows = list(parity.compare(values, golden))
    _print_rows('float32', rows)
    if args.f64:
        exact = np.load(args.f64)
        values = computed_values(
            networks.double(), hand_models.double(), picture.to(torch.float64)
        )
        exact_rows = list(parity.compare(values, exact, prefix=_prefix(exact, golden)))
        _print_rows('float64', exact_rows)
        rows += exact_rows
    for name in missing:
        print(f'{name} is in the golden and not among our outputs')
    failed = sum(not row.is_ok for row in rows) + len(missing)
    worst = max(row.ratio for row in rows)
    print(json.dumps({'name': 'parity', 'worst_ratio': round(worst, 6), 'failed': failed}))
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('golden', help='.npz with out/* and mid/* of the original in float32')
    parser.add_argument('--f64', help='.npz with the same in float64 under <input>/')
    return parser.parse_args()


def _prefix(exact: np.lib.npyio.NpzFile, golden: np.lib.npyio.NpzFile) -> str:
    """Return under which name the float64 golden keeps this golden's input."""
    means = '/mid/input_16x12'
    names = [name.removesuffix(means) for name in exact.files if name.endswith(means)]
    for name in names:
        if np.abs(exact[name + means] - golden[means[1:]]).max() < 1e-6:
            return f'{name}/'
    raise AssetError(f'float64 golden holds {", ".join(names)}, none with the input of the golden')


def _print_rows(precision: str, rows: list[parity.Row]) -> None:
    print(f'{precision:38} {"difference":>12} {"limit":>12}')
    for row in rows:
        verdict = 'ok' if row.is_ok else 'OVER'
        print(f'{row.name:38} {row.difference:12.3e} {row.limit:12.3e}  {verdict}')


if __name__ == '__main__':
    sys.exit(main())
