"""Which frames deserve a look: those in which the hands are least certain, or were lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from interwild_ros.bag.series import HandSeries, Series
from interwild_ros.records import Array
import numpy as np

_APART_SEC = 0.25  # frames beside each other show the same thing
_SURE = 0.995  # a score that reads 1.00 is no doubt


@dataclass(frozen=True)
class UncertainFrame:
    """A frame by its row in the series and its stamp, and why it was chosen."""

    row: int
    stamp_ns: int
    why: str


def least_certain(series: Series, count: int) -> tuple[int, ...]:
    """Return the stamps of the frames that `least_certain_frames` chooses, in its order."""
    return tuple(frame.stamp_ns for frame in least_certain_frames(series, count))


def least_certain_frames(series: Series, count: int) -> tuple[UncertainFrame, ...]:
    """Return up to `count` frames, the worst of each kind in turn, a quarter of a second apart.

    Kinds: the largest reprojection error, the lowest score of a tracked hand, the largest
    deviation of a wrist, and the frames in which a hand was lost. Fewer where there are no others.
    """
    chosen: list[UncertainFrame] = []
    for row, why in _in_turn(series):
        if len(chosen) == count:
            break
        times = series.times_sec[[frame.row for frame in chosen]]
        if not (np.abs(times - series.times_sec[row]) < _APART_SEC).any():
            chosen.append(UncertainFrame(row, int(series.stamps_ns[row]), why))
    return tuple(chosen)


def _in_turn(series: Series) -> Iterator[tuple[int, str]]:
    """Yield rows and why, the worst of every kind, then the next worst of every kind."""
    rankings = [
        _ranked(doubts, f'{why}, {hand.side.label}')
        for hand in series.hands
        for why, doubts in _doubts(hand).items()
    ]
    for worst in zip_longest(*rankings):
        yield from (entry for entry in worst if entry is not None)


def _doubts(hand: HandSeries) -> dict[str, Array]:
    """Return of each kind a number per frame, the larger the more doubtful; NaN for no doubt."""
    was_there = np.concatenate([[False], hand.tracked])[:-1]
    return {
        'largest reprojection error': hand.reprojection_error_px,
        'lost': np.where(was_there & ~hand.tracked, 1.0, np.nan),
        'lowest score': np.where(hand.tracked & (hand.scores < _SURE), -hand.scores, np.nan),
        'largest deviation': hand.wrist_std_m,
    }


def _ranked(doubts: Array, why: str) -> Iterator[tuple[int, str]]:
    """Yield the rows with a doubt, the largest first, the earlier first among equals."""
    usable = np.flatnonzero(np.isfinite(doubts))
    for row in usable[np.argsort(-doubts[usable], kind='stable')]:
        yield int(row), why
