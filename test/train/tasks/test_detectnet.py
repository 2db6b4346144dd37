"""What hands in the detector's places cost, by a net that says what it is told."""

from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.roi_net import HandsInPlaces
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.train.recipe_sections import DetectnetWeights
from interwild_ros.train.streams import BodyPictures
from interwild_ros.train.tasks import detectnet
from interwild_ros.train.tasks.detectnet import DetectnetTask
import pytest
import torch
from torch import nn

BOXES = torch.tensor([[20.0, 20.0, 32.0, 36.0], [23.0, 22.0, 37.0, 34.0]])  # cells; they overlap
FAR = torch.tensor([[4.0, 4.0, 12.0, 12.0], [60.0, 44.0, 70.0, 52.0]])
SURE = 12.0


class Told(nn.Module):
    """In place of the net: says of every place what it is told."""

    def __init__(self, boxes, is_hand, is_right):
        super().__init__()
        self._centre, self._size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        self._logits = [SURE * (2 * torch.tensor(x) - 1) for x in (is_hand, is_right)]

    def forward(self, fine, centre, size):
        shape = (*centre.shape[:2], 2)
        boxes = (x.expand(*shape, 2) for x in (self._centre, self._size))
        return HandsInPlaces(*boxes, *(x.expand(shape) for x in self._logits))


class Whole:
    """In place of the detector's own places: boxes, whatever the picture."""

    def __init__(self, boxes):
        self._boxes = boxes

    def __call__(self, fine, logits, count):
        rows = self._boxes.expand(len(fine), -1, 4)
        centre, size = (rows[..., :2] + rows[..., 2:]) / 2, rows[..., 2:] - rows[..., :2]
        return centre, size


@pytest.fixture
def task(monkeypatch):
    monkeypatch.setattr(detectnet, '_PLACE_SHIFT', 0.0)  # places are the true boxes
    monkeypatch.setattr(detectnet, '_PLACE_SCALE', 0.0)
    torch.manual_seed(0)
    return DetectnetTask(InterWild(VARIANTS['compact']), DetectnetWeights()).eval()


def batch_of(boxes, *, valid=(1.0, 1.0), absent=(0.0, 0.0)):
    width, height = VARIANTS['compact'].spaces.body_size
    rows = 2
    valid = torch.tensor([valid]).expand(rows, 2)
    return BodyPictures(
        pictures=torch.zeros(rows, 3, height, width, dtype=torch.uint8),
        boxes=boxes.expand(rows, 2, 4) * valid[..., None],
        boxes_valid=valid,
        known_absent=torch.tensor([absent]).expand(rows, 2),
    )


def cost(task, batch, told, own=BOXES):
    task.body_roi_net = told
    task.body_box_net.candidates = Whole(own)
    with torch.no_grad():
        return float(task(batch)['roi_boxes'])


def test_two_hands_that_overlap_cost_nothing_in_either_order(task):
    batch = batch_of(BOXES)
    as_told = Told(BOXES, [1.0, 1.0], [1.0, 0.0])
    exchanged = Told(BOXES.flip(0), [1.0, 1.0], [0.0, 1.0])
    assert cost(task, batch, as_told) < 1e-3
    assert cost(task, batch, exchanged) < 1e-3


@pytest.mark.parametrize(
    'told',
    [
        Told(BOXES + 2, [1.0, 1.0], [1.0, 0.0]),
        Told(BOXES, [1.0, 0.0], [1.0, 0.0]),
        Told(BOXES, [1.0, 1.0], [0.0, 1.0]),
        Told(BOXES[[0, 0]], [1.0, 1.0], [1.0, 0.0]),
    ],
    ids=['moved', 'one missed', 'sides exchanged', 'one twice'],
)
def test_what_is_wrong_costs(task, told):
    assert cost(task, batch_of(BOXES), told) > 0.1


def test_a_hand_that_is_in_no_place_is_not_asked_for(task):
    """Hands apart: each place has one, and the second of a place is none."""
    batch = batch_of(FAR, valid=(1.0, 0.0), absent=(0.0, 1.0))
    lone = Told(FAR[[0, 0]], [1.0, 0.0], [1.0, 1.0])
    assert cost(task, batch, lone, own=FAR[[0, 0]]) < 1e-3


def test_where_a_hand_is_unknown_no_place_is_told_that_there_is_none(task):
    unknown = batch_of(FAR, valid=(1.0, 0.0))
    anything = Told(FAR[[0, 0]], [1.0, 1.0], [1.0, 1.0])
    absent = batch_of(FAR, valid=(1.0, 0.0), absent=(0.0, 1.0))
    assert cost(task, unknown, anything, own=FAR[[0, 0]]) < 1e-3
    assert cost(task, absent, anything, own=FAR[[0, 0]]) > 1.0


def test_the_same_pictures_have_the_same_places(task, monkeypatch):
    """A run that was broken off goes on with the same losses, whatever was drawn since."""
    monkeypatch.undo()
    batch = batch_of(BOXES)
    with torch.no_grad():
        first = task(batch)['roi_boxes']
        torch.rand(7)
        assert torch.equal(task(batch)['roi_boxes'], first)


def test_validation_says_how_well_the_places_lie(task):
    measures = task.measure(batch_of(BOXES))
    assert {'first_two_places', 'places_recall', 'places_iou'} <= set(measures)
    assert all(len(measures[name]) == 4 for name in ('first_two_places', 'places_iou'))


def test_networks_without_a_second_look_learn_as_before(task):
    task.body_roi_net = None
    losses = task(batch_of(BOXES))
    assert set(losses) == {'centre_map', 'absent_map', 'centre', 'size'}
    assert 'places_iou' not in task.measure(batch_of(BOXES))
