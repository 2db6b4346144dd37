from pathlib import Path

from interwild_ros.geometry import crops
from interwild_ros.geometry.spaces import apply_affine, OFFICIAL_SPACES, scaling_affine
from interwild_ros.geometry.upright import turn_matrices
import numpy as np
import pytest
import torch
import torch.nn.functional as F

GOLDEN = np.load(Path(__file__).parents[1] / 'data/network_units.npz')


@pytest.mark.parametrize(
    ('name', 'square', 'scale'), [('ar1.0_ext2.0', True, 2.0), ('arNone_ext1.0', False, 1.0)]
)
def test_boxes_from_cells_equal_the_originals(name, square, scale):
    centre = torch.from_numpy(GOLDEN[f'restore_bbox/{name}/center'])
    size = torch.from_numpy(GOLDEN[f'restore_bbox/{name}/size'])
    spaces = OFFICIAL_SPACES
    boxes = crops.corners_from_centre(spaces.body_from_cells(centre), spaces.body_from_cells(size))
    if square:
        boxes = crops.squared(boxes)
    boxes = crops.enlarged(boxes, scale)
    np.testing.assert_allclose(boxes, GOLDEN[f'restore_bbox/{name}/bbox'], atol=1e-4)


def test_the_crop_maps_lay_the_box_over_the_crop_and_back():
    boxes = torch.tensor([[10.0, 20.0, 74.0, 84.0], [-5.0, 3.0, 123.0, 131.0]]).double()
    crop_from_input, input_from_crop = crops.crop_maps(boxes, OFFICIAL_SPACES)
    corners = boxes.reshape(2, 2, 2)
    wanted = torch.tensor([[0.0, 0.0], [256.0, 256.0]]).double().expand(2, 2, 2)
    torch.testing.assert_close(apply_affine(crop_from_input, corners), wanted, atol=1e-6, rtol=0)
    torch.testing.assert_close(apply_affine(input_from_crop, wanted), corners, atol=1e-6, rtol=0)


def test_sampling_with_the_identity_returns_the_picture():
    picture = torch.rand(1, 3, 12, 9)
    identity = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    torch.testing.assert_close(crops.sample(picture, identity, (9, 12)), picture)


def test_sampling_is_linear_between_pixels_and_black_outside():
    picture = torch.arange(8.0).reshape(1, 1, 1, 8).expand(1, 1, 4, 8)
    half = torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
    found = crops.sample(picture, half, (8, 4))[0, 0, 0]
    torch.testing.assert_close(found, torch.tensor([0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 3.5]))
    far = torch.tensor([[[1.0, 0.0, 50.0], [0.0, 1.0, 0.0]]])
    assert crops.sample(picture, far, (8, 4)).abs().max() == 0


@pytest.mark.parametrize('coarse', [2, 3, 5])
def test_a_coarse_resampling_sees_every_pixel(coarse):
    """A one-pixel checkerboard is grey from afar; plain sampling would see aliases of it."""
    v, u = torch.meshgrid(torch.arange(60), torch.arange(60), indexing='ij')
    checks = ((u + v) % 2).float()[None]
    scale = torch.tensor([float(coarse), float(coarse)])
    picture_from_out = scaling_affine(scale, torch.full((2,), (coarse - 1) / 2))
    found = crops.resample(checks, picture_from_out, (60 // coarse, 60 // coarse))
    assert (found - 0.5).abs().max() < 0.12


def test_a_coarse_resampling_does_not_move_the_picture():
    ramp = torch.arange(64.0).expand(1, 64, 64)
    scale = torch.full((2,), 4.0)
    picture_from_out = scaling_affine(scale, torch.tensor([3.0, 5.0]))
    found = crops.resample(ramp, picture_from_out, (14, 14))[0, 0, 7]
    torch.testing.assert_close(found, torch.arange(14.0) * 4 + 3)


@pytest.mark.parametrize(
    'shift', [(1.0, 1.0), (-7.5, 3.0), (15.25, 14.0), (-40.0, 0.0), (25.0, 3.0)]
)
def test_a_fine_resampling_is_plain_sampling_wherever_it_looks(shift):
    picture = torch.rand(3, 20, 21)
    picture_from_out = scaling_affine(torch.full((2,), 1.9), torch.tensor(shift))
    torch.testing.assert_close(
        crops.resample(picture, picture_from_out, (8, 7)),
        crops.sample(picture[None], picture_from_out[None], (8, 7)),
    )


@pytest.mark.parametrize('scale', [2.3, 3.0, 4.9])
@pytest.mark.parametrize('shift', [(1.0, 1.0), (-30.5, 3.0), (60.25, 80.0)])
def test_a_coarse_resampling_of_a_part_is_that_of_the_whole(scale, shift):
    picture = torch.rand(3, 90, 101)
    factor = int(scale)
    blocks = F.avg_pool2d(picture[None], factor, ceil_mode=True, count_include_pad=False)
    picture_from_out = scaling_affine(torch.full((2,), scale), torch.tensor(shift))
    block_from_out = picture_from_out.clone()
    block_from_out[:, 2] -= (factor - 1) / 2
    torch.testing.assert_close(
        crops.resample(picture, picture_from_out, (9, 8)),
        crops.sample(blocks, block_from_out[None] / factor, (9, 8)),
        atol=1e-5,
        rtol=0,
    )


def test_bytes_are_read_as_numbers_up_to_one():
    picture = torch.randint(0, 256, (3, 20, 20), dtype=torch.uint8)
    picture_from_out = scaling_affine(torch.full((2,), 2.5), torch.zeros(2))
    torch.testing.assert_close(
        crops.resample(picture, picture_from_out, (8, 8)),
        crops.resample(picture.float() / 255, picture_from_out, (8, 8)),
    )
    far = scaling_affine(torch.ones(2), torch.full((2,), 100.0))
    assert crops.resample(picture, far, (5, 4)).equal(torch.zeros(1, 3, 4, 5))


@pytest.mark.parametrize('turn', [0.0, 0.6, -2.0])
def test_a_crop_is_turned_about_its_middle_and_what_it_shows_clockwise(turn):
    boxes = torch.tensor([[10.0, 20.0, 74.0, 84.0]]).double()
    _, before = crops.crop_maps(boxes, OFFICIAL_SPACES)
    after = crops.turned_about_middle(before, torch.tensor([turn]), OFFICIAL_SPACES)
    middle = torch.full((1, 1, 2), 128.0).double()
    seen = torch.tensor([[[42.0, 52.0]]]).double()
    torch.testing.assert_close(apply_affine(after, middle), seen, atol=1e-6, rtol=0)
    to_the_right = torch.tensor([[[228.0, 128.0]]]).double()
    there = 128 + 100 * torch.tensor([[[np.cos(turn), np.sin(turn)]]])
    torch.testing.assert_close(
        apply_affine(after, there), apply_affine(before, to_the_right), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize('turn', [0.7, -2.3])
@pytest.mark.parametrize('scale', [1.0, 1.9])
def test_a_turned_crop_is_plain_sampling_where_it_looks(turn, scale):
    picture = torch.rand(3, 90, 80)
    middle, half = torch.tensor([[40.0], [42.0]]), torch.tensor([[10.0], [10.0]])
    linear = scale * turn_matrices(torch.tensor(turn))
    picture_from_out = torch.cat([linear, middle - linear @ half], 1)
    torch.testing.assert_close(
        crops.resample(picture, picture_from_out, (20, 20)),
        crops.sample(picture[None], picture_from_out[None], (20, 20)),
    )
