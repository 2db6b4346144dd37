"""How far published hands are from the truth, for a recording of the demo clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from interwild_ros.bag.figures import Percentiles, percentiles
from interwild_ros.bag.read import Bag
from interwild_ros.errors import AssetError
from interwild_ros.eval.metrics import MM_PER_M, mpvpe_mm, mrrpe_mm
from interwild_ros.imaging.demo_clip import TRUTH_FILE
from interwild_ros.records import Array, Hand, Side, TwoHands
import numpy as np


@dataclass(frozen=True)
class Accuracy:
    """Distances from the truth over all hands that were tracked and are visible.

    `mpvpe_mm` and `mrrpe_mm` are the paper's means: of vertices with both wrists laid on each
    other, and of `left_from_right` where both hands are visible; None without any.
    `wrist_error_mm` in the camera's space; `joint_error_mm` the mean over the 21 joints there;
    `shape_error_mm` the same with both wrists laid on each other; `missed` hands that are visible
    and were not tracked.
    """

    hands: int
    missed: int
    mpvpe_mm: float | None
    mrrpe_mm: float | None
    wrist_error_mm: Percentiles
    joint_error_mm: Percentiles
    shape_error_mm: Percentiles


@dataclass(frozen=True, eq=False)
class _Truth:
    """Of one frame: `joints_m` (2, 21, 3), `vertices_m` (2, 778, 3), `visible` (2,)."""

    joints_m: Array
    vertices_m: Array
    visible: Array


@dataclass(frozen=True)
class _Errors:
    mesh_mm: float
    wrist_mm: float
    joints_mm: float
    shape_mm: float


def measure_accuracy(bag: Bag, clip: Path) -> Accuracy:
    """Compare every answered picture of the clip with the clip's truth.

    Which frame a message shows is known by its bytes: the camera node passes on a JPEG as it is.

    :param clip: folder that `imaging.demo_clip` wrote.
    :raises AssetError: when the truth cannot be read.
    """
    compared = list(_compared(bag, clip))
    hands = [
        (hand, truth)
        for answer, truth in compared
        for hand in (answer.right, answer.left)
        if truth.visible[hand.side]
    ]
    errors = [_errors(hand, truth) for hand, truth in hands if isinstance(hand, Hand)]
    relative = [_relative_error_mm(answer, truth) for answer, truth in compared]
    return Accuracy(
        hands=len(errors),
        missed=len(hands) - len(errors),
        mpvpe_mm=_mean([e.mesh_mm for e in errors]),
        mrrpe_mm=_mean([mm for mm in relative if mm is not None]),
        wrist_error_mm=percentiles([e.wrist_mm for e in errors]),
        joint_error_mm=percentiles([e.joints_mm for e in errors]),
        shape_error_mm=percentiles([e.shape_mm for e in errors]),
    )


def _compared(bag: Bag, clip: Path) -> Iterator[tuple[TwoHands, _Truth]]:
    """Yield each answer to a frame of the clip, with the frame's truth."""
    truths = _read_truth(clip / TRUTH_FILE)
    frame_of_stamp = dict(_frames_of_stamps(bag, clip))
    for answer in bag.two_hands():
        frame = frame_of_stamp.get(answer.stamp_ns)
        if frame is not None:
            yield answer.value, truths[frame]


def _read_truth(path: Path) -> list[_Truth]:
    """Return the truth of every frame."""
    try:
        with np.load(path, allow_pickle=False) as truth:
            arrays = [truth[name] for name in ('joints_m', 'vertices_m', 'visible')]
    except (OSError, ValueError, KeyError) as error:
        raise AssetError(f'cannot read the truth {path}: {error}') from error
    return [_Truth(*rows) for rows in zip(*arrays, strict=True)]


def _frames_of_stamps(bag: Bag, clip: Path) -> Iterator[tuple[int, int]]:
    pictures = sorted(clip.glob('*.jpg'))
    frame_of_bytes = {picture.read_bytes(): frame for frame, picture in enumerate(pictures)}
    for picture in bag.picture_files():
        if picture.value in frame_of_bytes:
            yield picture.stamp_ns, frame_of_bytes[picture.value]


def _errors(hand: Hand, truth: _Truth) -> _Errors:
    joints_m, vertices_m = truth.joints_m[hand.side], truth.vertices_m[hand.side]
    distances_m = np.linalg.norm(hand.joints_m - joints_m, axis=1)
    relative_m = (hand.joints_m - hand.joints_m[0]) - (joints_m - joints_m[0])
    return _Errors(
        mesh_mm=mpvpe_mm(hand.vertices_m - hand.joints_m[0], vertices_m - joints_m[0]),
        wrist_mm=MM_PER_M * float(distances_m[0]),
        joints_mm=MM_PER_M * float(distances_m.mean()),
        shape_mm=MM_PER_M * float(np.linalg.norm(relative_m, axis=1).mean()),
    )


def _relative_error_mm(answer: TwoHands, truth: _Truth) -> float | None:
    if answer.left_from_right_m is None or not truth.visible.all():
        return None
    right_m, left_m = (truth.joints_m[side, 0] for side in Side)
    return mrrpe_mm(answer.left_from_right_m, left_m - right_m)


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 3) if values else None
