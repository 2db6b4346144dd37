"""From a picture and what a data set says of it to a sample, under one draw of augmentation.

Mirroring comes first, in px of the original picture; then everything is laid over the networks'
input and coded in the units that the losses compare. Source: NETWORKS.md section 16.
"""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.errors import InputError
from interwild_ros.geometry import mirror
from interwild_ros.geometry.rotations import about_viewing_axis
from interwild_ros.geometry.spaces import invert_affine, OFFICIAL_SPACES, Spaces
from interwild_ros.hand_model.joints import MANO_JOINT_COUNT
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import BETA_COUNT
from interwild_ros.records import Image, VERTEX_COUNT
from interwild_ros.train import mano_targets
from interwild_ros.train.annotations import Annotation, Box
from interwild_ros.train.augmentation import Augmentation
from interwild_ros.train.coding import code_boxes, code_joints, CodedJoints
from interwild_ros.train.mano_targets import PosedFits
from interwild_ros.train.patches import cut_patch, lay_over_input
from interwild_ros.train.samples import Sample, swap_hands, Targets, Validity
import torch
from torch import Tensor


class PairJoints(NamedTuple):
    """Annotated joints of both hands.

    `px` (42, 2) of the picture; `depths_m` (42,) and `joints_m` (42, 3) relative to the own wrist;
    `valid` (42,); `left_from_right_m` (3,).
    """

    px: Tensor
    depths_m: Tensor
    joints_m: Tensor
    valid: Tensor
    left_from_right_m: Tensor


class CodedBoxes(NamedTuple):
    """Boxes (2, 4) x1 y1 x2 y2 in detector cells, right first, and which of them are there."""

    cells: Tensor
    valid: Tensor


def make_sample(
    annotation: Annotation,
    picture: Image,
    augmentation: Augmentation,
    hand_models: HandPair,
    spaces: Spaces = OFFICIAL_SPACES,
) -> Sample:
    """Lay a picture and its truth over the networks' input.

    :param picture: (H, W, 3) RGB uint8, of the annotation's size.
    :raises InputError: for a picture of another size, or a person box without a pixel in it.
    """
    _check_size(annotation, picture)
    input_from_image = lay_over_input(annotation, augmentation, spaces)
    joints = pair_joints(annotation, augmentation)
    boxes = coded_boxes(annotation, augmentation, input_from_image, spaces)
    fits = _fits(annotation, augmentation, hand_models)
    coded = code_joints(joints.px, joints.depths_m, joints.valid, input_from_image, spaces)
    fitted = _coded_fits(fits, input_from_image, spaces)
    validity = Validity(
        boxes=boxes.valid,
        joints=joints.valid[:, None],
        joints_seen=coded.seen,
        fit_joints_seen=fitted.seen,
        vertices=_repeated(fits.present, VERTEX_COUNT)[:, None],
        left_from_right=torch.tensor([annotation.left_from_right_valid]),
        pose=_repeated(fits.present, MANO_JOINT_COUNT),
        betas=_repeated(fits.present, BETA_COUNT),
        has_3d=torch.tensor(annotation.has_3d),
    )
    return Sample(
        picture=cut_patch(picture, input_from_image, augmentation, spaces),
        targets=_targets(joints, boxes, fits, coded, fitted),
        validity=Validity(*(valid.float() for valid in validity)),
        image_from_input=invert_affine(input_from_image).float(),
    )


def pair_joints(annotation: Annotation, augmentation: Augmentation) -> PairJoints:
    """Return an annotation's joints, mirrored and turned; the px are only mirrored."""
    arrays = (
        annotation.joints_px,
        annotation.joint_depths_m,
        annotation.joints_cam_m,
        annotation.joint_valid,
        annotation.left_from_right_m,
    )
    joints = PairJoints(*(torch.as_tensor(array, dtype=torch.float64) for array in arrays))
    if augmentation.is_mirrored:
        joints = mirrored_joints(joints, annotation.image_size[0])
    return turned_joints(joints, -augmentation.rotation_rad)


def mirrored_joints(joints: PairJoints, width: int) -> PairJoints:
    """Mirror joints with their picture of this width: right hands become left ones."""
    columns = mirror.mirror_columns(joints.px[:, :1], width)
    return PairJoints(
        px=swap_hands(torch.cat([columns, joints.px[:, 1:]], dim=1)),
        depths_m=swap_hands(joints.depths_m),
        joints_m=swap_hands(mirror.mirror_points(joints.joints_m)),
        valid=swap_hands(joints.valid),
        left_from_right_m=mirror.mirror_left_from_right(joints.left_from_right_m),
    )


def turned_joints(joints: PairJoints, turn_rad: float) -> PairJoints:
    """Turn what is in metres about the viewing axis; the px turn with the picture."""
    rotation = about_viewing_axis(torch.tensor(turn_rad, dtype=torch.float64))
    return joints._replace(
        joints_m=joints.joints_m @ rotation.T,
        left_from_right_m=rotation @ joints.left_from_right_m,
    )


def coded_boxes(
    annotation: Annotation, augmentation: Augmentation, input_from_image: Tensor, spaces: Spaces
) -> CodedBoxes:
    """Return the hand boxes as they lie over the input; a unit box stands where there is none."""
    boxes: list[Box | None] = list(annotation.hand_boxes)
    if augmentation.is_mirrored:
        boxes = [_mirrored_box(box, annotation.image_size[0]) for box in reversed(boxes)]
    cells = torch.tensor([[0.0, 0.0, 1.0, 1.0]] * 2, dtype=torch.float64)
    for side, box in enumerate(boxes):
        if box is not None:
            px = torch.tensor(box, dtype=torch.float64)
            cells[side] = code_boxes(px, input_from_image, spaces)
    return CodedBoxes(cells, torch.tensor([box is not None for box in boxes]))


def _mirrored_box(box: Box | None, width: int) -> Box | None:
    if box is None:
        return None
    x1, y1, x2, y2 = box
    return width - 1 - x2, y1, width - 1 - x1, y2


def _fits(annotation: Annotation, augmentation: Augmentation, models: HandPair) -> PosedFits:
    posed = mano_targets.pose_fits(
        annotation.fits, models, annotation.image_size, is_mirrored=augmentation.is_mirrored
    )
    posed = mano_targets.relative_to_wrists(posed)
    return mano_targets.turned(posed, -augmentation.rotation_rad)


def _coded_fits(fits: PosedFits, input_from_image: Tensor, spaces: Spaces) -> CodedJoints:
    """Code the joints (42, 3) of wrist-relative fits; their depths are their own."""
    joints_m = fits.joints_m.flatten(0, 1)
    valid = _repeated(fits.present, fits.joints_m.shape[1])
    px = fits.joints_px.flatten(0, 1)
    return code_joints(px, joints_m[:, 2], valid, input_from_image, spaces)


def _targets(
    joints: PairJoints,
    boxes: CodedBoxes,
    fits: PosedFits,
    coded: CodedJoints,
    fitted: CodedJoints,
) -> Targets:
    low, high = boxes.cells[:, :2], boxes.cells[:, 2:]
    targets = Targets(
        box_centres=(low + high) / 2,
        box_sizes=high - low,
        joints=coded.cells,
        fit_joints=fitted.cells,
        joints_m=joints.joints_m,
        vertices_m=fits.vertices_m.flatten(0, 1),
        left_from_right_m=joints.left_from_right_m,
        pose=fits.pose.flatten(),
        betas=fits.betas.flatten(),
    )
    return Targets(*(target.float() for target in targets))


def _repeated(present: Tensor, count: int) -> Tensor:
    return present.repeat_interleave(count)


def _check_size(annotation: Annotation, picture: Image) -> None:
    height, width = picture.shape[:2]
    if (width, height) != annotation.image_size:
        raise InputError(
            'image_size',
            f'{annotation.name}: picture is {width} x {height} px, its annotation says '
            f'{annotation.image_size[0]} x {annotation.image_size[1]} px',
        )
