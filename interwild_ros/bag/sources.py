"""Where hands over time come from: an analysis, a recording, or a file with the truth.

* a folder that `interwild analyze` made for one camera, or the hands.parquet in it;
* a bag with recorded `two_hands`: a rosbag2 folder, or one of its .mcap or .db3 files;
* an .npz file with `joints_m` (N, 2, 21, 3), the right hand first, metres in the camera's optical
  frame; `visible` (N, 2), default everywhere; and either `stamps_ns` (N,) or, as the demo clip
  has it, `offsets_ns` (N,) after the first frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import enum
from pathlib import Path
from zipfile import BadZipFile

from interwild_ros.bag.joint_motion import bends_m, pinches_m
from interwild_ros.bag.read import open_bag
from interwild_ros.bag.series import HandSeries, joints_of, Series, series_of, TABLE_FILE
from interwild_ros.bag.series_file import read_joints, read_series
from interwild_ros.errors import AssetError, InputError
from interwild_ros.records import Array, JOINT_COUNT, Side
import numpy as np

_BAG_FILES = ('.mcap', '.db3')
_BAG_CARD = 'metadata.yaml'
_LISTED = 5
_SUPPORTED = (
    f'a folder of `interwild analyze` with {TABLE_FILE}, a bag with two_hands '
    f'(folder, {" or ".join(_BAG_FILES)}), or an .npz file with the truth'
)


class Kind(enum.Enum):
    """What a source is."""

    ANALYSIS = 'analysis'
    RECORDING = 'recording'
    TRUTH = 'truth'


@dataclass(frozen=True, eq=False)
class Source:
    """Hands over time and what they are from.

    `joints_m` (T, 2, 21, 3) are all joints of the series' frames, the right hand first, metres in
    the camera's optical frame, NaN where no hand is. `has_stamps` is False where only the time
    since the first frame is known; `has_arrivals` where `received_ns` says when something arrived.
    """

    path: Path
    kind: Kind
    series: Series
    joints_m: Array
    has_stamps: bool = True
    has_arrivals: bool = True

    def __post_init__(self) -> None:
        """Check that the joints are those of the frames."""
        wanted = (len(self.series), len(Side), JOINT_COUNT, 3)
        if self.joints_m.shape != wanted:
            raise InputError(
                'bad_shape', f'joints_m has shape {self.joints_m.shape}, wanted {wanted}'
            )


def open_source(path: Path, *, topic: str = '') -> Source:
    """Read hands from whatever it is.

    :param topic: of a bag: where its two_hands are, when there are several.
    :raises AssetError: when nothing is there, it is of another kind, or it cannot be read.
    """
    if not path.exists():
        raise AssetError(f'there is no {path}')
    if path.is_dir() and (path / TABLE_FILE).is_file():
        return _analysed(path, path / TABLE_FILE)
    if path.suffix == '.parquet':
        return _analysed(path, path)
    if path.suffix == '.npz':
        return read_truth(path)
    if _is_bag(path):
        return _recorded(path, topic)
    raise AssetError(f'{path} is no source of hands: {_hint(path)}')


def read_truth(path: Path) -> Source:
    """Read a file with the truth.

    :raises AssetError: when it cannot be read, lacks an array, or one has another shape.
    """
    try:
        with path.open('rb') as file, np.load(file, allow_pickle=False) as arrays:
            return _truth_of({name: arrays[name] for name in arrays.files}, path)
    except (OSError, ValueError, BadZipFile, InputError) as error:
        raise AssetError(f'cannot read the truth {path}: {error}') from error


def _truth_of(arrays: Mapping[str, Array], path: Path) -> Source:
    timed = next((name for name in ('stamps_ns', 'offsets_ns') if name in arrays), '')
    if 'joints_m' not in arrays or not timed:
        raise InputError(
            'bad_truth',
            f'it holds {", ".join(arrays) or "nothing"}, wanted joints_m and stamps_ns '
            'or offsets_ns',
        )
    joints_m, stamps_ns = arrays['joints_m'], arrays[timed].astype(np.int64)
    wanted = (len(stamps_ns), len(Side), JOINT_COUNT, 3)
    if stamps_ns.ndim != 1 or joints_m.shape != wanted:
        raise InputError('bad_shape', f'joints_m has shape {joints_m.shape}, wanted {wanted}')
    visible = arrays.get('visible', np.ones(wanted[:2], bool)).astype(bool)
    if visible.shape != wanted[:2]:
        raise InputError('bad_shape', f'visible has shape {visible.shape}, wanted {wanted[:2]}')
    order = np.argsort(stamps_ns, kind='stable')
    there = visible[order] & np.isfinite(joints_m[order]).all((2, 3))
    placed_m = np.where(there[..., None, None], joints_m[order].astype(np.float64), np.nan)
    return Source(
        path,
        Kind.TRUTH,
        _truth_series(stamps_ns[order], placed_m, there, order),
        placed_m,
        has_stamps=timed == 'stamps_ns',
        has_arrivals=False,
    )


def _truth_series(stamps_ns: Array, placed_m: Array, there: Array, frames: Array) -> Series:
    right, left = (_true_hand(side, there[:, side], placed_m[:, side]) for side in Side)
    return Series(
        stamps_ns=stamps_ns,
        received_ns=stamps_ns,
        frames=frames.astype(np.int32),
        detected=np.zeros(len(stamps_ns), bool),
        left_from_right_m=left.wrist_m - right.wrist_m,
        disagreement_m=np.where(there.all(1), 0.0, np.nan),
        right=right,
        left=left,
    )


def _true_hand(side: Side, there: Array, joints_m: Array) -> HandSeries:
    unknown = np.full(len(there), np.nan)
    return HandSeries(
        side=side,
        tracked=there,
        reasons=np.where(there, '', 'not_visible'),
        scores=there.astype(np.float64),
        wrist_m=joints_m[:, 0],
        wrist_std_m=unknown,
        reprojection_error_px=unknown,
        pinch_m=pinches_m(joints_m),
        bends_m=bends_m(joints_m),
        raw_bends_m=bends_m(joints_m),
    )


def _is_bag(path: Path) -> bool:
    return path.suffix in _BAG_FILES or (path / _BAG_CARD).is_file()


def _analysed(path: Path, table: Path) -> Source:
    return Source(path, Kind.ANALYSIS, read_series(table), read_joints(table))


def _recorded(path: Path, topic: str) -> Source:
    try:
        with open_bag(path) as bag:
            messages = list(bag.two_hands(topic))
        return Source(path, Kind.RECORDING, series_of(messages), joints_of(messages))
    except InputError as error:
        raise AssetError(f'the bag {path} holds hands that are none: {error}') from error


def _hint(path: Path) -> str:
    """Return what it is or may hold, and what was wanted."""
    if path.is_dir():
        inside = sorted(table.parent for table in path.glob(f'*/**/{TABLE_FILE}'))
        if inside:
            more = ', ...' if len(inside) > _LISTED else ''
            named = ', '.join(map(str, inside[:_LISTED]))
            return f'it holds {len(inside)} of them, name one: {named}{more}'
    return f'wanted {_SUPPORTED}'
