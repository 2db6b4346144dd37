"""How wrong is a trained SHNet? TransNet is trained on joints that are wrong in the same way.

usage: python bench/residuals.py [--weights FILE | --trained out/train/compact/shnet.pt]

The crops are of the domains that are trained on, but none of those that were; left hands are
mirrored, as always. The figures go into tasks.transnet.data of a recipe; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.networks.interwild import InterWild
from interwild_ros.train.export import load_trained
from interwild_ros.train.recipe_sections import SyntheticData
from interwild_ros.train.streams import HandCrops
from interwild_ros.train.synthetic.residuals import measure_residuals
from interwild_ros.train.synthetic_streams import make_stream
import torch
from torch import Tensor

SEED = 7_000_003
BATCH = 64
WANTED = ('joint', 'hand', 'depth_m', 'flattened')


def main() -> None:
    args = _arguments()
    torch.set_num_threads(args.threads)
    networks, weights = build_networks('auto', args.weights)
    if args.trained:
        load_trained(networks, [args.trained])
    stream = make_stream('shnet', networks.variant.name, SyntheticData(), SEED)
    pairs = [
        joints_of(networks, stream.draw(range(start, start + BATCH)))
        for start in range(0, args.count, BATCH)
    ]
    found, true = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    measured = measure_residuals(found, true, networks.spaces)._asdict()
    figures = {name: round(measured[name], 5) for name in WANTED}
    for name, value in figures.items():
        print(f'      {name}: {value}')
    result = {
        'name': 'residuals',
        'weights': str(args.trained or weights.name),
        'hands': len(found),
        **figures,
    }
    print(json.dumps(result))


def joints_of(networks: InterWild, batch: HandCrops) -> tuple[Tensor, Tensor]:
    """Return the joints that SHNet finds and the true ones, of hands that can be seen."""
    with torch.inference_mode():
        features = networks.hand_roi_net(batch.pictures.float() / 255)
        found = networks.hand_position_net(features)
    counts = batch.counts > 0.5
    return found[counts], batch.joints[counts]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--weights', default='', help='default: those that ship')
    parser.add_argument('--trained', type=Path, help='a checkpoint of training instead')
    parser.add_argument('--count', type=int, default=1024, help='crops')
    parser.add_argument('--threads', type=int, default=2)
    return parser.parse_args()


if __name__ == '__main__':
    main()
