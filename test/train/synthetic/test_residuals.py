from dataclasses import replace
import pickle

from interwild_ros.errors import TrainingError
from interwild_ros.geometry.mirror import mirror_points
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import COMPACT_SPACES, VARIANTS
from interwild_ros.records import JOINT_COUNT, Side
from interwild_ros.testing.some_streams import SomeHandCrops
from interwild_ros.train.synthetic.domains import STUDIO
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.pairs import PairMaker
from interwild_ros.train.synthetic.residuals import (
    bank_of,
    measure_bank,
    ResidualBank,
    Residuals,
)
import pytest
import torch

EXACT = Residuals(joint=0.0, hand=0.0, depth_m=0.0, flattened=0.0)
HANDS = 5  # few enough that all of them are among the candidates


def some_hands(count=HANDS):
    """Right hands with joints (count, 21, 3): px and depths in metres from the wrist."""
    generator = torch.Generator().manual_seed(3)
    spread = torch.tensor([90.0, 60.0, 0.1])
    return torch.rand(count, JOINT_COUNT, 3, generator=generator) * spread


def some_bank(**changes):
    """A bank of those hands, which gives back exactly what is in it."""
    cells = some_cells()
    bank = bank_of(cells + some_errors(), cells, COMPACT_SPACES)
    return replace(bank, **{'jitter': 0.0, 'parametric_share': 0.0, **changes})


def some_cells():
    hands = some_hands()
    depths = COMPACT_SPACES.volume_from_depth_m(hands[..., 2:])
    return torch.cat([COMPACT_SPACES.volume_from_crop(hands[..., :2]), depths], -1)


def some_errors():
    """What SHNet said minus those hands, in volume cells."""
    return torch.randn(HANDS, JOINT_COUNT, 3, generator=torch.Generator().manual_seed(4))


def in_px(errors):
    """Errors in volume cells as px and metres."""
    return errors * torch.tensor([8.0, 8.0, 0.3 / 16])


def wrong(bank, right, left=None, *, first=0):
    """What the bank makes of hands (B, 21, 3) px and metres: (B, 2, 21, 3)."""
    pairs = torch.stack([right, right if left is None else left], 1)
    draws = Draws(1, range(first, first + len(pairs)), 'test')
    return torch.cat(bank.draw_wrong(draws, pairs[..., :2], pairs[..., 2:]), -1)


def test_a_hand_that_is_in_the_bank_gets_its_own_errors():
    found = wrong(some_bank(), some_hands())[:, Side.RIGHT]
    torch.testing.assert_close(found - some_hands(), in_px(some_errors()), rtol=0, atol=1e-4)


def test_where_a_hand_is_changes_nothing_and_errors_grow_with_its_size():
    other = some_hands() * torch.tensor([3.0, 3.0, 1.0]) + torch.tensor([200.0, -50.0, 0.0])
    found = wrong(some_bank(), other)[:, Side.RIGHT]
    wanted = in_px(some_errors()) * torch.tensor([3.0, 3.0, 1.0])
    torch.testing.assert_close(found - other, wanted, rtol=0, atol=1e-3)


def test_a_mirrored_left_hand_gets_the_mirrored_errors():
    left = mirror_points(some_hands())
    found = wrong(some_bank(), some_hands(), left)[:, Side.LEFT]
    wanted = mirror_points(in_px(some_errors()))
    torch.testing.assert_close(found - left, wanted, rtol=0, atol=1e-4)


def test_other_hands_get_the_errors_of_one_that_is_like_them():
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(HANDS, JOINT_COUNT, 3, generator=generator)
    near = some_hands() + noise * torch.tensor([2.0, 2.0, 0.002])
    errors = wrong(some_bank(), near)[:, Side.RIGHT] - near
    torch.testing.assert_close(errors[..., 2], in_px(some_errors())[..., 2], rtol=0, atol=1e-5)


def test_a_hand_is_as_wrong_in_every_batch():
    bank = some_bank(jitter=0.1, parametric_share=0.3)
    hands = some_hands(30)
    alone = wrong(bank, hands[17:18], first=17)
    torch.testing.assert_close(alone[0], wrong(bank, hands)[17], rtol=0, atol=1e-4)


def test_jitter_makes_every_hand_another_one():
    bank = some_bank(jitter=0.1)
    same = some_hands(1).expand(200, -1, -1)
    found = wrong(bank, same)[:, Side.RIGHT]
    sure = wrong(some_bank(), same[:1])[0, Side.RIGHT]
    usual = in_px(some_errors()).abs().flatten(0, 1).median(0).values
    ratio = (found - sure).flatten(0, 1).std(0) / usual
    assert ((ratio > 0.05) & (ratio < 0.2)).all()


def test_a_share_of_hands_is_wrong_as_the_numbers_say():
    bank = some_bank(parametric=EXACT, parametric_share=0.25)
    hands = some_hands(1).expand(400, -1, -1)
    is_exact = (wrong(bank, hands) - hands[:, None]).abs().amax((2, 3)) < 1e-4
    assert is_exact.float().mean(0).tolist() == pytest.approx([0.25, 0.25], abs=0.07)


def test_a_bank_goes_to_another_process_as_it_is():
    bank = some_bank(jitter=0.1)
    again = pickle.loads(pickle.dumps(bank))
    assert torch.equal(wrong(again, some_hands()), wrong(bank, some_hands()))


def test_a_bank_without_hands_or_with_too_few_errors_is_refused():
    with pytest.raises(TrainingError, match=r'\(0, 21, 3\), wanted \(1, 21, 3\)'):
        ResidualBank(torch.zeros(0, 21, 3), torch.zeros(0, 21, 3))
    with pytest.raises(TrainingError, match='errors of a bank'):
        ResidualBank(torch.zeros(2, 21, 3), torch.zeros(1, 21, 3))


def test_pairs_are_wrong_as_the_bank_is():
    nothing = torch.zeros(HANDS, JOINT_COUNT, 3)
    bank = some_bank(errors=nothing)
    exact = PairMaker(STUDIO, seed=2, residuals=EXACT).make(range(8))
    found = PairMaker(STUDIO, seed=2, residuals=bank).make(range(8))
    assert torch.equal(found.joints, exact.joints)
    aside = nothing.clone()
    aside[..., 0] = 0.1  # of right hands to the right, so of left ones to the left
    found = PairMaker(STUDIO, seed=2, residuals=replace(bank, errors=aside)).make(range(8))
    moved = (found.joints - exact.joints)[..., 0].median(-1).values
    assert (moved[Side.RIGHT] > 0.5).all()
    assert (moved[Side.LEFT] < -0.5).all()


class CropsThatHardlyCount(SomeHandCrops):
    """One crop in three counts."""

    def draw(self, indices):
        counts = torch.tensor(list(indices)).remainder(3).eq(0).float()
        return super().draw(indices)._replace(counts=counts)


@pytest.fixture(scope='module')
def networks():
    torch.manual_seed(0)
    return InterWild(VARIANTS['compact'])


def test_only_crops_that_count_are_measured(networks):
    bank = measure_bank(networks, CropsThatHardlyCount(COMPACT_SPACES).draw, 5)
    true = SomeHandCrops(COMPACT_SPACES).draw(range(0, 15, 3)).joints
    wanted = bank_of(true, true, COMPACT_SPACES)
    assert torch.equal(bank.hands, wanted.hands)
    assert wanted.errors.abs().max() == 0
    assert bank.errors.abs().max() > 0


def test_measuring_changes_nothing_in_the_networks(networks):
    networks.train()
    before = {name: tensor.clone() for name, tensor in networks.state_dict().items()}
    bank = measure_bank(networks, SomeHandCrops(COMPACT_SPACES).draw, 3)
    assert networks.training
    assert not bank.errors.requires_grad
    for name, tensor in networks.state_dict().items():
        assert torch.equal(tensor, before[name]), name
