from interwild_ros.networks.detectnet import BoxNet
from interwild_ros.networks.variants import VARIANTS
import pytest
import torch
from torch import nn
import torch.nn.functional as F

SIZE, SIGMA = 12.0, 1.5  # of boxes and blobs, cells
A, B = (12.0, 20.0), (34.0, 45.0)


@pytest.fixture(params=sorted(VARIANTS), scope='module')
def box_net(request):
    """A net whose right hands are wider than its left ones, and else alike."""
    net = BoxNet(VARIANTS[request.param]).eval()
    for head, width in ((net.rhand_size, SIZE + 4), (net.lhand_size, SIZE)):
        nn.init.zeros_(head[-1].weight)
        head[-1].bias.data = torch.tensor([width, SIZE])
    return net


def blob(at, share=1.0):
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(48.0), indexing='ij')
    return share * torch.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * SIGMA**2))


def propose(net, right, left, count=2):
    """Return what a net proposes of maps (64, 48) of right and left hands."""
    logits = torch.log(torch.stack([right, left])[None] + 1e-12)
    return propose_of_logits(net, logits, count)


def propose_of_logits(net, logits, count):
    fine = torch.zeros(len(logits), net.bbox_center[0].in_channels, 64, 48)
    with torch.inference_mode():
        return net.candidates(fine, logits, count)


def test_two_hands_are_two_candidates_each_of_its_side(box_net):
    found = propose(box_net, blob(A), blob(B))
    order = found.centre[0, :, 0].argsort()
    torch.testing.assert_close(found.centre[0, order], torch.tensor([A, B]), atol=0.1, rtol=0)
    torch.testing.assert_close(
        found.right_share[0, order], torch.tensor([1.0, 0.0]), atol=1e-3, rtol=0
    )
    torch.testing.assert_close(found.score[0], torch.tensor([0.5, 0.5]), atol=0.03, rtol=0)
    sizes = torch.tensor([[SIZE + 4, SIZE], [SIZE, SIZE]])
    torch.testing.assert_close(found.size[0, order], sizes, atol=0.02, rtol=0)


def test_a_hand_whose_side_is_in_doubt_is_shared(box_net):
    right, left = blob(A, 0.75) + blob(B, 0.25), blob(A, 0.5) + blob(B, 0.5)
    found = propose(box_net, right, left)
    torch.testing.assert_close(found.centre[0], torch.tensor([A, B]), atol=0.1, rtol=0)
    torch.testing.assert_close(found.right_share[0], torch.tensor([0.6, 1 / 3]), atol=0.01, rtol=0)
    torch.testing.assert_close(found.score[0], torch.tensor([0.625, 0.375]), atol=0.03, rtol=0)
    torch.testing.assert_close(
        found.size[0, 0], torch.tensor([SIZE + 4 * 0.6, SIZE]), atol=0.1, rtol=0
    )


@pytest.mark.parametrize('share', [0.2, 0.4, 0.6, 0.8])
def test_the_surer_hand_comes_first(box_net, share):
    one, other = blob(A, share) + blob(B, 1 - share), blob(A, share) + blob(B, 1 - share)
    found = propose(box_net, one, other)
    wanted = (A, B) if share > 0.5 else (B, A)
    torch.testing.assert_close(found.centre[0], torch.tensor(wanted), atol=0.1, rtol=0)
    assert found.score[0, 0] > found.score[0, 1]


def test_one_hand_that_both_maps_see_is_one_candidate(box_net):
    """What is left for the second is nothing."""
    found = propose(box_net, blob(A), blob(A))
    torch.testing.assert_close(found.centre[0, 0], torch.tensor(A), atol=0.1, rtol=0)
    assert found.score[0, 0] > 0.95
    assert found.score[0, 1] < 0.03


def test_hands_that_touch_are_told_apart(box_net):
    near = (A[0] + 8, A[1])
    found = propose(box_net, blob(A), blob(near))
    order = found.centre[0, :, 0].argsort()
    torch.testing.assert_close(found.centre[0, order], torch.tensor([A, near]), atol=1.0, rtol=0)
    assert found.right_share[0, order[0]] > 0.95
    assert found.right_share[0, order[1]] < 0.05


def random_logits(count):
    torch.manual_seed(0)
    return F.interpolate(4 * torch.randn(count, 2, 9, 7), size=(64, 48), mode='bicubic')


def test_no_candidate_is_within_anothers_box_and_nothing_counts_twice(box_net):
    found = propose_of_logits(box_net, random_logits(40), count=3)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        apart = (found.centre[:, first] - found.centre[:, second]).abs()
        assert (apart > 0.3 * found.size[:, first]).any(1).all()
    assert (found.score.sum(1) <= 1 + 1e-5).all()
    assert (found.score >= 0).all()
    assert ((found.right_share >= 0) & (found.right_share <= 1)).all()


def test_a_batch_is_read_as_its_pictures_are_one_by_one(box_net):
    logits = random_logits(6)
    together = propose_of_logits(box_net, logits, count=2)
    for row, alone in enumerate(logits):
        for one, all_ in zip(propose_of_logits(box_net, alone[None], 2), together, strict=True):
            torch.testing.assert_close(one[0], all_[row])


def test_the_first_of_more_candidates_are_those_of_fewer(box_net):
    few, more = (propose_of_logits(box_net, random_logits(4), count) for count in (1, 3))
    assert few.centre.shape == (4, 1, 2)
    for one, other in zip(few, more, strict=True):
        torch.testing.assert_close(one[:, 0], other[:, 0])


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_places_are_as_fine_in_half_precision(box_net, dtype):
    logits = random_logits(2)
    found = propose_of_logits(box_net, logits.to(dtype).float(), count=2)
    rough = propose_of_logits(box_net, logits.to(dtype), count=2)
    torch.testing.assert_close(rough.centre, found.centre)
    assert rough.centre.dtype == torch.float32


@pytest.mark.parametrize('value', [0.0, 1e4, -1e4])
def test_flat_maps_give_candidates_that_are_numbers(box_net, value):
    found = propose_of_logits(box_net, torch.full((1, 2, 64, 48), value), count=3)
    assert all(torch.isfinite(part).all() for part in found)


@pytest.mark.parametrize('corner', [(0.0, 0.0), (47.0, 63.0)])
def test_a_hand_at_the_edge_is_a_candidate_there(box_net, corner):
    found = propose(box_net, blob(corner), blob(corner), count=1)
    assert (found.centre[0, 0] - torch.tensor(corner)).abs().max() < 2 * SIGMA
