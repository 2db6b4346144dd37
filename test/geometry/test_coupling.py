from dataclasses import replace
from itertools import pairwise

from interwild_ros.errors import InputError, SettingError
from interwild_ros.geometry.coupling import couple, PlacementNoise, with_size_error
from interwild_ros.geometry.placement import MAX_DEPTH_M, Translation
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

NO_NOISE = PlacementNoise(own=0.0, common=0.0)
RIGHT_M, LEFT_M = np.array([0.1, -0.05, 0.5]), np.array([-0.05, 0.0, 0.6])
RELATION_M = LEFT_M - RIGHT_M
ARRAYS = (
    'right_m',
    'left_m',
    'right_covariance_m2',
    'left_covariance_m2',
    'left_from_right_m',
    'left_from_right_covariance_m2',
)
COVARIANCES = tuple(name for name in ARRAYS if 'covariance' in name)


def some_covariance(rng, std_m=0.02):
    root = rng.normal(0, std_m, (3, 3))
    return root @ root.T + 1e-6 * np.eye(3)


def scene(seed, off_m=0.02):
    """Return two placed hands, a relation that is off by about so much, and its covariance."""
    rng = np.random.default_rng(seed)
    right, left = (
        Translation(at + rng.normal(0, 0.02, 3), 2.0, some_covariance(rng))
        for at in (RIGHT_M, LEFT_M)
    )
    relation = left.metres - right.metres + rng.normal(0, off_m, 3)
    return right, left, relation, some_covariance(rng, 0.01)


def moved(hand, change):
    """Return a placed hand under a linear map (3, 3) of the world."""
    return Translation(change @ hand.metres, 2.0, change @ hand.covariance_m2 @ change.T)


def agree(found, wanted, **tolerance):
    for name in ARRAYS:
        np.testing.assert_allclose(
            getattr(found, name), getattr(wanted, name), err_msg=name, **tolerance
        )


def both(coupled):
    return np.concatenate([coupled.right_m, coupled.left_m])


def placed(right, left):
    return np.concatenate([right.metres, left.metres])


def test_the_wrists_are_the_least_squares_solution_of_three_observations_of_six_unknowns():
    rows = np.vstack([np.eye(6), np.hstack([-np.eye(3), np.eye(3)])])
    for seed in range(30):
        right, left, relation, covariance = scene(seed, off_m=0.005)
        noises = (right.covariance_m2, left.covariance_m2, covariance)
        information = np.zeros((9, 9))
        for i, noise in enumerate(noises):
            information[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] = np.linalg.inv(noise)
        seen = np.concatenate([right.metres, left.metres, relation])
        left_over = np.linalg.inv(rows.T @ information @ rows)
        wanted = left_over @ rows.T @ information @ seen
        found = couple(right, left, relation, covariance, noise=NO_NOISE)
        if found.disagreement_sigmas < 3:
            np.testing.assert_allclose(both(found), wanted, atol=1e-5)
            np.testing.assert_allclose(found.right_covariance_m2, left_over[:3, :3], atol=1e-7)
            np.testing.assert_allclose(found.left_covariance_m2, left_over[3:, 3:], atol=1e-7)
            np.testing.assert_allclose(
                found.left_from_right_covariance_m2,
                rows[6:] @ left_over @ rows[6:].T,
                atol=1e-7,
            )


def test_hands_and_a_relation_that_agree_stay_where_they_are_and_are_known_better():
    right, left, _, covariance = scene(0)
    found = couple(right, left, left.metres - right.metres, covariance)
    np.testing.assert_allclose(both(found), placed(right, left), atol=1e-12)
    assert found.disagreement_m == pytest.approx(0, abs=1e-12)
    alone = couple(right, left, left.metres - right.metres, covariance, weight=0.0)
    for name in COVARIANCES:
        assert np.trace(getattr(found, name)) < np.trace(getattr(alone, name))


def test_the_disagreement_is_that_of_the_hands_as_they_were_placed():
    for seed in range(10):
        right, left, relation, covariance = scene(seed)
        for weight in (0.0, 0.5, 1.0):
            found = couple(right, left, relation, covariance, weight=weight)
            wanted = np.linalg.norm(left.metres - right.metres - relation)
            assert found.disagreement_m == pytest.approx(wanted)


def test_the_fused_relation_is_the_difference_of_the_fused_wrists():
    for seed in range(10):
        found = couple(*scene(seed))
        np.testing.assert_array_equal(found.left_from_right_m, found.left_m - found.right_m)


def test_swapping_the_hands_swaps_the_answer():
    for seed in range(10):
        right, left, relation, covariance = scene(seed, off_m=0.2 * (seed % 2))
        one = couple(right, left, relation, covariance, weight=0.7)
        other = couple(left, right, -relation, covariance, weight=0.7)
        swapped = replace(
            other,
            right_m=other.left_m,
            left_m=other.right_m,
            right_covariance_m2=other.left_covariance_m2,
            left_covariance_m2=other.right_covariance_m2,
            left_from_right_m=-other.left_from_right_m,
        )
        agree(swapped, one, atol=1e-12)
        assert other.disagreement_sigmas == pytest.approx(one.disagreement_sigmas)


def test_turning_or_mirroring_the_world_turns_or_mirrors_the_answer():
    turns = list(Rotation.random(5, random_state=1).as_matrix())
    for seed, change in enumerate([*turns, np.diag([-1.0, 1.0, 1.0])]):
        right, left, relation, covariance = scene(seed, off_m=0.05)
        one = couple(right, left, relation, covariance)
        other = couple(
            moved(right, change),
            moved(left, change),
            change @ relation,
            change @ covariance @ change.T,
        )
        for name in ARRAYS:
            wanted = change @ getattr(one, name)
            if name in COVARIANCES:
                wanted = wanted @ change.T
            np.testing.assert_allclose(getattr(other, name), wanted, atol=1e-10)


def test_scaling_the_world_scales_the_answer():
    for seed in range(6):
        right, left, relation, covariance = scene(seed, off_m=0.05)
        one = couple(right, left, relation, covariance)
        twice = 2 * np.eye(3)
        other = couple(moved(right, twice), moved(left, twice), 2 * relation, 4 * covariance)
        for name in ARRAYS:
            factor = 4 if name in COVARIANCES else 2
            np.testing.assert_allclose(
                getattr(other, name), factor * getattr(one, name), rtol=1e-3, atol=1e-6
            )


def test_without_weight_each_hand_stays_and_has_its_own_error_of_size():
    for off_m in (0.0, 0.02, 10.0):
        right, left, relation, covariance = scene(1, off_m)
        noise = PlacementNoise(own=0.04, common=0.03)
        found = couple(right, left, relation, covariance, noise=noise, weight=0.0)
        np.testing.assert_array_equal(both(found), placed(right, left))
        for hand, given in (
            (right, found.right_covariance_m2),
            (left, found.left_covariance_m2),
        ):
            wanted = with_size_error(hand.metres, hand.covariance_m2, 0.05)
            np.testing.assert_allclose(given, wanted, atol=1e-12)


def test_the_hands_go_the_part_of_the_way_that_the_weight_says():
    for seed, off_m in enumerate((0.01, 0.1, 1.0)):
        right, left, relation, covariance = scene(seed, off_m)
        start, end = (
            both(couple(right, left, relation, covariance, weight=w)) for w in (0.0, 1.0)
        )
        for weight in (0.1, 0.5, 0.9):
            found = both(couple(right, left, relation, covariance, weight=weight))
            np.testing.assert_allclose(found, start + weight * (end - start), atol=1e-12)


def test_more_weight_never_widens_a_covariance():
    for seed in range(5):
        wide = [couple(*scene(seed), weight=w) for w in np.linspace(0, 1, 6)]
        for before, after in pairwise(wide):
            for name in COVARIANCES:
                less = getattr(before, name) - getattr(after, name)
                assert np.linalg.eigvalsh(less).min() > -1e-12


def test_a_certain_relation_that_is_plausible_is_taken_over():
    right, left, relation, _ = scene(3, off_m=0.01)
    found = couple(right, left, relation, np.zeros((3, 3)))
    assert found.disagreement_sigmas < 3
    np.testing.assert_allclose(found.left_from_right_m, relation, atol=1e-4)


@pytest.mark.parametrize('nothing', [np.inf, 1e300, 1e12])
def test_a_relation_that_knows_nothing_moves_nothing(nothing):
    right, left, relation, _ = scene(4, off_m=0.1)
    found = couple(right, left, relation, np.diag(np.full(3, nothing)))
    np.testing.assert_allclose(both(found), placed(right, left), atol=1e-7)


def test_a_relation_without_depth_still_moves_hands_across():
    right, left, relation, _ = scene(5, off_m=0.01)
    known = 1e-6 * np.eye(3)
    known[2, 2] = np.inf
    level = [replace(h, covariance_m2=np.diag([1e-3, 1e-3, 1e-3])) for h in (right, left)]
    found = couple(*level, relation, known, noise=NO_NOISE)
    np.testing.assert_allclose(found.left_from_right_m[:2], relation[:2], atol=1e-4)
    apart_m = left.metres - right.metres
    assert found.left_from_right_m[2] == pytest.approx(apart_m[2], abs=1e-7)


def test_the_hand_that_is_less_sure_moves_more():
    right, left, relation, covariance = scene(6)
    right = replace(right, covariance_m2=1e-4 * np.eye(3))
    left = replace(left, covariance_m2=4e-4 * np.eye(3))
    found = couple(right, left, relation, covariance, noise=NO_NOISE)
    steps = found.right_m - right.metres, found.left_m - left.metres
    np.testing.assert_allclose(steps[1], -4 * steps[0], atol=1e-9)


def test_an_unknown_distance_of_one_hand_is_that_of_the_other_with_the_relation():
    right, left, relation, covariance = scene(7, off_m=0.0)
    off = replace(
        left,
        metres=left.metres + np.array([0, 0, 3.0]),
        covariance_m2=np.diag([1e-4, 1e-4, MAX_DEPTH_M**2]),
    )
    found = couple(right, off, relation, covariance, noise=NO_NOISE)
    assert found.left_m[2] == pytest.approx(left.metres[2], abs=0.01)
    assert found.left_covariance_m2[2, 2] < 0.01


def pull_sigmas(off_m):
    """Return how far a relation pulls the difference, in standard deviations of the hands'."""
    right, left, _, covariance = scene(8)
    direction = np.array([0.6, 0.0, 0.8])
    relation = left.metres - right.metres + off_m * direction
    found = couple(right, left, relation, covariance, noise=NO_NOISE)
    step = found.left_from_right_m - (left.metres - right.metres)
    expected = right.covariance_m2 + left.covariance_m2
    return float(np.sqrt(step @ np.linalg.solve(expected, step)))


def left_over_m(off_m):
    """Return how far the hands are from the relation, after all, when it is off by so much."""
    right, left, _, covariance = scene(8)
    relation = left.metres - right.metres + np.array([0.6, 0.0, 0.8]) * off_m
    found = couple(right, left, relation, covariance, noise=NO_NOISE)
    return float(np.linalg.norm(found.left_from_right_m - relation))


def test_the_more_hands_disagree_with_a_relation_the_more_of_it_they_take_over():
    offs = np.geomspace(1e-2, 1e1, 60)
    shares = np.array([left_over_m(off_m) / off_m for off_m in offs])
    assert (np.diff(shares) < 1e-6).all()
    assert shares[0] > 0.1
    assert shares[-1] < 0.01


def test_the_pull_is_continuous():
    offs = np.linspace(0, 0.5, 5001)
    pulls = np.array([pull_sigmas(off_m) for off_m in offs])
    steps = np.abs(np.diff(pulls))
    assert steps.max() < 20 * np.median(steps)


def test_hands_that_are_certain_and_disagree_with_a_certain_relation_stay():
    right, left, relation, _ = scene(9, off_m=0.1)
    certain = [replace(hand, covariance_m2=np.zeros((3, 3))) for hand in (right, left)]
    found = couple(*certain, relation, np.zeros((3, 3)), noise=NO_NOISE)
    np.testing.assert_allclose(both(found), placed(right, left), atol=1e-6)


@pytest.mark.parametrize('noise', [NO_NOISE, PlacementNoise(own=0.05, common=0.06)])
@pytest.mark.parametrize('weight', [0.0, 1.0])
def test_the_covariances_predict_the_scatter(noise, weight):
    rng = np.random.default_rng(10)
    truth = {'right_m': RIGHT_M, 'left_m': LEFT_M, 'left_from_right_m': RELATION_M}
    alone, relation = some_covariance(rng, 0.01), some_covariance(rng, 0.01)
    off = {name: [] for name in truth}
    told = {name: [] for name in truth}
    for _ in range(3000):
        shared = rng.normal(0, noise.common)
        right, left = (
            Translation(
                rng.multivariate_normal(at * (1 + shared + rng.normal(0, noise.own)), alone),
                2.0,
                alone,
            )
            for at in (RIGHT_M, LEFT_M)
        )
        said = rng.multivariate_normal(RELATION_M, relation)
        found = couple(right, left, said, relation, noise=noise, weight=weight)
        for name, at in truth.items():
            off[name].append(getattr(found, name) - at)
            told[name].append(getattr(found, name.replace('_m', '_covariance_m2')))
    for name in truth:
        seen = np.cov(np.array(off[name]).T)
        ratio = np.linalg.eigvals(np.linalg.solve(np.mean(told[name], axis=0), seen))
        assert (np.abs(ratio - 1) < 0.2).all(), (name, ratio)


def test_an_error_of_size_that_both_share_hardly_hurts_the_relation():
    right, left, relation, covariance = scene(11)
    shared, own = (
        couple(right, left, relation, covariance, noise=noise, weight=0.0)
        for noise in (PlacementNoise(own=0.0, common=0.1), PlacementNoise(own=0.1, common=0.0))
    )
    np.testing.assert_allclose(shared.right_covariance_m2, own.right_covariance_m2, atol=1e-12)
    alone = right.covariance_m2 + left.covariance_m2
    added = [np.trace(c.left_from_right_covariance_m2 - alone) for c in (shared, own)]
    apart_m = left.metres - right.metres
    assert added[0] == pytest.approx(0.1**2 * apart_m @ apart_m)
    assert added[0] < added[1] / 5


def test_an_error_of_size_lies_along_the_ray_and_grows_with_the_distance():
    for distance in (0.3, 1.0, 4.0):
        ray = np.array([0.48, -0.36, 0.8])
        found = with_size_error(distance * ray, 1e-6 * np.eye(3), 0.05)
        assert ray @ found @ ray == pytest.approx((0.05 * distance) ** 2 + 1e-6)
        across = np.cross(ray, [0.0, 0.0, 1.0])
        assert across @ found @ across == pytest.approx(1e-6 * across @ across)


def test_a_hand_that_is_a_part_larger_is_placed_that_part_farther_off():
    noise = PlacementNoise(own=0.1, common=0.0)
    right, left = (Translation(at, 2.0, 1e-10 * np.eye(3)) for at in (RIGHT_M, LEFT_M))
    found = couple(right, left, RELATION_M * 1.2, 1e-4 * np.eye(3), noise=noise)
    for after, before in ((found.right_m, RIGHT_M), (found.left_m, LEFT_M)):
        np.testing.assert_allclose(np.cross(after, before), 0, atol=1e-4)


def test_whatever_the_covariances_the_answer_is_finite_and_no_variance_is_below_zero():
    rng = np.random.default_rng(12)
    for _ in range(400):
        matrices = []
        for _ in range(3):
            root = rng.normal(0, 10.0 ** rng.uniform(-12, 6), (3, rng.integers(1, 4)))
            matrix = root @ root.T if rng.random() < 0.8 else np.zeros((3, 3))
            if rng.random() < 0.1:
                matrix[rng.integers(3), rng.integers(3)] = rng.choice([np.inf, 1e300, -1e300])
            matrices.append(matrix)
        spread = 10.0 ** rng.uniform(-6, 8)
        right, left = (Translation(rng.normal(0, spread, 3), 2.0, m) for m in matrices[:2])
        relation = rng.normal(0, 10.0 ** rng.uniform(-6, 8), 3)
        noise = PlacementNoise(*rng.choice([0.0, 0.05, 1.0], 2))
        found = couple(
            right, left, relation, matrices[2], noise=noise, weight=rng.choice([0, 0.3, 1])
        )
        for name in ARRAYS:
            assert np.isfinite(getattr(found, name)).all()
        assert np.isfinite([found.disagreement_m, found.disagreement_sigmas]).all()
        covariances = np.array([getattr(found, name) for name in COVARIANCES])
        np.testing.assert_array_equal(covariances, covariances.transpose(0, 2, 1))
        assert (np.diagonal(covariances, axis1=1, axis2=2) >= 0).all()
        least = np.linalg.eigvalsh(covariances).min()
        assert least >= -1e-12 * np.abs(covariances).max()


@pytest.mark.parametrize(
    ('change', 'cause'),
    [
        ({'left_from_right_m': np.full(3, np.nan)}, 'not_finite'),
        ({'left_from_right_m': np.full(3, np.inf)}, 'not_finite'),
        ({'left_from_right_m': np.zeros(2)}, 'bad_shape'),
        ({'relation_covariance_m2': np.full((3, 3), np.nan)}, 'not_finite'),
        ({'relation_covariance_m2': np.zeros(3)}, 'bad_shape'),
        ({'right': Translation(np.full(3, np.nan), 1.0, np.eye(3))}, 'not_finite'),
        ({'left': Translation(np.ones(3), 1.0, np.full((3, 3), np.nan))}, 'not_finite'),
        ({'weight': 1.1}, 'bad_weight'),
        ({'weight': -0.1}, 'bad_weight'),
        ({'weight': np.nan}, 'bad_weight'),
    ],
)
def test_what_is_no_number_is_refused_by_its_name(change, cause):
    right, left, relation, covariance = scene(13)
    given = {
        'right': right,
        'left': left,
        'left_from_right_m': relation,
        'relation_covariance_m2': covariance,
    }
    with pytest.raises(InputError, match=next(iter(change))) as error:
        couple(**(given | change))
    assert error.value.cause == cause


def test_an_error_of_size_below_zero_is_refused():
    with pytest.raises(SettingError, match='own'):
        PlacementNoise(own=-0.1)
