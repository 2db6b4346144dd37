from pathlib import Path

from interwild_ros.testing.dense_transnet import dense_draw_and_convolve
import numpy as np
import torch

GOLDEN = np.load(Path(__file__).parents[1] / 'data/network_units.npz')


def golden_joints():
    joints = np.stack([GOLDEN['trans_net/rjoint'], GOLDEN['trans_net/ljoint']])
    maps = np.stack([GOLDEN['trans_net/r_hand2orig'], GOLDEN['trans_net/l_hand2orig']])
    return torch.from_numpy(joints), torch.from_numpy(maps)


def test_relative_translation_equals_the_originals(official):
    joints, maps = golden_joints()
    with torch.inference_mode():
        found = official.relate(joints.flatten(0, 1), maps.flatten(0, 1))
    np.testing.assert_allclose(found, GOLDEN['trans_net/rel_trans'], atol=1e-4)


def test_the_separable_form_equals_drawing_and_convolving(official):
    network = official.hand_trans_net
    pair = torch.rand(2, 2, 21, 3, generator=torch.Generator().manual_seed(0)) * 80 - 8
    with torch.inference_mode():
        separable = network.draw_and_convolve(pair)
        dense = dense_draw_and_convolve(network, pair)
    assert dense.abs().max() > 1
    torch.testing.assert_close(separable, dense, atol=5e-5, rtol=0)


def test_the_gradient_of_the_separable_form_is_that_of_the_dense_one(compact):
    network = compact.hand_trans_net
    pair = torch.rand(1, 2, 21, 3, generator=torch.Generator().manual_seed(1)) * 64
    gradients = []
    for forward in (network.draw_and_convolve, lambda p: dense_draw_and_convolve(network, p)):
        network.zero_grad()
        (forward(pair) ** 2).mean().backward()
        gradients.append(network.conv[0].weight.grad.clone())
    network.zero_grad()
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-6, rtol=1e-3)


def test_moving_and_scaling_both_hands_in_the_picture_changes_nothing(compact):
    joints, maps = golden_joints()
    moved = maps.clone() * 1.7
    moved[..., 2] += torch.tensor([31.0, -12.0])
    network = compact.hand_trans_net
    torch.testing.assert_close(
        network.pair_joints(joints, moved), network.pair_joints(joints, maps), atol=1e-3, rtol=0
    )


def test_no_pixel_of_the_joints_reaches_the_trunk_stem(compact):
    """The stem has weights in every checkpoint and is never run (Q10)."""
    compact.zero_grad()
    joints, maps = golden_joints()
    compact.relate(joints.flatten(0, 1), maps.flatten(0, 1)).sum().backward()
    trunk = compact.hand_trans_net.backbone
    assert trunk.conv1.weight.grad is None
    assert trunk.layer1[0].conv1.weight.grad is not None
    compact.zero_grad()
