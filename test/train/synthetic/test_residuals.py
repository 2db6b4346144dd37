from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import COMPACT_SPACES, VARIANTS
from interwild_ros.testing.some_streams import SomeHandCrops
from interwild_ros.train.synthetic.residuals import read_joints
import pytest
import torch


class CropsThatHardlyCount(SomeHandCrops):
    """One crop in three counts."""

    def draw(self, indices):
        counts = torch.tensor(list(indices)).remainder(3).eq(0).float()
        return super().draw(indices)._replace(counts=counts)


@pytest.fixture(scope='module')
def networks():
    torch.manual_seed(0)
    return InterWild(VARIANTS['compact'])


def test_only_crops_that_count_are_read(networks):
    found, true = read_joints(networks, CropsThatHardlyCount(COMPACT_SPACES).draw, 5)
    wanted = SomeHandCrops(COMPACT_SPACES).draw(range(0, 15, 3)).joints
    assert torch.equal(true, wanted)
    assert found.shape == true.shape
    assert not torch.equal(found, true)


def test_reading_changes_nothing_in_the_networks(networks):
    networks.train()
    before = {name: tensor.clone() for name, tensor in networks.state_dict().items()}
    found, _ = read_joints(networks, SomeHandCrops(COMPACT_SPACES).draw, 3)
    assert networks.training
    assert not found.requires_grad
    for name, tensor in networks.state_dict().items():
        assert torch.equal(tensor, before[name]), name
