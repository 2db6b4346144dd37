"""Write a tiny ReInterHand in the published layout, with stand-in hands in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from interwild_ros.records import Array, Side
from interwild_ros.testing.tiny_datasets import write_json
from interwild_ros.testing.tiny_scenes import (
    some_cameras,
    some_hands,
    TinyCamera,
    TinyHands,
    TinyPicture,
    write_picture,
)
import numpy as np

TRAIN_CAPTURE = 'm--20210701--1058--0000000--pilot--relightablehandsy--participant0--two-hands'
_MM_PER_M = 1e3
_BOTH = (True, True)
_FISHEYE = np.array([0.05, -0.01, 0.004, -0.001])


def write_reinterhand(
    root: Path,
    captures: Sequence[str] = (TRAIN_CAPTURE,),
    *,
    moments: int = 2,
    cameras: int = 2,
) -> list[TinyPicture]:
    """Write ReInterHand as the studio's cameras see it."""
    written = []
    for seed, capture in enumerate(captures):
        folder = root / 'data' / capture
        hands, lenses = some_hands(moments, seed=seed), some_cameras(cameras)
        pictures = folder / 'Mugsy_cameras' / 'envmap_per_frame' / 'images'
        for camera in lenses:
            for moment in range(moments):
                path = pictures / camera.name / f'{_frame(moment):06d}.png'
                write_picture(path, camera.image_size, seed=moment)
                written.append(TinyPicture(path, _frame(moment), hands[moment], camera, _BOTH))
        parameters = {camera.name: _camera(camera) for camera in lenses}
        write_json(folder / 'Mugsy_cameras' / 'cam_params.json', parameters)
        _write_hands(folder, hands)
    return written


def write_ego_reinterhand(
    root: Path, *, moments: int = 3, ratios: Sequence[float] = (0.9, 0.1, 0.2)
) -> list[TinyPicture]:
    """Write ReInterHand as a headset's fisheyes see it, of every frame, shown enough or not.

    :param ratios: how much of the hands each frame shows.
    """
    folder = root / 'data' / TRAIN_CAPTURE
    cameras = folder / 'Ego_cameras' / 'envmap_per_frame'
    hands, lenses = some_hands(moments), some_cameras(moments)
    written = []
    for moment in range(moments):
        camera = replace(lenses[moment], fisheye=_FISHEYE)
        path = cameras / 'images' / f'{_frame(moment):06d}.png'
        write_picture(path, camera.image_size, seed=moment)
        write_json(cameras / 'cam_params' / f'{_frame(moment):06d}.json', _camera(camera))
        written.append(TinyPicture(path, _frame(moment), hands[moment], camera, _BOTH))
    shares = {f'{_frame(moment):06d}': ratios[moment] for moment in range(moments)}
    write_json(cameras / 'truncation_ratio.json', shares)
    lines = ''.join(f'segment{moment} {_frame(moment)}\n' for moment in range(moments))
    (folder / 'frame_list.txt').write_text(lines)
    _write_hands(folder, hands)
    return written


def _frame(moment: int) -> int:
    return 1_200 + 30 * moment


def _camera(camera: TinyCamera) -> dict[str, Any]:
    lens = {} if camera.fisheye is None else {'D': camera.fisheye.tolist()}
    return {
        'R': camera.rotation.tolist(),
        't': (camera.translation_m * _MM_PER_M).tolist(),
        'focal': camera.focal.tolist(),
        'princpt': camera.principal.tolist(),
        **lens,
    }


def _write_hands(folder: Path, hands: Sequence[TinyHands]) -> None:
    for moment, pair in enumerate(hands):
        for side, joints_m in zip(Side, pair.joints_m.reshape(2, -1, 3), strict=True):
            keypoints = folder / 'orig_fits' / side.label / 'Keypoints'
            joints_mm = (_with_extra_joints(joints_m) * _MM_PER_M).tolist()
            write_json(keypoints / f'keypoint-{_frame(moment):06d}.json', joints_mm)
            fit = folder / 'mano_fits' / 'params' / f'{_frame(moment)}_{side.label}.json'
            write_json(fit, pair.fit(side))


def _with_extra_joints(joints_m: Array) -> Array:
    """Return 24 joints: thumb and little finger begin nearer to the wrist; the forearm is last."""
    wrist, thumb, middle, pinky = joints_m[[0, 1, 9, 17]]
    forearm = wrist + 2 * (wrist - middle)
    return np.vstack(
        [
            wrist,
            (wrist + thumb) / 2,
            joints_m[1:17],
            (wrist + pinky) / 2,
            joints_m[17:],
            forearm,
        ]
    )
