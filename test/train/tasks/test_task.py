from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.testing.some_streams import SomeBodyPictures
from interwild_ros.train.recipe_sections import DetectnetWeights
from interwild_ros.train.tasks.detectnet import DetectnetTask
import pytest
import torch


@pytest.fixture
def task():
    torch.manual_seed(0)
    networks = InterWild(VARIANTS['compact'])
    return DetectnetTask(networks, DetectnetWeights())


def learn(task):
    batch = SomeBodyPictures(task.spaces).draw(range(2))
    optimizer = torch.optim.SGD([p for p in task.parameters() if p.requires_grad], 0.01)
    task.train()
    sum(task(batch).values()).backward()
    optimizer.step()


def test_what_is_kept_does_not_move_and_the_rest_does(task):
    task.keep(task.body_backbone.first_stages(1))
    before = {name: tensor.clone() for name, tensor in task.state_dict().items()}
    learn(task)
    moved = {n for n, t in task.state_dict().items() if not torch.equal(t, before[n])}
    kept = ('body_backbone.conv1', 'body_backbone.bn1', 'body_backbone.layer1')
    assert not [name for name in moved if name.startswith(kept)]
    assert 'body_backbone.layer2.0.conv1.weight' in moved
    assert 'body_backbone.layer2.0.bn1.running_mean' in moved


def test_without_anything_kept_everything_learns(task):
    task.keep(task.body_backbone.first_stages(0))
    before = task.body_backbone.conv1.weight.clone()
    learn(task)
    assert not torch.equal(task.body_backbone.conv1.weight, before)


def test_sizes_are_learned_at_true_centres(task):
    """Where the detector looks for the hand changes nothing in what the size costs."""
    batch = SomeBodyPictures(task.spaces).draw(range(2))
    task.eval()
    before = task(batch)
    with torch.no_grad():
        task.body_box_net.bbox_center[0].weight.mul_(-50)
    after = task(batch)
    assert after['centre'] != before['centre']
    assert torch.allclose(after['size'], before['size'])
