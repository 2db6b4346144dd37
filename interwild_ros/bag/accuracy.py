"""How far published hands are from the truth, for a recording of the demo clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from interwild_ros.bag.figures import Percentiles, percentiles
from interwild_ros.bag.read import Bag
from interwild_ros.errors import AssetError
from interwild_ros.imaging.demo_clip import TRUTH_FILE
from interwild_ros.records import Array, Hand, NoHand
import numpy as np


@dataclass(frozen=True)
class Accuracy:
    """Distances from the truth over all hands that were tracked and are visible.

    `wrist_error_mm` in the camera's space; `joint_error_mm` the mean over the 21 joints there;
    `shape_error_mm` the same with both wrists laid on each other; `missed` hands that are visible
    and were not tracked.
    """

    hands: int
    missed: int
    wrist_error_mm: Percentiles
    joint_error_mm: Percentiles
    shape_error_mm: Percentiles


@dataclass(frozen=True)
class _Errors:
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
    errors = [_errors(hand, truth_m) for hand, truth_m in compared if isinstance(hand, Hand)]
    return Accuracy(
        hands=len(errors),
        missed=len(compared) - len(errors),
        wrist_error_mm=percentiles([e.wrist_mm for e in errors]),
        joint_error_mm=percentiles([e.joints_mm for e in errors]),
        shape_error_mm=percentiles([e.shape_mm for e in errors]),
    )


def _compared(bag: Bag, clip: Path) -> Iterator[tuple[Hand | NoHand, Array]]:
    """Return each hand that is visible in the clip as published, and its true joints (21, 3)."""
    joints_m, visible = _read_truth(clip / TRUTH_FILE)
    frame_of_stamp = dict(_frames_of_stamps(bag, clip))
    for answer in bag.two_hands():
        frame = frame_of_stamp.get(answer.stamp_ns)
        if frame is None:
            continue
        for hand in (answer.value.right, answer.value.left):
            if visible[frame, hand.side]:
                yield hand, joints_m[frame, hand.side]


def _read_truth(path: Path) -> tuple[Array, Array]:
    """Return joints (N, 2, 21, 3), m, and whether each hand is visible (N, 2)."""
    try:
        with np.load(path, allow_pickle=False) as truth:
            return truth['joints_m'], truth['visible']
    except (OSError, ValueError, KeyError) as error:
        raise AssetError(f'cannot read the truth {path}: {error}') from error


def _frames_of_stamps(bag: Bag, clip: Path) -> Iterator[tuple[int, int]]:
    pictures = sorted(clip.glob('*.jpg'))
    frame_of_bytes = {picture.read_bytes(): frame for frame, picture in enumerate(pictures)}
    for picture in bag.picture_files():
        if picture.value in frame_of_bytes:
            yield picture.stamp_ns, frame_of_bytes[picture.value]


def _errors(hand: Hand, truth_m: Array) -> _Errors:
    distances_m = np.linalg.norm(hand.joints_m - truth_m, axis=1)
    relative_m = (hand.joints_m - hand.joints_m[0]) - (truth_m - truth_m[0])
    return _Errors(
        wrist_mm=1000 * float(distances_m[0]),
        joints_mm=1000 * float(distances_m.mean()),
        shape_mm=1000 * float(np.linalg.norm(relative_m, axis=1).mean()),
    )
