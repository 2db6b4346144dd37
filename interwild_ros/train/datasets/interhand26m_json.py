"""Read the JSON files of InterHand2.6M, each for the annotations that are wanted of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interwild_ros.errors import AssetError
from interwild_ros.records import Array
from interwild_ros.train.annotations import PAIR_JOINT_COUNT, StudyCamera
from interwild_ros.train.datasets.cameras import M_PER_MM
from interwild_ros.train.datasets.entries import described, Entries, entries_under, places_of
from interwild_ros.train.datasets.files import read_object, read_whole_numbers
from interwild_ros.train.datasets.fits import fit_rows, sides_of
from interwild_ros.train.datasets.hand_types import hand_type_numbers
from interwild_ros.train.datasets.joint_orders import PAIR_FROM_INTERHAND
import numpy as np

_WORLD_SHAPE = (PAIR_JOINT_COUNT, 3)
_CAMERA_KEYS = ('campos', 'camrot', 'focal', 'princpt')

Place = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Views:
    """What data.json says of N annotations: which picture, camera and moment.

    `hand_types` (N,) index HAND_TYPES; `valid_2d` (N, 42) booleans in our order. `cameras` are
    (capture, camera) and `frames` (capture, frame), of which `camera_of` and `frame_of` (N,) are
    rows.
    """

    ids: Array
    file_names: list[str]
    image_sizes: Array
    hand_types: Array
    valid_2d: Array
    cameras: list[Place]
    camera_of: Array
    frames: list[Place]
    frame_of: Array


def read_views(path: Path, id_list: Path | None) -> Views:
    """Read data.json, of all annotations or of those in a list of ids.

    :raises AssetError: for what is missing or wrong, ids and images that are not there included.
    """
    content = read_object(path)
    annotations = entries_under(content, 'annotations', str(path))
    ids = annotations.column('id')
    if id_list is not None:
        wanted = read_whole_numbers(id_list)
        annotations = annotations.picked(places_of(wanted, ids, f'{path}: ids of {id_list}'))
        ids = wanted
    images = entries_under(content, 'images', str(path))
    images = images.picked(
        places_of(
            annotations.column('image_id'),
            images.column('id'),
            f'{path}: images that annotations are of',
        )
    )
    captures = [str(capture) for capture in images.column('capture')]
    frames, frame_of = _numbered(zip(captures, map(str, images.column('frame_idx')), strict=True))
    cameras, camera_of = _numbered(zip(captures, map(str, images.column('camera')), strict=True))
    sizes = [images.numbers(key, dtype=np.int32) for key in ('width', 'height')]
    valid_2d = annotations.numbers('joint_valid', PAIR_JOINT_COUNT, dtype=np.float32) > 0
    return Views(
        ids=np.array(ids, dtype=np.int64),
        file_names=images.texts('file_name'),
        image_sizes=np.stack(sizes, axis=1),
        hand_types=hand_type_numbers(annotations),
        valid_2d=valid_2d[:, PAIR_FROM_INTERHAND],
        cameras=cameras,
        camera_of=camera_of,
        frames=frames,
        frame_of=frame_of,
    )


def read_cameras(path: Path, cameras: Sequence[Place]) -> StudyCamera:
    """Read camera.json: the stack of these cameras, from mm and camera positions."""
    content = read_object(path)
    found = [_camera_entry(content, place, path) for place in cameras]
    entries = Entries(found, str(path), [f'capture {c} camera {name}' for c, name in cameras])
    rotation = entries.numbers('camrot', 3, 3)
    position_m = entries.numbers('campos', 3) * M_PER_MM
    return StudyCamera(
        focal=entries.numbers('focal', 2),
        principal=entries.numbers('princpt', 2),
        rotation=rotation,
        translation_m=-(rotation @ position_m[..., None])[..., 0],
    )


def read_joints(path: Path, frames: Sequence[Place]) -> tuple[Array, Array]:
    """Read joint_3d.json: joints (F, 42, 3) m in the world, and their validity (F, 42)."""
    content = read_object(path)
    found = [_at(content, place, path) for place in frames]
    entries = Entries(found, str(path), [f'capture {c} frame {frame}' for c, frame in frames])
    world_m = entries.numbers('world_coord', *_WORLD_SHAPE) * M_PER_MM
    valid = entries.numbers('joint_valid', PAIR_JOINT_COUNT) > 0
    return world_m[:, PAIR_FROM_INTERHAND].astype(np.float32), valid[:, PAIR_FROM_INTERHAND]


def read_fits(path: Path, frames: Sequence[Place]) -> Array:
    """Read MANO_NeuralAnnot.json: fits (F, 2, 61); a frame that is not in it has none."""
    content = read_object(path)
    found = [_children(content, capture).get(frame) for capture, frame in frames]
    names = [f'capture {c} frame {frame}' for c, frame in frames]
    sides = sides_of(Entries(found, str(path), names))
    return np.stack([fit_rows(hands) for hands in sides], axis=1)


def _numbered(places: Iterable[Place]) -> tuple[list[Place], Array]:
    """Return each different place once, and for all which of these they are."""
    numbers: dict[Place, int] = {}
    rows = [numbers.setdefault(place, len(numbers)) for place in places]
    return list(numbers), np.array(rows, dtype=np.int32)


def _children(content: dict[str, Any], key: str) -> dict[str, Any]:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _at(content: dict[str, Any], place: Place, path: Path) -> Any:
    capture, key = place
    found = _children(content, capture).get(key)
    if found is None:
        raise AssetError(f'{path}: nothing under capture {capture!r}, {key!r}; data.json names it')
    return found


def _camera_entry(content: dict[str, Any], place: Place, path: Path) -> dict[str, Any]:
    capture, name = place
    of_capture = _children(content, capture)
    entry = {key: _children(of_capture, key).get(name) for key in _CAMERA_KEYS}
    absent = [key for key, value in entry.items() if value is None]
    if absent:
        raise AssetError(
            f'{path}: no {" ".join(absent)} of camera {name!r} in capture {capture!r}, '
            f'found {described(of_capture)}; data.json names it'
        )
    return entry
