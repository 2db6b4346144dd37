import copy

from interwild_ros.train.muon import Muon
import pytest
import torch
from torch import nn


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 2),
    )


def gradients(network, seed=0):
    torch.manual_seed(seed)
    pictures, wanted = torch.randn(8, 3, 6, 6), torch.randn(8, 2)
    network.zero_grad()
    (network(pictures) - wanted).square().mean().backward()


def test_a_kernel_moves_alike_in_every_direction(network):
    kernel = network[3].weight
    before = kernel.detach().clone()
    u, _, v = torch.linalg.svd(torch.randn(16, 72), full_matrices=False)
    asked = torch.logspace(0, -1.5, 16)
    kernel.grad = (u * asked @ v).reshape(kernel.shape)
    Muon([kernel], 0.01).step()
    moved = (before - kernel.detach()).reshape(16, -1) / 0.01
    strengths = torch.linalg.svdvals(moved) / (0.2 * 72**0.5)
    assert strengths.min() > 0.5
    assert strengths.max() < 1.4


def test_a_kernel_moves_against_its_gradient(network):
    before = network[3].weight.detach().clone()
    gradients(network)
    Muon(network.parameters(), 0.01).step()
    assert ((network[3].weight.detach() - before) * network[3].weight.grad).sum() < 0


def test_everything_else_moves_as_with_adamw(network):
    other = copy.deepcopy(network)
    mine = Muon(network.parameters(), 0.01, weight_decay=0.1)
    theirs = torch.optim.AdamW(other.parameters(), 0.01, weight_decay=0.1)
    for seed in range(3):
        gradients(network, seed)
        for a, b in zip(network.parameters(), other.parameters(), strict=True):
            b.grad = a.grad.clone()
        mine.step()
        theirs.step()
    for (name, a), b in zip(network.named_parameters(), other.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6) == (name != '3.weight'), name


def test_it_learns(network):
    optimizer = Muon(network.parameters(), 0.01)
    losses = []
    for _ in range(60):
        gradients(network)
        torch.manual_seed(0)
        pictures, wanted = torch.randn(8, 3, 6, 6), torch.randn(8, 2)
        losses.append((network(pictures) - wanted).square().mean().item())
        optimizer.step()
    assert losses[-1] < losses[0] / 4


def test_it_goes_on_from_its_state(network):
    optimizer = Muon(network.parameters(), 0.01)
    gradients(network)
    optimizer.step()
    again = copy.deepcopy(network)
    resumed = Muon(again.parameters(), 0.01)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for net, opt in ((network, optimizer), (again, resumed)):
        gradients(net, 1)
        opt.step()
    for a, b in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
