"""Recorded networks: on a GPU as CUDA graphs; what is about the recording also without one."""

import copy

from interwild_ros.errors import SettingError
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.networks.folding import folded
from interwild_ros.networks.in_bfloat16 import in_bfloat16
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.on_cuda_graphs import record_on_gpu, RecordedNetworks
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.pipeline.engine import choose_engine
from interwild_ros.testing.valueless import Transfers, VALUELESS, valueless_device
import pytest
import torch
from torch.utils._pytree import tree_leaves

ON_GPU = pytest.param(
    'cuda', marks=pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU is here')
)
PLACES = 3


def inputs_of(networks, frames, device='cpu', seed=0):
    """Return a picture, crops of both hands and maps, random."""
    spaces, generator = networks.spaces, torch.Generator().manual_seed(seed)
    width, height = spaces.body_size
    pictures = torch.rand(frames, 3, height, width, generator=generator)
    crops = torch.rand(2 * frames, 3, spaces.crop_px, spaces.crop_px, generator=generator)
    shifts = 50 * torch.rand(2 * frames, 2, 1, generator=generator)
    maps = torch.cat([torch.eye(2).expand(2 * frames, 2, 2), shifts], -1)
    return pictures.to(device), crops.to(device), maps.to(device)


def everything(networks, pictures, crops, maps):
    """Return all that networks say."""
    readings = networks.read_hands(crops)
    return [
        *networks.detect(pictures),
        *networks.propose(pictures, PLACES),
        *networks.propose(pictures, PLACES - 1),
        *tree_leaves(readings),
        networks.relate(readings.joints, maps),
    ]


def again(count):
    """Return what records without a GPU: the same function is called again."""

    def record(run):
        count.append(1)
        run()
        return run

    return record


def assert_alike(found, wanted, within):
    for one, other in zip(found, wanted, strict=True):
        if one is not None or other is not None:
            torch.testing.assert_close(one, other, rtol=within, atol=within)


@pytest.fixture(scope='module')
def networks():
    return folded(build_networks('compact')[0])


@pytest.mark.parametrize('device', ['cpu', ON_GPU])
@pytest.mark.parametrize('is_half', [False, True])
def test_recorded_networks_say_the_same_of_other_inputs_and_batches(networks, device, is_half):
    ready = copy.deepcopy(networks).to(device)
    ready = in_bfloat16(ready) if is_half else ready
    count = []
    record = record_on_gpu if device == 'cuda' else again(count)
    recorded = RecordedNetworks(ready, record)
    with torch.inference_mode():
        for frames, seed in ((1, 0), (1, 1), (2, 2), (1, 3)):
            inputs = inputs_of(networks, frames, device, seed)
            found = everything(recorded, *inputs)
            assert_alike(found, everything(ready, *inputs), 1e-3 if device == 'cuda' else 0)
    assert not count or len(count) == 2 * 5  # five calls, of two shapes


def test_what_was_returned_is_not_written_over(networks):
    recorded = RecordedNetworks(networks, again([]))
    _, crops, _ = inputs_of(networks, 1, seed=1)
    first = recorded.read_hands(crops)
    kept = first.joints.clone()
    recorded.read_hands(crops.flip(-1))
    assert torch.equal(first.joints, kept)


def test_what_was_given_is_not_written_over(networks):
    recorded = RecordedNetworks(networks, again([]))
    inputs, others = (inputs_of(networks, 1, seed=seed) for seed in (1, 2))
    kept = [tensor.clone() for tensor in inputs]
    everything(recorded, *inputs)
    everything(recorded, *others)
    assert all(torch.equal(one, other) for one, other in zip(inputs, kept, strict=True))


def test_weights_are_those_of_the_networks(networks):
    recorded = RecordedNetworks(networks, again([]))
    assert set(recorded.state_dict()) == set(networks.state_dict())
    assert next(recorded.parameters()) is next(networks.parameters())


def test_without_a_gpu_there_are_no_graphs(networks):
    with pytest.raises(SettingError, match='cuda_graphs, which runs on a GPU, but device is cpu'):
        choose_engine(networks, torch.device('cpu'), 'cuda_graphs')


@pytest.mark.parametrize('variant', VARIANTS.values(), ids=lambda variant: variant.name)
@pytest.mark.parametrize('is_half', [False, True])
def test_nothing_moves_between_the_cpu_and_the_device(variant, is_half):
    with VALUELESS:
        networks = InterWild(variant).eval().requires_grad_(False)
    if is_half:
        networks = in_bfloat16(networks)
    inputs = [tensor.to(VALUELESS) for tensor in inputs_of(networks, 1)]
    with valueless_device(), Transfers() as transfers:
        everything(networks, *inputs)
        networks.hand_boxes(networks.detect(inputs[0]))
    assert transfers.waiting == transfers.async_ == []


def test_numbers_and_tensors_that_move_are_seen():
    there, here = torch.zeros(3, device=VALUELESS), torch.zeros(3)
    with valueless_device(), Transfers() as transfers:
        here.to(VALUELESS)
        here.to(VALUELESS, non_blocking=True)
        here.new_tensor([1.0])
        with pytest.raises(AssertionError, match=r'\[2.0\] goes to the device'):
            there.new_tensor([2.0])
    assert len(transfers.waiting) == len(transfers.async_) == 1
