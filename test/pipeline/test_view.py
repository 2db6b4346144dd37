from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.geometry.spaces import OFFICIAL_SPACES as SPACES
from interwild_ros.pipeline.view import look_at
from interwild_ros.records import Frame
import numpy as np
import pytest
import torch

CPU = torch.device('cpu')
REGIONS = [None, (100.0, 50.0, 260.0, 400.0), (0.0, 0.0, 90.0, 470.0), (3.25, 7.5, 20.0, 19.0)]


def frame(width=640, height=480):
    image = np.zeros((height, width, 3), np.uint8)
    return Frame(image, camera_from_fov(width, height, 60.0), stamp_ns=0, frame_id='c')


def view(region=None, of=None, **settings):
    return look_at(of or frame(), Settings(**settings), SPACES, CPU, region)


@pytest.mark.parametrize('region', REGIONS)
@pytest.mark.parametrize('scale', [1.0, 1.25])
def test_input_points_undoes_image_points(region, scale):
    seen = view(region, region_scale=scale)
    points = torch.rand(2, 5, 2, generator=torch.Generator().manual_seed(0)) * 384
    there = seen.image_points(points)
    torch.testing.assert_close(
        seen.input_points(there.numpy()), points.double(), atol=1e-3, rtol=0
    )


def test_image_points_undoes_input_points_of_boxes():
    seen = view(REGIONS[1])
    boxes = np.array([[[10.0, 20.0], [30.5, 47.25]], [[-5.0, 400.0], [700.0, 900.0]]])
    back = seen.image_points(seen.input_points(boxes))
    np.testing.assert_allclose(back, boxes, atol=1e-3)


def test_points_are_mapped_in_full_precision():
    seen = view()
    assert seen.input_points(np.zeros((2, 2, 2))).dtype == torch.float64
    assert seen.image_points(torch.zeros(2, 2, 2)).dtype == torch.float64


@pytest.mark.parametrize('region', REGIONS[1:])
def test_a_region_fills_the_input_about_its_own_middle(region):
    seen = view(region, region_scale=1.0)
    size = torch.tensor(SPACES.input_size, dtype=torch.float64)
    corners = torch.stack([torch.zeros(2, dtype=torch.float64), size])[None]
    low, high = seen.image_points(corners)[0].numpy()
    x1, y1, x2, y2 = region
    np.testing.assert_allclose((low + high) / 2, ((x1 + x2) / 2, (y1 + y2) / 2), atol=0.6)
    assert (high - low > np.subtract((x2, y2), (x1, y1)) - 1.1).all()
    assert min((high - low) / np.subtract((x2, y2), (x1, y1))) < 1.01


def test_a_given_region_takes_the_place_of_that_of_the_settings():
    part = {'region_x': 300, 'region_y': 200, 'region_width': 100, 'region_height': 120}
    given = view(REGIONS[1], **part)
    torch.testing.assert_close(given.image_from_input, view(REGIONS[1]).image_from_input)
    assert not torch.allclose(given.image_from_input, view(**part).image_from_input)


def test_a_region_beside_the_picture_is_an_input_error():
    with pytest.raises(InputError, match='has no pixel'):
        view((700.0, 10.0, 800.0, 100.0))


@pytest.mark.parametrize('region', REGIONS)
def test_the_middle_box_is_a_square_in_the_middle_of_what_is_seen(region):
    seen = view(region)
    x1, y1, x2, y2 = seen.middle_box()
    assert x2 - x1 == pytest.approx(y2 - y1)
    low, high = seen.input_points(np.array([[x1, y1], [x2, y2]])).numpy()
    np.testing.assert_allclose((low + high) / 2, np.array(SPACES.input_size) / 2, atol=1e-3)
    np.testing.assert_allclose(high - low, 0.2 * SPACES.input_size[0], atol=1e-3)
