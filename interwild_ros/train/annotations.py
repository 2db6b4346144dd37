"""What a data set says of one picture, before any transform: original pixels, metres, radians.

Readers of data sets and the synthetic world make these; `transforms` turns them into samples.
Hands come right before left; joints of both hands are 42, right ones first (TH-42).
Source: NETWORKS.md section 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from interwild_ros.errors import AssetError
from interwild_ros.records import Array, JOINT_COUNT, Side, VERTEX_COUNT

PAIR_JOINT_COUNT = 2 * JOINT_COUNT
HAND_TYPES = ('right', 'left', 'interacting')
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class StudyCamera:
    """The camera of an annotation, in px of the original picture.

    `rotation` (3, 3) and `translation_m` (3,) move world points into the camera, and are None
    where the annotation is already in the camera frame. `fisheye` holds 4 equidistant
    coefficients, None for a pinhole.
    """

    focal: Array
    principal: Array
    rotation: Array | None = None
    translation_m: Array | None = None
    fisheye: Array | None = None


@dataclass(frozen=True, eq=False)
class ManoFit:
    """A hand model's parameters: `pose` (48,) rad without mean, `shape` (10,), `trans` (3,) m.

    They hold in the world of `camera` (or in the camera frame, where it has no rotation).
    """

    pose: Array
    shape: Array
    trans: Array
    camera: StudyCamera


@dataclass(frozen=True, eq=False)
class Annotation:
    """One picture's truth.

    `image` is a file; None when the picture comes otherwise (synthetic). `person_box` x, y, width,
    height px is what the networks' input is laid over, before `person_scale` widens it.
    `hand_boxes` x1, y1, x2, y2 px, right first, None where there is none.
    `joints_px` (42, 2); `joint_depths_m` (42,) relative to the own wrist; `joints_cam_m` (42, 3)
    relative to the own wrist; `joint_valid` (42,) 0 or 1. `left_from_right_m` (3,) and whether it
    is valid. `fits`, right first, None where absent. `has_3d` is False for weak 2D supervision.
    `hand_type` is 'right', 'left' or 'interacting'; `joint_valid_2d` (42,) is the vector that
    evaluation uses (Q15). `name` says where it comes from, for messages. `meshes_cam_m`, right
    first, are vertices (778, 3) in the camera frame where the truth is a mesh instead of a fit;
    then `camera` is given, as no fit has it.
    """

    name: str
    image: Path | None
    image_size: tuple[int, int]
    person_box: Box
    person_scale: float
    hand_boxes: tuple[Box | None, Box | None]
    joints_px: Array
    joint_depths_m: Array
    joints_cam_m: Array
    joint_valid: Array
    left_from_right_m: Array
    left_from_right_valid: bool
    fits: tuple[ManoFit | None, ManoFit | None]
    has_3d: bool
    hand_type: str
    joint_valid_2d: Array
    meshes_cam_m: tuple[Array | None, Array | None] = (None, None)
    camera: StudyCamera | None = None

    def __post_init__(self) -> None:
        """Check shapes and the hand type."""
        shapes = {
            'joints_px': (PAIR_JOINT_COUNT, 2),
            'joint_depths_m': (PAIR_JOINT_COUNT,),
            'joints_cam_m': (PAIR_JOINT_COUNT, 3),
            'joint_valid': (PAIR_JOINT_COUNT,),
            'joint_valid_2d': (PAIR_JOINT_COUNT,),
            'left_from_right_m': (3,),
        }
        for name, shape in shapes.items():
            found = getattr(self, name).shape
            if found != shape:
                raise AssetError(f'{self.name}: {name} has shape {found}, wanted {shape}')
        for mesh in self.meshes_cam_m:
            if mesh is not None and mesh.shape != (VERTEX_COUNT, 3):
                raise AssetError(
                    f'{self.name}: a mesh has shape {mesh.shape}, wanted {(VERTEX_COUNT, 3)}'
                )
        if self.hand_type not in HAND_TYPES:
            raise AssetError(
                f'{self.name}: hand type is {self.hand_type!r}, wanted {" or ".join(HAND_TYPES)}'
            )


class AnnotationSet(Protocol):
    """The annotations of a data set by index, each made when it is asked for.

    Whatever keeps to this can be trained on or evaluated: readers of files, the synthetic world.
    """

    @property
    def name(self) -> str:
        """What to call it in messages and tables."""

    @property
    def has_3d(self) -> bool:
        """Whether its annotations carry 3D truth; weak 2D supervision otherwise."""

    def __len__(self) -> int:
        """Return how many annotations there are."""

    def __getitem__(self, index: int) -> Annotation:
        """Return one; IndexError beyond the last."""


def joints_of(side: Side) -> slice:
    """Return the rows of one hand among the 42 joints."""
    return slice(side * JOINT_COUNT, (side + 1) * JOINT_COUNT)
