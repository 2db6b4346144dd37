"""How fast is a whole forward, from a decoded frame to placed hands?

usage: python bench/forward.py [--variant official|compact] [--threads 2] [--runs 15]

Beside it, in the same run, stands the plain way: eager float32 networks with their batch
normalisation, TransNet's Gaussian maps drawn in full and convolved. The two take turns, so that a
machine that slows down slows both. The last line is JSON: `speedup` is the median of the ratios
of neighbouring runs; `plain_ms` and `ours_ms` are medians; `mesh_error_mm` and `relative_error_mm`
are the largest differences between the two.
"""

from __future__ import annotations

from interwild_ros.openmp import wait_passively

wait_passively()  # as the node does; it must come before torch is loaded

import argparse
from collections.abc import Callable
import json
import time

from interwild_ros.config import Settings
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.pipeline.pipeline import load_pipeline, Pipeline
from interwild_ros.records import Frame, PairEstimate
from interwild_ros.testing.dense_transnet import dense_draw_and_convolve
import numpy as np
import torch


def main() -> None:
    args = _arguments()
    torch.set_num_threads(args.threads)
    settings = Settings(variant=args.variant, device='cpu')
    ours = load_pipeline(settings)
    plain = plain_pipeline(settings, ours)
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    frame = Frame(image, camera_from_fov(640, 480, 60.0), stamp_ns=0, frame_id='camera')
    plain_ms, ours_ms = _take_turns(lambda: plain(frame), lambda: ours(frame), args.runs)
    speedup = float(np.median(plain_ms / ours_ms))
    result = {
        'name': 'forward',
        'variant': args.variant,
        'threads': args.threads,
        'speedup': round(speedup, 3),
        'plain_ms': round(float(np.median(plain_ms)), 2),
        'ours_ms': round(float(np.median(ours_ms)), 2),
        **_differences(plain.estimate(frame), ours.estimate(frame)),
    }
    print(f'{"":8}{"median ms":>12}{"fastest ms":>12}')
    for name, times in (('plain', plain_ms), ('ours', ours_ms)):
        print(f'{name:8}{np.median(times):12.1f}{times.min():12.1f}')
    print(json.dumps(result))


def plain_pipeline(settings: Settings, ours: Pipeline) -> Pipeline:
    """Build the pipeline with the networks as they are written down, and dense Gaussian maps."""
    networks, _ = build_networks(settings.variant)
    trans = networks.hand_trans_net
    trans.draw_and_convolve = lambda pair: dense_draw_and_convolve(trans, pair)
    hand_models = HandPair(*find_hand_models(settings.mano_dir)).eval()
    return Pipeline(networks, hand_models, settings, ours.card)


def _take_turns(
    first: Callable[[], object], second: Callable[[], object], runs: int
) -> tuple[np.ndarray, np.ndarray]:
    times = np.zeros((runs, 2))
    for turn in range(-2, runs):  # two turns to warm up
        for which, run in enumerate((first, second)):
            start = time.perf_counter()
            run()
            if turn >= 0:
                times[turn, which] = time.perf_counter() - start
    return times[:, 0] * 1e3, times[:, 1] * 1e3


def _differences(one: PairEstimate, other: PairEstimate) -> dict[str, float]:
    mesh = max(
        np.abs(a.vertices_m - b.vertices_m).max()
        for a, b in ((one.right, other.right), (one.left, other.left))
    )
    relative = np.abs(one.left_from_right_m - other.left_from_right_m).max()
    return {
        'mesh_error_mm': round(float(mesh) * 1e3, 6),
        'relative_error_mm': round(float(relative) * 1e3, 6),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--variant', choices=('official', 'compact'), default='official')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--runs', type=int, default=15)
    return parser.parse_args()


if __name__ == '__main__':
    main()
