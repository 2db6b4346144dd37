from interwild_ros.geometry.vectors import cross
import numpy as np
import pytest

SHAPES = [((3,), (3,)), ((7, 3), (7, 3)), ((7, 3), (3,)), ((2, 1, 3), (5, 3))]


@pytest.mark.parametrize(('left', 'right'), SHAPES)
def test_the_cross_product_is_numpys_to_the_last_bit(left, right):
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=left), rng.normal(size=right)
    np.testing.assert_array_equal(cross(one, other), np.cross(one, other))


def test_the_axes_follow_each_other():
    x, y, z = np.eye(3)
    np.testing.assert_array_equal(cross(np.eye(3), np.array([y, z, x])), [z, x, y])
