from interwild_ros.networks.detectnet import Candidates
from interwild_ros.networks.roi_net import HANDS, RoiNet
from interwild_ros.networks.variants import VARIANTS
import pytest
import torch

CENTRES = torch.tensor([[[20.0, 30.0], [50.0, 24.0]]])
SIZES = torch.tensor([[[10.0, 12.0], [8.0, 6.0]]])
PLACES = Candidates(CENTRES, SIZES, torch.tensor([[0.7, 0.2]]), torch.tensor([[0.5, 0.5]]))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return RoiNet(VARIANTS['compact']).eval()


@pytest.fixture
def fine():
    return torch.randn(1, VARIANTS['compact'].box_width, 60, 80)


def say(net, *hands):
    """Have a net say the same of every place: a row a hand, as `RoiNet.forward` reads them."""
    with torch.no_grad():
        net.out[0].weight.zero_()
        net.out[0].bias.copy_(torch.tensor(hands).flatten())


def look(net, fine, places=PLACES):
    with torch.inference_mode():
        return net.looked_at(fine, places)


def test_two_hands_of_one_place_come_before_those_of_a_place_that_is_less_sure(net, fine):
    say(net, [0.3, 0.0, 0.0, 0.0, 9.0, 9.0], [-0.3, 0.5, 0.0, -0.7, 8.0, -9.0])
    found = look(net, fine)
    wanted = [[20 + 3.0, 30.0], [20 - 3.0, 30 + 6.0]]
    torch.testing.assert_close(found.centre[0], torch.tensor(wanted))
    e = torch.exp(torch.tensor(-0.7))
    torch.testing.assert_close(
        found.size[0], torch.stack([SIZES[0, 0], SIZES[0, 0] * torch.tensor([1, e])])
    )
    torch.testing.assert_close(found.score[0], torch.tensor([0.7, 0.7]), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.right_share[0], torch.tensor([1.0, 0.0]), atol=1e-3, rtol=0)


def test_a_place_with_one_hand_gives_its_turn_to_the_next(net, fine):
    say(net, [0.0, 0.0, 0.0, 0.0, 9.0, 0.0], [0.4, 0.0, 0.0, 0.0, -9.0, 0.0])
    found = look(net, fine)
    torch.testing.assert_close(found.centre, CENTRES)
    torch.testing.assert_close(found.size, SIZES)
    torch.testing.assert_close(found.score, PLACES.score, atol=1e-3, rtol=0)


def test_what_is_no_hand_has_no_score(net, fine):
    say(net, *[[0.0, 0.0, 0.0, 0.0, -9.0, 0.0]] * HANDS)
    assert (look(net, fine).score < 1e-3).all()


def test_a_place_is_read_over_its_own_size(net):
    """Features far from a place change nothing in it; those at its edge do."""
    quiet = torch.zeros(1, VARIANTS['compact'].box_width, 60, 80)
    at_edge, far = quiet.clone(), quiet.clone()
    at_edge[:, :, 30 - 8 : 30 + 9, 27] = 1.0  # 0.7 sizes to the right of the first place
    far[:, :, :, 70:] = 1.0
    centre, size = (found[:, :1] for found in PLACES[:2])
    with torch.inference_mode():
        alone, beside, away = (net(fine, centre, size).is_hand for fine in (quiet, at_edge, far))
    torch.testing.assert_close(away, alone)
    assert not torch.allclose(beside, alone)


def test_a_place_of_negative_size_is_as_one_of_positive(net, fine):
    with torch.inference_mode():
        for found, wanted in zip(
            net(fine, CENTRES, -SIZES), net(fine, CENTRES, SIZES), strict=True
        ):
            torch.testing.assert_close(found, wanted)


def test_features_in_half_precision_are_read_at_exact_places(net, fine):
    """Of 80 cells, bfloat16 knows only each half."""
    fine = fine.bfloat16()
    with torch.inference_mode():
        found, wanted = net(fine, CENTRES + 0.1, SIZES), net(fine.float(), CENTRES + 0.1, SIZES)
    for part, exact in zip(found, wanted, strict=True):
        torch.testing.assert_close(part, exact)
