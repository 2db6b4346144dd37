"""What each data set counts as truth: the rules differ, and the paper's numbers rest on them.

Source: NETWORKS.md section 17, Q15.
"""

from __future__ import annotations

from collections.abc import Callable

from interwild_ros.errors import SettingError
from interwild_ros.eval.pairs import sides_of, TruePair
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.records import Array, Side
from interwild_ros.train.annotations import Annotation, joints_of
from interwild_ros.train.mano_targets import pose_fits, PosedFits, relative_to_wrists
import numpy as np

TruthOf = Callable[[Annotation, HandPair], TruePair]


def joint_truth(annotation: Annotation, hand_models: HandPair) -> TruePair:
    """Meshes of the fits; joints and where the left wrist is, from the 3D joints.

    The rules of InterHand2.6M: validity is that of the 2D file (Q15), both wrists decide on the
    relative translation whatever the hand type, and only annotated hands' meshes count.
    """
    posed = _posed(annotation, hand_models)
    valid = annotation.joint_valid_2d
    wrists = [joints_of(side).start for side in Side]
    return TruePair(
        vertices_m=_meshes(posed, sides_of(annotation.hand_type)),
        left_from_right_m=annotation.left_from_right_m if (valid[wrists] > 0).all() else None,
        joints_m=annotation.joints_cam_m,
        joint_valid=valid,
        boxes_px=annotation.hand_boxes,
        is_interacting=annotation.hand_type == 'interacting',
    )


def fit_truth(annotation: Annotation, hand_models: HandPair) -> TruePair:
    """Meshes of the fits and joints regressed from them; two hands always.

    The rules of ReInterHand.
    """
    posed = _posed(annotation, hand_models)
    known = annotation.left_from_right_valid
    return TruePair(
        vertices_m=_meshes(posed, tuple(Side)),
        left_from_right_m=annotation.left_from_right_m if known else None,
        joints_m=posed.joints_m.flatten(0, 1).numpy(),
        joint_valid=posed.present.repeat_interleave(posed.joints_m.shape[1]).numpy(),
        boxes_px=annotation.hand_boxes,
        is_interacting=True,
    )


def mesh_truth(annotation: Annotation, hand_models: HandPair) -> TruePair:
    """Meshes in the camera and where their wrists are; joints do not count.

    The rules of HIC: the relative translation counts where the hands interact.
    """
    regressor = hand_models.joint_regressor.double().cpu().numpy()
    meshes = annotation.meshes_cam_m
    wrists = [None if mesh is None else regressor[0] @ mesh for mesh in meshes]
    is_interacting = annotation.hand_type == 'interacting'
    sides = sides_of(annotation.hand_type)
    right, left = (
        mesh - wrist if mesh is not None and side in sides else None
        for side, mesh, wrist in zip(Side, meshes, wrists, strict=True)
    )
    return TruePair(
        vertices_m=(right, left),
        left_from_right_m=_difference(wrists) if is_interacting else None,
        joints_m=annotation.joints_cam_m,
        joint_valid=np.zeros_like(annotation.joint_valid_2d),
        boxes_px=annotation.hand_boxes,
        is_interacting=is_interacting,
    )


TRUTHS: dict[str, TruthOf] = {
    'interhand26m': joint_truth,
    'reinterhand': fit_truth,
    'hic': mesh_truth,
    'synthetic': joint_truth,
}


def truth_rules(data: str) -> TruthOf:
    """Look up a data set's rules.

    :raises SettingError: when there is none of this name.
    """
    if data not in TRUTHS:
        raise SettingError(f'data set is {data!r}, wanted one of {", ".join(TRUTHS)}')
    return TRUTHS[data]


def _posed(annotation: Annotation, hand_models: HandPair) -> PosedFits:
    posed = pose_fits(annotation.fits, hand_models, annotation.image_size, is_mirrored=False)
    return relative_to_wrists(posed)


def _meshes(posed: PosedFits, sides: tuple[Side, ...]) -> tuple[Array | None, Array | None]:
    right, left = (
        posed.vertices_m[side].numpy() if side in sides and posed.present[side] else None
        for side in Side
    )
    return right, left


def _difference(wrists: list[Array | None]) -> Array | None:
    right, left = wrists
    return None if right is None or left is None else left - right
