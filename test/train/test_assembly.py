from interwild_ros.errors import AssetError, SettingError, TrainingError
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.train.assembly import assemble
from interwild_ros.train.export import export
from interwild_ros.train.recipe import recipe_from
from interwild_ros.train.snapshots import read_snapshot, write_snapshot
from interwild_ros.train.world import World
import pytest
import torch

CPU = World(torch.device('cpu'))
TASKS = ('shnet', 'detectnet', 'transnet')


def recipe(trunk='drawn', **general):
    tasks = {name: {'optimisation': {'steps': 1, 'batch_size': 1}} for name in TASKS}
    tasks['detectnet']['data'] = {'trunk': trunk}
    return recipe_from({**general, 'tasks': tasks})


@pytest.fixture
def shnet(tmp_path):
    """The folder of a recipe whose first task has been trained."""
    parts = assemble('shnet', recipe(seed=9), CPU)
    state = {name: tensor + 1 for name, tensor in parts.task.state_dict().items()}
    write_snapshot(tmp_path / 'shnet.pt', {'network': state, 'average': None})
    return tmp_path


@pytest.mark.parametrize('task', ['detectnet', 'transnet'])
def test_a_recipe_may_begin_with_weights(task, tmp_path):
    torch.manual_seed(5)
    networks = InterWild(VARIANTS['compact'])
    export(networks, tmp_path / 'w.safetensors')
    parts = assemble(task, recipe(begin=str(tmp_path / 'w.safetensors')), CPU)
    wanted = networks.state_dict()
    for name, tensor in parts.task.state_dict().items():
        assert torch.equal(tensor, wanted[name]), name


def test_without_weights_they_follow_from_the_seed():
    states = [assemble('transnet', recipe(seed=seed), CPU).task.state_dict() for seed in (1, 1, 2)]
    first, again, other = (state['hand_trans_net.conv.0.weight'] for state in states)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_detectors_trunk_may_begin_with_what_shnet_has_learned(shnet):
    state = assemble('detectnet', recipe(trunk='shnet'), CPU, shnet).task.state_dict()
    learned = read_snapshot(shnet / 'shnet.pt')['network']
    trunk = {name: t for name, t in state.items() if name.startswith('body_backbone.')}
    assert trunk
    for name, tensor in trunk.items():
        source = name.replace('body_backbone.', 'hand_roi_net.backbone.')
        assert torch.equal(tensor, learned[source]), name


def test_a_trunk_that_was_not_trained_before_is_asked_for(tmp_path):
    with pytest.raises(AssetError, match=r'shnet\.pt'):
        assemble('detectnet', recipe(trunk='shnet'), CPU, tmp_path)
    with pytest.raises(SettingError, match='no folder'):
        assemble('detectnet', recipe(trunk='shnet'), CPU)


def test_a_trunk_of_another_kind_is_refused(shnet):
    with pytest.raises(TrainingError, match='of other networks'):
        assemble('detectnet', recipe(trunk='shnet', variant='official'), CPU, shnet)


def test_weights_that_are_not_there_are_named():
    with pytest.raises(AssetError, match='nowhere'):
        assemble('transnet', recipe(begin='/nowhere/w.safetensors'), CPU)
