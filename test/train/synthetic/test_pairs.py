from dataclasses import replace

from interwild_ros.geometry.crops import about_both
from interwild_ros.geometry.sight import camera_from_sight
from interwild_ros.geometry.spaces import apply_affine
from interwild_ros.networks.transnet import TransNet
from interwild_ros.networks.variants import COMPACT_SPACES, VARIANTS
from interwild_ros.train.synthetic.domains import STUDIO
from interwild_ros.train.synthetic.pairs import PairMaker
from interwild_ros.train.synthetic.residuals import measure_residuals, Residuals
import pytest
import torch

EXACT = Residuals(joint=0.0, hand=0.0, depth_m=0.0, flattened=0.0)


@pytest.fixture(scope='module')
def exact():
    return PairMaker(STUDIO, seed=2, residuals=EXACT).make(range(60))


def test_a_pair_is_the_same_in_every_batch(pair_maker):
    batch, alone = pair_maker.make(range(20)), pair_maker.make([13])
    torch.testing.assert_close(alone.joints[:, 0], batch.joints[:, 13], rtol=0, atol=1e-3)
    torch.testing.assert_close(
        alone.left_from_right_m[0], batch.left_from_right_m[13], rtol=0, atol=1e-5
    )


def test_without_errors_joints_are_where_the_camera_sees_them(exact):
    px = exact.joints_m[..., :2] / exact.joints_m[..., 2:] * exact.focal_px[:, None, None]
    px = px + exact.centre_px[:, None]
    crop_px = COMPACT_SPACES.crop_from_volume(exact.joints[..., :2])
    torch.testing.assert_close(apply_affine(exact.input_from_crop, crop_px), px, rtol=0, atol=0.05)


def test_without_errors_depths_are_those_from_the_wrist_along_the_line_of_sight(exact):
    depths = COMPACT_SPACES.depth_m_from_volume(exact.joints[..., 2])
    own = exact.joints_m - exact.joints_m[:, :, :1]
    middle = apply_affine(exact.input_from_crop, torch.full((1, 2), COMPACT_SPACES.crop_px / 2))
    turns = camera_from_sight(rays_of(exact, middle[:, :, 0]))
    true = (own * turns[..., None, :, 2]).sum(-1)
    seen = true.abs() < 0.13
    torch.testing.assert_close(depths[seen], true[seen], rtol=0, atol=1e-4)


def test_without_lines_of_sight_depths_are_along_the_cameras_axis():
    spaces = replace(COMPACT_SPACES, along_sight=False)
    pairs = PairMaker(STUDIO, seed=2, residuals=EXACT, spaces=spaces).make(range(60))
    depths = spaces.depth_m_from_volume(pairs.joints[..., 2])
    true = pairs.joints_m[..., 2] - pairs.joints_m[..., :1, 2]
    seen = true.abs() < 0.13
    torch.testing.assert_close(depths[seen], true[seen], rtol=0, atol=1e-4)
    wrists = pairs.joints_m[:, :, 0]
    torch.testing.assert_close(pairs.left_from_right_m, wrists[1] - wrists[0])


def test_the_answer_is_the_left_wrist_from_the_right_one_about_the_line_of_sight(exact):
    pixels = apply_affine(
        exact.input_from_crop, COMPACT_SPACES.crop_from_volume(exact.joints[..., :2])
    )
    boxes = about_both(pixels)
    turn = camera_from_sight(rays_of(exact, (boxes[:, :2] + boxes[:, 2:]) / 2))
    wrists = exact.joints_m[:, :, 0]
    found = (turn @ exact.left_from_right_m[..., None])[..., 0]
    torch.testing.assert_close(found, wrists[1] - wrists[0], rtol=0, atol=1e-5)


def rays_of(pairs, pixels):
    """Return the rays (..., B, 2) of pixels (..., B, 2) of the networks' input."""
    return (pixels - pairs.centre_px) / pairs.focal_px[:, None]


def test_errors_are_as_large_as_asked(pair_maker, exact):
    wrong = PairMaker(STUDIO, seed=2).make(range(60))
    off = (wrong.joints - exact.joints)[..., :2].std()
    assert 0.1 < float(off) < 0.5  # cells of a crop of 16


def test_interacting_pairs_are_closer_than_others(pair_maker):
    pairs = pair_maker.make(range(300))
    apart = pairs.left_from_right_m.norm(dim=1)
    assert 0.4 < pairs.interacting.float().mean() < 0.6
    assert apart[pairs.interacting].median() < 0.6 * apart[~pairs.interacting].median()


def test_transnet_takes_them(pair_maker):
    pairs = pair_maker.make(range(2))
    with torch.no_grad():
        found = TransNet(VARIANTS['compact']).eval()(pairs.joints, pairs.input_from_crop)
    assert found.shape == pairs.left_from_right_m.shape
    assert pairs.joints.min() >= 0
    assert pairs.joints.max() <= COMPACT_SPACES.volume_cells - 1


def test_measured_residuals_are_those_that_were_drawn():
    drawn = Residuals(joint=0.03, hand=0.02, depth_m=0.004, flattened=0.1)
    wrong, true = (
        PairMaker(STUDIO, seed=2, residuals=residuals).make(range(600)).joints.flatten(0, 1)
        for residuals in (drawn, EXACT)
    )
    found = measure_residuals(wrong, true, COMPACT_SPACES)
    for name in ('joint', 'hand', 'depth_m', 'flattened'):
        assert getattr(found, name) == pytest.approx(getattr(drawn, name), rel=0.25), name
