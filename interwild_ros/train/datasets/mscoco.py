"""MSCOCO with COCO-WholeBody's hand keypoints and NeuralAnnot's fits: weak, 2D supervision.

    ROOT/images/{train2017,val2017}/<file_name>                (or ROOT/{train2017,val2017}/...)
    ROOT/annotations/coco_wholebody_{train,val}_v1.0.json
    ROOT/annotations/MSCOCO_train_MANO_NeuralAnnot.json        (there is none for val)

Source: NETWORKS.md section 16.
"""

from __future__ import annotations

from pathlib import Path

from interwild_ros.records import Array, Side
from interwild_ros.train.annotations import (
    Annotation,
    Box,
    ManoFit,
    PAIR_JOINT_COUNT,
    StudyCamera,
)
from interwild_ros.train.datasets.boxes import both_boxes
from interwild_ros.train.datasets.cache import cached
from interwild_ros.train.datasets.files import wanted_folder
from interwild_ros.train.datasets.fits import fit_or_none
from interwild_ros.train.datasets.mscoco_json import CocoColumns, CocoFiles, parse_mscoco
from interwild_ros.train.datasets.packed import PackedSet
import numpy as np

NAME = 'MSCOCO'
PERSON_SCALE = 1.25


def read_mscoco(root: Path, split: str = 'train', *, cache_dir: Path | None = None) -> MsCoco:
    """Read one split.

    :param root: the folder with images/ and annotations/.
    :param split: 'train' or 'val'.
    :param cache_dir: where to keep what was parsed; None parses every time.
    :raises AssetError: when a folder or file is missing, cut short or has other content.
    """
    folder = wanted_folder(Path(root) / 'annotations', f'coco_wholebody_{split}_v1.0.json')
    files = CocoFiles(
        annotations=folder / f'coco_wholebody_{split}_v1.0.json',
        fits=folder / f'MSCOCO_{split}_MANO_NeuralAnnot.json' if split == 'train' else None,
    )
    pictures = _pictures(Path(root), split)
    columns = cached(
        cache_dir,
        identity=' '.join(map(str, files.all())),
        sources=files.all(),
        kind=CocoColumns,
        build=lambda: parse_mscoco(files),
    )
    return MsCoco(f'{NAME} {split}', pictures, columns)


class MsCoco(PackedSet[CocoColumns]):
    """The annotations of one split, kept as arrays."""

    has_3d = False

    def __getitem__(self, index: int) -> Annotation:
        """Return one annotation; IndexError beyond the last."""
        row = range(len(self))[index]
        columns = self._columns
        joints = columns.joints[row].astype(np.float64)
        valid = (joints[:, 2] > 0).astype(np.float64)
        width, height = columns.image_sizes[row].tolist()
        return Annotation(
            name=f'{self.name} annotation {columns.ids[row]}',
            image=self.picture_path(row),
            image_size=(width, height),
            person_box=_person_box(columns, row),
            person_scale=PERSON_SCALE,
            hand_boxes=both_boxes(columns.hand_boxes[row]),
            joints_px=joints[:, :2],
            joint_depths_m=np.zeros(PAIR_JOINT_COUNT),
            joints_cam_m=np.zeros((PAIR_JOINT_COUNT, 3)),
            joint_valid=valid,
            left_from_right_m=np.zeros(3),
            left_from_right_valid=False,
            fits=(_fit(columns, row, Side.RIGHT), _fit(columns, row, Side.LEFT)),
            has_3d=self.has_3d,
            hand_type=_hand_type(columns.hand_valid[row]),
            joint_valid_2d=valid,
        )


def _pictures(root: Path, split: str) -> Path:
    for folder in (root / 'images' / f'{split}2017', root / f'{split}2017'):
        if folder.is_dir():
            return folder
    return wanted_folder(root / 'images' / f'{split}2017', f'the pictures of {NAME} {split}')


def _person_box(columns: CocoColumns, row: int) -> Box:
    """Return the box as the file has it: whole numbers stay whole, to be rounded as such (Q1)."""
    numbers = columns.person_boxes[row]
    if columns.person_box_is_whole[row]:
        numbers = numbers.astype(np.int64)
    x, y, width, height = numbers.tolist()
    return x, y, width, height


def _fit(columns: CocoColumns, row: int, side: Side) -> ManoFit | None:
    focal, principal = np.split(columns.fit_cameras[row, side], 2)
    return fit_or_none(columns.fits[row, side], StudyCamera(focal, principal))


def _hand_type(hand_valid: Array) -> str:
    right, left = hand_valid.tolist()
    return 'interacting' if right and left else 'right' if right else 'left'
