"""HIC, the hands in action, for evaluation: pictures with the meshes of the hands.

    ROOT/HIC.json             COCO: images, and annotations with hand_type and two mesh files
    ROOT/<file_name>          pictures and meshes, as named there

Source: NETWORKS.md section 16.
"""

from __future__ import annotations

from pathlib import Path

from interwild_ros.errors import AssetError
from interwild_ros.records import Array, VERTEX_COUNT
from interwild_ros.train.annotations import (
    Annotation,
    Box,
    HAND_TYPES,
    PAIR_JOINT_COUNT,
    StudyCamera,
)
from interwild_ros.train.datasets.boxes import around_joints, box_or_none, with_corners
from interwild_ros.train.datasets.cameras import onto_picture
from interwild_ros.train.datasets.entries import described, Entries, entries_under, places_of
from interwild_ros.train.datasets.files import read_object, shortened, wanted_folder
from interwild_ros.train.datasets.hand_types import hand_type_numbers
from interwild_ros.train.datasets.ply import read_ply_vertices
import numpy as np

NAME = 'HIC'
CAMERA = StudyCamera(focal=np.array([525.0, 525.0]), principal=np.array([319.5, 239.5]))
_MESH_KEYS = ('right_mano_path', 'left_mano_path')  # by Side

MeshPaths = tuple[Path | None, Path | None]


def read_hic(root: Path, split: str = 'test') -> Hic:
    """Read the whole of it; meshes and pictures are opened when an annotation is asked for.

    :param root: the folder with HIC.json.
    :param split: 'test': there is no other.
    :raises AssetError: when a file is missing, cut short or has other content.
    """
    if split != 'test':
        raise AssetError(f'{NAME} has no split {split!r}, wanted test')
    folder = wanted_folder(Path(root), f'{NAME}.json')
    path = folder / f'{NAME}.json'
    content = read_object(path)
    annotations = entries_under(content, 'annotations', str(path))
    images = entries_under(content, 'images', str(path))
    complaint = f'{path}: images that annotations are of'
    of_image = places_of(annotations.column('image_id'), images.column('id'), complaint)
    return Hic(folder, annotations, images.picked(of_image))


class Hic:
    """The annotations of HIC: a few thousand, kept as they are.

    The truth is meshes; joints are zero and invalid.
    """

    name = f'{NAME} test'
    has_3d = True

    def __init__(self, folder: Path, annotations: Entries, images: Entries) -> None:
        """Check what the file says, and that the meshes are there."""
        self._folder = folder
        self._ids = annotations.column('id')
        self._hand_types = hand_type_numbers(annotations)
        self._file_names = images.texts('file_name')
        sizes = [images.numbers(key, dtype=np.int32) for key in ('width', 'height')]
        self._image_sizes = np.stack(sizes, axis=1)
        self._meshes = _mesh_paths(annotations, folder)

    def __len__(self) -> int:
        """Return how many annotations there are."""
        return len(self._ids)

    def picture_path(self, index: int) -> Path:
        """Return the picture's file without making the annotation."""
        return self._folder / self._file_names[range(len(self))[index]]

    def __getitem__(self, index: int) -> Annotation:
        """Return one annotation; IndexError beyond the last.

        :raises AssetError: when a mesh cannot be read.
        """
        row = range(len(self))[index]
        right, left = (_mesh_or_none(path) for path in self._meshes[row])
        width, height = self._image_sizes[row].tolist()
        return Annotation(
            name=f'{self.name} annotation {self._ids[row]}',
            image=self.picture_path(row),
            image_size=(width, height),
            person_box=(0.0, 0.0, float(width), float(height)),
            person_scale=1.0,
            hand_boxes=(_box_around(right), _box_around(left)),
            joints_px=np.zeros((PAIR_JOINT_COUNT, 2)),
            joint_depths_m=np.zeros(PAIR_JOINT_COUNT),
            joints_cam_m=np.zeros((PAIR_JOINT_COUNT, 3)),
            joint_valid=np.zeros(PAIR_JOINT_COUNT),
            left_from_right_m=np.zeros(3),
            left_from_right_valid=False,
            fits=(None, None),
            has_3d=self.has_3d,
            hand_type=HAND_TYPES[self._hand_types[row]],
            joint_valid_2d=np.zeros(PAIR_JOINT_COUNT),
            meshes_cam_m=(right, left),
            camera=CAMERA,
        )


def _mesh_paths(annotations: Entries, folder: Path) -> list[MeshPaths]:
    """Return the mesh files, right first, all of which are there.

    :raises AssetError: naming those that are not, and entries that are neither text nor null.
    """
    columns = [annotations.column(key) for key in _MESH_KEYS]
    for key, names in zip(_MESH_KEYS, columns, strict=True):
        for place, name in enumerate(names):
            if not isinstance(name, str | None):
                raise AssetError(
                    f'{annotations.source}: entry {place}: {key!r} is {described(name)}, '
                    'wanted text or null'
                )
    pairs = [
        (_in_folder(right, folder), _in_folder(left, folder))
        for right, left in zip(*columns, strict=True)
    ]
    absent = [path for pair in pairs for path in pair if path is not None and not path.is_file()]
    if absent:
        raise AssetError(f'{NAME}: {len(absent)} meshes are missing: {shortened(absent)}')
    return pairs


def _in_folder(name: str | None, folder: Path) -> Path | None:
    return None if name is None else folder / name


def _mesh_or_none(path: Path | None) -> Array | None:
    return None if path is None else read_ply_vertices(path, count=VERTEX_COUNT)


def _box_around(mesh_cam_m: Array | None) -> Box | None:
    """Return the box x1, y1, x2, y2 around the mesh in the picture, widened as for joints."""
    if mesh_cam_m is None:
        return None
    pixels = onto_picture(CAMERA, mesh_cam_m)
    return box_or_none(with_corners(around_joints(pixels, np.ones(len(pixels), dtype=bool))))
