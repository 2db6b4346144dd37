"""Networks whose steps something else runs are the same networks, to the precision of that."""

import importlib.util
from pathlib import Path
import subprocess
import sys

from interwild_ros.errors import SettingError
from interwild_ros.networks import on_openvino as on_openvino_module
from interwild_ros.networks.folding import folded
from interwild_ros.networks.in_bfloat16 import has_quick_bfloat16, in_bfloat16
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.on_openvino import has_openvino, on_openvino
from interwild_ros.networks.steps import (
    BodyMaps,
    PairDrawing,
    PairFeatures,
    SteppedNetworks,
    Steps,
)
import pytest
import torch

needs_openvino = pytest.mark.skipif(not has_openvino(), reason='openvino is an extra')
ROOT = Path(__file__).parents[2]
BFLOAT16 = 2.0**-8


def in_steps(networks):
    return SteppedNetworks(
        networks,
        Steps(
            BodyMaps(networks),
            networks.hand_roi_net,
            PairDrawing(networks),
            PairFeatures(networks),
        ),
    )


def everything(networks, rows):
    """Return all that the pipeline asks of networks, for so many pictures."""
    dice = torch.Generator().manual_seed(rows)
    side, (width, height) = networks.spaces.crop_px, networks.spaces.body_size
    pictures = torch.rand(rows, 3, height, width, generator=dice)
    crops = torch.rand(2 * rows, 3, side, side, generator=dice)
    maps = torch.tensor([[0.5, 0.0, 3.0], [0.0, 0.5, 4.0]]).repeat(2 * rows, 1, 1)
    joints = 1 + 6 * torch.rand(2 * rows, 21, 3, generator=dice)
    with torch.inference_mode():
        readings = networks.read_hands(crops)
        found = {
            'centre': networks.detect(pictures).centre,
            'score': networks.detect(pictures).score,
            'places': networks.propose(pictures, 3).centre,
            'joints': readings.joints,
            'root': readings.pose.root,
            'fingers': readings.pose.fingers,
            'betas': readings.pose.betas,
            'left_from_right': networks.relate(joints, maps),
        }
    return found if readings.kinds is None else found | {'kinds': readings.kinds}


def assert_close(found, wanted, *, relative):
    assert list(found) == list(wanted)
    for name, tensor in wanted.items():
        assert found[name].dtype == torch.float32, name
        off = (found[name] - tensor).abs().max() / tensor.abs().max()
        assert off <= relative, f'{name}: {off}'


@pytest.fixture(scope='module', params=['compact', 'whole_compact'])
def networks(request):
    return folded(request.getfixturevalue(request.param))


@pytest.fixture(scope='module')
def by_openvino(networks):
    return on_openvino(networks)


@pytest.mark.parametrize('rows', [1, 2])
def test_networks_in_steps_are_the_same_to_the_bit(networks, rows):
    found, wanted = everything(in_steps(networks), rows), everything(networks, rows)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_networks_in_steps_are_networks_and_share_their_parts(networks):
    stepped = in_steps(networks)
    assert isinstance(stepped, InterWild)
    assert stepped.variant is networks.variant
    assert stepped.hand_kind_net is networks.hand_kind_net
    assert list(stepped.state_dict()) == list(networks.state_dict())
    assert stepped.hand_position_net is networks.hand_position_net


@pytest.mark.parametrize('rows', [1, 2])
def test_bfloat16_is_off_by_its_own_rounding_and_the_detector_not_at_all(networks, rows):
    reduced = in_bfloat16(networks)
    assert_trunks_are_off_by_rounding(reduced, networks)
    found, wanted = everything(reduced, rows), everything(networks, rows)
    assert all(torch.equal(found[name], wanted[name]) for name in ('centre', 'score', 'places'))
    assert all(tensor.dtype == torch.float32 for tensor in found.values())
    assert not torch.equal(found['joints'], wanted['joints'])


def assert_trunks_are_off_by_rounding(reduced, networks):
    """Compare features: from made-up ones an argmax of a joint may fall anywhere."""
    exact = in_steps(networks).steps
    side, cells = networks.spaces.crop_px, networks.spaces.pair_cells
    crops = torch.rand(2, 3, side, side)
    drawn = torch.rand(1, networks.variant.trans.width, cells, cells)
    with torch.inference_mode():
        for found, wanted in (
            (reduced.steps.hand_features(crops), exact.hand_features(crops)),
            (reduced.steps.pair_features(drawn), exact.pair_features(drawn)),
        ):
            off = (found - wanted).norm() / wanted.norm()
            assert BFLOAT16 / 20 < off < 8 * BFLOAT16


def test_bfloat16_leaves_the_networks_as_they_were(networks):
    before = everything(networks, 1)
    everything(in_bfloat16(networks), 1)
    after = everything(networks, 1)
    assert all(torch.equal(after[name], before[name]) for name in before)


@needs_openvino
@pytest.mark.parametrize('rows', [1, 2])
def test_openvino_says_what_the_networks_say_for_any_batch(networks, by_openvino, rows):
    assert_close(everything(by_openvino, rows), everything(networks, rows), relative=1e-4)


@needs_openvino
def test_what_openvino_said_stays_when_it_is_asked_again(by_openvino):
    first = everything(by_openvino, 1)
    kept = {name: tensor.clone() for name, tensor in first.items()}
    everything(by_openvino, 2)
    assert all(torch.equal(first[name], kept[name]) for name in kept)


@needs_openvino
def test_openvino_in_bfloat16_is_off_by_that_rounding(networks):
    if not has_quick_bfloat16():
        pytest.skip('OpenVINO computes in bfloat16 only where the CPU does')
    reduced = on_openvino(networks, trunks='bfloat16', threads=1)
    assert_trunks_are_off_by_rounding(reduced, networks)
    found, wanted = everything(reduced, 1), everything(networks, 1)
    for name in ('centre', 'score', 'places'):
        torch.testing.assert_close(found[name], wanted[name], atol=1e-3, rtol=1e-4)


@needs_openvino
def test_openvino_reports_to_nobody():
    """In a process of its own: what other tests load would stay."""
    script = """
import sys
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.networks.on_openvino import on_openvino
on_openvino(build_networks('compact')[0])
print(sys.modules['openvino_telemetry'])
"""
    run = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, cwd=ROOT)
    assert run.stdout == 'None\n', run.stderr


def test_without_openvino_the_extra_is_named(networks, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        on_openvino_module.importlib.util,
        'find_spec',
        lambda name: None if name == 'openvino' else find(name),
    )
    with pytest.raises(SettingError, match=r'pip install interwild_ros\[openvino\]'):
        on_openvino(networks)
