from contextlib import closing

from interwild_ros.errors import AssetError, SettingError, TrainingError
from interwild_ros.networks.checkpoint import leave_out
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.train.assembly import assemble
from interwild_ros.train.export import export
from interwild_ros.train.recipe import recipe_from
from interwild_ros.train.recipe_sections import PairData
from interwild_ros.train.snapshots import read_snapshot, write_snapshot
from interwild_ros.train.synthetic_streams import make_stream
from interwild_ros.train.world import World
import pytest
import torch

CPU = World(torch.device('cpu'))
TASKS = ('shnet', 'detectnet', 'transnet')
FEW_PAIRS = {'domain': 'studio', 'held_out_samples': 4}


def recipe(trunk='drawn', read=0, workers=0, **general):
    tasks = {name: {'optimisation': {'steps': 1, 'batch_size': 4}} for name in TASKS}
    tasks['detectnet']['data'] = {'trunk': trunk}
    tasks['transnet']['data'] = {'read': read, **FEW_PAIRS}
    return recipe_from({**general, 'tasks': tasks, 'running': {'workers': workers}})


def first_pairs(chosen, trained=None):
    """The first batch that task transnet learns from."""
    with closing(iter(assemble('transnet', chosen, CPU, trained).batches)) as batches:
        return next(batches)[1]


def are_equal(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture
def shnet(tmp_path):
    """The folder of a recipe whose first task has been trained."""
    parts = assemble('shnet', recipe(seed=9), CPU)
    state = {
        name: tensor + 0.01 if tensor.is_floating_point() else tensor
        for name, tensor in parts.task.state_dict().items()
    }
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


def test_a_recipe_may_begin_with_weights_that_are_older_than_a_part(tmp_path):
    networks = InterWild(VARIANTS['compact'])
    leave_out(networks, ('hand_kind_net',))
    export(networks, tmp_path / 'w.safetensors')
    begun = assemble('shnet', recipe(begin=str(tmp_path / 'w.safetensors')), CPU)
    drawn = assemble('shnet', recipe(), CPU).task.state_dict()
    wanted = networks.state_dict()
    for name, tensor in begun.task.state_dict().items():
        assert torch.equal(tensor, wanted.get(name, drawn[name])), name
    assert any(name.startswith('hand_kind_net') for name in drawn)


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


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp('weights') / 'w.safetensors'
    export(InterWild(VARIANTS['compact']), path)
    return str(path)


def test_without_reading_pairs_are_wrong_as_the_numbers_say():
    learned = first_pairs(recipe(seed=3))
    drawn = make_stream('transnet', 'compact', PairData(domain='studio'), 3).draw(range(4))
    assert are_equal(learned, drawn)


def test_pairs_are_read_anew_and_alike_when_a_run_goes_on(weights):
    learned = first_pairs(recipe(read=6, seed=3, begin=weights))
    # what a worker draws, too
    assert are_equal(learned, first_pairs(recipe(read=6, workers=1, seed=3, begin=weights)))
    assert not torch.equal(learned.joints, first_pairs(recipe(seed=3)).joints)


def test_validation_is_on_hands_of_its_own(weights):
    learned = first_pairs(recipe(read=6, seed=3, begin=weights))
    parts = assemble('transnet', recipe(read=6, seed=3, begin=weights), CPU)
    (held_out,) = parts.held_out()
    lengths = [pairs.left_from_right_m.norm(dim=1) for pairs in (learned, held_out)]
    assert not torch.isin(*(length.round(decimals=5) for length in lengths)).any()


def test_the_shnet_that_was_trained_before_reads_rather_than_what_all_began_with(weights, shnet):
    learned = first_pairs(recipe(read=6, seed=3), shnet)
    begun = recipe(read=6, seed=3, begin=weights)
    assert are_equal(learned, first_pairs(begun, shnet))
    assert not torch.equal(learned.joints, first_pairs(begun).joints)


def test_pairs_cannot_be_read_without_a_trained_shnet(tmp_path):
    with pytest.raises(SettingError, match=r'read is 6, .*no folder holds one'):
        assemble('transnet', recipe(read=6), CPU)
    with pytest.raises(SettingError, match=r'read is 6, .*shnet\.pt is not there'):
        assemble('transnet', recipe(read=6), CPU, tmp_path)
