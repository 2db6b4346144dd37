from interwild_ros.networks.neck import Neck
import pytest
import torch

CHANNELS = (4, 8, 16)


@pytest.fixture
def neck():
    torch.manual_seed(0)
    return Neck(CHANNELS, 6).eval()


def stages(side=16):
    return [torch.randn(2, c, side >> i, side >> i) for i, c in enumerate(CHANNELS)]


def test_the_outcome_is_as_fine_as_the_first_stage(neck):
    assert neck(stages()).shape == (2, 6, 16, 16)


@pytest.mark.parametrize('stage', range(3))
def test_every_stage_counts(neck, stage):
    features = stages()
    before = neck(features)
    features[stage] = features[stage] + 1
    assert not torch.allclose(neck(features), before)


def test_what_is_coarse_reaches_the_cells_under_it_alone(neck):
    features = stages(64)
    before = neck(features)
    features[2][..., 0, 0] += 10
    changed = (neck(features) - before).abs().amax((0, 1)) > 0
    assert changed[:4, :4].any()
    assert not changed[16:].any()
    assert not changed[:, 16:].any()


def test_stages_that_do_not_fit_are_refused(neck):
    with pytest.raises(ValueError, match='zip'):
        neck(stages()[:2])
