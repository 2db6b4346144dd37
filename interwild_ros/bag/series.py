"""Hands as arrays over time: one row a frame, in the order of the stamps, NaN where no hand is.

Of the joints a series keeps a few numbers a frame, so that hours of hands fit into memory; who
needs them all asks for them beside it. Pure; lengths are metres in the camera's optical frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

from interwild_ros.bag.joint_motion import bends_m, pinches_m
from interwild_ros.bag.read import Received
from interwild_ros.errors import InputError
from interwild_ros.records import Array, Hand, JOINT_COUNT, NoHand, NS_PER_SEC, Side, TwoHands
import numpy as np

TABLE_FILE = 'hands.parquet'
GAP_STEPS = 1.5  # median steps: beyond it at least one frame is missing
BREAK_STEPS = 5.0  # median steps: beyond it nothing is known of what was between


@dataclass(frozen=True, eq=False)
class HandSeries:
    """One hand over T frames.

    `tracked` (T,); `reasons` (T,) why it is absent, empty where it is not; `scores` (T,);
    `wrist_m` (T, 3); `wrist_std_m` (T,) along the ray from the camera; `reprojection_error_px`
    (T,); `pinch_m` (T,) from the tip of the thumb to that of the index finger; `bends_m` (T,) how
    much the joints are off even motion over a frame and the two before it, see `joint_motion`,
    and `raw_bends_m` (T,) without filters.
    """

    side: Side
    tracked: Array
    reasons: Array
    scores: Array
    wrist_m: Array
    wrist_std_m: Array
    reprojection_error_px: Array
    pinch_m: Array
    bends_m: Array
    raw_bends_m: Array

    def __post_init__(self) -> None:
        """Check every array's shape."""
        count = len(self.tracked)
        for name in _arrays_of(self):
            _check_shape(self, name, (count, 3) if name == 'wrist_m' else (count,))

    def rows(self, chosen: Array) -> HandSeries:
        """Return the chosen frames, by index or by mask; bends stay those of all frames."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in _arrays_of(self)})


@dataclass(frozen=True, eq=False)
class Series:
    """Both hands over T frames, stamps not falling.

    `stamps_ns` (T,) of the pictures; `received_ns` (T,) when they, or what was said of them,
    arrived at the recorder; `frames` (T,) their number in the order of arrival; `detected` (T,)
    the detector looked; `left_from_right_m` (T, 3) as TransNet sees it and `disagreement_m` (T,)
    how far that is from the wrists placed apart, NaN unless both hands are there.
    """

    stamps_ns: Array
    received_ns: Array
    frames: Array
    detected: Array
    left_from_right_m: Array
    disagreement_m: Array
    right: HandSeries
    left: HandSeries

    def __post_init__(self) -> None:
        """Check shapes and the order of the stamps."""
        count = len(self.stamps_ns)
        for name in _arrays_of(self):
            _check_shape(self, name, (count, 3) if name == 'left_from_right_m' else (count,))
        for hand in self.hands:
            _check_shape(hand, 'tracked', (count,))
        if (np.diff(self.stamps_ns) < 0).any():
            raise InputError('bad_stamp', 'the stamps of a series fall, wanted them in order')

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.stamps_ns)

    @property
    def hands(self) -> tuple[HandSeries, HandSeries]:
        """Return both hands, right first."""
        return self.right, self.left

    def of(self, side: Side) -> HandSeries:
        """Return one hand."""
        return self.hands[side]

    def rows(self, chosen: Array) -> Series:
        """Return the chosen frames, by index or by mask."""
        arrays = {name: getattr(self, name)[chosen] for name in _arrays_of(self)}
        return replace(self, **arrays, right=self.right.rows(chosen), left=self.left.rows(chosen))

    @cached_property
    def times_sec(self) -> Array:
        """Return the time of each frame after the first, (T,) seconds."""
        return (self.stamps_ns - self.stamps_ns[:1]) / NS_PER_SEC

    @cached_property
    def steps_sec(self) -> Array:
        """Return the time from each frame's predecessor, (T,) seconds; NaN for the first."""
        return np.diff(self.times_sec, prepend=np.nan)

    @cached_property
    def median_step_sec(self) -> float:
        """Return the usual time between frames, repeated stamps aside; NaN without two stamps."""
        rising = self.steps_sec[self.steps_sec > 0]
        return float(np.median(rising)) if rising.size else np.nan

    @cached_property
    def after_gap(self) -> Array:
        """Return before which frames (T,) at least one is missing."""
        return np.asarray(self.steps_sec > GAP_STEPS * self.median_step_sec)

    @cached_property
    def after_break(self) -> Array:
        """Return before which frames (T,) so many are missing that no line belongs there."""
        return np.asarray(self.steps_sec > BREAK_STEPS * self.median_step_sec)


def series_of(received: Iterable[Received[TwoHands]]) -> Series:
    """Return published hands as a series; such messages say no raw joints.

    :param received: messages in the order of their arrival.
    """
    numbered = _in_order(received)
    messages = [message for _, message in numbered]
    hands = [message.value for message in messages]
    joints_m = _joints_m(messages)
    return Series(
        stamps_ns=np.array([message.stamp_ns for message in messages], np.int64),
        received_ns=np.array([message.received_ns for message in messages], np.int64),
        frames=np.array([number for number, _ in numbered], np.int32),
        detected=np.array([pair.was_detected for pair in hands], bool),
        left_from_right_m=_rows([pair.left_from_right_m for pair in hands], (3,)),
        disagreement_m=_rows([pair.disagreement_m for pair in hands]),
        right=_hand_series(Side.RIGHT, [pair.right for pair in hands], joints_m[:, Side.RIGHT]),
        left=_hand_series(Side.LEFT, [pair.left for pair in hands], joints_m[:, Side.LEFT]),
    )


def joints_of(received: Iterable[Received[TwoHands]]) -> Array:
    """Return the joints (T, 2, 21, 3) of published hands, right first, as `series_of` has them."""
    return _joints_m([message for _, message in _in_order(received)])


def _in_order(
    received: Iterable[Received[TwoHands]],
) -> list[tuple[int, Received[TwoHands]]]:
    """Return messages with their number in the order of arrival, in the order of the stamps."""
    return sorted(enumerate(received), key=lambda pair: pair[1].stamp_ns)


def _joints_m(messages: Sequence[Received[TwoHands]]) -> Array:
    pairs = [(message.value.right, message.value.left) for message in messages]
    joints_m = [
        hand.joints_m if isinstance(hand, Hand) else None for pair in pairs for hand in pair
    ]
    return _rows(joints_m, (JOINT_COUNT, 3)).reshape(-1, len(Side), JOINT_COUNT, 3)


def _hand_series(side: Side, hands: Sequence[Hand | NoHand], joints_m: Array) -> HandSeries:
    there = [hand if isinstance(hand, Hand) else None for hand in hands]
    return HandSeries(
        side=side,
        tracked=np.array([hand is not None for hand in there], bool),
        reasons=np.array([h.reason if isinstance(h, NoHand) else '' for h in hands], dtype=str),
        scores=_rows([h.score if isinstance(h, NoHand) else h.box.score for h in hands]),
        wrist_m=joints_m[:, 0].copy(),
        wrist_std_m=_rows([hand.wrist_std_m if hand else None for hand in there]),
        reprojection_error_px=_rows([h.reprojection_error_px if h else None for h in there]),
        pinch_m=pinches_m(joints_m),
        bends_m=bends_m(joints_m),
        raw_bends_m=np.full(len(hands), np.nan),
    )


def _rows(values: Sequence[Array | float | None], shape: tuple[int, ...] = ()) -> Array:
    """Return values of one shape stacked (T, ...), NaN for None."""
    stacked = np.full((len(values), *shape), np.nan)
    for row, value in enumerate(values):
        if value is not None:
            stacked[row] = value
    return stacked


def _arrays_of(record: HandSeries | Series) -> list[str]:
    return [f.name for f in fields(record) if isinstance(getattr(record, f.name), np.ndarray)]


def _check_shape(record: HandSeries | Series, name: str, wanted: tuple[int, ...]) -> None:
    found = getattr(record, name).shape
    if found != wanted:
        raise InputError(
            'bad_shape', f'{type(record).__name__}.{name} has shape {found}, wanted {wanted}'
        )
