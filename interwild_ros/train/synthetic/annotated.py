"""Synthetic pictures as a data set: annotations as readers of data sets make them, and pictures.

The wild says what MSCOCO says: joints in the picture and a fit of each hand, which has a camera of
its own, so that nothing tells where the hands are to each other.
"""

from __future__ import annotations

from interwild_ros.records import Array, Image, Side
from interwild_ros.train.annotations import Annotation, Box, ManoFit, PAIR_JOINT_COUNT, StudyCamera
from interwild_ros.train.datasets.boxes import around_joints, both_boxes, cut_boxes, with_corners
from interwild_ros.train.synthetic.domains import Domain
from interwild_ros.train.synthetic.pictures import PictureMaker, Views
from interwild_ros.train.synthetic.scenes import SceneMaker, Scenes
import numpy as np
import torch

_HAND_SHARE = 0.15  # of a picture's longer side: what a hand takes, as a rule
_FIT_FOCAL_STD = 0.15  # of the logarithm: how far the cameras of wild fits are off


class SyntheticPictures:
    """The first pictures of a domain, as a set of annotations; made when they are asked for."""

    def __init__(self, domain: Domain, *, seed: int, length: int) -> None:
        self._domain = domain
        self._length = length
        self._scenes = SceneMaker(domain, seed=seed)
        self._pictures = PictureMaker(self._scenes)

    @property
    def name(self) -> str:
        """What to call it in messages and tables."""
        return f'synthetic {self._domain.name}'

    @property
    def has_3d(self) -> bool:
        """Whether its annotations carry 3D truth; weak 2D supervision otherwise."""
        return self._domain.has_3d

    def __len__(self) -> int:
        """Return how many annotations there are."""
        return self._length

    def __getitem__(self, index: int) -> Annotation:
        """Return one annotation; IndexError beyond the last."""
        number = range(self._length)[index]
        return self._annotation(number, self._scenes.make([number]))

    def picture(self, annotation: Annotation) -> Image:
        """Draw the picture of an annotation of this set."""
        number = int(annotation.name.rsplit(' ', 1)[1])
        return self._picture(number, self._scenes.make([number]))

    def annotated(self, index: int) -> tuple[Annotation, Image]:
        """Return an annotation and its picture, with less work than one after the other."""
        number = range(self._length)[index]
        scenes = self._scenes.make([number])
        return self._annotation(number, scenes), self._picture(number, scenes)

    def _picture(self, number: int, scenes: Scenes) -> Image:
        cameras = scenes.cameras
        width, height = cameras.size[0].tolist()
        bounds = torch.tensor([[0.0, 0.0, width - 1, height - 1]])
        whole = Views(
            size=(width, height),
            focal_px=cameras.focal_px,
            centre_px=cameras.centre_px,
            bounds=bounds,
            hand_px=_HAND_SHARE * max(width, height),
        )
        image: Image = self._pictures.draw([number], scenes, whole).images[0].numpy()
        return image

    def _annotation(self, number: int, scenes: Scenes) -> Annotation:
        width, height = scenes.cameras.size[0].tolist()
        present = scenes.present[0].numpy()
        joints_px = _doubles(scenes.joints_px).reshape(PAIR_JOINT_COUNT, 2)
        inside = ((joints_px >= 0) & (joints_px <= (width - 1, height - 1))).all(1)
        shown = inside & present.repeat(PAIR_JOINT_COUNT // 2)
        relative_m = _doubles(scenes.joints_m - scenes.joints_m[:, :, :1]).reshape(-1, 3)
        left_from_right_m = _doubles(scenes.left_from_right_m)
        has_3d = self._domain.has_3d
        return Annotation(
            name=f'{self.name} {number}',
            image=None,
            image_size=(width, height),
            person_box=(0.0, 0.0, float(width), float(height)),
            person_scale=1.0 if has_3d else 1.25,
            hand_boxes=_boxes(joints_px, shown, (width, height)),
            joints_px=joints_px,
            joint_depths_m=relative_m[:, 2] * has_3d,
            joints_cam_m=relative_m * has_3d,
            joint_valid=shown.astype(np.float64),
            left_from_right_m=left_from_right_m * has_3d,
            left_from_right_valid=has_3d and bool(present.all()),
            fits=self._fits(number, scenes),
            has_3d=has_3d,
            hand_type=_hand_type(present),
            joint_valid_2d=shown.astype(np.float64),
        )

    def _fits(self, number: int, scenes: Scenes) -> tuple[ManoFit | None, ManoFit | None]:
        blur = self._scenes.draws([number], 'fits').normal(2, std=_FIT_FOCAL_STD)[0]
        factors = [1.0, 1.0] if self._domain.has_3d else blur.exp().tolist()
        right, left = (
            _fit(scenes, side, factor) if scenes.present[0, side] else None
            for side, factor in zip(Side, factors, strict=True)
        )
        return right, left


def _fit(scenes: Scenes, side: Side, focal_factor: float) -> ManoFit:
    """Return a hand's parameters, seen by a camera whose focal length is another.

    The wrist is moved away as far as the picture is enlarged, and so stays where it is seen.
    """
    wrist_m = _doubles(scenes.joints_m[:, side, 0])
    away_m = wrist_m * (0.0, 0.0, focal_factor - 1)
    focal_px = float(scenes.cameras.focal_px[0]) * focal_factor
    camera = StudyCamera(np.full(2, focal_px), _doubles(scenes.cameras.centre_px))
    return ManoFit(
        pose=_doubles(scenes.pose[:, side]),
        shape=_doubles(scenes.betas),
        trans=_doubles(scenes.trans_m[:, side]) + away_m,
        camera=camera,
    )


def _boxes(joints_px: Array, shown: Array, size: tuple[int, int]) -> tuple[Box | None, Box | None]:
    hands = around_joints(joints_px.reshape(2, -1, 2), shown.reshape(2, -1))
    return both_boxes(with_corners(cut_boxes(hands, np.array([size, size]))))


def _hand_type(present: Array) -> str:
    right, left = present.tolist()
    return 'interacting' if right and left else 'right' if right else 'left'


def _doubles(of_one: torch.Tensor) -> Array:
    """Return the only row of a batch."""
    return of_one[0].double().numpy()
