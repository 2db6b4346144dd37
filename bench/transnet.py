"""How much does the separable form of TransNet's beginning save?

usage: python bench/transnet.py [--threads 2] [--runs 15]

Drawing both hands' Gaussian maps and convolving them, against the same sum taken axis by axis,
taking turns in one run. The last line is JSON: `speedup` is the median of the ratios,
`largest_difference` that of the two results and `largest_value` what it is to be compared with.
"""

from __future__ import annotations

from interwild_ros.openmp import wait_passively

wait_passively()  # as the node does; it must come before torch is loaded

import argparse
import json
import time

from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.testing.dense_transnet import dense_draw_and_convolve
import numpy as np
import torch


def main() -> None:
    args = _arguments()
    torch.set_num_threads(args.threads)
    network = build_networks('official')[0].hand_trans_net
    pair = torch.rand(1, 2, 21, 3, generator=torch.Generator().manual_seed(0)) * 64
    forms = (
        lambda: dense_draw_and_convolve(network, pair),
        lambda: network.draw_and_convolve(pair),
    )
    times = np.zeros((args.runs, 2))
    with torch.inference_mode():
        dense, separable = (form() for form in forms)
        for turn in range(-2, args.runs):  # two turns to warm up
            for which, form in enumerate(forms):
                start = time.perf_counter()
                form()
                if turn >= 0:
                    times[turn, which] = (time.perf_counter() - start) * 1e3
    result = {
        'name': 'transnet',
        'threads': args.threads,
        'speedup': round(float(np.median(times[:, 0] / times[:, 1])), 2),
        'dense_ms': round(float(np.median(times[:, 0])), 3),
        'separable_ms': round(float(np.median(times[:, 1])), 3),
        'largest_difference': float((dense - separable).abs().max()),
        'largest_value': float(dense.abs().max()),
    }
    print(f'dense {result["dense_ms"]} ms, separable {result["separable_ms"]} ms (medians)')
    print(json.dumps(result))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--runs', type=int, default=15)
    return parser.parse_args()


if __name__ == '__main__':
    main()
