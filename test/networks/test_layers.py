from pathlib import Path

from interwild_ros.networks.layers import sample_features, soft_argmax_2d, soft_argmax_3d
import numpy as np
import torch

GOLDEN = np.load(Path(__file__).parents[1] / 'data/network_units.npz')


def golden(name):
    return torch.from_numpy(GOLDEN[name])


def test_soft_argmax_equals_the_originals():
    centre, _ = soft_argmax_2d(golden('soft_argmax_2d/hm'))
    torch.testing.assert_close(centre, golden('soft_argmax_2d/coord'))
    torch.testing.assert_close(
        soft_argmax_3d(golden('soft_argmax_3d/hm')), golden('soft_argmax_3d/coord')
    )


def test_soft_argmax_of_one_hot_cell_is_that_cell():
    logits = torch.zeros(1, 1, 8, 8, 8)
    logits[0, 0, 2, 5, 7] = 100
    torch.testing.assert_close(soft_argmax_3d(logits), torch.tensor([[[7.0, 5.0, 2.0]]]))


def test_sampling_equals_the_originals():
    found = sample_features(
        golden('sample_joint_features/feat'), golden('sample_joint_features/xy')
    )
    torch.testing.assert_close(found, golden('sample_joint_features/out'))


def test_sampling_hits_whole_cells_and_fades_past_the_last():
    features = torch.rand(1, 4, 8, 8)
    at = torch.tensor([[[3.0, 5.0], [7.5, 2.0], [8.0, 2.0]]])
    found = sample_features(features, at)[0]
    torch.testing.assert_close(found[0], features[0, :, 5, 3])
    torch.testing.assert_close(found[1], features[0, :, 2, 7] / 2)
    assert found[2].abs().max() < 1e-6


def test_sampling_is_bilinear_as_pytorchs():
    torch.manual_seed(0)
    features = torch.randn(3, 5, 6, 8, dtype=torch.float64)
    xy = torch.rand(3, 7, 2, dtype=torch.float64) * torch.tensor([9.0, 7.0]) - 1
    grid = xy / torch.tensor([7.0, 5.0], dtype=torch.float64) * 2 - 1
    wanted = torch.nn.functional.grid_sample(
        features, grid[:, None], padding_mode='zeros', align_corners=True
    )
    assert torch.allclose(sample_features(features, xy), wanted[:, :, 0].transpose(1, 2))


def two_peaks():
    """Logits of a map with a peak at (10, 6), and a lower one at (30, 40)."""
    logits = torch.full((1, 1, 64, 48), -20.0)
    logits[0, 0, 6, 10], logits[0, 0, 40, 30] = 5.0, 4.5
    return logits


def test_with_a_radius_a_second_peak_moves_nothing():
    near, maps = soft_argmax_2d(two_peaks(), radius=4)
    assert torch.allclose(near, torch.tensor([[[10.0, 6.0]]]), atol=1e-3)
    everywhere, same = soft_argmax_2d(two_peaks())
    assert everywhere[0, 0, 0] > 15
    assert torch.equal(maps, same)


def test_a_radius_that_holds_the_whole_map_changes_nothing():
    torch.manual_seed(0)
    logits = torch.randn(2, 2, 16, 12)
    assert torch.allclose(
        soft_argmax_2d(logits, radius=16)[0], soft_argmax_2d(logits)[0], atol=1e-5
    )


def test_a_peak_at_the_border_is_read_there():
    logits = torch.full((1, 1, 8, 8), -20.0)
    logits[0, 0, 0, 7] = 9.0
    assert torch.allclose(soft_argmax_2d(logits, radius=3)[0], torch.tensor([[[7.0, 0.0]]]))
