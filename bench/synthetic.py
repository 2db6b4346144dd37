"""How many synthetic samples are made a second, on one core?

usage: python bench/synthetic.py [--domain wild] [--threads 1] [--batch 64] [--batches 3]

The last line is JSON: samples a second of each generator, `clock` saying of which time: that of
the processor, which is the machine's own even where others use it too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
import json
import time

import cv2
from interwild_ros.networks.variants import COMPACT_SPACES
from interwild_ros.train.synthetic.annotated import SyntheticPictures
from interwild_ros.train.synthetic.bodies import BodyMaker
from interwild_ros.train.synthetic.crops import CropMaker, CropShares
from interwild_ros.train.synthetic.domains import DOMAINS
from interwild_ros.train.synthetic.painting import is_compiled_for
from interwild_ros.train.synthetic.pairs import PairMaker
import torch

Make = Callable[[Sequence[int]], object]


def main() -> None:
    args = _arguments()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    domain = DOMAINS[args.domain]
    whole = SyntheticPictures(domain, seed=0, length=1 << 30)
    makers: dict[str, Make] = {
        'crops_128': CropMaker(domain, seed=0).make,
        'crops_128_turned': CropMaker(domain, seed=0, shares=CropShares(turned=1.0)).make,
        'bodies_192x256': BodyMaker(domain, seed=0, size=(192, 256)).make,
        'bodies_320x240': BodyMaker(domain, seed=0, size=COMPACT_SPACES.body_size).make,
        'bodies_384x512': BodyMaker(domain, seed=0, size=(384, 512)).make,
        'annotated_pictures': lambda numbers: [whole.annotated(n) for n in numbers[:16]],
        'pairs': PairMaker(domain, seed=0).make,
    }
    counts = dict.fromkeys(makers, args.batch) | {'annotated_pictures': 16, 'pairs': 512}
    result = {
        'name': 'synthetic',
        'domain': domain.name,
        'threads': args.threads,
        'compiled': is_compiled_for(torch.zeros(1)),
        'clock': 'process',
    }
    for name, make in makers.items():
        rate = _rate(make, counts[name], args.batches)
        print(f'{name:20}{rate:10.1f} a second')
        result[f'{name}_per_sec'] = round(rate, 1)
    print(json.dumps(result))


def _rate(make: Make, count: int, batches: int) -> float:
    make(range(count))  # compiles
    start = time.process_time()
    for batch in range(1, batches + 1):
        make(range(batch * count, (batch + 1) * count))
    return batches * count / (time.process_time() - start)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--domain', choices=sorted(DOMAINS), default='wild')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--batches', type=int, default=3)
    return parser.parse_args()


if __name__ == '__main__':
    main()
