import math

from interwild_ros.compiled import compiled
import numpy as np


def test_a_function_without_a_folder_to_keep_it_in_is_compiled_all_the_same():
    space = {}
    exec('def double(x):\n    return 2 * x', space)  # of no file, beside which numba could keep it
    assert compiled(space['double'])(21) == 42


@compiled
def _ratio(values):
    return values[0] / values[1]


def test_division_by_zero_is_as_in_numpy():
    assert _ratio(np.array([1.0, 0.0])) == math.inf
    assert math.isnan(_ratio(np.zeros(2)))
