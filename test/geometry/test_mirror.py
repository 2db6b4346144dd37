from interwild_ros.geometry import mirror
from interwild_ros.geometry.camera import project, undistort_px
from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.geometry.spaces import OFFICIAL_SPACES
from interwild_ros.records import Camera, Frame
import numpy as np
import pytest
import torch

FLIP = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))


def test_mirroring_twice_changes_nothing():
    joints = torch.rand(2, 21, 3) * 7
    once = mirror.mirror_volume_joints(joints, OFFICIAL_SPACES)
    torch.testing.assert_close(mirror.mirror_volume_joints(once, OFFICIAL_SPACES), joints)


def test_joints_mirror_about_the_middle_of_the_pixels():
    joint = torch.tensor([[0.0, 3.0, 5.0]])
    found = mirror.mirror_volume_joints(joint, OFFICIAL_SPACES)
    torch.testing.assert_close(found, torch.tensor([[7.96875, 3.0, 5.0]]))  # 255 px, Q4


def test_a_mirrored_rotation_is_the_rotation_of_the_mirrored_world():
    axis_angle = torch.randn(10, 3)
    mirrored = matrix_from_axis_angle(mirror.mirror_axis_angle(axis_angle))
    torch.testing.assert_close(mirrored, FLIP @ matrix_from_axis_angle(axis_angle) @ FLIP)


@pytest.mark.parametrize(
    ('model', 'distortion'),
    [
        ('plumb_bob', (0.1, -0.05, 0.01, 0.02, 0.01)),
        ('rational_polynomial', (0.1, -0.05, 0.01, 0.02, 0.01, 0.02, 0.01, 0.003)),
        (
            'rational_polynomial',
            (0.1, -0.05, 0.01, 0.02, 0.01, 0.02, 0.01, 0.003, 0.01, 0.02, 0.015, 0.005),
        ),
        ('equidistant', (0.05, 0.01, -0.002, 0.0003)),
    ],
)
def test_the_mirrored_camera_sees_mirrored_points_at_mirrored_pixels(model, distortion):
    camera = Camera(640, 480, 500.0, 510.0, 300.0, 260.0, model, distortion)
    points = np.random.default_rng(0).uniform((-0.2, -0.2, 0.6), (0.2, 0.2, 1.0), (50, 3))
    pixels = project(camera, points)
    mirrored = project(mirror.mirror_camera(camera), points * (-1, 1, 1))
    np.testing.assert_allclose(mirrored, np.array([639, 0]) + pixels * (-1, 1), atol=1e-9)
    rays = undistort_px(mirror.mirror_camera(camera), mirrored)
    np.testing.assert_allclose(rays, points[:, :2] / points[:, 2:] * (-1, 1), atol=1e-7)


def test_a_mirrored_frame_has_its_columns_reversed():
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    frame = Frame(image, Camera(6, 4, 5.0, 5.0, 2.0, 1.0), stamp_ns=3, frame_id='camera')
    found = mirror.mirror_frame(frame)
    np.testing.assert_array_equal(found.image, image[:, ::-1])
    assert (found.stamp_ns, found.frame_id, found.camera.cx) == (3, 'camera', 3.0)
