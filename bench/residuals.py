"""How wrong is a trained SHNet, and how like its errors are those that a few numbers draw?

usage: python bench/residuals.py [--weights FILE | --trained out/train/compact/shnet.pt]

The crops are of the domains that are trained on, but none of those that were; left hands are
mirrored, as always. `joint` to `flattened` go into tasks.transnet.data of a recipe in which SHNet
does not `read` pairs itself. The table compares SHNet's errors with those drawn for the same hands
by these four numbers.

`error`: of x and y, mean, in sizes of the hand; `error_mm`: of depth, mean; `neighbours`:
correlation of the errors of x and y at both ends of a bone; `scale`: deviation of the logarithm of
a hand's scale; `flattening`, `flattening_spread`: by what all depths of a hand are multiplied,
median and deviation of the logarithm. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from interwild_ros.geometry.spaces import Spaces
from interwild_ros.hand_model.joints import JOINT_PARENTS
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.records import Side
from interwild_ros.train.export import load_trained
from interwild_ros.train.recipe_sections import PairData
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.residuals import (
    measure_residuals,
    read_joints,
    Residuals,
)
from interwild_ros.train.synthetic_streams import crops_to_measure, READ_SEED
import torch
from torch import Tensor

WANTED = ('joint', 'hand', 'depth_m', 'flattened')


def main() -> None:
    args = _arguments()
    torch.set_num_threads(args.threads)
    networks, weights = build_networks('auto', args.weights)
    if args.trained:
        load_trained(networks, [args.trained])
    stream = crops_to_measure(networks.variant.name, PairData(), READ_SEED)
    found, true = read_joints(networks, stream.draw, args.count)
    numbers = measure_residuals(found, true, networks.spaces)
    figures = {name: round(numbers._asdict()[name], 5) for name in WANTED}
    for name, value in figures.items():
        print(f'      {name}: {value}')
    found_m, true_m = (_in_metres(joints, networks.spaces) for joints in (found, true))
    rows = {
        'SHNet': likeness(found_m, true_m),
        'numbers': likeness(drawn(numbers, true_m), true_m),
    }
    print(f'\n{"":18}', *(f'{name:>8}' for name in rows))
    for name in rows['SHNet']:
        print(f'{name:18}', *(f'{row[name]:8.3f}' for row in rows.values()))
    result = {
        'name': 'residuals',
        'weights': str(args.trained or weights.name),
        'hands': len(found),
        **figures,
        **{
            f'{row}_{name}': round(v, 4)
            for row, values in rows.items()
            for name, v in values.items()
        },
    }
    print(json.dumps(result))


def drawn(residuals: Residuals, true: Tensor) -> Tensor:
    """Return joints that are wrong as is drawn, of right hands (N, 21, 3), depths in metres."""
    draws = Draws(READ_SEED, range(len(true)), 'bench')
    pairs = true[:, None].expand(-1, len(Side), -1, -1)
    return torch.cat(residuals.draw_wrong(draws, pairs[..., :2], pairs[..., 2:]), -1)[
        :, Side.RIGHT
    ]


def likeness(found: Tensor, true: Tensor) -> dict[str, float]:
    """Return what a way to be wrong is told by: joints (N, 21, 3) against the true ones."""
    sides = (true.amax(1) - true.amin(1))[:, :2].amax(1)[:, None, None]
    off = (found - true)[..., :2] / sides
    near = [off[:, list(joints)].flatten() for joints in (range(1, 21), JOINT_PARENTS[1:])]
    scale = _slopes(
        *((joints - joints.mean(1, keepdim=True))[..., :2] for joints in (found, true))
    )
    depths = _slopes(found[..., 2:], true[..., 2:])
    return {
        'error': float(off.norm(dim=-1).mean()),
        'error_mm': 1000 * float((found - true)[..., 2].abs().mean()),
        'neighbours': float(torch.corrcoef(torch.stack(near))[0, 1]),
        'scale': float(scale.log().std()),
        'flattening': float(depths.median()),
        'flattening_spread': float(depths.log().std()),
    }


def _slopes(found: Tensor, true: Tensor) -> Tensor:
    """Return by what (N,) true numbers (N, ...) are multiplied, as near as that comes."""
    found, true = found.flatten(1), true.flatten(1)
    slopes = (found * true).sum(1) / true.square().sum(1).clamp(min=1e-6)
    return slopes.clamp(0.1, 10)  # turned hands have none


def _in_metres(joints: Tensor, spaces: Spaces) -> Tensor:
    """Return joints (N, 21, 3) in volume cells with depths in metres."""
    return torch.cat([joints[..., :2], spaces.depth_m_from_volume(joints[..., 2:])], -1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--weights', default='', help='default: those that ship')
    parser.add_argument('--trained', type=Path, help='a checkpoint of training instead')
    parser.add_argument('--count', type=int, default=3072, help='hands')
    parser.add_argument('--threads', type=int, default=2)
    return parser.parse_args()


if __name__ == '__main__':
    main()
