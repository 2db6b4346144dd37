from interwild_ros.errors import AssetError
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.train.assembly import assemble
from interwild_ros.train.export import export
from interwild_ros.train.recipe import recipe_from
from interwild_ros.train.world import World
import pytest
import torch

CPU = World(torch.device('cpu'))


def recipe(**general):
    optimisation = {'steps': 1, 'batch_size': 1}
    tasks = {name: {'optimisation': optimisation} for name in ('detectnet', 'transnet')}
    return recipe_from({**general, 'tasks': tasks})


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


def test_weights_that_are_not_there_are_named():
    with pytest.raises(AssetError, match='nowhere'):
        assemble('transnet', recipe(begin='/nowhere/w.safetensors'), CPU)
