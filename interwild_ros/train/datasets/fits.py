"""Hand model parameters as rows of numbers: pose 48, shape 10, trans 3; NaN for no hand."""

from __future__ import annotations

from interwild_ros.records import Array, Side
from interwild_ros.train.annotations import ManoFit, StudyCamera
from interwild_ros.train.datasets.entries import Entries
import numpy as np

_SIZES = {'pose': 48, 'shape': 10, 'trans': 3}
FIT_SIZE = sum(_SIZES.values())
_ENDS = np.cumsum(list(_SIZES.values()))


def fit_rows(entries: Entries) -> Array:
    """Return fits (N, 61) float32 of JSON entries with pose, shape, trans; null gives NaN.

    :raises AssetError: when an entry is something else.
    """
    rows = np.full((len(entries), FIT_SIZE), np.nan, dtype=np.float32)
    there = [place for place, entry in enumerate(entries.values) if entry is not None]
    if there:
        present = entries.picked(there)
        parts = [present.numbers(key, size) for key, size in _SIZES.items()]
        rows[there] = np.concatenate(parts, axis=1)
    return rows


def sides_of(entries: Entries) -> list[Entries]:
    """Return what JSON entries say of the right hand, and of the left; null says nothing of both.

    :raises AssetError: when an entry lacks a side.
    """
    nothing = {side.label: None for side in Side}
    values = [nothing if entry is None else entry for entry in entries.values]
    sided = Entries(values, entries.source, entries.names)
    return [sided.under(side.label) for side in Side]


def fit_or_none(row: Array, camera: StudyCamera) -> ManoFit | None:
    """Return one row as a fit, or None for a row of NaN."""
    if np.isnan(row[0]):
        return None
    pose, shape, trans, _ = np.split(row.astype(np.float64), _ENDS)
    return ManoFit(pose=pose, shape=shape, trans=trans, camera=camera)


def both_fits(rows: Array, camera: StudyCamera) -> tuple[ManoFit | None, ManoFit | None]:
    """Return two rows (2, 61), right and left, as fits seen by the same camera."""
    return fit_or_none(rows[0], camera), fit_or_none(rows[1], camera)
