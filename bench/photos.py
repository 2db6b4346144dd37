"""How well do the weights that ship do on real pictures, on which they were never trained?

usage: python bench/photos.py [--photos DIR] [--weights FILE] [--overlays DIR] [--threads 2]

DIR holds pictures, a video and `landmarks.json`: 21 landmarks of each hand by another method,
sometimes wrong. The whole pipeline runs, with its own detector. Each landmarked hand is compared
with our hand of that side: the mean distance of the 21 joints in the picture, in longer sides of
the box around the landmarks. Of several people's hands of one side the nearest counts, as we
report one. The last line is JSON: `photos_median` over the hands of all pictures, `video_median`
over the frames of the video; where the folder is absent it says `skipped`.
"""

from __future__ import annotations

from interwild_ros.openmp import wait_passively

wait_passively()  # as the node does; it must come before torch is loaded

import argparse
from collections.abc import Iterator, Mapping, Sequence
import json
from pathlib import Path
from typing import Any, NamedTuple

import cv2
from interwild_ros.config import Settings
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.imaging.overlay import draw_overlay
from interwild_ros.pipeline.pipeline import load_pipeline, Pipeline
from interwild_ros.records import Array, Frame, Image
import numpy as np

LANDMARKS = 'landmarks.json'


class Look(NamedTuple):
    """One picture: its name, its pixels, and the landmarked hands by side."""

    name: str
    image: Image
    hands: Mapping[str, Sequence[Array]]


def main() -> None:
    args = _arguments()
    if not (args.photos / LANDMARKS).is_file():
        print(json.dumps({'name': 'photos', 'skipped': f'no {LANDMARKS} in {args.photos}'}))
        return
    pipeline = load_pipeline(Settings(weights=args.weights, threads=args.threads, device='cpu'))
    errors: dict[str, list[float]] = {'photos': [], 'video': []}
    for kind, look in looks(args.photos):
        found = errors_of(pipeline, look, args.overlays)
        errors[kind] += found.values()
        print(f'{look.name:28}', '  '.join(f'{side} {e:.3f}' for side, e in found.items()))
    medians = {f'{kind}_median': round(float(np.median(e)), 4) for kind, e in errors.items() if e}
    counts = {f'{kind}_hands': len(e) for kind, e in errors.items()}
    print(json.dumps({'name': 'photos', 'weights': pipeline.card.weights, **medians, **counts}))


def looks(folder: Path) -> Iterator[tuple[str, Look]]:
    """Yield what there is to look at, with its kind."""
    landmarks = json.loads((folder / LANDMARKS).read_text())['hands']
    for name, hands in landmarks.items():
        if isinstance(hands, list):
            image = cv2.imread(str(folder / name))
            yield 'photos', Look(name, cv2.cvtColor(image, cv2.COLOR_BGR2RGB), _by_side(hands))
            continue
        video = cv2.VideoCapture(str(folder / name))
        for number, of_frame in sorted(hands.items(), key=lambda item: int(item[0])):
            video.set(cv2.CAP_PROP_POS_FRAMES, int(number))
            there, image = video.read()
            if there:
                rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
                yield 'video', Look(f'{name}#{number}', rgb, _by_side(of_frame))


def _by_side(hands: Sequence[Mapping[str, Any]]) -> dict[str, list[Array]]:
    sides: dict[str, list[Array]] = {}
    for hand in hands:
        sides.setdefault(hand['side'], []).append(np.array(hand['joints_px']))
    return sides


def errors_of(pipeline: Pipeline, look: Look, overlays: Path | None) -> dict[str, float]:
    """Return the error of each side that has landmarks, in sides of its box."""
    height, width = look.image.shape[:2]
    camera = camera_from_fov(width, height, pipeline.settings.nominal_fov_deg)
    frame = Frame(look.image, camera, stamp_ns=0, frame_id='')
    pair = pipeline.estimate(frame)
    if overlays is not None:
        drawn = draw_overlay(look.image, pipeline.place(frame, pair), pipeline.topology, camera)
        overlays.mkdir(parents=True, exist_ok=True)
        name = look.name.replace('#', '_') + '.png'
        cv2.imwrite(str(overlays / name), cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    ours = {'right': pair.right.joints_image_px, 'left': pair.left.joints_image_px}
    return {
        side: min(_error(ours[side], joints) for joints in hands)
        for side, hands in look.hands.items()
    }


def _error(found: Array, true: Array) -> float:
    side = (true.max(0) - true.min(0)).max()
    return float(np.linalg.norm(found - true, axis=1).mean() / side)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(__file__).resolve().parents[2] / 'shared' / 'photos'
    parser.add_argument('--photos', type=Path, default=shared, metavar='DIR')
    parser.add_argument('--weights', default='', help='default: those that ship')
    parser.add_argument('--overlays', type=Path, metavar='DIR', help='write pictures with hands')
    parser.add_argument('--threads', type=int, default=2)
    return parser.parse_args()


if __name__ == '__main__':
    main()
