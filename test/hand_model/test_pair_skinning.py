"""Both hands in one pass are what smplx makes of each."""

from interwild_ros.hand_model.mano import HandPair
from interwild_ros.records import Side
import pytest
import torch


def random_hands(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pose = torch.randn(count, 48, generator=generator)
    return pose, torch.randn(count, 10, generator=generator)


@pytest.mark.parametrize(('dtype', 'within_m'), [(torch.float32, 1e-6), (torch.float64, 1e-7)])
@pytest.mark.parametrize('pairs', [1, 3])
def test_a_pair_is_posed_as_smplx_poses_each_hand(parity_models, dtype, within_m, pairs):
    models = HandPair(*parity_models).to(dtype)
    pose, betas = (numbers.to(dtype) for numbers in random_hands(2 * pairs))
    vertices, joints = models(pose, betas)
    for side in Side:
        rows = slice(pairs * side, pairs * (side + 1))
        wanted, wanted_joints = models.one_side(side, pose[rows], betas[rows])
        torch.testing.assert_close(vertices[rows], wanted, atol=within_m, rtol=0)
        torch.testing.assert_close(joints[rows], wanted_joints, atol=within_m, rtol=0)


def test_a_hand_that_turns_by_nothing_is_posed(parity_models):
    models = HandPair(*parity_models)
    still = -models.right.pose_mean.expand(2, -1)  # what is added to it makes it zero
    vertices, _ = models(still, torch.zeros(2, 10))
    assert vertices.isfinite().all()


def test_poses_and_shapes_are_learned_through(parity_models):
    models = HandPair(*parity_models).double()
    pose, betas = (n.double().requires_grad_() for n in random_hands(2))
    found = torch.autograd.grad(models(pose, betas)[0].square().sum(), (pose, betas))
    again = [
        torch.autograd.grad(
            sum(
                models.one_side(s, pose[s : s + 1], betas[s : s + 1])[0].square().sum()
                for s in Side
            ),
            wanted,
        )[0]
        for wanted in (pose, betas)
    ]
    for one, other in zip(found, again, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_no_number_of_the_hand_model_is_part_of_a_checkpoint(parity_models):
    assert HandPair(*parity_models).state_dict() == {}
