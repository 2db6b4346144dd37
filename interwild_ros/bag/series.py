"""Hands as arrays over time: one row a frame, in the order of the stamps, NaN where no hand is.

Everything after `read_series` is pure. Lengths are metres in the camera's optical frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from interwild_ros.bag.read import Received
from interwild_ros.errors import AssetError, InputError
from interwild_ros.records import Array, Hand, JOINT_COUNT, NoHand, NS_PER_SEC, Side, TwoHands
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TABLE_FILE = 'hands.parquet'
GAP_STEPS = 1.5  # median steps: beyond it at least one frame is missing
BREAK_STEPS = 5.0  # median steps: beyond it nothing is known of what was between

_OF_FRAMES = ('stamp_ns', 'received_ns', 'frame', 'detected', 'disagreement_m')
_LEFT_FROM_RIGHT = tuple(f'left_from_right_{axis}_m' for axis in 'xyz')
_WRIST = tuple(f'wrist_{axis}_m' for axis in 'xyz')
_OF_HANDS = ('tracked', 'reason', 'score', 'wrist_std_m', 'reprojection_error_px')
_JOINTS = ('joints_m', 'raw_joints_m')
_COLUMNS = ('side', *_OF_FRAMES, *_LEFT_FROM_RIGHT, *_WRIST, *_OF_HANDS, *_JOINTS)


@dataclass(frozen=True, eq=False)
class HandSeries:
    """One hand over T frames.

    `tracked` (T,); `reasons` (T,) why it is absent, empty where it is not; `scores` (T,);
    `wrist_m` (T, 3); `wrist_std_m` (T,) along the ray from the camera; `reprojection_error_px`
    (T,); `joints_m` (T, 21, 3); `raw_joints_m` (T, 21, 3) without filters.
    """

    side: Side
    tracked: Array
    reasons: Array
    scores: Array
    wrist_m: Array
    wrist_std_m: Array
    reprojection_error_px: Array
    joints_m: Array
    raw_joints_m: Array

    def __post_init__(self) -> None:
        """Check every array's shape."""
        count = len(self.tracked)
        shapes = {'wrist_m': (3,), 'joints_m': (JOINT_COUNT, 3), 'raw_joints_m': (JOINT_COUNT, 3)}
        for name in _arrays_of(self):
            _check_shape(self, name, (count, *shapes.get(name, ())))

    def rows(self, chosen: Array) -> HandSeries:
        """Return the chosen frames, by index or by mask."""
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
    numbered = sorted(enumerate(received), key=lambda pair: pair[1].stamp_ns)
    messages = [message for _, message in numbered]
    hands = [message.value for message in messages]
    return Series(
        stamps_ns=np.array([message.stamp_ns for message in messages], np.int64),
        received_ns=np.array([message.received_ns for message in messages], np.int64),
        frames=np.array([number for number, _ in numbered], np.int32),
        detected=np.array([pair.was_detected for pair in hands], bool),
        left_from_right_m=_rows([pair.left_from_right_m for pair in hands], (3,)),
        disagreement_m=_rows([pair.disagreement_m for pair in hands]),
        right=_hand_series(Side.RIGHT, [pair.right for pair in hands]),
        left=_hand_series(Side.LEFT, [pair.left for pair in hands]),
    )


def read_series(path: Path) -> Series:
    """Read hands.parquet: a row a frame and hand.

    :raises AssetError: when it cannot be read, lacks a column, or a frame has not one row a hand.
    """
    try:
        with pq.ParquetFile(path) as file:
            missing = sorted(set(_COLUMNS) - set(file.schema_arrow.names))
            table = None if missing else file.read(list(_COLUMNS))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise AssetError(f'cannot read {path}: {error}') from error
    if table is None:
        raise AssetError(f'{path} lacks the columns {", ".join(missing)}')
    try:
        return _series_of_columns({name: _as_array(table, name) for name in _COLUMNS})
    except (InputError, ValueError, pa.ArrowException) as error:
        raise AssetError(f'{path} is not a table of hands: {error}') from error


def _series_of_columns(columns: Mapping[str, Array]) -> Series:
    """Return the series of a table: two rows a frame, in any order."""
    right, left = (_columns_of(columns, side) for side in Side)
    if not np.array_equal(right['frame'], left['frame']):
        raise InputError(
            'bad_shape',
            f'{len(right["frame"])} rows of right hands and {len(left["frame"])} of left ones '
            'are not of the same frames',
        )
    return Series(
        stamps_ns=right['stamp_ns'],
        received_ns=right['received_ns'],
        frames=right['frame'],
        detected=right['detected'],
        left_from_right_m=_stacked(right, _LEFT_FROM_RIGHT),
        disagreement_m=right['disagreement_m'],
        right=_hand_of_columns(Side.RIGHT, right),
        left=_hand_of_columns(Side.LEFT, left),
    )


def _columns_of(columns: Mapping[str, Array], side: Side) -> dict[str, Array]:
    """Return the rows of one hand, in the order of the stamps."""
    rows = np.flatnonzero(columns['side'] == side.label)
    rows = rows[np.lexsort((columns['frame'][rows], columns['stamp_ns'][rows]))]
    return {name: column[rows] for name, column in columns.items()}


def _hand_of_columns(side: Side, columns: Mapping[str, Array]) -> HandSeries:
    return HandSeries(
        side=side,
        tracked=columns['tracked'],
        reasons=columns['reason'],
        scores=columns['score'],
        wrist_m=_stacked(columns, _WRIST),
        wrist_std_m=columns['wrist_std_m'],
        reprojection_error_px=columns['reprojection_error_px'],
        joints_m=columns['joints_m'].reshape(-1, JOINT_COUNT, 3),
        raw_joints_m=columns['raw_joints_m'].reshape(-1, JOINT_COUNT, 3),
    )


def _stacked(columns: Mapping[str, Array], names: tuple[str, ...]) -> Array:
    return np.stack([columns[name] for name in names], axis=1)


def _as_array(table: Any, name: str) -> Array:
    column = table.column(name).combine_chunks()
    if name in _JOINTS:
        return _lists(column, name)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.array(column.fill_null('').to_pylist(), dtype=str)
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _lists(column: Any, name: str) -> Array:
    """Return lists of 63 numbers (N, 63); one that is null or empty is NaN."""
    size = 3 * JOINT_COUNT
    lengths = np.asarray(pc.list_value_length(column).fill_null(0))
    if not np.isin(lengths, (0, size)).all():
        found = sorted(set(lengths.tolist()) - {0, size})
        raise InputError('bad_shape', f'{name} holds lists of {found} numbers, wanted {size}')
    values = np.full((len(column), size), np.nan, np.float32)
    values[lengths > 0] = np.asarray(pc.list_flatten(column)).reshape(-1, size)
    return values


def _hand_series(side: Side, hands: Sequence[Hand | NoHand]) -> HandSeries:
    there = [hand if isinstance(hand, Hand) else None for hand in hands]
    joints_m = _rows([hand.joints_m if hand else None for hand in there], (JOINT_COUNT, 3))
    return HandSeries(
        side=side,
        tracked=np.array([hand is not None for hand in there], bool),
        reasons=np.array([h.reason if isinstance(h, NoHand) else '' for h in hands], dtype=str),
        scores=_rows([h.score if isinstance(h, NoHand) else h.box.score for h in hands]),
        wrist_m=joints_m[:, 0],
        wrist_std_m=_rows([hand.wrist_std_m if hand else None for hand in there]),
        reprojection_error_px=_rows([h.reprojection_error_px if h else None for h in there]),
        joints_m=joints_m,
        raw_joints_m=np.full_like(joints_m, np.nan),
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
