"""How fast is a whole forward, from a decoded frame to placed hands?

usage: python bench/forward.py [--variant official|compact] [--threads 2] [--runs 15]
                               [--device cpu|cuda] [--batch N] [--mediapipe PYTHON]

`plain` is the original's way: eager float32 networks with their batch normalisation, TransNet's
Gaussian maps drawn in full and convolved. Far from a joint these maps hold numbers that are too
small for a normal float32, over which a CPU takes ten times as long (500 ms instead of 50 for that
one convolution): they are flushed to zero for all, so that no `speedup` lives on that. `exact` and
`reduced` are what the node runs, in float32 and in bfloat16, by the quickest engine that is here;
`tracking` is `reduced` on a frame whose hands are followed, so that the detector rests. All take
turns, so that a machine that slows down slows all; `speedup` is the median of the ratios of
neighbouring runs. Errors are the largest differences to the networks in float64 on the same frame.
Frames are of the demo clip.

`clip_fps`: the same clip followed from its first frame to its last, with filters. `network_share`:
the part of what the cores can do (a large float32 product, as matrices and as a convolution, the
quicker of which is timed in the same run) that the arithmetic of `exact` is. `--mediapipe` is the
Python of an environment that has mediapipe (0.10.21): it tracks two hands on the same clip, in
turns with ours, and `of_mediapipe` is by how much ours are faster; of three turns all these are
medians.

On a GPU `graphs_exact`, `graphs_reduced` and `graphs_tracking` are the same by CUDA graphs.
`--batch N`: networks alone on N frames at once, `batch_ms` and `batch_fps` by engine. The last
line is JSON.
"""

from __future__ import annotations

from interwild_ros.openmp import wait_passively

wait_passively()  # as the node does; it must come before torch is loaded

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
import json
from pathlib import Path
import statistics
import subprocess
import tempfile
import time
from typing import Any

from interwild_ros.config import Settings
from interwild_ros.geometry.upright import turn_to_upright
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models
from interwild_ros.imaging.demo_clip import demo_clip
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.pipeline.following import Follower
from interwild_ros.pipeline.pipeline import load_pipeline, Pipeline
from interwild_ros.records import Frame, PairEstimate
from interwild_ros.testing.dense_transnet import dense_draw_and_convolve
from interwild_ros.tracking.matching import Sought, WHOLE
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

CLIP_FRAMES = 150
FRAME = 60  # of the clip: both hands are in view
STEP_NS = 33_333_333
BATCHED = ('plain', 'exact', 'reduced', 'graphs_exact', 'graphs_reduced')
ROUNDS = 3  # with MediaPipe
MEDIAPIPE = Path(__file__).with_name('mediapipe_hands.py')


@dataclass(frozen=True, eq=False)
class Candidate:
    """A pipeline that is timed, and where it is told to look."""

    pipeline: Pipeline
    sought: Sought = WHOLE

    def __call__(self, frame: Frame) -> None:
        """Estimate and place both hands of a frame."""
        self.pipeline.place(frame, self.pipeline.estimate(frame, self.sought))
        synchronise(self.pipeline)


def main() -> None:
    args = _arguments()
    torch.set_flush_denormal(True)  # before the first thread: they inherit it
    torch.set_num_threads(args.threads)
    clip = _clip()
    frame = clip[FRAME]
    wanted = Settings(variant=args.variant, device=args.device)
    exact = load_pipeline(wanted)
    reduced = load_pipeline(wanted.changed({'precision': 'bfloat16'}))
    plain = plain_pipeline(exact, torch.float32)
    truth = plain_pipeline(exact, torch.float64)
    sought = _followed(exact, frame)
    candidates = {
        'plain': Candidate(plain),
        'exact': Candidate(exact),
        'reduced': Candidate(reduced),
        'tracking': Candidate(reduced, sought),
    }
    candidates |= _other_engines(wanted, exact, reduced) | _graphs(wanted, sought)
    times = _take_turns([partial(c, frame) for c in candidates.values()], args.runs)
    result: dict[str, Any] = {
        'name': 'forward',
        'variant': args.variant,
        'device': args.device,
        'threads': args.threads,
        **{
            name: _entry(candidate, of, times[:, 0], truth, frame)
            for (name, candidate), of in zip(candidates.items(), times.T, strict=True)
        },
    }
    _print_table(result, candidates)
    result |= _on_clip({'exact': exact, 'reduced': reduced}, clip, args.mediapipe)
    counted = candidates.get('torch_float32', candidates['exact']).pipeline
    result |= _share_of_peak(counted, frame, result['exact']['ms'])
    if args.batch > 1:
        batched = {name: candidates[name].pipeline for name in BATCHED if name in candidates}
        result |= _batched(batched, args.batch, args.runs)
    print(json.dumps(result))


def plain_pipeline(like: Pipeline, precision: torch.dtype) -> Pipeline:
    """Build the pipeline with the networks as they are written down, and dense Gaussian maps."""
    settings = like.settings
    device = torch.device(like.card.device)
    networks, _ = build_networks(settings.variant)
    networks = networks.to(device, precision)
    trans = networks.hand_trans_net
    trans.draw_and_convolve = lambda pair: dense_draw_and_convolve(trans, pair)
    hand_models = HandPair(*find_hand_models(settings.mano_dir)).eval().to(device, precision)
    card = replace(like.card, engine='plain')
    return Pipeline(networks, hand_models, settings, card)


def _other_engines(wanted: Settings, exact: Pipeline, reduced: Pipeline) -> dict[str, Candidate]:
    """Return PyTorch's engines, where `auto` takes others."""
    found = {}
    for pipeline, precision in ((exact, 'float32'), (reduced, 'bfloat16')):
        if not pipeline.card.engine.startswith('torch'):
            settings = wanted.changed({'engine': 'torch', 'precision': precision})
            found[f'torch_{precision}'] = Candidate(load_pipeline(settings))
    return found


def _graphs(wanted: Settings, sought: Sought) -> dict[str, Candidate]:
    """Return CUDA graphs, where a GPU is timed."""
    if not wanted.device.startswith('cuda'):
        return {}
    exact, reduced = (
        load_pipeline(wanted.changed({'engine': 'cuda_graphs', 'precision': precision}))
        for precision in ('float32', 'bfloat16')
    )
    return {
        'graphs_exact': Candidate(exact),
        'graphs_reduced': Candidate(reduced),
        'graphs_tracking': Candidate(reduced, sought),
    }


def synchronise(pipeline: Pipeline) -> None:
    """Wait for the GPU, where there is one."""
    if pipeline.card.device.startswith('cuda'):
        torch.cuda.synchronize()


def _clip() -> list[Frame]:
    return [
        Frame(shown.image, shown.camera, stamp_ns=1 + STEP_NS * index, frame_id='camera')
        for index, shown in enumerate(demo_clip(frames=CLIP_FRAMES))
    ]


def _followed(pipeline: Pipeline, frame: Frame) -> Sought:
    """Return where both hands of a frame are sought once they are followed."""
    found = pipeline.estimate(frame)
    boxes = (found.right.box.corners, found.left.box.corners)
    right, left = (turn_to_upright(hand.joints_image_px) for hand in (found.right, found.left))
    return Sought(boxes, detects=False, region=None, turns=(right, left))


def _take_turns(runs: Sequence[Callable[[], None]], count: int) -> np.ndarray:
    """Return milliseconds (count, runs)."""
    times = np.zeros((count, len(runs)))
    for turn in range(-2, count):  # two turns to warm up
        for which, run in enumerate(runs):
            start = time.perf_counter()
            run()
            if turn >= 0:
                times[turn, which] = (time.perf_counter() - start) * 1e3
    return times


def _entry(
    candidate: Candidate, times: np.ndarray, plain: np.ndarray, truth: Pipeline, frame: Frame
) -> dict[str, Any]:
    p50, p95 = np.percentile(times, [50, 95])
    found = candidate.pipeline.estimate(frame, candidate.sought)
    return {
        'engine': candidate.pipeline.card.engine,
        'ms': round(float(p50), 2),
        'p95_ms': round(float(p95), 2),
        'fps': round(1e3 / float(p50), 1),
        'speedup': round(float(np.median(plain / times)), 2),
        **_differences(found, truth.estimate(frame, candidate.sought)),
    }


def _differences(one: PairEstimate, other: PairEstimate) -> dict[str, float]:
    hands = ((one.right, other.right), (one.left, other.left))
    mesh = max(np.abs(a.vertices_m - b.vertices_m).max() for a, b in hands)
    joints = max(np.abs(a.joints_image_px - b.joints_image_px).max() for a, b in hands)
    relative = np.abs(one.left_from_right_m - other.left_from_right_m).max()
    return {
        'mesh_error_mm': round(float(mesh) * 1e3, 6),
        'joints_error_px': round(float(joints), 6),
        'relative_error_mm': round(float(relative) * 1e3, 6),
    }


def _print_table(result: dict[str, Any], names: Sequence[str]) -> None:
    columns = ('ms', 'p95_ms', 'fps', 'speedup', 'mesh_error_mm', 'joints_error_px')
    print(f'{"":16}{"engine":20}' + ''.join(f'{column:>17}' for column in columns))
    for name in names:
        entry = result[name]
        figures = ''.join(f'{entry[column]:17.4g}' for column in columns)
        print(f'{name:16}{entry["engine"]:20}{figures}')


def _on_clip(pipelines: dict[str, Pipeline], clip: list[Frame], mediapipe: str) -> dict[str, Any]:
    """Return frames a second over the clip, of MediaPipe in turns with ours where it is given."""
    for pipeline in pipelines.values():
        _follow(Follower(pipeline), clip[:10])
    if not mediapipe:
        return {'clip_fps': _rounded(_clip_speeds(pipelines, clip))}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'clip.npz'
        np.savez(path, images=np.stack([frame.image for frame in clip]))
        rounds = [
            (_clip_speeds(pipelines, clip), _mediapipe(mediapipe, path)) for _ in range(ROUNDS)
        ]
    fps = {name: statistics.median(ours[name] for ours, _ in rounds) for name in pipelines}
    ratios = {
        name: statistics.median(ours[name] / theirs['fps'] for ours, theirs in rounds)
        for name in pipelines
    }
    return {
        'clip_fps': _rounded(fps),
        'mediapipe_fps': round(statistics.median(theirs['fps'] for _, theirs in rounds), 1),
        'mediapipe_hands': rounds[0][1]['hands'],
        'of_mediapipe': {name: round(ratio, 2) for name, ratio in ratios.items()},
    }


def _rounded(fps: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in fps.items()}


def _clip_speeds(pipelines: dict[str, Pipeline], clip: list[Frame]) -> dict[str, float]:
    """Follow the whole clip, frame by frame in turns, and return frames a second."""
    followers = {name: Follower(pipeline) for name, pipeline in pipelines.items()}
    seconds = dict.fromkeys(followers, 0.0)
    for frame in clip:
        for name, follower in followers.items():
            began = time.perf_counter()
            follower(frame)
            seconds[name] += time.perf_counter() - began
    return {name: len(clip) / took for name, took in seconds.items()}


def _follow(follower: Follower, clip: list[Frame]) -> None:
    for frame in clip:
        follower(frame)


def _share_of_peak(counted: Pipeline, frame: Frame, exact_ms: float) -> dict[str, float]:
    """Return the rate of a large product, and the part of it that the networks reach.

    :param counted: what PyTorch runs of the arithmetic of `exact`, so that it can be counted.
    """
    device = counted.card.device
    matrix = torch.randn(2048, 2048, device=device)
    pixels, kernel = matrix.view(1, 2048, 64, 32), matrix.view(2048, 2048, 1, 1)
    products = (partial(torch.mm, matrix, matrix), partial(F.conv2d, pixels, kernel))
    with torch.inference_mode():
        rates = [_rate(product, counted) for _ in range(5) for product in products]
    with FlopCounterMode(display=False) as counter:
        counted.estimate(frame)
    peak = max(rates)
    return {
        'peak_gflops': round(peak / 1e9, 1),
        'network_share': round(counter.get_total_flops() / (exact_ms * 1e-3) / peak, 3),
    }


def _rate(product: Callable[[], object], pipeline: Pipeline) -> float:
    """Return operations a second of a product of two matrices (2048, 2048)."""
    synchronise(pipeline)
    began = time.perf_counter()
    product()
    synchronise(pipeline)
    return 2 * 2048**3 / (time.perf_counter() - began)


def _batched(pipelines: dict[str, Pipeline], batch: int, runs: int) -> dict[str, Any]:
    """Return frames a second of the networks alone on many frames at once, by engine."""
    times = _take_turns([_run_of_batch(p, batch) for p in pipelines.values()], runs)
    medians = dict(zip(pipelines, np.median(times, axis=0).tolist(), strict=True))
    return {
        'batch': batch,
        'batch_ms': {name: round(ms, 2) for name, ms in medians.items()},
        'batch_fps': {name: round(1e3 * batch / ms) for name, ms in medians.items()},
    }


def _run_of_batch(pipeline: Pipeline, batch: int) -> Callable[[], None]:
    networks = pipeline.networks
    device = torch.device(pipeline.card.device)
    width, height = networks.spaces.body_size
    crop_px = networks.spaces.crop_px
    pictures = torch.rand(batch, 3, height, width, device=device)
    hand_crops = torch.rand(2 * batch, 3, crop_px, crop_px, device=device)
    maps = torch.eye(2, 3, device=device).expand(2 * batch, 2, 3)

    def run() -> None:
        with torch.inference_mode():
            networks.detect(pictures)
            readings = networks.read_hands(hand_crops)
            networks.relate(readings.joints, maps)
        synchronise(pipeline)

    return run


def _mediapipe(python: str, clip: Path) -> dict[str, float]:
    done = subprocess.run([python, MEDIAPIPE, clip], check=True, capture_output=True, text=True)
    said = json.loads(done.stdout.splitlines()[-1])
    return {'fps': 1e3 / float(np.mean(said['times_ms'])), 'hands': said['hands']}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--variant', choices=('official', 'compact'), default='official')
    parser.add_argument('--device', default='cpu', help='cpu or cuda')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--runs', type=int, default=15)
    parser.add_argument('--batch', type=int, default=1, help='frames at once, networks alone')
    parser.add_argument('--mediapipe', default='', metavar='PYTHON')
    return parser.parse_args()


if __name__ == '__main__':
    main()
