"""Turning the camera's axis onto a line of sight."""

from interwild_ros.geometry.mirror import mirror_points
from interwild_ros.geometry.sight import camera_from_ray, camera_from_sight
import numpy as np
import pytest
import torch

RAYS = torch.tensor([[0.0, 0.0], [0.5, -0.2], [-1.3, 0.9], [0.0, 2.0]], dtype=torch.float64)
AXIS = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)


def directions():
    points = torch.nn.functional.pad(RAYS, (0, 1), value=1.0)
    return points / points.norm(dim=1, keepdim=True)


def test_the_axis_is_turned_onto_the_ray():
    torch.testing.assert_close(camera_from_sight(RAYS) @ AXIS, directions())


def test_one_ray_is_turned_as_many_are():
    for ray, wanted in zip(RAYS.tolist(), camera_from_sight(RAYS), strict=True):
        np.testing.assert_allclose(camera_from_ray(*ray), wanted.numpy(), atol=1e-15)


def test_they_are_rotations():
    turn = camera_from_sight(RAYS)
    torch.testing.assert_close(
        turn @ turn.transpose(1, 2), torch.eye(3).double().expand(len(RAYS), 3, 3)
    )
    torch.testing.assert_close(torch.linalg.det(turn), torch.ones(len(RAYS)).double())


def test_they_turn_no_farther_than_they_must():
    cosine = (camera_from_sight(RAYS).diagonal(dim1=1, dim2=2).sum(1) - 1) / 2
    torch.testing.assert_close(cosine, directions()[:, 2])


def test_in_the_middle_nothing_is_turned():
    torch.testing.assert_close(camera_from_sight(RAYS[0]), torch.eye(3).double())


def test_a_mirrored_point_is_turned_as_the_mirrored_ray_says():
    """So a left hand's crop may be mirrored before it is turned, or after."""
    points = torch.tensor([0.1, -0.4, 0.7]).double().expand(len(RAYS), 3)
    mirrored_rays = RAYS * torch.tensor([-1.0, 1.0]).double()
    before = (camera_from_sight(mirrored_rays) @ mirror_points(points)[..., None])[..., 0]
    after = mirror_points((camera_from_sight(RAYS) @ points[..., None])[..., 0])
    torch.testing.assert_close(before, after)


@pytest.mark.parametrize('shape', [(2,), (3, 2), (4, 5, 2)])
def test_any_number_of_rays_is_turned_at_once(shape):
    assert camera_from_sight(torch.rand(shape)).shape == (*shape[:-1], 3, 3)
