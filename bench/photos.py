"""How well do the weights that ship do on real pictures, on which they were never trained?

usage: python bench/photos.py [--photos DIR] [--weights FILE] [--overlays DIR] [--threads 2]

DIR holds pictures, a video and `landmarks.json`: 21 landmarks of each hand by another method,
sometimes wrong. The whole pipeline runs, with its own detector. Each landmarked hand is compared
with our hand of that side: the mean distance of the 21 joints in the picture, in longer sides of
the box around the landmarks. Of several people's hands of one side the nearest counts, as we
report one. The last line is JSON: `photos_median` over the hands of all pictures, `video_median`
over the landmarked frames of the video, each by itself. `followed_median`: the same frames of the
video where all of them are followed, as the node does, and what is published counts; of
`video_hands` as many as `followed_hands` are published. Where the folder is absent it says
`skipped`.
"""

from __future__ import annotations

from interwild_ros.openmp import wait_passively

wait_passively()  # as the node does; it must come before torch is loaded

import argparse
from collections.abc import Iterator, Mapping, Sequence
import itertools
import json
from pathlib import Path
from typing import Any, NamedTuple

import cv2
from interwild_ros.config import Settings
from interwild_ros.geometry.camera import camera_from_fov, project
from interwild_ros.imaging.overlay import draw_overlay
from interwild_ros.pipeline.following import Follower
from interwild_ros.pipeline.pipeline import load_pipeline, Pipeline
from interwild_ros.records import Array, Frame, Image, NS_PER_SEC
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
    errors: dict[str, list[float]] = {'photos': [], 'video': [], 'followed': []}
    for kind, look in looks(args.photos):
        found = errors_of(pipeline, look, args.overlays)
        errors[kind] += found.values()
        print(f'{look.name:28}', '  '.join(f'{side} {e:.3f}' for side, e in found.items()))
    for name, found in followed_errors(pipeline, args.photos):
        errors['followed'] += found.values()
        print(f'{name:28}', '  '.join(f'{side} {e:.3f} followed' for side, e in found.items()))
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


def followed_errors(pipeline: Pipeline, folder: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Follow the hands of each video from its first frame to its last.

    Yield each landmarked frame's name and the error of each side that is published there.
    """
    landmarks = json.loads((folder / LANDMARKS).read_text())['hands']
    for name, of_video in landmarks.items():
        if isinstance(of_video, list):
            continue
        follower, video = Follower(pipeline), cv2.VideoCapture(str(folder / name))
        rate_hz = video.get(cv2.CAP_PROP_FPS)
        for number in itertools.count():
            there, image = video.read()
            if not there:
                break
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            frame = _frame(rgb, pipeline, stamp_ns=round(number / rate_hz * NS_PER_SEC))
            hands = follower(frame).hands.hands
            ours = {hand.side.name.lower(): project(frame.camera, hand.joints_m) for hand in hands}
            true = _by_side(of_video.get(str(number), ()))
            if true:
                yield f'{name}#{number}', _errors(ours, true)


def _frame(image: Image, pipeline: Pipeline, *, stamp_ns: int = 0) -> Frame:
    height, width = image.shape[:2]
    camera = camera_from_fov(width, height, pipeline.settings.nominal_fov_deg)
    return Frame(image, camera, stamp_ns=stamp_ns, frame_id='')


def _by_side(hands: Sequence[Mapping[str, Any]]) -> dict[str, list[Array]]:
    sides: dict[str, list[Array]] = {}
    for hand in hands:
        sides.setdefault(hand['side'], []).append(np.array(hand['joints_px']))
    return sides


def errors_of(pipeline: Pipeline, look: Look, overlays: Path | None) -> dict[str, float]:
    """Return the error of each side that has landmarks, in sides of its box."""
    frame = _frame(look.image, pipeline)
    pair = pipeline.estimate(frame)
    if overlays is not None:
        drawn = draw_overlay(
            look.image, pipeline.place(frame, pair), pipeline.topology, frame.camera
        )
        overlays.mkdir(parents=True, exist_ok=True)
        name = look.name.replace('#', '_') + '.png'
        cv2.imwrite(str(overlays / name), cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    ours = {'right': pair.right.joints_image_px, 'left': pair.left.joints_image_px}
    return _errors(ours, look.hands)


def _errors(ours: Mapping[str, Array], true: Mapping[str, Sequence[Array]]) -> dict[str, float]:
    return {
        side: min(_error(ours[side], joints) for joints in hands)
        for side, hands in true.items()
        if side in ours
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
