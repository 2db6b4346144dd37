"""Which part of an annotation each data set counts."""

from dataclasses import replace

from interwild_ros.errors import SettingError
from interwild_ros.eval.truth import fit_truth, joint_truth, mesh_truth, truth_rules
from interwild_ros.records import Side
from interwild_ros.testing.some_annotations import some_annotation
from interwild_ros.train.mano_targets import pose_fits
import numpy as np
import pytest


def with_meshes(annotation, hand_models):
    """Return an annotation whose truth is its fits as meshes in the camera."""
    posed = pose_fits(annotation.fits, hand_models, annotation.image_size, is_mirrored=False)
    right, left = (
        posed.vertices_m[side].numpy() if posed.present[side] else None for side in Side
    )
    return replace(annotation, meshes_cam_m=(right, left), fits=(None, None))


def test_two_hands_have_the_same_truth_by_joints_fits_and_meshes(hand_models):
    annotation = some_annotation(hand_models, *Side)
    by_joints = joint_truth(annotation, hand_models)
    by_fits = fit_truth(annotation, hand_models)
    by_meshes = mesh_truth(with_meshes(annotation, hand_models), hand_models)
    for other in (by_fits, by_meshes):
        for side in Side:
            np.testing.assert_allclose(
                other.vertices_m[side], by_joints.vertices_m[side], atol=1e-6
            )
        np.testing.assert_allclose(other.left_from_right_m, by_joints.left_from_right_m, atol=1e-6)
        assert other.is_interacting
    np.testing.assert_allclose(by_fits.joints_m, by_joints.joints_m, atol=1e-6)
    assert by_meshes.joint_valid.sum() == 0


@pytest.mark.parametrize('side', Side)
def test_of_a_single_hand_only_that_hand_counts(hand_models, side):
    both = replace(some_annotation(hand_models, *Side), hand_type=side.label)
    for truth in (
        joint_truth(both, hand_models),
        mesh_truth(with_meshes(both, hand_models), hand_models),
    ):
        assert truth.vertices_m[side] is not None
        assert truth.vertices_m[side.other] is None
        assert not truth.is_interacting


def test_both_wrists_decide_on_the_relative_translation_whatever_the_hand_type(hand_models):
    single = replace(some_annotation(hand_models, *Side), hand_type='right')
    assert joint_truth(single, hand_models).left_from_right_m is not None
    valid = single.joint_valid_2d.copy()
    valid[21] = 0
    without_wrist = replace(single, joint_valid_2d=valid)
    assert joint_truth(without_wrist, hand_models).left_from_right_m is None
    meshes = with_meshes(single, hand_models)
    assert mesh_truth(meshes, hand_models).left_from_right_m is None


def test_a_missing_mesh_leaves_no_relative_translation(hand_models):
    meshes = with_meshes(some_annotation(hand_models, Side.LEFT), hand_models)
    truth = mesh_truth(replace(meshes, hand_type='interacting'), hand_models)
    assert truth.vertices_m[Side.RIGHT] is truth.left_from_right_m is None
    assert truth.vertices_m[Side.LEFT] is not None


def test_an_unknown_data_set_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match=r"'mpii'.*interhand26m, reinterhand, hic"):
        truth_rules('mpii')
