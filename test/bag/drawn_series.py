"""Tables of hands as the analysis writes them, drawn from a seed, and the page's other inputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
import json
from pathlib import Path
from typing import Any

import cv2
from interwild_ros.bag.series import Series
from interwild_ros.bag.series_file import read_series
from interwild_ros.records import Side
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PERIOD_NS = 33_333_333
START_NS = 1_700_000_000_000_000_000
LATENCY_NS = 21_000_000

_SCALARS = {
    'stamp_ns': pa.int64(),
    'received_ns': pa.int64(),
    'frame': pa.int32(),
    'side': pa.string(),
    'tracked': pa.bool_(),
    'reason': pa.string(),
    'score': pa.float32(),
    'depth_source': pa.int8(),
    **{f'box_{name}_px': pa.float32() for name in ('x1', 'y1', 'x2', 'y2')},
    **{f'wrist_{name}_m': pa.float64() for name in 'xyz'},
    **{f'wrist_q{name}': pa.float64() for name in 'xyzw'},
    'wrist_std_m': pa.float32(),
    'reprojection_error_px': pa.float32(),
    'hand_scale': pa.float32(),
    'interacting': pa.bool_(),
    'detected': pa.bool_(),
    'disagreement_m': pa.float32(),
    **{f'left_from_right_{axis}_m': pa.float32() for axis in 'xyz'},
}
_LISTS = {'joints_m': 63, 'raw_joints_m': 63, 'joints_image_px': 42, 'pose_rad': 48, 'betas': 10}
SCHEMA = pa.schema(
    [
        *(pa.field(name, kind) for name, kind in _SCALARS.items()),
        *(pa.field(name, pa.list_(pa.float32())) for name in _LISTS),
    ]
)
_SPREAD_M = np.random.default_rng(7).uniform(-0.09, 0.09, (21, 3))
_OF_THE_FRAME = ('stamp_ns', 'received_ns', 'frame', 'side', 'tracked', 'reason', 'score')


def draw_joints(
    count: int, *, seed: int = 0, noise_m: float = 0.0, period_ns: int = PERIOD_NS
) -> np.ndarray:
    """Return joints (T, 2, 21, 3) of two hands that circle and pinch before the camera."""
    rng = np.random.default_rng(seed)
    t = np.arange(count) * period_ns / 1e9
    joints = np.empty((count, 2, 21, 3))
    for side, sign in ((Side.RIGHT, -1), (Side.LEFT, 1)):
        wrist = np.stack(
            [
                0.16 * sign + 0.08 * np.sin(0.9 * t + side),
                0.06 * np.cos(1.3 * t) + 0.02,
                0.55 + 0.09 * np.sin(0.5 * t + 2 * side),
            ],
            axis=1,
        )
        spread = _SPREAD_M - _SPREAD_M[0]
        joints[:, side] = wrist[:, None] + spread
        open_m = 0.045 + 0.04 * np.sin(1.7 * t + side)
        joints[:, side, 8] = joints[:, side, 4] + open_m[:, None] * np.array([1.0, 0.0, 0.0])
    return joints + rng.normal(0.0, noise_m, joints.shape) if noise_m else joints


def columns_of(
    joints_m: np.ndarray,
    *,
    tracked: np.ndarray | None = None,
    stamps_ns: np.ndarray | None = None,
    raw_noise_m: float = 0.002,
    reason: str = 'not_found',
) -> dict[str, Any]:
    """Return the columns of a table: row 2 t is the right hand of frame t, 2 t + 1 the left one.

    :param tracked: (T, 2), default everywhere; `stamps_ns` (T,).
    """
    count = len(joints_m)
    rng = np.random.default_rng(3)
    there = np.ones((count, 2), bool) if tracked is None else np.asarray(tracked, bool)
    stamps = START_NS + PERIOD_NS * np.arange(count) if stamps_ns is None else stamps_ns
    joints = np.where(there[..., None, None], joints_m, np.nan).reshape(2 * count, 21, 3)
    flat = there.reshape(-1)
    both = np.repeat(there.all(1), 2)
    between = np.repeat(joints.reshape(count, 2, 21, 3)[:, 1, 0] - joints[::2, 0], 2, axis=0)

    def number(values: np.ndarray) -> np.ndarray:
        return np.where(flat, values, np.nan)

    wave = np.abs(np.sin(np.arange(2 * count) / 40.0))
    columns: dict[str, Any] = {
        'stamp_ns': np.repeat(stamps, 2),
        'received_ns': np.repeat(stamps, 2) + LATENCY_NS + rng.integers(0, 4_000_000, 2 * count),
        'frame': np.repeat(np.arange(count), 2),
        'side': np.tile(['right', 'left'], count),
        'tracked': flat,
        'reason': np.where(flat, '', reason),
        'score': np.where(flat, 0.9 + 0.1 * wave, 0.1),
        'depth_source': flat.astype(np.int8),
        'wrist_std_m': number(0.004 + 0.01 * wave),
        'reprojection_error_px': number(1.2 + 2.5 * wave**4 + rng.uniform(0, 0.3, 2 * count)),
        'hand_scale': number(np.ones(2 * count)),
        'interacting': np.zeros(2 * count, bool),
        'detected': np.arange(2 * count) // 2 % 10 == 0,
        'disagreement_m': np.where(both, 0.012, np.nan),
        'joints_m': joints.reshape(-1, 63),
        'raw_joints_m': (joints + rng.normal(0, raw_noise_m, joints.shape)).reshape(-1, 63),
        'joints_image_px': np.repeat(number(np.full(2 * count, 100.0))[:, None], 42, 1),
        'pose_rad': np.repeat(number(np.zeros(2 * count))[:, None], 48, 1),
        'betas': np.repeat(number(np.zeros(2 * count))[:, None], 10, 1),
    }
    for axis, name in enumerate('xyz'):
        columns[f'wrist_{name}_m'] = joints[:, 0, axis]
        columns[f'left_from_right_{name}_m'] = np.where(both, between[:, axis], np.nan)
    for name in _SCALARS:
        columns.setdefault(name, number(np.zeros(2 * count)))
    return columns


def write_table(path: Path, columns: Mapping[str, Any]) -> Path:
    """Write hands.parquet."""
    arrays = [
        pa.array(list(columns[field.name]), field.type)
        if field.name in _LISTS
        else pa.array(columns[field.name]).cast(field.type)
        for field in SCHEMA
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), path)
    return path


def drop_frames(columns: Mapping[str, Any], frames: Collection[int]) -> dict[str, Any]:
    """Return the columns without some frames."""
    kept = ~np.isin(columns['frame'], list(frames))
    return {name: np.asarray(column)[kept] for name, column in columns.items()}


def write_output(
    folder: Path, columns: Mapping[str, Any], summary: Mapping[str, Any] | None = None
) -> Path:
    """Write what the analysis leaves of one bag and camera, but for hands.mcap."""
    write_table(folder / 'hands.parquet', columns)
    (folder / 'summary.json').write_text(
        json.dumps(some_summary() if summary is None else summary)
    )
    return folder


def draw_series(folder: Path, joints_m: np.ndarray, **options: Any) -> Series:
    """Return joints as a series, by way of a file."""
    return read_series(write_table(folder / 'hands.parquet', columns_of(joints_m, **options)))


def some_summary() -> dict[str, Any]:
    """Return a summary as the analysis writes it."""
    return {
        'bag': 'kitchen_2024_03_05',
        'camera': '/camera/color/image_raw',
        'frames': {'in': 1500, 'analysed': 1480, 'skipped': {'bad_encoding': 20}},
        'duration_sec': 50.0,
        'rate_hz': 29.9,
        'gaps': [{'start_sec': 12.0, 'duration_sec': 0.4}],
        'settings': {'variant': 'compact', 'batch_size': 8, 'palm_length_m': 0.0},
        'assets': {'weights': 'compact.safetensors', 'hand_model': 'stand-in', 'device': 'cpu'},
        'warnings': ['no CameraInfo: a field of view of 60 degrees was assumed'],
        'timings': {'decode_sec': 3.1, 'networks_sec': 41.7},
    }


def some_jpeg(value: int = 90, size: tuple[int, int] = (320, 240)) -> bytes:
    """Return a plain grey JPEG."""
    image = np.full((size[1], size[0], 3), value, np.uint8)
    cv2.circle(image, (size[0] // 2, size[1] // 2), size[1] // 4, (70, 170, 255), -1)
    return bytes(cv2.imencode('.jpg', image)[1])
