"""Parse COCO-WholeBody and NeuralAnnot into arrays, with the rules of what can be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

from interwild_ros.errors import AssetError
from interwild_ros.records import Array, JOINT_COUNT, Side
from interwild_ros.train.datasets.boxes import cut_region, with_corners
from interwild_ros.train.datasets.entries import Entries, entries_under, places_of
from interwild_ros.train.datasets.files import read_object
from interwild_ros.train.datasets.fits import fit_rows, FIT_SIZE, sides_of
from interwild_ros.train.datasets.joint_orders import PAIR_FROM_COCO
from interwild_ros.train.datasets.texts import pack_texts
import numpy as np

_HANDS = ('righthand', 'lefthand')  # by Side
_FIT_CAMERA_SIZE = 4


@dataclass(frozen=True)
class CocoFiles:
    """The files of one split; `fits` is None where none were published."""

    annotations: Path
    fits: Path | None

    def all(self) -> list[Path]:
        """Return every file that the result depends on."""
        return [path for path in (self.annotations, self.fits) if path is not None]


@dataclass(frozen=True, eq=False)
class CocoColumns:
    """N annotations; hands right first.

    `person_boxes` (N, 4) x, y, width, height px, and whether the file has whole numbers there.
    `hand_valid` (N, 2) is what the file says of each hand; `hand_boxes` (N, 2, 4) x1, y1, x2, y2
    px, NaN for none; `joints` (N, 42, 3) x, y px and score; `fits` (N, 2, 61) in the frames of
    `fit_cameras` (N, 2, 4): focal lengths, principal point, px.
    """

    ids: Array
    file_names: Array
    file_name_ends: Array
    image_sizes: Array
    person_boxes: Array
    person_box_is_whole: Array
    hand_valid: Array
    hand_boxes: Array
    joints: Array
    fits: Array
    fit_cameras: Array


def parse_mscoco(files: CocoFiles) -> CocoColumns:
    """Read the files and keep the annotations that can be used.

    Crowds, people without keypoints, without a valid hand or without a box in the picture are
    left out. A valid hand without a box keeps its keypoints.

    :raises AssetError: when a file is missing, cut short, of another kind or does not fit the
        others, and when nothing is left.
    """
    source = str(files.annotations)
    content = read_object(files.annotations)
    people = _with_hands(entries_under(content, 'annotations', source))
    images = _images_of(people, entries_under(content, 'images', source), source)
    sizes = np.stack([images.numbers(k, dtype=np.int32) for k in ('width', 'height')], axis=1)
    person_boxes = people.numbers('bbox', 4)
    keep = _are_in_picture(people.column('bbox'), sizes)
    people = people.picked(np.flatnonzero(keep).tolist())
    if not len(people):
        raise AssetError(f'{source}: nobody with a valid hand and a box inside the picture')
    hand_valid = np.stack([_flags(people, hand) for hand in _HANDS], axis=1)
    file_names, file_name_ends = pack_texts(compress(images.texts('file_name'), keep))
    fits, fit_cameras = _read_fits(files.fits, people.column('id'))
    return CocoColumns(
        ids=np.array(people.column('id'), dtype=np.int64),
        file_names=file_names,
        file_name_ends=file_name_ends,
        image_sizes=sizes[keep],
        person_boxes=person_boxes[keep],
        person_box_is_whole=np.array([_is_whole(box) for box in people.column('bbox')]),
        hand_valid=hand_valid,
        hand_boxes=_hand_boxes(people, hand_valid),
        joints=_joints(people),
        fits=fits,
        fit_cameras=fit_cameras,
    )


def _with_hands(people: Entries) -> Entries:
    """Leave out crowds, people without keypoints, and those without a valid hand."""
    is_crowd = people.numbers('iscrowd') != 0
    has_keypoints = people.numbers('num_keypoints') != 0
    has_hand = np.any([_flags(people, hand) for hand in _HANDS], axis=0)
    return people.picked(np.flatnonzero(~is_crowd & has_keypoints & has_hand).tolist())


def _images_of(people: Entries, images: Entries, source: str) -> Entries:
    complaint = f'{source}: images that annotations are of'
    return images.picked(places_of(people.column('image_id'), images.column('id'), complaint))


def _flags(people: Entries, hand: str) -> Array:
    return np.asarray(people.numbers(f'{hand}_valid') != 0)


def _are_in_picture(boxes: Sequence[Sequence[float]], sizes: Array) -> Array:
    cut = [cut_region(box, (w, h)) for box, (w, h) in zip(boxes, sizes.tolist(), strict=True)]
    return np.array([box is not None for box in cut], dtype=bool)


def _is_whole(box: Sequence[float]) -> bool:
    return all(isinstance(number, int) for number in box)


def _hand_boxes(people: Entries, hand_valid: Array) -> Array:
    boxes = np.stack([people.numbers(f'{hand}_box', 4) for hand in _HANDS], axis=1)
    is_box = hand_valid & (boxes[..., 2] > 0) & (boxes[..., 3] > 0)
    return np.where(is_box[..., None], with_corners(boxes), np.nan).astype(np.float32)


def _joints(people: Entries) -> Array:
    """Return x, y, score (N, 42, 3) in our order; the files have the left hand first."""
    hands = [people.numbers(f'{hand}_kpts', JOINT_COUNT, 3) for hand in reversed(_HANDS)]
    return np.concatenate(hands, axis=1)[:, PAIR_FROM_COCO].astype(np.float32)


def _read_fits(path: Path | None, ids: Sequence[Any]) -> tuple[Array, Array]:
    """Return fits (N, 2, 61) and their cameras (N, 2, 4); a person not in the file has none."""
    fits = np.full((len(ids), len(Side), FIT_SIZE), np.nan, dtype=np.float32)
    cameras = np.zeros((len(ids), len(Side), _FIT_CAMERA_SIZE))
    if path is None:
        return fits, cameras
    content = read_object(path)
    found = [content.get(str(identity)) for identity in ids]
    people = Entries(found, str(path), [f'annotation {identity}' for identity in ids])
    for side, of_side in zip(Side, sides_of(people), strict=True):
        there = [place for place, hand in enumerate(of_side.values) if hand is not None]
        hands = of_side.picked(there)
        lens = hands.under('cam_param')
        if there:
            fits[there, side] = fit_rows(hands.under('mano_param'))
            cameras[there, side, :2] = lens.numbers('focal', 2)
            cameras[there, side, 2:] = lens.numbers('princpt', 2)
    return fits, cameras
