"""What the shipped stand-in hand promises."""

from interwild_ros.hand_model.joints import MANO_FIRST_JOINTS, TIP_VERTICES
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import HandModelFile, mend_left, read_stand_in
from interwild_ros.hand_model.surface import border_loop, Normals
from interwild_ros.records import Side
import numpy as np
import pytest
import torch

RIGHT, LEFT = (read_stand_in(side) for side in Side)
BOTH = pytest.mark.parametrize('model', [RIGHT, LEFT], ids=['right', 'left'])


def mirrored(points: np.ndarray) -> np.ndarray:
    return points * np.array([-1, 1, 1])


@BOTH
def test_the_mesh_is_closed_but_for_one_loop_at_the_wrist(model: HandModelFile) -> None:
    directed = model.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    _, counts = np.unique(np.sort(directed, 1), axis=0, return_counts=True)
    assert (counts == 2).sum() + (counts == 1).sum() == len(counts)
    assert (counts == 1).sum() == len(border_loop(model.triangles)) == 16
    assert len(np.unique(directed, axis=0)) == len(directed)
    assert len(np.unique(model.triangles)) == 778
    at_wrist = model.v_template[border_loop(model.triangles)]
    np.testing.assert_allclose(abs(at_wrist[:, 0]), 0.092, atol=1e-6)


@BOTH
def test_triangles_turn_outwards_and_none_is_a_sliver(model: HandModelFile) -> None:
    a, b, c = model.v_template[model.triangles].transpose(1, 0, 2)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    assert areas.min() > 4e-6
    volume = np.einsum('ij,ij->i', a - [0.092 * np.sign(a[0, 0]), 0, 0], np.cross(b, c)).sum() / 6
    assert volume > 0
    # smooth normals lead out of the hand: a ray along them leaves the nearest bone behind
    normals = Normals(model.triangles, 778)(torch.tensor(model.v_template)[None])[0].numpy()
    joints = model.j_regressor @ model.v_template
    tips = model.v_template[list(TIP_VERTICES)]
    for first, tip, vertex in zip(MANO_FIRST_JOINTS, tips, TIP_VERTICES, strict=True):
        along = tip - joints[first + 2]
        assert normals[vertex] @ along / np.linalg.norm(along) > 0.8


def test_the_left_hand_is_the_right_one_mirrored() -> None:
    np.testing.assert_array_equal(LEFT.v_template, mirrored(RIGHT.v_template))
    np.testing.assert_array_equal(LEFT.triangles, RIGHT.triangles[:, ::-1])
    np.testing.assert_array_equal(LEFT.shapedirs[:, 0], -RIGHT.shapedirs[:, 0])
    np.testing.assert_array_equal(LEFT.shapedirs[:, 1:], RIGHT.shapedirs[:, 1:])
    np.testing.assert_array_equal(LEFT.weights, RIGHT.weights)
    assert mend_left(RIGHT, LEFT) is LEFT  # there is no defect to mend


@BOTH
def test_weights_and_regressors_are_averages(model: HandModelFile) -> None:
    assert model.weights.min() >= 0
    np.testing.assert_allclose(model.weights.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(model.j_regressor.sum(1), 1, atol=1e-6)
    wrist = border_loop(model.triangles)
    np.testing.assert_array_equal(model.weights[wrist, 0], 1)


@BOTH
def test_the_hand_has_a_hands_measures(model: HandModelFile) -> None:
    joints = model.j_regressor @ model.v_template
    middle_tip = model.v_template[TIP_VERTICES[2]]
    assert 0.16 < np.linalg.norm(middle_tip - joints[0]) < 0.20
    width, thickness = np.ptp(model.v_template[:, 2]), np.ptp(model.v_template[:, 1])
    assert 0.10 < width < 0.16
    assert 0.03 < thickness < 0.06


@pytest.mark.parametrize('beta', range(10))
def test_each_shape_coefficient_changes_the_hand_a_little(beta: int) -> None:
    moved = np.linalg.norm(RIGHT.shapedirs[:, :, beta], axis=1)
    assert 0.3e-3 < moved.max() < 8e-3


def test_a_bent_finger_leaves_the_other_fingers_alone() -> None:
    pair = HandPair(RIGHT, LEFT)
    pose = torch.zeros(4, 48)
    for joint in (1, 2, 3):
        pose[1, 3 * joint + 2] = 1.2  # the right index, in the second row of right hands
    vertices, _ = pair(pose, torch.zeros(4, 10))
    moved = (vertices[1] - vertices[0]).norm(dim=-1).numpy()
    middle = RIGHT.weights[:, 5:7].sum(1) > 0.99
    index_tip = TIP_VERTICES[1]
    assert moved[index_tip] > 0.05
    assert moved[middle].max() < 1e-3


def test_the_mean_pose_bends_the_fingers_towards_the_palm() -> None:
    pair = HandPair(RIGHT, LEFT)
    _, at_ease = pair(torch.zeros(2, 48), torch.zeros(2, 10))
    rest = torch.tensor(RIGHT.v_template[list(TIP_VERTICES[1:])])
    assert (at_ease[0, 8::4, 1] < rest[:, 1] - 0.01).all()  # the palm looks to -y
