from interwild_ros.geometry.spaces import (
    apply_affine,
    compose_affine,
    invert_scaling,
    OFFICIAL_SPACES,
    scaling_affine,
)
import torch

POINTS = torch.rand(3, 5, 2, dtype=torch.float64) * 40
SCALING = scaling_affine(torch.tensor([[2.0, 3.0]]).double(), torch.tensor([[5.0, -7.0]]).double())


def test_the_spaces_differ_by_their_sizes():
    spaces = OFFICIAL_SPACES
    corner = torch.tensor([48.0, 64.0])
    assert spaces.body_from_cells(corner).tolist() == [192, 256]
    assert spaces.input_from_body(spaces.body_from_cells(corner)).tolist() == [384, 512]
    assert spaces.crop_from_volume(torch.tensor(7.0)) == 224  # no joint passes px 224 (Q2)
    assert abs(spaces.virtual_depth_m - 11.71875) < 1e-12


def test_body_and_volume_maps_undo_each_other():
    spaces = OFFICIAL_SPACES
    torch.testing.assert_close(spaces.body_from_input(spaces.input_from_body(POINTS)), POINTS)
    torch.testing.assert_close(spaces.volume_from_crop(spaces.crop_from_volume(POINTS)), POINTS)
    depth = spaces.depth_m_from_volume(POINTS)
    torch.testing.assert_close(spaces.volume_from_depth_m(depth), POINTS)


def test_the_wrist_depth_is_the_middle_of_the_volume():
    assert OFFICIAL_SPACES.depth_m_from_volume(torch.tensor(4.0)) == 0


def test_inverting_a_scaling_undoes_it():
    there = apply_affine(SCALING, POINTS)
    torch.testing.assert_close(apply_affine(invert_scaling(SCALING), there), POINTS)


def test_a_composed_map_is_first_the_second_then_the_first():
    other = torch.tensor([[[0.0, -1.0, 3.0], [1.0, 0.5, 4.0]]]).double()
    one_by_one = apply_affine(other, apply_affine(SCALING, POINTS))
    torch.testing.assert_close(apply_affine(compose_affine(other, SCALING), POINTS), one_by_one)
