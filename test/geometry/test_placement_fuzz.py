"""Laws of placement on drawn scenes, and what it says to numbers that no camera gives."""

from interwild_ros.geometry import placement
import numpy as np
import pytest

ODD = (np.nan, np.inf, -np.inf, 1e300, -1e300, 1e154, 1e20, 0.0, -1.0, 1e-300)
WEIGHTS = (0.0, 1e-300, 1e-9, 1.0, 1e9, 1e150, np.inf, np.nan, -1.0)


def hand(rng, count=21):
    joints = rng.normal(0, 0.05, (count, 3))
    return joints - joints[:1]


def flat(rng):
    return hand(rng) * (1, 1, 0)


def slim(rng):
    return hand(rng) * (0.2, 1, 1)


SHAPES = {
    'hand': hand,
    'flat': flat,
    'slim': slim,
    'line': lambda rng: np.outer(rng.normal(0, 0.06, 21), rng.normal(0, 0.6, 3)),
    'edge-on': lambda rng: hand(rng) * (0, 0, 1),
    'two-points': lambda rng: np.where(np.arange(21)[:, None] % 2, *hand(rng)[1:3]),
    'one-point': lambda rng: np.tile(hand(rng)[5], (21, 1)),
    'few': lambda rng: hand(rng, rng.integers(0, 8)),
}


def wrist(rng, nearest_m=0.3, farthest_m=4.0):
    depth_m = np.exp(rng.uniform(*np.log([nearest_m, farthest_m])))
    return depth_m * np.array([*rng.uniform(-0.6, 0.6, 2), 1.0])


def focal(rng):
    return tuple(rng.uniform(300, 2000) * rng.uniform(0.9, 1.1, 2))


def rays_of(joints):
    with np.errstate(all='ignore'):
        return joints[:, :2] / joints[:, 2:]


def broken(rng, array):
    """Return an array of which no number, some or all are odd."""
    odd = rng.random(array.shape) < rng.choice([0, 0, 0.03, 0.3, 1.0])
    return np.where(odd, rng.choice(ODD, array.shape), array)


def is_sane(found):
    """Say whether an answer is None, or finite metres and a covariance that can be one."""
    if found is None:
        return True
    covariance = found.covariance_m2
    if not (
        np.isfinite(found.metres).all()
        and np.isfinite(found.residual_px)
        and np.isfinite(covariance).all()
    ):
        return False
    rounding = 1e-9 * np.abs(covariance).max()
    is_symmetric = np.abs(covariance - covariance.T).max() <= rounding
    return is_symmetric and np.linalg.eigvalsh(covariance).min() >= -rounding


@pytest.mark.parametrize('shape', SHAPES)
def test_whatever_joints_rays_and_weights_the_answer_is_none_or_sane(shape):
    rng = np.random.default_rng(20)
    for _ in range(300):
        joints = SHAPES[shape](rng)
        at = wrist(rng, 0.01, 1e3) * (1, 1, rng.choice([-1, 1, 1]))
        rays = rays_of(joints + at) + rng.normal(0, rng.choice([0, 1e-3, 1e-1, 10]), 2)
        joints, rays = broken(rng, joints), broken(rng, rays)
        found = placement.place_joints(
            joints,
            rays,
            (10.0 ** rng.uniform(-3, 6), 10.0 ** rng.uniform(-3, 6)),
            weights=rng.choice(WEIGHTS, len(joints)) if rng.random() < 0.5 else None,
            noise_px=rng.choice([0.0, 1e-9, 3.0, 1e9]),
        )
        assert is_sane(found)


def test_whatever_two_hands_the_answer_is_none_or_sane():
    rng = np.random.default_rng(21)
    for _ in range(1000):
        right, left, rays = hand(rng), hand(rng), rng.normal(0, 0.2, (42, 2))
        relation = rng.normal(0, 0.1, 3) * rng.choice([0, 1, 1e9])
        if rng.random() < 0.5:
            at = wrist(rng)
            rays = rays_of(np.concatenate([right + at, left + at + relation]))
        weights = rng.choice(WEIGHTS, 42) if rng.random() < 0.5 else None
        found = placement.place_together(
            broken(rng, right),
            np.where(rng.random((21, 3)) < rng.choice([0, 0.1, 1]), np.nan, left),
            np.where(rng.random(3) < rng.choice([0, 0.3]), np.nan, relation),
            broken(rng, rays),
            focal(rng),
            weights=weights,
        )
        assert is_sane(found)


def test_weights_beyond_all_bounds_give_none_or_a_sane_place():
    rng = np.random.default_rng(22)
    joints = hand(rng)
    weights = np.ones(21)
    weights[::3] = 1e302
    found = placement.place_joints(
        joints, rays_of(joints + wrist(rng)), (600.0, 600.0), weights=weights
    )
    assert is_sane(found)


@pytest.mark.parametrize('relation', [1e308, -np.inf])
def test_a_relation_beyond_all_bounds_gives_none_or_a_sane_place(relation):
    rng = np.random.default_rng(23)
    right, left, at = hand(rng), hand(rng), wrist(rng)
    rays = rays_of(np.concatenate([right + at, left + at]))
    left[4] = (1e308, 1e308, np.inf)
    found = placement.place_together(right, left, np.full(3, relation), rays, (600.0, 600.0))
    assert is_sane(found)


def test_joints_behind_the_camera_never_give_a_place_behind_it():
    rng = np.random.default_rng(24)
    for _ in range(300):
        joints = hand(rng)
        found = placement.place_joints(joints, rays_of(joints - wrist(rng)), focal(rng))
        if found is not None:
            assert (joints + found.metres)[:, 2].min() >= placement.MIN_DEPTH_M * (1 - 1e-9)


def test_a_hand_with_one_visible_joint_has_no_place():
    rng = np.random.default_rng(25)
    for _ in range(100):
        joints, seen = hand(rng), rng.integers(21)
        rays = rays_of(joints + wrist(rng))
        hidden = np.full_like(rays, np.nan)
        hidden[seen] = rays[seen]
        assert placement.place_joints(joints, hidden, focal(rng)) is None
        weights = (np.arange(21) == seen).astype(float)
        assert placement.place_joints(joints, rays, focal(rng), weights=weights) is None


@pytest.mark.parametrize('shape', ['hand', 'flat', 'slim', 'line'])
def test_projecting_a_placed_hand_gives_back_its_rays(shape):
    rng = np.random.default_rng(26)
    for _ in range(300):
        joints, at = SHAPES[shape](rng), wrist(rng)
        joints = joints - joints[0]
        if (joints + at)[:, 2].min() < 2 * placement.MIN_DEPTH_M:
            continue
        rays = rays_of(joints + at)
        found = placement.place_joints(joints, rays, focal(rng), weights=rng.uniform(0.1, 2, 21))
        np.testing.assert_allclose(rays_of(joints + found.metres), rays, atol=1e-6)
        np.testing.assert_allclose(found.metres, at, atol=1e-4 * at[2])


def test_projecting_two_hands_placed_together_gives_back_their_rays():
    rng = np.random.default_rng(27)
    for _ in range(200):
        right, left, at, relation = hand(rng), hand(rng), wrist(rng, 0.6), rng.normal(0, 0.1, 3)
        both = np.concatenate([right, left + relation])
        if (both + at)[:, 2].min() < 2 * placement.MIN_DEPTH_M:
            continue
        found = placement.place_together(right, left, relation, rays_of(both + at), focal(rng))
        np.testing.assert_allclose(rays_of(both + found.metres), rays_of(both + at), atol=1e-6)


def noisy_scenes(seed, count=200):
    """Yield joints, rays, weights and focal lengths of scenes whose distance can be told."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        joints, at = (hand, flat)[rng.integers(2)](rng), wrist(rng, 0.4, 2.0)
        rays = rays_of(joints + at) + rng.normal(0, 2e-3, (21, 2))
        if rng.random() < 0.3:
            rays[rng.integers(21)] += rng.normal(0, 0.3, 2)
        yield joints, rays, rng.uniform(0.2, 2, 21), focal(rng)


def test_scaling_any_scene_scales_the_place_and_its_deviation():
    for joints, rays, weights, lens in noisy_scenes(28):
        one = placement.place_joints(joints, rays, lens, weights=weights)
        for scale in (0.6, 2.5):
            other = placement.place_joints(scale * joints, rays, lens, weights=weights)
            np.testing.assert_allclose(
                other.metres, scale * one.metres, atol=1e-4 * scale * one.metres[2]
            )
            np.testing.assert_allclose(
                np.sqrt(other.covariance_m2.diagonal()),
                scale * np.sqrt(one.covariance_m2.diagonal()),
                rtol=0.01,
            )


@pytest.mark.parametrize('flip', [(-1, 1, 1), (1, -1, 1), (-1, -1, 1)])
def test_mirroring_any_scene_mirrors_the_place_and_its_covariance(flip):
    for joints, rays, weights, lens in noisy_scenes(29, 100):
        one = placement.place_joints(joints, rays, lens, weights=weights)
        other = placement.place_joints(joints * flip, rays * flip[:2], lens, weights=weights)
        np.testing.assert_allclose(other.metres, one.metres * flip, atol=1e-9)
        np.testing.assert_allclose(
            other.covariance_m2, one.covariance_m2 * np.outer(flip, flip), atol=1e-12
        )


def test_the_order_of_the_joints_does_not_matter():
    rng = np.random.default_rng(30)
    for joints, rays, weights, lens in noisy_scenes(30, 100):
        order = rng.permutation(21)
        one = placement.place_joints(joints, rays, lens, weights=weights)
        other = placement.place_joints(joints[order], rays[order], lens, weights=weights[order])
        np.testing.assert_allclose(other.metres, one.metres, atol=1e-6)


def test_the_origin_of_the_joints_does_not_matter():
    rng = np.random.default_rng(31)
    for joints, rays, weights, lens in noisy_scenes(31, 100):
        origin = rng.normal(0, 0.1, 3)
        one = placement.place_joints(joints, rays, lens, weights=weights)
        other = placement.place_joints(joints - origin, rays, lens, weights=weights)
        np.testing.assert_allclose(other.metres, one.metres + origin, atol=1e-4)


def huber_cost(joints, rays, weights, lens, at):
    size = np.linalg.norm((rays_of(joints + at) - rays) * lens, axis=1)
    linear = placement.HUBER_PX * (2 * size - placement.HUBER_PX)
    return weights @ np.where(size <= placement.HUBER_PX, size**2, linear)


def test_no_place_beside_the_one_found_costs_less():
    rng = np.random.default_rng(32)
    for joints, rays, weights, lens in noisy_scenes(32):
        wild = rng.random(21) < rng.choice([0, 0.1, 0.3])
        rays[wild] += rng.normal(0, 0.1, (wild.sum(), 2))
        at = placement.place_joints(joints, rays, lens, weights=weights).metres
        least = huber_cost(joints, rays, weights, lens, at)
        for part in (1e-5, 1e-4, 1e-3, 1e-2):
            for way in (*np.vstack([np.eye(3), -np.eye(3)]), *rng.normal(0, 0.6, (10, 3)), at):
                beside = at + part * at[2] * way
                assert huber_cost(joints, rays, weights, lens, beside) >= least * (1 - 1e-12)
