"""Read hand model files: MANO's own (.pkl), the same arrays as .npz, and the stand-in we ship.

MANO is licensed and never part of the package. `find_hand_models` says where it looks for it, and
takes the stand-in, an invented hand in the same array layout, when it was given nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import hashlib
import io
import os
from pathlib import Path
from typing import Any
import zipfile
import zlib

from interwild_ros.errors import AssetError
from interwild_ros.hand_model.joints import MANO_JOINT_COUNT, MANO_PARENTS
from interwild_ros.hand_model.safe_pickle import read_pickled_arrays
from interwild_ros.records import Array, Side, VERTEX_COUNT
import numpy as np
from numpy.typing import NDArray

MANO_DIR_VARIABLE = 'INTERWILD_MANO_DIR'
TRIANGLE_COUNT = 1538
BETA_COUNT = 10

_ASSETS = Path(__file__).parent / 'assets'
_FILE_KEYS = {  # field of the record: key in the file
    'v_template': 'v_template',
    'triangles': 'f',
    'weights': 'weights',
    'j_regressor': 'J_regressor',
    'shapedirs': 'shapedirs',
    'posedirs': 'posedirs',
    'hands_mean': 'hands_mean',
}
_SHAPES = {
    'v_template': (VERTEX_COUNT, 3),
    'triangles': (TRIANGLE_COUNT, 3),
    'weights': (VERTEX_COUNT, MANO_JOINT_COUNT),
    'j_regressor': (MANO_JOINT_COUNT, VERTEX_COUNT),
    'shapedirs': (VERTEX_COUNT, 3, BETA_COUNT),
    'posedirs': (VERTEX_COUNT, 3, 9 * (MANO_JOINT_COUNT - 1)),
    'hands_mean': (3 * (MANO_JOINT_COUNT - 1),),
}


@dataclass(frozen=True, eq=False)
class HandModelFile:
    """One hand's model: the arrays of a MANO file, checked.

    `name` is for people, `sha256` is that of the file. `v_template` (778, 3) m at rest;
    `triangles` (1538, 3) outward by the right-hand rule; `weights` (778, 16) skinning;
    `j_regressor` (16, 778); `shapedirs` (778, 3, 10) m; `posedirs` (778, 3, 135) m; `hands_mean`
    (45,) rad, which the model adds to the axis-angle pose.
    """

    side: Side
    name: str
    is_stand_in: bool
    sha256: str
    v_template: Array
    triangles: NDArray[np.uint32]
    weights: Array
    j_regressor: Array
    shapedirs: Array
    posedirs: Array
    hands_mean: Array

    def __post_init__(self) -> None:
        """Check shapes, numbers and indices."""
        for field, wanted in _SHAPES.items():
            array = getattr(self, field)
            what = f'{_FILE_KEYS[field]} of the {self.side.label} hand model {self.name}'
            if array.shape != wanted:
                raise AssetError(f'{what} has shape {array.shape}, wanted {wanted}')
            if not np.isfinite(array).all():
                raise AssetError(f'{what} holds NaN or infinity')
        if self.triangles.max() >= VERTEX_COUNT:
            raise AssetError(
                f'f of the {self.side.label} hand model {self.name} names vertex '
                f'{self.triangles.max()}, wanted less than {VERTEX_COUNT}'
            )


def find_hand_models(mano_dir: str = '') -> tuple[HandModelFile, HandModelFile]:
    """Return the right and the left hand model, ready for use.

    Looks in `mano_dir`, else in the folder that INTERWILD_MANO_DIR names, else takes the stand-in.
    A folder holds MANO_RIGHT and MANO_LEFT (.pkl or .npz), itself or in a folder `mano`.

    :raises AssetError: when a named folder lacks a file, or a file cannot be used.
    """
    folder = mano_dir or os.environ.get(MANO_DIR_VARIABLE, '')
    if not folder:
        return read_stand_in(Side.RIGHT), read_stand_in(Side.LEFT)
    right, left = (
        read_hand_model(_find_file(Path(folder).expanduser(), side), side) for side in Side
    )
    if np.array_equal(right.v_template, left.v_template):
        raise AssetError(f'MANO_RIGHT and MANO_LEFT in {folder} hold the same hand')
    return right, mend_left(right, left)


def read_hand_model(path: Path | str, side: Side) -> HandModelFile:
    """Read one MANO file: .npz, or else a pickle, of which nothing is executed.

    :raises AssetError: when the file is absent, damaged, forbidden or of the wrong layout.
    """
    return _read(Path(path), side, name='MANO', is_stand_in=False)


def read_stand_in(side: Side) -> HandModelFile:
    """Read the stand-in hand that ships with the package."""
    path = _ASSETS / f'stand_in_{side.label}.npz'
    return _read(path, side, name='stand-in', is_stand_in=True)


def mend_left(right: HandModelFile, left: HandModelFile) -> HandModelFile:
    """Return the left model with the sign of its x shape directions mended where it is wrong.

    MANO_LEFT.pkl as released repeats the right hand's (smplx issue 48). The test is InterWild's.
    """
    difference = np.abs(left.shapedirs[:, 0, :] - right.shapedirs[:, 0, :]).sum()
    if difference >= 1:
        return left
    return replace(left, shapedirs=left.shapedirs * np.array([-1.0, 1.0, 1.0])[:, None])


def _find_file(folder: Path, side: Side) -> Path:
    names = [f'MANO_{side.name}{suffix}' for suffix in ('.pkl', '.npz')]
    places = [place / name for place in (folder, folder / 'mano') for name in names]
    for path in places:
        if path.is_file():
            return path
    raise AssetError(
        f'no {side.label} hand model: {folder} holds neither {names[0]} nor {names[1]}, '
        f'nor does {folder / "mano"}'
    )


def _read(path: Path, side: Side, *, name: str, is_stand_in: bool) -> HandModelFile:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AssetError(f'cannot read the {side.label} hand model {path}: {error}') from error
    read = _read_npz if path.suffix == '.npz' else read_pickled_arrays
    arrays = read(content, str(path))
    _check_keys(arrays, path)
    _check_skeleton(arrays, path)
    return HandModelFile(
        side=side,
        name=name,
        is_stand_in=is_stand_in,
        sha256=hashlib.sha256(content).hexdigest(),
        **{field: _numbers(arrays, field, path) for field in _FILE_KEYS},
    )


def _read_npz(content: bytes, source: str) -> dict[str, Any]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise AssetError(f'{source} is truncated or damaged: {error}') from error


def _check_keys(arrays: dict[str, Any], path: Path) -> None:
    missing = sorted(set(_FILE_KEYS.values()) - set(arrays))
    if missing:
        raise AssetError(f'{path} is no hand model: it lacks {", ".join(missing)}')


def _check_skeleton(arrays: dict[str, Any], path: Path) -> None:
    """Refuse a file whose joints hang together in another way than the 16 of MANO."""
    if 'kintree_table' not in arrays:
        return
    table = np.asarray(arrays['kintree_table'])
    parents = table[0, 1:].tolist() if table.ndim == 2 else []
    if parents != list(MANO_PARENTS[1:]):
        raise AssetError(
            f'{path} has joint parents {parents}, wanted {list(MANO_PARENTS[1:])} after the wrist'
        )


def _numbers(arrays: dict[str, Any], field: str, path: Path) -> Array:
    key = _FILE_KEYS[field]
    kind = np.uint32 if field == 'triangles' else np.float64
    try:
        array = np.asarray(arrays[key]).astype(kind)
    except (TypeError, ValueError) as error:
        raise AssetError(f'{key} of {path} is no array of numbers: {error}') from error
    if field == 'shapedirs' and array.ndim == 3:
        array = array[:, :, :BETA_COUNT]
    return np.ascontiguousarray(array)
