"""Fits through cameras, mirrored and turned: the original's numbers, and laws."""

from dataclasses import replace
import math
from pathlib import Path

from interwild_ros.geometry import mirror
from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.records import Side
from interwild_ros.testing.some_annotations import CENTRED_CAMERA, IMAGE_SIZE, some_fit
from interwild_ros.train.annotations import ManoFit, StudyCamera
from interwild_ros.train.mano_targets import pose_fits, relative_to_wrists, turned
import numpy as np
import pytest
import torch

GOLDEN = np.load(Path(__file__).parents[1] / 'data/transform_units.npz')
CASES = [
    (kind, side, is_mirrored)
    for kind in ('Rt', 'plain', 'fisheye')
    for side in Side
    for is_mirrored in (False, True)
]
TURN_RAD = -math.radians(12)  # of the golden's augmentation
BOTH = (some_fit(Side.RIGHT), some_fit(Side.LEFT))


def unit(name):
    return GOLDEN[f'get_mano_data/{name}']


def golden_fits(kind, side):
    """Return the golden's fit on its side, and none on the other."""
    in_world = kind != 'plain'
    camera = StudyCamera(
        focal=unit('focal'),
        principal=unit('princpt'),
        rotation=unit('R') if in_world else None,
        translation_m=unit('t') if in_world else None,
        fisheye=unit('D') if kind == 'fisheye' else None,
    )
    trans = unit('trans_Rt_and_fisheye' if in_world else 'trans_plain')
    hand = f'in_{side.label}'
    fit = ManoFit(unit(f'{hand}/pose'), unit(f'{hand}/shape'), trans, camera)
    return (fit, None) if side is Side.RIGHT else (None, fit)


@pytest.mark.parametrize(('kind', 'side', 'is_mirrored'), CASES)
def test_posed_fits_are_the_originals(parity_hands, kind, side, is_mirrored):
    posed = pose_fits(golden_fits(kind, side), parity_hands, (640, 480), is_mirrored=is_mirrored)
    name = f'{kind}_{side.label}_flip{int(is_mirrored)}'
    seen_as = side.other if is_mirrored else side
    assert posed.present.tolist() == [float(seen_as is other) for other in Side]
    np.testing.assert_allclose(
        posed.joints_px[seen_as], unit(f'{name}/joint_img'), atol=1e-3, rtol=0
    )
    for found, key in (
        (posed.joints_m[seen_as], 'joint_cam'),
        (posed.vertices_m[seen_as][::40], 'mesh_cam'),
        (posed.pose[seen_as], 'pose'),
        (posed.betas[seen_as], 'shape'),
    ):
        np.testing.assert_allclose(found, unit(f'{name}/{key}'), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ('kind', 'is_mirrored'), [(k, m) for k, side, m in CASES if side is Side.RIGHT]
)
def test_turned_fits_are_the_originals(parity_hands, kind, is_mirrored):
    fits = golden_fits(kind, Side.RIGHT)
    posed = pose_fits(fits, parity_hands, (640, 480), is_mirrored=is_mirrored)
    if is_mirrored:  # the golden's harness leaves the mirrored hand in the right one's place
        posed = type(posed)(*(rows.flip(0) for rows in posed))
    found = turned(posed, TURN_RAD)

    def wanted(key):
        return GOLDEN[f'transform_mano_data/{kind}_right_flip{int(is_mirrored)}/{key}']

    np.testing.assert_allclose(
        found.joints_m, wanted('joint_cam').reshape(2, 21, 3), atol=1e-6, rtol=0
    )
    np.testing.assert_allclose(found.vertices_m[:, ::40], wanted('mesh_cam'), atol=1e-6, rtol=0)
    np.testing.assert_allclose(found.pose, wanted('pose').reshape(2, 48), atol=1e-6, rtol=0)


def test_a_mirrored_picture_shows_each_hand_as_the_other_sides_mirror_image(hand_models):
    plain = relative_to_wrists(pose_fits(BOTH, hand_models, IMAGE_SIZE, is_mirrored=False))
    mirrored = relative_to_wrists(pose_fits(BOTH, hand_models, IMAGE_SIZE, is_mirrored=True))
    for name in ('joints_m', 'vertices_m'):
        wanted = mirror.mirror_points(getattr(plain, name).flip(0))
        torch.testing.assert_close(getattr(mirrored, name), wanted, atol=1e-6, rtol=0)
    torch.testing.assert_close(mirrored.betas, plain.betas.flip(0))


@pytest.mark.parametrize('fisheye', [None, np.array([0.02, -0.01, 0.003, -0.001])])
def test_joints_move_to_the_mirrored_columns_where_the_camera_is_centred(hand_models, fisheye):
    camera = replace(CENTRED_CAMERA, fisheye=fisheye)
    fits = tuple(some_fit(side, camera=camera) for side in Side)
    plain = pose_fits(fits, hand_models, IMAGE_SIZE, is_mirrored=False).joints_px
    mirrored = pose_fits(fits, hand_models, IMAGE_SIZE, is_mirrored=True).joints_px
    columns = mirror.mirror_columns(plain[..., 0].flip(0), IMAGE_SIZE[0])
    torch.testing.assert_close(mirrored[..., 0], columns, atol=1e-3, rtol=0)
    torch.testing.assert_close(mirrored[..., 1], plain[..., 1].flip(0), atol=1e-3, rtol=0)


def test_wrists_move_to_the_mirrored_columns_of_any_pinhole(hand_models):
    camera = StudyCamera(np.array([600.0, 610.0]), np.array([280.0, 255.0]))
    fits = tuple(some_fit(side, camera=camera) for side in Side)
    plain = pose_fits(fits, hand_models, IMAGE_SIZE, is_mirrored=False).joints_px[:, 0]
    mirrored = pose_fits(fits, hand_models, IMAGE_SIZE, is_mirrored=True).joints_px[:, 0]
    columns = mirror.mirror_columns(plain[:, 0].flip(0), IMAGE_SIZE[0])
    torch.testing.assert_close(mirrored[:, 0], columns, atol=1e-3, rtol=0)


def test_a_fit_in_the_world_is_where_its_camera_puts_the_same_fit(hand_models):
    """Rotating the root about the wrist and moving the wrist is moving the whole hand.

    Nearly: the hand turns about the model's wrist, and the one regressed from its vertices moves.
    """
    rotation = matrix_from_axis_angle(torch.tensor([0.3, -0.5, 0.2], dtype=torch.float64)).numpy()
    shift = np.array([0.05, -0.02, 0.4])
    world = replace(CENTRED_CAMERA, rotation=rotation, translation_m=shift)
    fit = some_fit(Side.RIGHT)
    plain = pose_fits((fit, None), hand_models, IMAGE_SIZE, is_mirrored=False)
    found = pose_fits(
        (replace(fit, camera=world), None), hand_models, IMAGE_SIZE, is_mirrored=False
    )
    wanted = plain.vertices_m[0].numpy() @ rotation.T + shift
    np.testing.assert_allclose(found.vertices_m[0], wanted, atol=2e-5)


def test_turning_back_undoes_turning(hand_models):
    posed = relative_to_wrists(pose_fits(BOTH, hand_models, IMAGE_SIZE, is_mirrored=False))
    again = turned(turned(posed, 0.7), -0.7)
    for found, wanted in zip(again, posed, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-9, rtol=0)


def test_a_turned_pose_gives_the_turned_mesh(hand_models):
    posed = turned(
        relative_to_wrists(pose_fits(BOTH, hand_models, IMAGE_SIZE, is_mirrored=False)), 0.7
    )
    vertices, joints = hand_models(posed.pose.float(), posed.betas.float())
    wanted = (vertices - joints[:, :1]).double()
    torch.testing.assert_close(posed.vertices_m, wanted, atol=1e-6, rtol=0)


def test_an_absent_hand_is_zero_and_not_present(hand_models):
    posed = pose_fits((None, BOTH[1]), hand_models, IMAGE_SIZE, is_mirrored=False)
    assert posed.present.tolist() == [0.0, 1.0]
    for rows in posed[:-1]:
        assert float(rows[0].abs().max()) == 0
