import cv2
from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.geometry.spaces import OFFICIAL_SPACES as SPACES
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.pipeline.view import look_at
from interwild_ros.records import Frame
import numpy as np
import pytest
import torch
import torch.nn.functional as F

CPU = torch.device('cpu')
PICTURE = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
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


@pytest.mark.parametrize('size', [(640, 480), (1280, 720), (480, 640), (800, 600)])
def test_the_compact_detector_sees_what_halving_the_networks_picture_would_show(size):
    width, height = size
    noise = np.random.default_rng(0).integers(0, 256, (height // 20, width // 20, 3), np.uint8)
    picture = cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    of = Frame(picture, camera_from_fov(width, height, 60.0), stamp_ns=0, frame_id='c')
    seen = look_at(of, Settings(), VARIANTS['compact'].spaces, CPU)
    assert seen.detector_input.shape == (1, 3, 240, 320)
    off = (seen.detector_input - F.avg_pool2d(seen.network_input, 2)).abs()
    assert off.median() < 0.005
    assert off.quantile(0.99) < 0.05  # but where the picture ends


def test_the_compact_detector_sees_no_pixel_alone():
    """A picture of fine stripes is grey: nothing of it is left out."""
    stripes = np.zeros((480, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    of = Frame(stripes, camera_from_fov(640, 480, 60.0), stamp_ns=0, frame_id='c')
    seen = look_at(of, Settings(), VARIANTS['compact'].spaces, CPU)
    inside = seen.detector_input[..., 2:-2, 2:-2]
    torch.testing.assert_close(inside, torch.full_like(inside, 0.5), atol=0.005, rtol=0)


def test_the_official_detector_sees_the_networks_picture_at_half_its_size():
    of = Frame(PICTURE, camera_from_fov(640, 480, 60.0), stamp_ns=0, frame_id='c')
    seen = view(of=of)
    assert (seen.detector_input == F.avg_pool2d(seen.network_input, 2)).all()
