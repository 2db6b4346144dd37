"""Both hands in one pass are what smplx makes of each."""

from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.hand_model.pair_posing import PairPosing
from interwild_ros.records import Side
import numpy as np
import pytest
import torch


def random_hands(seed=0):
    generator = torch.Generator().manual_seed(seed)
    pose = torch.randn(2, 48, generator=generator)
    return pose, torch.randn(2, 10, generator=generator)


@pytest.fixture(params=['parity', 'stand-in'])
def models(request, parity_models):
    """Hands whose skin bulges where joints bend, and hands whose skin does not."""
    if request.param == 'parity':
        return HandPair(*parity_models)
    return HandPair(*(read_stand_in(side) for side in Side))


@pytest.mark.parametrize(('dtype', 'within_m'), [(torch.float32, 1e-6), (torch.float64, 1e-7)])
@pytest.mark.parametrize('seed', range(3))
def test_a_pair_is_posed_as_smplx_poses_each_hand(models, dtype, within_m, seed):
    models = models.to(dtype)
    pose, betas = (numbers.to(dtype) for numbers in random_hands(seed))
    joints_m, vertices_m = PairPosing(models)(pose.numpy(), betas.numpy())
    for side in Side:
        rows = slice(side, side + 1)
        vertices, joints = models.one_side(side, pose[rows], betas[rows])
        for found, wanted in ((vertices_m, vertices), (joints_m, joints)):
            relative = (wanted - joints[:, :1])[0].numpy()
            np.testing.assert_allclose(found[side], relative, atol=within_m, rtol=0)


def test_a_hand_that_turns_by_nothing_is_posed(parity_models):
    models = HandPair(*parity_models)
    still = -models.right.pose_mean.expand(2, -1)  # what is added to it makes it zero
    joints_m, vertices_m = PairPosing(models)(still.numpy(), np.zeros((2, 10)))
    assert np.isfinite(joints_m).all()
    assert np.isfinite(vertices_m).all()


def test_what_goes_in_stays_as_it_was(parity_models):
    pose, betas = (numbers.numpy() for numbers in random_hands())
    kept = pose.copy(), betas.copy()
    pair_posing = PairPosing(HandPair(*parity_models))
    first, again = pair_posing(pose, betas), pair_posing(pose, betas)
    np.testing.assert_array_equal(first[1], again[1])
    np.testing.assert_array_equal(pose, kept[0])
    np.testing.assert_array_equal(betas, kept[1])
