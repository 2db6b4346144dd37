from interwild_ros.networks.folding import Doubling, folded
import pytest
import torch
from torch import nn


def test_folded_networks_give_the_same_numbers(whole_compact):
    compact = whole_compact
    quick = folded(compact)
    pictures = torch.rand(2, 3, *compact.spaces.body_size[::-1])
    hands = torch.rand(2, 3, 128, 128)
    maps = torch.tensor([[0.5, 0.0, 3.0], [0.0, 0.5, 4.0]]).repeat(2, 1, 1)
    with torch.inference_mode():
        for found, wanted in zip(quick.detect(pictures), compact.detect(pictures), strict=True):
            torch.testing.assert_close(found, wanted, atol=1e-3, rtol=1e-3)
        found, wanted = quick.read_hands(hands), compact.read_hands(hands)
        torch.testing.assert_close(found.joints, wanted.joints, atol=1e-3, rtol=0)
        torch.testing.assert_close(found.kinds, wanted.kinds, atol=1e-3, rtol=0)
        torch.testing.assert_close(found.pose.betas, wanted.pose.betas, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(
            quick.relate(wanted.joints, maps),
            compact.relate(wanted.joints, maps),
            atol=1e-5,
            rtol=1e-4,
        )


def test_every_batch_normalisation_that_is_run_is_folded(whole_compact):
    left = [
        name for name, m in folded(whole_compact).named_modules() if isinstance(m, nn.BatchNorm2d)
    ]
    assert left == []


def test_folding_leaves_the_networks_as_they_were(whole_compact):
    compact = whole_compact
    before = {name: tensor.clone() for name, tensor in compact.state_dict().items()}
    folded(compact)
    after = compact.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize('size', [(1, 1), (3, 2), (8, 6)])
def test_a_doubling_by_a_plain_convolution_is_the_transposed_one(size):
    torch.manual_seed(0)
    transposed = nn.ConvTranspose2d(5, 7, 4, 2, 1, dtype=torch.float64)
    doubling = Doubling(transposed)
    x = torch.rand(2, 5, *size, dtype=torch.float64)
    torch.testing.assert_close(doubling(x), transposed(x), atol=1e-12, rtol=0)


def test_of_the_official_detector_the_layer_with_most_weights_is_such_a_doubling(official):
    kinds = [type(layer) for layer in folded(official).body_box_net.deconv]
    assert kinds.count(Doubling) == 1
    assert kinds[0] is Doubling
