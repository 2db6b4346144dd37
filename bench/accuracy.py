"""How accurate are the weights that ship, from pictures to hands in space?

usage: python bench/accuracy.py [--weights FILE] [--count 400] [--threads 2]

The held-out synthetic domain is drawn on the fly from a seed of its own: its cameras, rooms and
motions are its own, and nothing is ever trained on it. The whole pipeline runs, with its own
detector, crops from the full picture, and placement by the camera. The last line is JSON: MPVPE
of pictures with one and with two hands, MRRPE of TransNet alone, box recall (IoU > 0.5), how far
wrists are off in the camera's frame, visible hands found as the other one (`swaps`), and how well
the detector's score tells present from absent hands.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from interwild_ros.config import Settings
from interwild_ros.eval.accuracy import judge, PictureAccuracy, summarise_accuracy
from interwild_ros.eval.data_sets import open_data, SYNTHETIC
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.records import Side


def main() -> None:
    args = _arguments()
    settings = Settings(
        weights=args.weights,
        threads=args.threads,
        device=args.device,
        region_scale=args.region_scale or Settings().region_scale,
    )
    result = summarise_accuracy(_judged(settings, args.count))
    for name, value in asdict(result).items():
        print(f'{name:28}{value if value is None else round(value, 3)}')
    print(result.as_json('accuracy'))


def _judged(settings: Settings, count: int) -> list[PictureAccuracy]:
    pipeline = load_pipeline(settings)
    hand_models = HandPair(*(read_stand_in(side) for side in Side)).eval()
    pictures, _, truth_of = open_data(SYNTHETIC, synthetic_count=count)
    return [
        judge(pipeline, *pictures.annotated(i), truth_of, hand_models)
        for i in range(len(pictures))
    ]


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
