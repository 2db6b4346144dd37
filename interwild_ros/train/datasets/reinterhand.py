"""ReInterHand: tracked pairs of hands, relit, through studio cameras or those of a headset.

    ROOT/<capture>/Mugsy_cameras/cam_params.json                        (or ROOT/data/<capture>)
    ROOT/<capture>/Mugsy_cameras/<envmap>/images/<camera>/<frame>.png
    ROOT/<capture>/Ego_cameras/<envmap>/{images/<frame>.png, cam_params/<frame>.json}
    ROOT/<capture>/Ego_cameras/<envmap>/truncation_ratio.json
    ROOT/<capture>/frame_list.txt                                       segment, frame
    ROOT/<capture>/orig_fits/{right,left}/Keypoints/keypoint-<frame>.json
    ROOT/<capture>/mano_fits/params/<frame>_{right,left}.json

Source: NETWORKS.md section 16.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from interwild_ros.errors import AssetError
from interwild_ros.records import Array
from interwild_ros.train.annotations import Annotation, PAIR_JOINT_COUNT, StudyCamera
from interwild_ros.train.datasets.boxes import around_joints, both_boxes, with_corners
from interwild_ros.train.datasets.cache import cached
from interwild_ros.train.datasets.cameras import into_camera, onto_picture
from interwild_ros.train.datasets.files import shortened, wanted_folder
from interwild_ros.train.datasets.fits import both_fits
from interwild_ros.train.datasets.joint_orders import HAND_FROM_REINTERHAND, REINTERHAND_IS_JOINT
from interwild_ros.train.datasets.reinterhand_files import parse_reinterhand, ReInterHandColumns
from interwild_ros.train.datasets.reinterhand_views import (
    EgoCapture,
    MugsyCapture,
    picture_name,
)
from interwild_ros.train.datasets.texts import text_at
from interwild_ros.train.datasets.wrists import seen_from_wrists
import numpy as np

NAME = 'ReInterHand'
TEST_CAPTURES = (
    'm--20221215--0949--RNS217--pilot--ProjectGoliathScript--Hands--two-hands',
    'm--20221216--0953--NKC880--pilot--ProjectGoliathScript--Hands--two-hands',
    'm--20230317--1130--QZX685--pilot--ProjectGoliath--Hands--two-hands',
)
LEAST_DEPTH_M = 1e-4  # what a depth of exactly 0 becomes, so that it can be projected

CameraMode = Literal['Mugsy', 'Ego']
_CAPTURES = {'Mugsy': MugsyCapture, 'Ego': EgoCapture}


def read_reinterhand(
    root: Path,
    split: str = 'train',
    *,
    cam_mode: CameraMode = 'Mugsy',
    envmap: str = 'envmap_per_frame',
    cache_dir: Path | None = None,
) -> ReInterHand:
    """Read one split: the three test captures, or all others.

    :param root: the folder with the captures, or with data/ and the captures in it.
    :param split: 'train' or 'test'.
    :param cam_mode: 'Mugsy', the studio's cameras, or 'Ego', a headset's fisheyes.
    :param envmap: the folder of the lighting: 'envmap_per_frame' or 'envmap_per_segment'.
    :param cache_dir: where to keep what was parsed; None parses every time.
    :raises AssetError: when a folder or file is missing, cut short or has other content.
    """
    root = wanted_folder(Path(root), f'the captures of {NAME}')
    root = root / 'data' if (root / 'data').is_dir() else root
    captures = [_CAPTURES[cam_mode](folder, envmap) for folder in _folders(root, split)]
    columns = cached(
        cache_dir,
        identity=f'{root} {split} {cam_mode} {envmap}',
        sources=(source for capture in captures for source in capture.sources()),
        kind=ReInterHandColumns,
        build=lambda: parse_reinterhand(captures, root),
    )
    return ReInterHand(f'{NAME} {cam_mode} {split}', root, columns)


class ReInterHand:
    """The annotations of one split, kept as arrays; both hands are in each."""

    has_3d = True

    def __init__(self, name: str, root: Path, columns: ReInterHandColumns) -> None:
        """Keep the arrays.

        :param root: the folder with the captures.
        """
        self.name = name
        self._root = root
        self._columns = columns

    def __len__(self) -> int:
        """Return how many annotations there are."""
        return len(self._columns.frame_of)

    def picture_path(self, index: int) -> Path:
        """Return the picture's file without making the annotation."""
        return self._root / self._picture(range(len(self))[index])

    def __getitem__(self, index: int) -> Annotation:
        """Return one annotation; IndexError beyond the last."""
        row = range(len(self))[index]
        columns = self._columns
        camera = columns.camera(row)
        frame = columns.frame_of[row]
        all_m = _in_camera(camera, columns.joints_world_m[frame])
        all_px = np.stack([onto_picture(camera, hand_m) for hand_m in all_m])
        joints_px = all_px[:, HAND_FROM_REINTERHAND].reshape(PAIR_JOINT_COUNT, 2)
        joints_m = all_m[:, HAND_FROM_REINTERHAND].reshape(PAIR_JOINT_COUNT, 3)
        relative_m, left_from_right_m = seen_from_wrists(joints_m)
        width, height = columns.image_sizes[columns.camera_of[row]].tolist()
        return Annotation(
            name=f'{self.name} {self._picture(row)}',
            image=self.picture_path(row),
            image_size=(width, height),
            person_box=(0.0, 0.0, float(width), float(height)),
            person_scale=1.0,
            hand_boxes=both_boxes(_hand_boxes(all_px, (width, height))),
            joints_px=joints_px,
            joint_depths_m=relative_m[:, 2],
            joints_cam_m=relative_m,
            joint_valid=np.ones(PAIR_JOINT_COUNT),
            left_from_right_m=left_from_right_m,
            left_from_right_valid=True,
            fits=both_fits(columns.fits[frame], camera),
            has_3d=self.has_3d,
            hand_type='interacting',
            joint_valid_2d=np.ones(PAIR_JOINT_COUNT),
        )

    def _picture(self, row: int) -> str:
        """Return the picture's file relative to the root."""
        columns = self._columns
        folder = columns.folder_of[columns.camera_of[row]]
        frame = int(columns.frame_numbers[columns.frame_of[row]])
        return f'{text_at(columns.folders, columns.folder_ends, folder)}/{picture_name(frame)}'


def _folders(root: Path, split: str) -> list[Path]:
    """Return the folders of a split's captures; a test needs all of its own."""
    if split not in ('train', 'test'):
        raise AssetError(f'{NAME} has no split {split!r}, wanted train or test')
    if split == 'test':
        return [wanted_folder(root / name, f'a test capture of {NAME}') for name in TEST_CAPTURES]
    found = sorted(folder for folder in root.glob('m--*') if folder.is_dir())
    train = [folder for folder in found if folder.name not in TEST_CAPTURES]
    if not train:
        raise AssetError(f'{root}: no capture to train on; found {shortened(found) or "nothing"}')
    return train


def _in_camera(camera: StudyCamera, world_m: Array) -> Array:
    points_m = into_camera(camera, world_m.astype(np.float64))
    points_m[..., 2] = np.where(points_m[..., 2] == 0, LEAST_DEPTH_M, points_m[..., 2])
    return points_m


def _hand_boxes(joints_px: Array, image_size: tuple[int, int]) -> Array:
    """Return x1, y1, x2, y2 (2, 4) around the joints (2, 24, 2) in the picture; NaN for none."""
    is_in_picture = ((joints_px >= 0) & (joints_px < image_size)).all(axis=-1)
    return with_corners(around_joints(joints_px, is_in_picture & REINTERHAND_IS_JOINT))
