"""hands.parquet as a series: a row a frame and hand, in any order.

A table of hours is read in bounded memory: of the joints, a few thousand rows at a time, only
what a series keeps of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from interwild_ros.bag.joint_motion import Bends, pinches_m
from interwild_ros.bag.series import HandSeries, Series
from interwild_ros.errors import AssetError, InputError
from interwild_ros.records import Array, JOINT_COUNT, Side
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_ROWS_AT_A_TIME = 2048
_OF_FRAMES = ('stamp_ns', 'received_ns', 'frame', 'detected', 'disagreement_m')
_LEFT_FROM_RIGHT = tuple(f'left_from_right_{axis}_m' for axis in 'xyz')
_WRIST = tuple(f'wrist_{axis}_m' for axis in 'xyz')
_OF_HANDS = ('tracked', 'reason', 'score', 'wrist_std_m', 'reprojection_error_px')
_KEPT = ('side', *_OF_FRAMES, *_LEFT_FROM_RIGHT, *_WRIST, *_OF_HANDS)
_JOINTS, _RAW_JOINTS = 'joints_m', 'raw_joints_m'


def read_series(path: Path, *, rows_at_a_time: int = _ROWS_AT_A_TIME) -> Series:
    """Read a table of hands.

    :param rows_at_a_time: how many rows' joints are in memory, where the rows are in order.
    :raises AssetError: when it cannot be read, lacks a column, or a frame has not one row a hand.
    """
    with _table(path) as file:
        kept = _kept(file)
        rows = _rows_of_hands(kept)
        motions = [_Motion(), _Motion()]
        for joints_m, raw_m in _joints(file, rows, (_JOINTS, _RAW_JOINTS), rows_at_a_time):
            for side in Side:
                motions[side].add(joints_m[side], raw_m[side])
        return _series(kept, rows, motions)


def read_joints(path: Path) -> Array:
    """Return all joints of a table (T, 2, 21, 3), right first: its frames are the series'.

    :raises AssetError: as `read_series`.
    """
    with _table(path) as file:
        rows = _rows_of_hands(_kept(file))
        hands: tuple[list[Array], ...] = ([], [])
        for (joints_m,) in _joints(file, rows, (_JOINTS,), _ROWS_AT_A_TIME):
            for side in Side:
                hands[side].append(joints_m[side])
        nothing = np.zeros((0, JOINT_COUNT, 3), np.float32)
        return np.stack([np.concatenate([nothing, *parts]) for parts in hands], axis=1)


@contextmanager
def _table(path: Path) -> Iterator[Any]:
    """Open a table that has the columns."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise AssetError(f'cannot read {path}: {error}') from error
    with file:
        wanted = {*_KEPT, _JOINTS, _RAW_JOINTS}
        if missing := sorted(wanted - set(file.schema_arrow.names)):
            raise AssetError(f'{path} lacks the columns {", ".join(missing)}')
        try:
            yield file
        except OSError as error:
            raise AssetError(f'cannot read {path}: {error}') from error
        except (InputError, ValueError, pa.ArrowException) as error:
            raise AssetError(f'{path} is not a table of hands: {error}') from error


def _kept(file: Any) -> dict[str, Array]:
    """Return the columns of which a series keeps every row."""
    table = file.read(list(_KEPT), use_threads=False)  # which would each hold memory of their own
    return {name: _as_array(table.column(name).combine_chunks()) for name in _KEPT}


def _rows_of_hands(columns: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return the numbers of the rows of each hand, right first, in the order of the stamps."""
    right, left = (_rows_of(columns, side) for side in Side)
    frames = columns['frame']
    if not np.array_equal(frames[right], frames[left]):
        raise InputError(
            'bad_shape',
            f'{len(right)} rows of right hands and {len(left)} of left ones '
            'are not of the same frames',
        )
    return right, left


def _rows_of(columns: Mapping[str, Array], side: Side) -> Array:
    rows = np.flatnonzero(columns['side'] == side.label)
    return rows[np.lexsort((columns['frame'][rows], columns['stamp_ns'][rows]))]


def _joints(
    file: Any, rows: Sequence[Array], names: tuple[str, ...], rows_at_a_time: int
) -> Iterator[tuple[tuple[Array, ...], ...]]:
    """Yield for each column the joints of both hands (N, 21, 3) that come next.

    Rows that are not in the order of the stamps come all at once.
    """
    in_order = all((np.diff(of_hand) > 0).all() for of_hand in rows)
    size = rows_at_a_time if in_order else None
    first = 0
    for batch in _batches(file, names, size):
        chosen = [of[(of >= first) & (of < first + len(batch))] - first for of in rows]
        numbers = [_lists(batch.column(name), name) for name in names]
        yield tuple(
            tuple(column[of].reshape(-1, JOINT_COUNT, 3) for of in chosen) for column in numbers
        )
        first += len(batch)


def _batches(file: Any, names: tuple[str, ...], size: int | None) -> Iterator[Any]:
    """Yield up to so many rows of some columns at a time, None for all of them at once."""
    if size is None:
        yield from file.read(list(names), use_threads=False).combine_chunks().to_batches()
        return
    for group in range(file.num_row_groups):  # of several, Arrow would read all in advance
        yield from file.iter_batches(
            size, row_groups=[group], columns=list(names), use_threads=False
        )


class _Motion:
    """What a series keeps of a hand's joints, from batches of them."""

    def __init__(self) -> None:
        self._pinches: list[Array] = [np.zeros(0, np.float32)]
        self._bends: list[Array] = [np.zeros(0)]
        self._raw_bends: list[Array] = [np.zeros(0)]
        self._bend, self._raw_bend = Bends(), Bends()

    def add(self, joints_m: Array, raw_joints_m: Array) -> None:
        """Take in the frames that come next."""
        self._pinches.append(pinches_m(joints_m))
        self._bends.append(self._bend(joints_m))
        self._raw_bends.append(self._raw_bend(raw_joints_m))

    def arrays(self) -> dict[str, Array]:
        """Return the fields of the series."""
        return {
            'pinch_m': np.concatenate(self._pinches),
            'bends_m': np.concatenate(self._bends),
            'raw_bends_m': np.concatenate(self._raw_bends),
        }


def _series(
    columns: Mapping[str, Array], rows: tuple[Array, Array], motions: Sequence[_Motion]
) -> Series:
    right, left = ({name: columns[name][of] for name in _KEPT} for of in rows)
    return Series(
        stamps_ns=right['stamp_ns'],
        received_ns=right['received_ns'],
        frames=right['frame'],
        detected=right['detected'],
        left_from_right_m=_stacked(right, _LEFT_FROM_RIGHT),
        disagreement_m=right['disagreement_m'],
        right=_hand(Side.RIGHT, right, motions[Side.RIGHT]),
        left=_hand(Side.LEFT, left, motions[Side.LEFT]),
    )


def _hand(side: Side, columns: Mapping[str, Array], motion: _Motion) -> HandSeries:
    return HandSeries(
        side=side,
        tracked=columns['tracked'],
        reasons=columns['reason'],
        scores=columns['score'],
        wrist_m=_stacked(columns, _WRIST),
        wrist_std_m=columns['wrist_std_m'],
        reprojection_error_px=columns['reprojection_error_px'],
        **motion.arrays(),
    )


def _stacked(columns: Mapping[str, Array], names: tuple[str, ...]) -> Array:
    return np.stack([columns[name] for name in names], axis=1)


def _as_array(column: Any) -> Array:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        coded = column.fill_null('').dictionary_encode()  # each word once, however many rows
        words = np.array(coded.dictionary.to_pylist(), dtype=object)
        return np.asarray(words[np.asarray(coded.indices)])
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
