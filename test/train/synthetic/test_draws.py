from interwild_ros.train.synthetic.draws import Draws
import pytest
import torch

MANY = range(20000)


def test_a_sample_draws_the_same_in_every_batch():
    in_batch = Draws(3, [4, 9, 7], 'pose')
    alone = Draws(3, [9], 'pose')
    for draw in (lambda d: d.uniform(2, 3), lambda d: d.normal(4), lambda d: d.rotations()):
        torch.testing.assert_close(draw(in_batch)[1], draw(alone)[0], rtol=0, atol=0)


@pytest.mark.parametrize(
    ('seed', 'index', 'part'), [(4, 9, 'pose'), (3, 8, 'pose'), (3, 9, 'light')]
)
def test_seed_index_and_part_each_change_everything(seed, index, part):
    one, other = Draws(3, [9], 'pose').uniform(50), Draws(seed, [index], part).uniform(50)
    assert not (one == other).any()


def test_neighbouring_samples_have_nothing_in_common():
    numbers = Draws(0, MANY, 'x').uniform(3)
    between = torch.corrcoef(torch.cat([numbers[1:], numbers[:-1]], 1).T)
    assert (between - torch.eye(6)).abs().max() < 0.03


def test_uniform_numbers_fill_their_range_evenly():
    numbers = Draws(0, MANY, 'x').uniform(low=-2, high=3)
    counts = torch.histc(numbers, 10, -2, 3)
    assert counts.min() > 0.9 * len(MANY) / 10


def test_normal_numbers_have_their_mean_and_spread():
    numbers = Draws(0, MANY, 'x').normal(mean=2.0, std=0.5)
    assert abs(float(numbers.mean()) - 2) < 0.02
    assert abs(float(numbers.std()) - 0.5) < 0.01


def test_choices_come_as_often_as_their_weights_say():
    counts = torch.bincount(Draws(0, MANY, 'x').choice([1, 0, 3]), minlength=3) / len(MANY)
    torch.testing.assert_close(counts, torch.tensor([0.25, 0, 0.75]), rtol=0, atol=0.02)


def test_rotations_are_rotations_without_a_favourite_direction():
    rotations = Draws(0, MANY, 'x').rotations()
    assert torch.linalg.det(rotations).sub(1).abs().max() < 1e-5
    assert rotations.mean(0).abs().max() < 0.02


def test_generators_follow_the_sample_too():
    batch = Draws(1, [2, 3], 'x').generators()
    alone = Draws(1, [3], 'x').generators()
    assert batch[1].random() == alone[0].random() != batch[0].random()
