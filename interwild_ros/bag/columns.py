"""The columns of hands.parquet, each once: name, type, unit, description, and where it is from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
import math
from typing import Any, Final

from interwild_ros.pipeline.following import Followed
from interwild_ros.records import Array, DepthSource, Hand, JOINT_COUNT, NoHand, TwoHands
import numpy as np
import pyarrow as pa


@dataclass(frozen=True, eq=False)
class SeenFrame:
    """What was seen in one picture: `number` is its position in the topic, from 0."""

    number: int
    received_ns: int
    followed: Followed


@dataclass(frozen=True, eq=False)
class Row:
    """One hand of a frame, `raw` by the frame alone."""

    frame: SeenFrame
    hands: TwoHands
    hand: Hand | NoHand
    raw: Hand | NoHand

    @property
    def placed(self) -> Hand | None:
        """Return the hand, where there is one."""
        return self.hand if isinstance(self.hand, Hand) else None


@dataclass(frozen=True)
class Column:
    """One column: how it is called and stored, its unit, what it says, and where from."""

    name: str
    type: Any
    unit: str
    description: str
    value: Callable[[Row], Any]


def _of_hand(value: Callable[[Hand], Any], size: int = 0) -> Callable[[Row], Any]:
    """Return what gives NaN where no hand is tracked."""
    absent = [math.nan] * size if size else math.nan
    return lambda row: absent if row.placed is None else value(row.placed)


def _list(size: int) -> Any:
    return pa.list_(pa.float32(), size)


def _flat(values: Array) -> Array:
    return np.ravel(values).astype(np.float32)


def _corner(at: int, hand: Hand) -> float:
    return hand.box.corners[at]


def _wrist(at: int, hand: Hand) -> float:
    return float(hand.wrist_m[at])


def _turn(at: int, hand: Hand) -> float:
    return float(hand.wrist_quaternion_xyzw[at])


def _score(hand: Hand | NoHand) -> float:
    return hand.box.score if isinstance(hand, Hand) else hand.score


def _depth_source(hand: Hand | NoHand) -> int:
    return int(hand.depth_source if isinstance(hand, Hand) else DepthSource.NONE)


def _std_along_ray_m(hand: Hand) -> float:
    return math.nan if hand.wrist_std_m is None else hand.wrist_std_m


def _raw_joints(row: Row) -> Any:
    if isinstance(row.raw, Hand):
        return _flat(row.raw.joints_m)
    return [math.nan] * (3 * JOINT_COUNT)


def _left_from_right(at: int, row: Row) -> float:
    metres = row.hands.left_from_right_m
    return math.nan if metres is None else float(metres[at])


def _disagreement(row: Row) -> float:
    metres = row.hands.disagreement_m
    return math.nan if metres is None else metres


_F32, _F64 = pa.float32(), pa.float64()
_FRAME = "in the camera's optical frame: x right, y down, z forward"
_JOINTS = 'wrist, thumb 1-4, index 1-4, middle 1-4, ring 1-4, pinky 1-4 (tip last)'
_BOTH = 'NaN unless both hands are tracked'

COLUMNS: Final = (
    Column(
        'stamp_ns',
        pa.int64(),
        'ns',
        "stamp in the picture's header, since 1970",
        lambda row: row.hands.stamp_ns,
    ),
    Column(
        'received_ns',
        pa.int64(),
        'ns',
        'when the bag says that the picture arrived, since 1970',
        lambda row: row.frame.received_ns,
    ),
    Column(
        'frame',
        pa.int32(),
        '',
        'position of the picture among all of its topic, in the order of the bag, from 0',
        lambda row: row.frame.number,
    ),
    Column(
        'side',
        pa.string(),
        '',
        "right or left: the person's own hand",
        lambda row: row.hand.side.label,
    ),
    Column(
        'tracked',
        pa.bool_(),
        '',
        'the hand is there and was placed',
        lambda row: row.placed is not None,
    ),
    Column(
        'reason',
        pa.string(),
        '',
        'why it is not tracked, a short word; empty when it is',
        lambda row: row.hand.reason if isinstance(row.hand, NoHand) else '',
    ),
    Column(
        'score',
        _F32,
        '',
        'how likely the hand is there, 0 to 1; said of hands that are not tracked too',
        lambda row: _score(row.hand),
    ),
    Column(
        'depth_source',
        pa.int8(),
        '',
        'what the distance rests on: 0 none, 1 intrinsics, 2 nominal field of view, 3 depth image',
        lambda row: _depth_source(row.hand),
    ),
    *(
        Column(
            f'box_{name}_px',
            _F32,
            'px',
            f'{where} edge of the box about the hand, may lie outside of the picture',
            _of_hand(partial(_corner, at)),
        )
        for at, (name, where) in enumerate(
            {'x1': 'left', 'y1': 'top', 'x2': 'right', 'y2': 'bottom'}.items()
        )
    ),
    *(
        Column(
            f'wrist_{axis}_m',
            _F64,
            'm',
            f'{axis} of the wrist joint {_FRAME}',
            _of_hand(partial(_wrist, at)),
        )
        for at, axis in enumerate('xyz')
    ),
    *(
        Column(
            f'wrist_q{axis}',
            _F64,
            '',
            f'{axis} of the quaternion that turns the hand frame (x to the middle knuckle, z out '
            'of the back of the hand) into camera axes',
            _of_hand(partial(_turn, at)),
        )
        for at, axis in enumerate('xyzw')
    ),
    Column(
        'wrist_std_m',
        _F32,
        'm',
        "standard deviation of the wrist's place along the ray from the camera; NaN where it is "
        'not known',
        _of_hand(_std_along_ray_m),
    ),
    Column(
        'reprojection_error_px',
        _F32,
        'px',
        'root mean square over the joints: placed joints against joints_image_px',
        _of_hand(lambda hand: hand.reprojection_error_px),
    ),
    Column(
        'hand_scale',
        _F32,
        '',
        "what the hand model's mesh of this pose and shape is multiplied by",
        _of_hand(lambda hand: hand.scale),
    ),
    Column(
        'interacting',
        pa.bool_(),
        '',
        'the boxes of both hands overlap, or did shortly before',
        lambda row: row.hands.interacting,
    ),
    Column(
        'detected',
        pa.bool_(),
        '',
        'the detector looked at this picture; else the hands were followed from the last one',
        lambda row: row.hands.was_detected,
    ),
    Column(
        'disagreement_m',
        _F32,
        'm',
        'how far left_from_right is from the left wrist minus the right one, each placed by '
        f'itself; {_BOTH}',
        _disagreement,
    ),
    *(
        Column(
            f'left_from_right_{axis}_m',
            _F32,
            'm',
            f'{axis} of left wrist minus right wrist as the relative-translation network sees it, '
            f'camera axes; {_BOTH}',
            partial(_left_from_right, at),
        )
        for at, axis in enumerate('xyz')
    ),
    Column(
        'joints_m',
        _list(3 * JOINT_COUNT),
        'm',
        f'x y z of 21 joints {_FRAME}: {_JOINTS}',
        _of_hand(lambda hand: _flat(hand.joints_m), 3 * JOINT_COUNT),
    ),
    Column(
        'raw_joints_m',
        _list(3 * JOINT_COUNT),
        'm',
        'the same joints as the frame by itself has them, without memory and filters; NaN where '
        'the hand is not found in it',
        _raw_joints,
    ),
    Column(
        'joints_image_px',
        _list(2 * JOINT_COUNT),
        'px',
        'x y of the same joints in the picture, as the networks saw them',
        _of_hand(lambda hand: _flat(hand.joints_image_px), 2 * JOINT_COUNT),
    ),
    Column(
        'pose_rad',
        _list(48),
        'rad',
        "axis-angle: root, then 15 joints in MANO order, the model's mean pose not included",
        _of_hand(lambda hand: _flat(hand.pose), 48),
    ),
    Column(
        'betas',
        _list(10),
        '',
        'shape coefficients of the hand model',
        _of_hand(lambda hand: _flat(hand.betas), 10),
    ),
)
