from interwild_ros.geometry import placement
import numpy as np
import pytest

FOCAL = (600.0, 620.0)
WRIST = np.array([0.12, -0.07, 0.5])


def hand(seed=0):
    joints = np.random.default_rng(seed).normal(0, 0.05, (21, 3))
    return joints - joints[0]


def rays_of(joints):
    return joints[:, :2] / joints[:, 2:]


def test_an_exact_picture_gives_back_the_exact_place():
    for depth in (0.3, 0.5, 1.5, 4.0):
        wrist = WRIST * depth / 0.5
        found = placement.place_joints(hand(), rays_of(hand() + wrist), FOCAL)
        np.testing.assert_allclose(found.metres, wrist, atol=1e-6 * depth)
        assert found.residual_px < 1e-3


def test_scaling_the_scene_scales_the_place():
    rng = np.random.default_rng(1)
    rays = rays_of(hand() + WRIST) + rng.normal(0, 3 / 600, (21, 2))
    one = placement.place_joints(hand(), rays, FOCAL).metres
    three = placement.place_joints(3 * hand(), rays, FOCAL).metres
    np.testing.assert_allclose(three, 3 * one, rtol=1e-5)


def test_mirroring_the_world_mirrors_the_place():
    rng = np.random.default_rng(2)
    rays = rays_of(hand() + WRIST) + rng.normal(0, 3 / 600, (21, 2))
    one = placement.place_joints(hand(), rays, FOCAL).metres
    other = placement.place_joints(hand() * (-1, 1, 1), rays * (-1, 1), FOCAL).metres
    np.testing.assert_allclose(other, one * (-1, 1, 1), atol=1e-9)


def test_noise_leaves_no_bias_where_the_linear_solve_has_one():
    rng = np.random.default_rng(3)
    far = WRIST * 3
    depths, linear = [], []
    for _ in range(300):
        rays = rays_of(hand() + far) + rng.normal(0, 3 / 600, (21, 2))
        depths.append(placement.place_joints(hand(), rays, FOCAL).metres[2])
        linear.append(placement._linear_start(hand(), rays)[2])
    assert abs(np.mean(depths) - far[2]) < 0.015
    assert np.mean(linear) - far[2] < -0.03


def test_one_wild_joint_moves_the_place_little():
    rays = rays_of(hand() + WRIST)
    rays[8] += 0.3
    found = placement.place_joints(hand(), rays, FOCAL)
    assert np.abs(found.metres - WRIST).max() < 0.02


def test_both_hands_together_are_placed_by_one_solve():
    right, left = hand(1), hand(2)
    left_from_right = np.array([-0.1, 0.02, 0.05])
    rays = np.concatenate([rays_of(right + WRIST), rays_of(left + WRIST + left_from_right)])
    found = placement.place_together(right, left, left_from_right, rays, FOCAL)
    np.testing.assert_allclose(found.metres, WRIST, atol=1e-6)


@pytest.mark.parametrize(
    ('joints', 'rays'),
    [
        (hand(), np.full((21, 2), np.nan)),
        (hand(), np.zeros((21, 2))),
        (np.full((21, 3), np.nan), np.zeros((21, 2))),
        (np.zeros((21, 3)), np.zeros((21, 2))),
        (hand()[:5], rays_of(hand()[:5] + WRIST)),
        (hand(), -1e6 * rays_of(hand() + WRIST)),
        (hand() * 1e-9, rays_of(hand() + WRIST)),
        (hand() * 1e6, rays_of(hand() + WRIST)),
    ],
    ids=['nan-rays', 'one-ray', 'nan-joints', 'one-point', 'five', 'wild', 'tiny', 'huge'],
)
def test_hopeless_joints_give_none_or_a_finite_place_in_range(joints, rays):
    found = placement.place_joints(joints, rays, FOCAL)
    if found is not None:
        depths = joints[:, 2] + found.metres[2]
        assert np.isfinite(found.metres).all()
        assert depths.min() >= placement.MIN_DEPTH_M
        assert depths.max() <= placement.MAX_DEPTH_M


def test_nan_rays_are_left_out():
    rays = rays_of(hand() + WRIST)
    rays[[3, 9]] = np.nan
    np.testing.assert_allclose(
        placement.place_joints(hand(), rays, FOCAL).metres, WRIST, atol=1e-6
    )
