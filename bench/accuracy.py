"""How accurate are the weights that ship, from pictures to hands in space?

usage: python bench/accuracy.py [--weights FILE] [--count 400] [--threads 2]

The held-out synthetic domain is drawn on the fly from a seed of its own: its cameras, rooms and
motions are its own, and nothing is ever trained on it. The whole pipeline runs, with its own
detector, crops from the full picture, and placement by the camera. The last line is JSON: MPVPE
of pictures with one and with two hands, MRRPE of TransNet alone, box recall (IoU > 0.5), how far
wrists are off in the camera's frame, visible hands found as the other one (`swaps`), and how well
the detector's score tells present from absent hands. `given_boxes_*`: what SHNet makes of hands
of the same domain on boxes that are about right, without the detector: MPVPE of hands alone and
beside another, and the 2D error in sides of the hand's box.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json

from interwild_ros.config import Settings
from interwild_ros.eval.accuracy import judge, PictureAccuracy, summarise_accuracy
from interwild_ros.eval.data_sets import open_data, SYNTHETIC, TEST_SEED
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.records import Side
from interwild_ros.train.loop import mean_measures
from interwild_ros.train.recipe_sections import ShnetWeights
from interwild_ros.train.synthetic.domains import HELD_OUT
from interwild_ros.train.synthetic_streams import hand_crops
from interwild_ros.train.tasks.shnet import ShnetTask

_BATCH = 64


def main() -> None:
    args = _arguments()
    settings = Settings(
        weights=args.weights,
        threads=args.threads,
        device=args.device,
        region_scale=args.region_scale or Settings().region_scale,
    )
    result = summarise_accuracy(_judged(settings, args.count))
    given = _on_given_boxes(args.weights, args.count)
    for name, value in (asdict(result) | given).items():
        print(f'{name:32}{value if value is None else round(value, 3)}')
    print(json.dumps(json.loads(result.as_json('accuracy')) | given))


def _judged(settings: Settings, count: int) -> list[PictureAccuracy]:
    pipeline = load_pipeline(settings)
    hand_models = HandPair(*(read_stand_in(side) for side in Side)).eval()
    pictures, _, truth_of = open_data(SYNTHETIC, synthetic_count=count)
    return [
        judge(pipeline, *pictures.annotated(i), truth_of, hand_models)
        for i in range(len(pictures))
    ]


def _on_given_boxes(weights: str, count: int) -> dict[str, float]:
    networks, _ = build_networks('auto', weights)
    hand_models = HandPair(*(read_stand_in(side) for side in Side)).eval()
    task = ShnetTask(networks, hand_models, ShnetWeights()).eval()
    draw = hand_crops(TEST_SEED, networks.spaces, HELD_OUT)
    starts = range(0, count, _BATCH)
    batches = (draw(range(i, min(i + _BATCH, count))) for i in starts)
    measures = mean_measures(task.measure(batch) for batch in batches)
    wanted = ('mpvpe_single_mm', 'mpvpe_two_mm', 'error_2d')
    return {f'given_boxes_{name}': round(measures[name], 4) for name in wanted}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--weights', default='', help='default: those that ship')
    parser.add_argument('--count', type=int, default=400, help='pictures')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--device', default='auto')
    parser.add_argument('--region-scale', type=float, help='default: the setting of the node')
    return parser.parse_args()


if __name__ == '__main__':
    main()
