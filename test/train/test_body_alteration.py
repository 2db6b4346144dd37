from interwild_ros.networks.variants import VARIANTS
from interwild_ros.train.body_alteration import BodyAlteration
from interwild_ros.train.streams import BodyPictures
import pytest
import torch

SPACES = VARIANTS['compact'].spaces
COUNT = 32
BOX = torch.tensor([[20.0, 24.0, 30.0, 36.0], [1.0, 40.0, 8.0, 50.0]])  # cells


@pytest.fixture(scope='module')
def batch():
    """Each hand's box is filled, the right one's with light, the left one's with half of it."""
    pictures = torch.zeros(COUNT, 3, *SPACES.body_size[::-1], dtype=torch.uint8)
    corners = SPACES.body_from_cells(BOX.reshape(2, 2, 2)).reshape(2, 4).int().tolist()
    for (x1, y1, x2, y2), light in zip(corners, (240, 120), strict=True):
        pictures[:, :, y1 : y2 + 1, x1 : x2 + 1] = light
    valid = torch.ones(COUNT, 2)
    valid[::4, 1] = 0
    boxes = BOX.expand(COUNT, 2, 4) * valid[..., None]
    return BodyPictures(pictures, boxes, valid, 1 - valid)


@pytest.fixture(scope='module')
def altered(batch):
    return BodyAlteration(SPACES, seed=5)(batch, range(COUNT))


def test_the_boxes_move_with_the_picture(altered):
    """The corners of what is painted are those of the box; some parts are painted over."""
    overlaps = []
    for row in range(COUNT):
        lights = altered.pictures[row].float().amax(0)
        boxes = altered.boxes[row] * altered.boxes_valid[row][:, None]
        inside = torch.zeros_like(lights, dtype=torch.bool)
        for x1, y1, x2, y2 in SPACES.body_from_cells(boxes.reshape(2, 2, 2)).flatten(1).int():
            inside[y1 : y2 + 1, x1 : x2 + 1] = True
        if altered.boxes_valid[row].sum() == 2:
            lit = lights > 30
            overlaps.append((inside & lit).sum() / (inside | lit).sum())
    assert torch.stack(overlaps).median() > 0.9


def test_a_mirrored_right_hand_is_a_left_one(batch, altered):
    mirrored = (altered.boxes[:, 0, 0] < altered.boxes[:, 1, 0]) & altered.boxes_valid.all(1)
    same = (altered.boxes[:, 0, 0] > altered.boxes[:, 1, 0]) & altered.boxes_valid.all(1)
    both = batch.boxes_valid.all(1)
    # the right hand stands right of the left one; mirrored it is the left hand, on the left
    assert (same | mirrored)[both].float().mean() > 0.7
    absent = altered.known_absent[~both]
    assert absent.sum() == (~both).sum()
    assert 0 < absent[:, 0].sum() < absent.sum()


def test_a_hand_that_is_cut_off_is_neither_there_nor_absent(batch, altered):
    cut = (batch.boxes_valid.sum(1) == 2) & (altered.boxes_valid.sum(1) < 2)
    assert cut.any()
    assert not altered.known_absent[cut].any()
    assert not altered.boxes[altered.boxes_valid == 0].any()


def test_the_same_index_is_altered_in_the_same_way(batch, altered):
    half = BodyPictures(*(rows[16:] for rows in batch))
    again = BodyAlteration(SPACES, seed=5)(half, range(16, COUNT))
    assert all(torch.equal(a, b[16:]) for a, b in zip(again, altered, strict=True))
    other = BodyAlteration(SPACES, seed=6)(half, range(16, COUNT))
    assert not torch.equal(other.pictures, again.pictures)
