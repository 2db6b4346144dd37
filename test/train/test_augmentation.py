import math

from interwild_ros.train.augmentation import draw_augmentation
import numpy as np


def test_draws_have_the_originals_ranges_and_shares():
    rng = np.random.default_rng(0)
    draws = [draw_augmentation(rng) for _ in range(4000)]
    scales = np.array([d.scale for d in draws])
    turns = np.array([d.rotation_rad for d in draws])
    colors = np.array([d.color for d in draws])
    assert (scales.min(), scales.max()) == (0.75, 1.25)  # a third of the draws is clipped
    assert abs(np.degrees(turns)).max() <= 60 + 1e-9
    assert abs((turns != 0).mean() - 0.6) < 0.03
    assert abs(turns[turns != 0].std() - math.radians(30) * 0.96) < 0.03
    assert colors.min() >= 0.8
    assert colors.max() <= 1.2
    assert len(np.unique(colors)) == colors.size
    assert abs(np.mean([d.is_mirrored for d in draws]) - 0.5) < 0.03


def test_the_same_generator_draws_the_same():
    one, other = (draw_augmentation(np.random.default_rng(7)) for _ in range(2))
    assert one == other
