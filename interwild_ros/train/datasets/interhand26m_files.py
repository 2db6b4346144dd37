"""Parse the files of InterHand2.6M into arrays, with the rules of what can be used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from interwild_ros.errors import AssetError
from interwild_ros.records import Array, JOINT_COUNT, Side
from interwild_ros.train.annotations import joints_of, PAIR_JOINT_COUNT, StudyCamera
from interwild_ros.train.datasets.boxes import around_joints, cut_boxes, with_corners
from interwild_ros.train.datasets.cameras import into_camera, M_PER_MM, onto_picture, picked
from interwild_ros.train.datasets.interhand26m_json import (
    read_cameras,
    read_fits,
    read_joints,
    read_views,
    Views,
)
from interwild_ros.train.datasets.texts import pack_texts
from interwild_ros.train.datasets.wrists import of_valid_wrists
import numpy as np

# Stands for the place of a joint that is not known, so that it can be projected: (1, 1, 1) mm.
UNKNOWN_POINT_M = np.full(3, M_PER_MM)
_CHUNK = 1 << 15


@dataclass(frozen=True)
class InterHandFiles:
    """The files of one split; `annotation_ids` is the user's list of what to take, or None."""

    data: Path
    camera: Path
    joints: Path
    fits: Path
    annotation_ids: Path | None

    def all(self) -> list[Path]:
        """Return every file that the result depends on."""
        paths = (self.data, self.camera, self.joints, self.fits, self.annotation_ids)
        return [path for path in paths if path is not None]


@dataclass(frozen=True, eq=False)
class InterHandColumns:
    """N annotations over F moments and C cameras; joints in our order, lengths in m.

    `hand_types` index HAND_TYPES. `valid` and `valid_2d` (N, 6) are 42 bits: joints with 3D truth,
    and those that the 2D file calls valid. `hand_boxes` (N, 2, 4) x1, y1, x2, y2 px, NaN for none.
    `camera_of`, `frame_of` (N,) are rows of what follows: `joints_world_m` (F, 42, 3),
    `fits` (F, 2, 61), and the cameras (C, ...).
    """

    ids: Array
    file_names: Array
    file_name_ends: Array
    image_sizes: Array
    hand_types: Array
    valid: Array
    valid_2d: Array
    hand_boxes: Array
    camera_of: Array
    frame_of: Array
    joints_world_m: Array
    fits: Array
    focal: Array
    principal: Array
    rotation: Array
    translation_m: Array

    def camera(self, row: int) -> StudyCamera:
        """Return the camera of an annotation."""
        cameras = StudyCamera(self.focal, self.principal, self.rotation, self.translation_m)
        return picked(cameras, int(self.camera_of[row]))

    def fits_of(self, row: int) -> Array:
        """Return the parameters (2, 61) of an annotation: none for a hand without box."""
        has_box = np.isfinite(self.hand_boxes[row]).all(axis=1)
        return np.where(has_box[:, None], self.fits[self.frame_of[row]], np.nan)


def unpacked_valid(packed: Array) -> Array:
    """Return 42 booleans of their 6 bytes."""
    return np.unpackbits(packed, axis=-1, count=PAIR_JOINT_COUNT).astype(bool)


def parse_interhand26m(files: InterHandFiles) -> InterHandColumns:
    """Read the files and keep the annotations that can be used.

    A hand counts from its wrist: without it none of its joints is valid. An annotation needs a
    valid joint in both files, and the box of a hand around joints valid in the 2D file; a hand
    without box has no valid joints and no fit.

    :raises AssetError: when a file is missing, cut short, of another kind or does not fit the
        others, and when nothing is left.
    """
    views = read_views(files.data, files.annotation_ids)
    cameras = read_cameras(files.camera, views.cameras)
    joints_world_m, valid_of_frame = read_joints(files.joints, views.frames)
    fits = read_fits(files.fits, views.frames)
    valid = of_valid_wrists(valid_of_frame)[views.frame_of]
    valid_2d = of_valid_wrists(views.valid_2d)
    boxes = _hand_boxes(views, cameras, joints_world_m, valid, valid_2d)
    has_box = np.all(np.isfinite(boxes), axis=2)
    keep = np.any(valid, axis=1) & np.any(valid_2d, axis=1) & np.any(has_box, axis=1)
    if not keep.any():
        raise AssetError(f'{files.data}: none of {len(keep)} annotations has a hand with a box')
    of_boxes = np.repeat(has_box, JOINT_COUNT, axis=1)
    file_names, file_name_ends = pack_texts(compress(views.file_names, keep))
    return InterHandColumns(
        ids=views.ids[keep],
        file_names=file_names,
        file_name_ends=file_name_ends,
        image_sizes=views.image_sizes[keep],
        hand_types=views.hand_types[keep],
        valid=np.packbits((valid & of_boxes)[keep], axis=1),
        valid_2d=np.packbits((valid_2d & of_boxes)[keep], axis=1),
        hand_boxes=boxes[keep],
        camera_of=views.camera_of[keep],
        frame_of=views.frame_of[keep],
        joints_world_m=joints_world_m,
        fits=fits,
        focal=cameras.focal,
        principal=cameras.principal,
        rotation=np.asarray(cameras.rotation),
        translation_m=np.asarray(cameras.translation_m),
    )


def joints_cam_m(camera: StudyCamera, world_m: Array, valid: Array) -> Array:
    """Return joints (..., 42, 3) in the camera frame; the invalid ones at UNKNOWN_POINT_M."""
    known = into_camera(camera, world_m.astype(np.float64))
    return np.where(valid[..., None], known, UNKNOWN_POINT_M)


def _hand_boxes(
    views: Views, cameras: StudyCamera, world_m: Array, valid: Array, valid_2d: Array
) -> Array:
    """Return the boxes (N, 2, 4) x1, y1, x2, y2 around the hands' joints, NaN for none."""
    boxes = np.empty((len(valid), len(Side), 4), dtype=np.float32)
    for rows in _chunks(len(valid)):
        camera = picked(cameras, views.camera_of[rows])
        in_camera = joints_cam_m(camera, world_m[views.frame_of[rows]], valid[rows])
        joints_px = onto_picture(camera, in_camera)
        for side in Side:
            joints = joints_of(side)
            around = around_joints(joints_px[:, joints], valid_2d[rows, joints])
            boxes[rows, side] = with_corners(cut_boxes(around, views.image_sizes[rows]))
    return boxes


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, _CHUNK):
        yield slice(start, start + _CHUNK)
