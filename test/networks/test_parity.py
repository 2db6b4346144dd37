"""Every golden value of a seeded picture, in float32 and float64; bench/parity.py prints them."""

from pathlib import Path

from interwild_ros.pipeline.official import official_outputs
from interwild_ros.testing import parity
from interwild_ros.testing.intermediates import computed_values
import numpy as np
import pytest
import torch

SMALL_GOLDEN = Path(__file__).parents[1] / 'data/parity_rand1.npz'


@pytest.fixture(scope='module')
def reference():
    return parity.official_with_rule_weights()


def over_the_limit(rows):
    rows = list(rows)
    assert len(rows) > 80
    return [row for row in rows if not row.is_ok]


def test_every_value_is_the_originals_in_float32_and_float64(reference):
    golden = np.load(SMALL_GOLDEN)
    networks, hand_models = reference
    picture = parity.golden_input(golden)
    values = computed_values(networks, hand_models, picture)
    assert parity.missing_outputs(values, golden) == []
    compared = {row.name for row in parity.compare(values, golden)}
    left_out = {name for name in golden if name.startswith('mid/')} - compared
    # Gaussian maps are never drawn, and the small input only shows which picture it was
    assert not [n for n in left_out if 'trans_hm' not in n and n != 'mid/input_16x12']
    assert over_the_limit(parity.compare(values, golden)) == []
    try:
        exact = computed_values(networks.double(), hand_models.double(), picture.double())
    finally:
        networks.float()
        hand_models.float()
    assert over_the_limit(parity.compare(exact, golden, prefix='rand1/')) == []


def test_the_photograph_gives_the_originals_values(reference, shared):
    golden = np.load(shared / 'parity/golden_demo.npz')
    values = computed_values(*reference, parity.golden_input(golden))
    assert over_the_limit(parity.compare(values, golden)) == []


def test_a_crop_mirrored_about_its_width_would_be_noticed(reference):
    """The limits can fail: one crop pixel of a deviation is over them."""
    golden = np.load(SMALL_GOLDEN)
    values = computed_values(*reference, parity.golden_input(golden))
    moved = values['out/ljoint_img'].clone()
    moved[..., 0] += 0.3
    rows = parity.compare({'out/ljoint_img': moved}, {'out/ljoint_img': golden['out/ljoint_img']})
    assert [row.name for row in rows if not row.is_ok] == ['out/ljoint_img']


def test_a_batch_of_two_gives_what_each_picture_gives(reference):
    networks, hand_models = reference
    pictures = torch.rand(2, 3, 512, 384, generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        together = official_outputs(networks, hand_models, pictures)
        alone = official_outputs(networks, hand_models, pictures[1:])
    for key in ('rmano_mesh_cam', 'lmano_joint_cam', 'rel_trans'):
        torch.testing.assert_close(together[key][1:], alone[key], atol=3e-5, rtol=0)
