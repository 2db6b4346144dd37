"""Depth pictures as messages carry them, to metres (REP 118)."""

from __future__ import annotations

from interwild_ros.errors import InputError
from interwild_ros.imaging.decode import Bytes
from interwild_ros.imaging.encodings import check_side
from interwild_ros.records import Array
import numpy as np

_KINDS = {'16UC1': ('u2', 1e-3), 'mono16': ('u2', 1e-3), '32FC1': ('f4', 1.0)}


def metres_of_depth(
    encoding: str, width: int, height: int, step: int, is_bigendian: bool, data: Bytes
) -> Array:
    """Return depth in metres (height, width) float32, NaN where there is no reading.

    :param encoding: 16UC1 (some drivers say mono16) holds mm, 32FC1 metres; what is not above 0
        and finite is no reading.
    :param step: bytes from one row to the next.
    :raises InputError: `bad_encoding`, `zero_size`, `too_large`, `bad_step` or `short_data`.
    """
    if encoding not in _KINDS:
        raise InputError(
            'bad_encoding', f'depth encoding is {encoding!r}, wanted one of {", ".join(_KINDS)}'
        )
    check_side(width, height)
    kind, unit_m = _KINDS[encoding]
    dtype = np.dtype(f'{">" if is_bigendian else "<"}{kind}')
    flat = np.frombuffer(data, np.uint8)
    if step < width * dtype.itemsize:
        raise InputError(
            'bad_step', f'step is {step} bytes, wanted at least {width * dtype.itemsize}'
        )
    if flat.size < step * height:
        raise InputError('short_data', f'data is {flat.size} bytes, wanted {step * height}')
    numbers: Array = np.ndarray((height, width), dtype, flat, 0, (step, dtype.itemsize))
    metres = numbers.astype(np.float32) * np.float32(unit_m)
    return np.where(np.isfinite(metres) & (metres > 0), metres, np.float32(np.nan))
