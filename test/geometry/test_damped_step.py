from interwild_ros.geometry.translation_solve import damped_step
import numpy as np
import pytest


def step_of(matrix, gradient, damping):
    step = np.empty(3)
    is_there = damped_step(matrix, gradient, damping, step)
    return step if is_there else None


def test_a_step_solves_the_damped_equations_in_whatever_units():
    rng = np.random.default_rng(0)
    for _ in range(500):
        root = rng.normal(0, 1, (3, 5)) * 10.0 ** rng.uniform(-4, 4, (3, 1))
        matrix, damping = root @ root.T, 10.0 ** rng.uniform(-9, 3)
        step = step_of(matrix, root @ np.ones(5), damping)
        damped = matrix + damping * np.diag(matrix.diagonal())
        wanted = np.linalg.solve(damped, root @ np.ones(5))
        np.testing.assert_allclose(step, wanted, rtol=1e-6 * np.linalg.cond(root) ** 0.5)


@pytest.mark.parametrize('variances', [(-1, 1, 1), (1, -1, 1), (1, 1, -1), (0, 1, 1), (1, 1, 0)])
def test_what_has_no_least_point_has_no_step(variances):
    assert step_of(np.diag(np.array(variances, float)), np.ones(3), 1e-6) is None


def test_damping_makes_a_step_where_a_matrix_is_almost_positive():
    matrix = np.ones((3, 3))
    assert step_of(matrix, np.ones(3), 0.0) is None
    np.testing.assert_allclose(step_of(matrix, np.ones(3), 1.0), 0.25)


@pytest.mark.parametrize('odd', [np.nan, np.inf, -np.inf, 1e308])
def test_numbers_beyond_all_bounds_give_no_step_or_a_finite_one(odd):
    for place in range(9):
        matrix = np.eye(3)
        matrix.flat[place] = matrix.T.flat[place] = odd
        for gradient in (np.ones(3), np.array([1, odd, 1])):
            step = step_of(matrix, gradient, 1e8)
            assert step is None or np.isfinite(step).all()
