"""Made-up truth for tests of training and evaluation: fits, and joints that agree with them."""

from __future__ import annotations

from dataclasses import replace

from interwild_ros.hand_model.mano import HandPair
from interwild_ros.records import Array, JOINT_COUNT, Side
from interwild_ros.train.annotations import Annotation, Box, ManoFit, StudyCamera
from interwild_ros.train.mano_targets import pose_fits
import numpy as np

IMAGE_SIZE = (640, 480)
# the principal point is the middle of the picture, so that mirroring is exact
CENTRED_CAMERA = StudyCamera(np.array([600.0, 610.0]), np.array([319.5, 239.5]))


def some_fit(side: Side, *, seed: int = 0, camera: StudyCamera = CENTRED_CAMERA) -> ManoFit:
    """Return a bent hand half a metre before the camera, each side on its own side."""
    random = np.random.default_rng((seed, side))
    return ManoFit(
        pose=random.normal(scale=0.3, size=48),
        shape=random.normal(scale=0.5, size=10),
        trans=np.array([0.07 if side is Side.LEFT else -0.07, 0.01, 0.55]),
        camera=camera,
    )


def some_annotation(
    hand_models: HandPair, *sides: Side, seed: int = 0, camera: StudyCamera = CENTRED_CAMERA
) -> Annotation:
    """Return a picture's truth with hands of these sides, whose joints are those of the fits."""
    right, left = (some_fit(side, seed=seed, camera=camera) for side in Side)
    fits = (right if Side.RIGHT in sides else None, left if Side.LEFT in sides else None)
    posed = pose_fits(fits, hand_models, IMAGE_SIZE, is_mirrored=False)
    joints = posed.joints_m.numpy()
    relative = (joints - joints[:, :1]).reshape(-1, 3)
    valid = posed.present.numpy().repeat(JOINT_COUNT)
    both = len(sides) == len(Side)
    return Annotation(
        name=f'made-up picture {seed}',
        image=None,
        image_size=IMAGE_SIZE,
        person_box=(0.0, 0.0, float(IMAGE_SIZE[0]), float(IMAGE_SIZE[1])),
        person_scale=1.0,
        hand_boxes=_boxes(posed.joints_px.numpy(), sides),
        joints_px=posed.joints_px.numpy().reshape(-1, 2),
        joint_depths_m=relative[:, 2],
        joints_cam_m=relative,
        joint_valid=valid,
        left_from_right_m=joints[1, 0] - joints[0, 0] if both else np.zeros(3),
        left_from_right_valid=both,
        fits=fits,
        has_3d=True,
        hand_type='interacting' if both else sides[0].label,
        joint_valid_2d=valid,
    )


def weakened(annotation: Annotation) -> Annotation:
    """Return what a data set of 2D truth would say of the same picture."""
    return replace(
        annotation,
        joint_depths_m=np.zeros_like(annotation.joint_depths_m),
        joints_cam_m=np.zeros_like(annotation.joints_cam_m),
        left_from_right_m=np.zeros(3),
        left_from_right_valid=False,
        has_3d=False,
    )


def _boxes(joints_px: Array, sides: tuple[Side, ...]) -> tuple[Box | None, Box | None]:
    right, left = (
        _around(joints_px[side]) if side in sides else None for side in (Side.RIGHT, Side.LEFT)
    )
    return right, left


def _around(px: Array) -> Box:
    (x1, y1), (x2, y2) = px.min(0).tolist(), px.max(0).tolist()
    return x1, y1, x2, y2
