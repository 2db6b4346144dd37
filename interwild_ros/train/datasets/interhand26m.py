"""InterHand2.6M: single and interacting hands in a studio, with 3D joints and hand model fits.

    ROOT/images/<split>/<file_name of data.json>
    ROOT/annotations/<split>/InterHand2.6M_<split>_data.json
    ROOT/annotations/<split>/InterHand2.6M_<split>_camera.json
    ROOT/annotations/<split>/InterHand2.6M_<split>_joint_3d.json
    ROOT/annotations/<split>/InterHand2.6M_<split>_MANO_NeuralAnnot.json

Source: NETWORKS.md section 16.
"""

from __future__ import annotations

from pathlib import Path

from interwild_ros.errors import AssetError
from interwild_ros.train.annotations import Annotation, HAND_TYPES
from interwild_ros.train.datasets.boxes import both_boxes
from interwild_ros.train.datasets.cache import cached
from interwild_ros.train.datasets.cameras import onto_picture
from interwild_ros.train.datasets.files import wanted_folder
from interwild_ros.train.datasets.fits import both_fits
from interwild_ros.train.datasets.interhand26m_files import (
    InterHandColumns,
    InterHandFiles,
    joints_cam_m,
    parse_interhand26m,
    unpacked_valid,
)
from interwild_ros.train.datasets.packed import PackedSet
from interwild_ros.train.datasets.wrists import has_both_wrists, seen_from_wrists
import numpy as np

NAME = 'InterHand2.6M'
ID_LIST = 'aid_human_annot_{split}.txt'


def read_interhand26m(
    root: Path,
    split: str = 'train',
    *,
    annotation_ids: Path | None = None,
    cache_dir: Path | None = None,
) -> InterHand26M:
    """Read one split.

    :param root: the folder with images/ and annotations/.
    :param split: 'train', 'val' or 'test'.
    :param annotation_ids: text file with the annotation ids to take, one on each line. Without
        it, train and val are taken whole; test is scored on the ids of aid_human_annot_test.txt,
        which is looked for in annotations/ and annotations/test/ and has to be there.
    :param cache_dir: where to keep what was parsed; None parses every time.
    :raises AssetError: when a folder or file is missing, cut short or has other content.
    """
    pictures = wanted_folder(Path(root) / 'images' / split, f'the pictures of {NAME} {split}')
    folder = wanted_folder(Path(root) / 'annotations' / split, f'InterHand2.6M_{split}_data.json')
    if annotation_ids is None and split == 'test':
        annotation_ids = _test_ids(folder)
    files = _files(folder, split, annotation_ids)
    columns = cached(
        cache_dir,
        identity=' '.join(map(str, files.all())),
        sources=files.all(),
        kind=InterHandColumns,
        build=lambda: parse_interhand26m(files),
    )
    return InterHand26M(f'{NAME} {split}', pictures, columns)


class InterHand26M(PackedSet[InterHandColumns]):
    """The annotations of one split, kept as arrays."""

    has_3d = True

    def __getitem__(self, index: int) -> Annotation:
        """Return one annotation; IndexError beyond the last."""
        row = range(len(self))[index]
        columns = self._columns
        camera = columns.camera(row)
        valid = unpacked_valid(columns.valid[row])
        joints_m = joints_cam_m(camera, columns.joints_world_m[columns.frame_of[row]], valid)
        relative_m, left_from_right_m = seen_from_wrists(joints_m)
        width, height = columns.image_sizes[row].tolist()
        return Annotation(
            name=f'{self.name} annotation {columns.ids[row]}',
            image=self.picture_path(row),
            image_size=(width, height),
            person_box=(0.0, 0.0, float(width), float(height)),
            person_scale=1.0,
            hand_boxes=both_boxes(columns.hand_boxes[row]),
            joints_px=onto_picture(camera, joints_m),
            joint_depths_m=relative_m[:, 2],
            joints_cam_m=relative_m,
            joint_valid=valid.astype(np.float64),
            left_from_right_m=left_from_right_m,
            left_from_right_valid=has_both_wrists(valid),
            fits=both_fits(columns.fits_of(row), camera),
            has_3d=self.has_3d,
            hand_type=HAND_TYPES[columns.hand_types[row]],
            joint_valid_2d=unpacked_valid(columns.valid_2d[row]).astype(np.float64),
        )


def _files(folder: Path, split: str, annotation_ids: Path | None) -> InterHandFiles:
    data, camera, joints, fits = (
        folder / f'InterHand2.6M_{split}_{name}.json'
        for name in ('data', 'camera', 'joint_3d', 'MANO_NeuralAnnot')
    )
    return InterHandFiles(data, camera, joints, fits, annotation_ids)


def _test_ids(folder: Path) -> Path:
    name = ID_LIST.format(split='test')
    places = (folder.parent / name, folder / name)
    for place in places:
        if place.is_file():
            return place
    raise AssetError(
        f'{NAME} test is scored on listed annotations: wanted {name} in {folder.parent} or '
        f'{folder}, found neither. The list comes with the official code and is not ours to ship'
    )
