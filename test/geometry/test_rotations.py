from pathlib import Path

from interwild_ros.geometry import rotations
import numpy as np
import pytest
import torch

GOLDEN = np.load(Path(__file__).parents[1] / 'data/network_units.npz')


def random_axis_angles(count, most):
    axis = torch.randn(count, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    axis = axis / axis.norm(dim=-1, keepdim=True)
    return axis * torch.linspace(0, most, count, dtype=torch.float64)[:, None]


def test_6d_gives_the_originals_matrices():
    found = rotations.matrix_from_6d(torch.from_numpy(GOLDEN['rot6d/d6']))
    np.testing.assert_allclose(found, GOLDEN['rot6d/matrix'], atol=2e-6)


@pytest.mark.parametrize(
    ('convention', 'key'),
    [('canonical', 'axis_angle'), ('legacy', 'axis_angle_before_0_7_6')],
)
def test_axis_angles_equal_the_originals_in_both_conventions(convention, key):
    matrix = rotations.matrix_from_6d(torch.from_numpy(GOLDEN['rot6d/d6']))
    found = rotations.axis_angle_from_matrix(matrix, convention)
    np.testing.assert_allclose(found, GOLDEN[f'rot6d/{key}'], atol=3e-5)


def test_the_conventions_differ_only_past_pi_and_never_in_the_rotation():
    matrix = rotations.matrix_from_6d(torch.from_numpy(GOLDEN['rot6d/d6']).double())
    legacy = rotations.axis_angle_from_matrix(matrix, 'legacy')
    canonical = rotations.axis_angle_from_matrix(matrix, 'canonical')
    past_pi = legacy.norm(dim=-1) > torch.pi
    assert past_pi.any()
    assert not past_pi.all()
    torch.testing.assert_close(legacy[~past_pi], canonical[~past_pi])
    assert (canonical.norm(dim=-1) <= torch.pi + 1e-12).all()
    torch.testing.assert_close(rotations.matrix_from_axis_angle(legacy), matrix)
    torch.testing.assert_close(rotations.matrix_from_axis_angle(canonical), matrix)


def test_axis_angle_to_matrix_and_back_is_the_same_from_zero_to_nearly_pi():
    axis_angle = random_axis_angles(200, 3.14)
    matrix = rotations.matrix_from_axis_angle(axis_angle)
    torch.testing.assert_close(
        rotations.axis_angle_from_matrix(matrix), axis_angle, atol=1e-9, rtol=1e-7
    )


def test_matrices_from_axis_angles_are_rotations():
    matrix = rotations.matrix_from_axis_angle(random_axis_angles(50, 9.0))
    identity = torch.eye(3, dtype=torch.float64).expand_as(matrix)
    torch.testing.assert_close(matrix @ matrix.mT, identity)
    torch.testing.assert_close(torch.linalg.det(matrix), torch.ones(50, dtype=torch.float64))


def test_a_half_turn_has_a_finite_axis_angle():
    half_turn = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    for convention in ('legacy', 'canonical'):
        found = rotations.axis_angle_from_matrix(half_turn, convention)
        torch.testing.assert_close(found.abs(), torch.tensor([torch.pi, 0.0, 0.0]))
