import copy

from interwild_ros.errors import SettingError, TrainingError
from interwild_ros.networks import checkpoint
from interwild_ros.networks.checkpoint import build_networks, load_checkpoint
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.rule_weights import fill_by_rule
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.testing.tiny_training import Remembering, tiny_parts, tiny_recipe
from interwild_ros.train.export import export, load_trained
from interwild_ros.train.loop import Trainer
from interwild_ros.train.snapshots import read_snapshot
from interwild_ros.train.world import World
import pytest
import torch

SHIPPED_LIMIT_BYTES = 12_000_000


@pytest.fixture(scope='module')
def networks():
    """Compact networks with every part that the variant can have."""
    networks = InterWild(VARIANTS['compact']).eval()
    fill_by_rule(networks)
    return networks


@pytest.fixture(scope='module')
def snapshots(tmp_path_factory):
    folder = tmp_path_factory.mktemp('trained')
    paths = []
    for name in ('shnet', 'detectnet', 'transnet'):
        recipe = tiny_recipe(name, steps=1)
        paths.append(folder / f'{name}.pt')
        world = World(torch.device('cpu'))
        Trainer(name, recipe, tiny_parts(recipe), world, paths[-1]).run(
            Remembering(), lambda: False
        )
    return paths


@pytest.mark.parametrize('name', ['w.pth', 'w.safetensors'])
def test_what_is_exported_loads_again(tmp_path, networks, name):
    export(networks, tmp_path / name)
    again = InterWild(VARIANTS['compact'])
    load_checkpoint(again, tmp_path / name)
    assert all(
        torch.equal(a, b)
        for a, b in zip(networks.state_dict().values(), again.state_dict().values(), strict=True)
    )


def test_the_official_layout_is_the_originals(tmp_path, networks):
    export(networks, tmp_path / 'snapshot_6.pth')
    content = torch.load(tmp_path / 'snapshot_6.pth', weights_only=True)
    assert sorted(content) == ['epoch', 'network', 'optimizer']
    assert all(name.startswith('module.') for name in content['network'])
    assert not [name for name in content['network'] if 'mano' in name]


def test_half_precision_ships_in_twelve_megabytes_and_loads_as_single(tmp_path, networks):
    path = tmp_path / 'compact.safetensors'
    export(networks, path, halved=True)
    assert path.stat().st_size <= SHIPPED_LIMIT_BYTES
    again, weights = build_networks('auto', str(path))
    assert again.variant.name == 'compact'
    assert weights.meaningful
    for (name, one), other in zip(
        networks.state_dict().items(), again.state_dict().values(), strict=True
    ):
        assert one.dtype == other.dtype, name
        # biases and what normalises keep every bit: a variance may pass what half can hold
        exact = one.dim() < 2
        assert (
            torch.equal(one, other) if exact else torch.allclose(one, other, atol=1e-3, rtol=1e-3)
        )


def test_what_ships_with_the_package_is_taken_when_nothing_is_named(
    tmp_path, networks, monkeypatch
):
    monkeypatch.setattr(checkpoint, 'SHIPPED', tmp_path / 'compact.safetensors')
    assert not build_networks('compact')[1].meaningful
    export(networks, tmp_path / 'compact.safetensors', halved=True)
    _, weights = build_networks('auto')
    assert weights.meaningful
    assert weights.name == 'compact (shipped)'
    assert len(weights.sha256) == 64


def test_tasks_are_put_together_from_their_averages(snapshots):
    networks = InterWild(VARIANTS['compact'])
    assert load_trained(networks, snapshots) == ()
    found = networks.state_dict()
    for path in snapshots:
        for name, tensor in read_snapshot(path)['average'].items():
            assert torch.equal(found[name], tensor), name


def test_a_share_of_the_weights_before_can_be_kept(snapshots, networks):
    mixed = copy.deepcopy(networks)
    assert load_trained(mixed, snapshots, kept=0.25) == ()
    before, found = networks.state_dict(), mixed.state_dict()
    for path in snapshots:
        for name, learned in read_snapshot(path)['average'].items():
            is_number = learned.is_floating_point()
            wanted = 0.25 * before[name] + 0.75 * learned if is_number else learned
            torch.testing.assert_close(found[name], wanted, msg=name)


def test_what_has_not_been_trained_is_named(snapshots):
    untrained = load_trained(InterWild(VARIANTS['compact']), snapshots[:2])
    assert untrained == ('hand_trans_net',)


def test_shnet_is_trained_with_what_tells_kinds(snapshots):
    names = {name.split('.')[0] for name in read_snapshot(snapshots[0])['average']}
    assert 'hand_kind_net' in names


def test_another_suffix_is_refused(tmp_path, networks):
    with pytest.raises(SettingError, match=r'\.safetensors or \.pth'):
        export(networks, tmp_path / 'w.onnx')


def test_a_folder_that_is_no_folder_is_named(tmp_path, networks):
    (tmp_path / 'file').write_text('')
    with pytest.raises(TrainingError, match='cannot be written'):
        export(networks, tmp_path / 'file' / 'w.pth')
