from interwild_ros.hand_model.mano import HandPair
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.testing.some_streams import SomeHandCrops
from interwild_ros.train.recipe_sections import ShnetWeights
from interwild_ros.train.streams import LEFT_KIND, NO_KIND, RIGHT_KIND, UNKNOWN
from interwild_ros.train.tasks.shnet import ShnetTask
import pytest
import torch

EVERY_KIND = torch.tensor([RIGHT_KIND, LEFT_KIND, NO_KIND, UNKNOWN])


def task_of(networks: InterWild, hand_models: HandPair, **weights: float) -> ShnetTask:
    return ShnetTask(networks, hand_models, ShnetWeights(**weights)).eval()


@pytest.fixture(scope='module')
def networks():
    torch.manual_seed(0)
    return InterWild(VARIANTS['compact'])


@pytest.fixture
def task(networks, hand_models):
    return task_of(networks, hand_models)


@pytest.fixture(scope='module')
def batch(networks):
    return SomeHandCrops(networks.spaces).draw(range(4))._replace(kinds=EVERY_KIND)


def first(batch, rows):
    return type(batch)(*(part[:rows] for part in batch))


def test_telling_kinds_is_learned_beside_everything_else(task, batch):
    losses = task(batch)
    assert {'joints_xy', 'rotations', 'vertices_m', 'kind'} <= set(losses)
    assert losses['kind'] > 0
    task.zero_grad()
    losses['kind'].backward()
    parts = {n.split('.')[0] for n, p in task.named_parameters() if p.grad is not None}
    task.zero_grad()
    assert parts == {'hand_roi_net', 'hand_kind_net'}


def test_the_weight_of_the_kind_loss_is_the_recipes(networks, hand_models, batch):
    one, other = (task_of(networks, hand_models, kind=w)(batch)['kind'] for w in (0.5, 2.0))
    torch.testing.assert_close(other, 4 * one)


def test_crops_of_unknown_kind_change_nothing_of_it(task, batch):
    torch.testing.assert_close(task(batch)['kind'], task(first(batch, 3))['kind'])


def test_a_batch_of_unknown_kinds_costs_nothing_and_moves_nothing(task, batch):
    loss = task(batch._replace(kinds=torch.full((4,), UNKNOWN)))['kind']
    assert loss == 0
    task.zero_grad()
    loss.backward()
    gradients = [p.grad for p in task.hand_kind_net.parameters()]
    assert all((g == 0).all() for g in gradients if g is not None)
    task.zero_grad()


def test_kinds_are_learned_from_crops_that_teach_nothing_else(task, batch):
    losses = task(batch._replace(counts=torch.zeros(4)))
    assert losses['kind'] > 0
    assert all(loss == 0 for name, loss in losses.items() if name != 'kind')


@pytest.mark.parametrize('said', [RIGHT_KIND, LEFT_KIND, NO_KIND])
def test_measures_say_which_share_of_each_kind_is_told_rightly(said, task, batch):
    out = task.hand_kind_net.out[0]
    before = out.bias.data.clone()
    out.bias.data[said] += 1e3
    measured = task.measure(batch._replace(counts=torch.tensor([1.0, 0.0, 0.0, 0.0])))
    out.bias.data = before
    told = [measured[f'told_{name}'].tolist() for name in ('right', 'left', 'none')]
    assert told == [[float(kind == said)] for kind in (RIGHT_KIND, LEFT_KIND, NO_KIND)]
    assert len(measured['mpvpe_mm']) == 1  # of crops that count alone


@pytest.mark.parametrize('variant', sorted(VARIANTS))
def test_networks_that_tell_no_kinds_are_trained_as_before(variant, hand_models):
    networks = InterWild(VARIANTS[variant])
    networks.hand_kind_net = None
    task = task_of(networks, hand_models)
    batch = SomeHandCrops(networks.spaces).draw(range(2))
    with torch.no_grad():
        assert 'kind' not in task(batch)
    assert not [name for name in task.measure(batch) if name.startswith('told_')]
    assert not [name for name in task.state_dict() if name.startswith('hand_kind_net')]


def test_the_official_variant_has_no_kind_net():
    assert InterWild(VARIANTS['official']).hand_kind_net is None
