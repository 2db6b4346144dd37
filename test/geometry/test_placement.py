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
        linear.append(placement.place_linearly(hand(), rays)[2])
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


def noisy_rays(rng, noise_px, wrist=WRIST):
    return rays_of(hand() + wrist) + rng.normal(0, 1, (21, 2)) * noise_px / FOCAL


def places(true_noise_px, count=400, **options):
    """Return places (count, 3) and their covariances (count, 3, 3) over seeded noise."""
    rng = np.random.default_rng(4)
    found = [
        placement.place_joints(hand(), noisy_rays(rng, true_noise_px), FOCAL, **options)
        for _ in range(count)
    ]
    return np.array([f.metres for f in found]), np.array([f.covariance_m2 for f in found])


def agree(predicted, measured, factor):
    """Compare standard deviations, then correlations."""
    ratio = np.sqrt(predicted.diagonal() / measured.diagonal())
    assert (ratio > 1 / factor).all()
    assert (ratio < factor).all()
    predicted, measured = (
        matrix / np.sqrt(np.outer(matrix.diagonal(), matrix.diagonal()))
        for matrix in (predicted, measured)
    )
    np.testing.assert_allclose(predicted, measured, atol=0.15)


@pytest.mark.parametrize('noise_px', [1.0, 3.0, 5.0])
def test_the_covariance_predicts_the_scatter_of_the_places(noise_px):
    metres, covariances = places(noise_px, noise_px=noise_px)
    agree(covariances.mean(0), np.cov(metres.T), 1.25)


def test_the_covariance_sees_noise_above_the_assumed_one_in_the_residuals():
    metres, covariances = places(5.0, noise_px=0.5)
    agree(covariances.mean(0), np.cov(metres.T), 1.25)


def test_the_covariance_assumes_at_least_the_noise_it_is_told_however_well_the_joints_fit():
    rays = rays_of(hand() + WRIST)
    one, two = (
        placement.place_joints(hand(), rays, FOCAL, noise_px=noise).covariance_m2
        for noise in (1.0, 2.0)
    )
    np.testing.assert_allclose(two, 4 * one, rtol=1e-6)
    _, covariances = places(0.01, count=20)
    metres, _ = places(placement.NOISE_PX)
    agree(covariances.mean(0), np.cov(metres.T), 1.25)


def test_one_wild_joint_hardly_widens_the_covariance():
    rays = rays_of(hand() + WRIST)
    calm = placement.place_joints(hand(), rays, FOCAL).covariance_m2
    rays[8] += 0.3
    wild = placement.place_joints(hand(), rays, FOCAL).covariance_m2
    assert np.sqrt(wild[2, 2] / calm[2, 2]) < 1.5


def test_weights_of_one_are_no_weights():
    rays = noisy_rays(np.random.default_rng(5), 3.0)
    plain = placement.place_joints(hand(), rays, FOCAL)
    weighted = placement.place_joints(hand(), rays, FOCAL, weights=np.ones(21))
    np.testing.assert_array_equal(weighted.metres, plain.metres)
    np.testing.assert_array_equal(weighted.covariance_m2, plain.covariance_m2)


@pytest.mark.parametrize('nothing', [0.0, np.nan, -1.0])
def test_a_joint_without_weight_is_a_joint_left_out(nothing):
    rays = noisy_rays(np.random.default_rng(6), 3.0)
    weights = np.ones(21)
    weights[[2, 11, 20]] = nothing
    weighted = placement.place_joints(hand(), rays, FOCAL, weights=weights)
    left_out = placement.place_joints(hand()[weights == 1], rays[weights == 1], FOCAL)
    np.testing.assert_array_equal(weighted.metres, left_out.metres)
    np.testing.assert_array_equal(weighted.covariance_m2, left_out.covariance_m2)
    assert weighted.residual_px == left_out.residual_px


def test_too_few_joints_with_weight_give_no_place():
    weights = np.zeros(21)
    weights[: placement.MIN_JOINTS - 1] = 1
    rays = rays_of(hand() + WRIST)
    assert placement.place_joints(hand(), rays, FOCAL, weights=weights) is None
    one_visible = np.full_like(rays, np.nan)
    one_visible[5] = rays[5]
    assert placement.place_joints(hand(), one_visible, FOCAL) is None


def test_the_unit_of_the_weights_does_not_move_the_place():
    rng = np.random.default_rng(7)
    rays, weights = noisy_rays(rng, 3.0), rng.uniform(0.2, 1, 21)
    one = placement.place_joints(hand(), rays, FOCAL, weights=weights)
    five = placement.place_joints(hand(), rays, FOCAL, weights=5 * weights)
    np.testing.assert_allclose(five.metres, one.metres, atol=1e-7)


def test_weights_that_know_the_noise_make_places_better_and_the_covariance_knows_it():
    rng = np.random.default_rng(8)
    weights = np.where(np.arange(21) % 2, 1.0, 0.1)
    noise_px = 2 / np.sqrt(weights)[:, None]
    found = {'blind': [], 'knowing': []}
    for _ in range(400):
        rays = noisy_rays(rng, noise_px)
        found['blind'].append(placement.place_joints(hand(), rays, FOCAL))
        found['knowing'].append(
            placement.place_joints(hand(), rays, FOCAL, weights=weights, noise_px=2.0)
        )
    blind, knowing = (np.cov(np.array([f.metres for f in fs]).T) for fs in found.values())
    assert knowing[2, 2] < 0.8 * blind[2, 2]
    agree(np.mean([f.covariance_m2 for f in found['knowing']], axis=0), knowing, 1.25)


def test_scaling_the_scene_scales_the_covariance_and_mirroring_mirrors_it():
    rays = noisy_rays(np.random.default_rng(9), 3.0)
    one = placement.place_joints(hand(), rays, FOCAL).covariance_m2
    three = placement.place_joints(3 * hand(), rays, FOCAL).covariance_m2
    np.testing.assert_allclose(three, 9 * one, rtol=1e-4)
    other = placement.place_joints(hand() * (-1, 1, 1), rays * (-1, 1), FOCAL).covariance_m2
    np.testing.assert_allclose(other, one * np.outer((-1, 1, 1), (-1, 1, 1)), atol=1e-12)


def test_both_hands_together_take_weights_and_know_the_place_better_than_one():
    right, left = hand(1), hand(2)
    rays = np.concatenate([rays_of(right + WRIST), rays_of(left + WRIST)])
    weights = np.append(np.ones(21), np.zeros(21))
    one = placement.place_together(right, left, np.zeros(3), rays, FOCAL, weights=weights)
    alone = placement.place_joints(right, rays[:21], FOCAL)
    np.testing.assert_array_equal(one.covariance_m2, alone.covariance_m2)
    both = placement.place_together(right, left, np.zeros(3), rays, FOCAL)
    assert both.covariance_m2[2, 2] < one.covariance_m2[2, 2]


def test_a_distance_that_cannot_be_known_has_a_wide_covariance():
    rays = 0.1 + np.random.default_rng(10).normal(0, 3 / 600, (21, 2))
    found = placement.place_joints(np.zeros((21, 3)), rays, FOCAL)
    assert found is None or np.sqrt(found.covariance_m2[2, 2]) > 1


def test_whatever_comes_in_gives_none_or_a_place_in_range_with_a_finite_covariance():
    rng = np.random.default_rng(11)
    for _ in range(400):
        count = rng.integers(0, 22)
        scale = 10.0 ** rng.uniform(-12, 12, 2)
        joints = rng.normal(0, scale[0], (count, 3)) - rng.choice([0, 0, 1]) * scale[0]
        rays = rng.normal(0, scale[1], (count, 2))
        if rng.random() < 0.5 and count:
            rays = rays_of(joints + WRIST * rng.choice([-1, 1, 100])) + rng.normal(0, 1e-2)
        for array in (joints, rays):
            broken = rng.random(array.shape) < rng.choice([0, 0, 0.05])
            array[broken] = rng.choice([np.nan, np.inf, -1e300, 0])
        weights = rng.choice(
            [0, 1e-9, 1, 1e9, np.inf, np.nan], count, p=[0.1, 0.1, 0.6, 0.1, 0.05, 0.05]
        )
        found = placement.place_joints(
            joints, rays, FOCAL, weights=weights if rng.random() < 0.5 else None
        )
        if found is not None:
            assert found.metres[2] + np.nanmax(joints[:, 2]) >= placement.MIN_DEPTH_M
            assert np.isfinite(found.residual_px)
            assert np.isfinite(found.covariance_m2).all()
            np.testing.assert_allclose(found.covariance_m2, found.covariance_m2.T, atol=1e-9)
            assert np.linalg.eigvalsh(found.covariance_m2).min() >= -1e-9
