from interwild_ros.geometry.spaces import OFFICIAL_SPACES
from interwild_ros.geometry.weak_perspective import fit_weak_perspective, volume_from_virtual
import torch


def test_a_point_on_the_axis_falls_on_the_middle_of_the_crop():
    point = torch.tensor([[0.0, 0.0, 6.0]])
    torch.testing.assert_close(
        volume_from_virtual(point, OFFICIAL_SPACES), torch.tensor([[4.0, 4.0]])
    )


def test_the_fit_finds_the_camera_that_made_the_pixels():
    points = torch.randn(2, 21, 3, dtype=torch.float64)
    focal = torch.tensor([[600.0, 610.0], [400.0, 380.0]]).double()
    principal = torch.tensor([[100.0, 90.0], [50.0, -20.0]]).double()
    pixels = focal[:, None] * points[..., :2] + principal[:, None]
    found_focal, found_principal = fit_weak_perspective(pixels, points)
    torch.testing.assert_close(found_focal, focal)
    torch.testing.assert_close(found_principal, principal)
