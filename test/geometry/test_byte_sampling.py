"""Bytes sampled by compiled loops, against PyTorch's averages and samples."""

from interwild_ros.geometry import crops
from interwild_ros.geometry.upright import turn_matrices
import pytest
import torch


def picture_and_numbers(height=90, width=101):
    dice = torch.Generator().manual_seed(height * width)
    rows = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=dice)
    picture = rows.permute(2, 0, 1)
    return picture, picture.double() / 255


@pytest.mark.parametrize('scale', [0.4, 1.0, 1.9, 2.3, 3.0, 4.9])
@pytest.mark.parametrize('turn', [0.0, 0.7, -2.3])
@pytest.mark.parametrize('middle', [(45.0, 44.0), (0.0, 80.0), (100.5, 89.5), (-5.0, -9.0)])
def test_bytes_are_sampled_as_their_numbers_are(scale, turn, middle):
    picture, numbers = picture_and_numbers()
    linear = scale * turn_matrices(torch.tensor(turn).double())
    half = torch.tensor([[9.5], [7.5]]).double()
    shift = torch.tensor(middle).double()[:, None] - linear @ half
    picture_from_out = torch.cat([linear, shift], 1)
    found = crops.resample(picture, picture_from_out, (20, 16))
    wanted = crops.resample(numbers, picture_from_out, (20, 16))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), wanted, atol=1e-6, rtol=0)


def test_a_mirrored_picture_is_read_by_its_rows():
    picture, numbers = picture_and_numbers()
    picture_from_out = torch.tensor([[1.5, 0.0, 3.0], [0.0, 1.5, 4.0]])
    torch.testing.assert_close(
        crops.resample(picture.flip(-1), picture_from_out, (20, 16)),
        crops.resample(numbers.flip(-1), picture_from_out, (20, 16)).float(),
        atol=1e-6,
        rtol=0,
    )


def test_a_large_picture_in_one_block_is_averaged():
    white = torch.full((3, 3000, 3000), 255, dtype=torch.uint8)
    picture_from_out = torch.tensor([[3000.0, 0.0, 1499.5], [0.0, 3000.0, 1499.5]])
    assert crops.resample(white, picture_from_out, (1, 1)).equal(torch.ones(1, 3, 1, 1))
