from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.shnet import KindNet, KINDS
from interwild_ros.networks.variants import VARIANTS
import pytest
import torch

COMPACT = VARIANTS['compact']


@pytest.fixture
def crops():
    torch.manual_seed(0)
    return torch.rand(4, 3, COMPACT.spaces.crop_px, COMPACT.spaces.crop_px)


@pytest.mark.parametrize('count', [1, 3])
def test_the_kind_net_gives_a_logit_for_each_kind_of_each_crop(count):
    net = KindNet(COMPACT).eval()
    features = torch.rand(count, COMPACT.hand_features, 16, 16)
    with torch.inference_mode():
        logits = net(features, 16 * torch.rand(count, 21, 3))
    assert logits.shape == (count, KINDS)
    assert logits.dtype == torch.float32


def test_the_kind_net_looks_where_the_joints_are():
    torch.manual_seed(0)
    net = KindNet(COMPACT).eval()
    features = torch.rand(1, COMPACT.hand_features, 16, 16)
    joints = 2 + 6 * torch.rand(1, 21, 3)
    elsewhere = features.clone()
    elsewhere[:, :, 12:, 12:] = elsewhere[:, :, 12:, 12:].flip(-1)  # the mean stays
    moved = joints.clone()
    moved[..., :2] += 4
    with torch.inference_mode():
        there = net(features, joints)
        torch.testing.assert_close(net(elsewhere, joints), there)
        assert not torch.allclose(net(features, moved), there)


def test_kinds_are_probabilities_of_both_hands(whole_compact, crops):
    with torch.inference_mode():
        kinds = whole_compact.read_hands(crops).kinds
    assert kinds.shape == (4, KINDS)
    torch.testing.assert_close(kinds.sum(1), torch.ones(4))
    assert (kinds > 0).all()


def test_kinds_are_of_crops_as_shnet_sees_them(whole_compact, crops):
    """Left hands come mirrored: the same crop is the same kind, whatever side it is read for."""
    with torch.inference_mode():
        right, left = whole_compact.read_hands(crops[:1].repeat(2, 1, 1, 1)).kinds
    torch.testing.assert_close(right, left)


def test_telling_kinds_changes_nothing_else(whole_compact, crops):
    without = InterWild(COMPACT).eval()
    without.hand_kind_net = None
    state = whole_compact.state_dict()
    without.load_state_dict({n: t for n, t in state.items() if not n.startswith('hand_kind_net')})
    with torch.inference_mode():
        one, other = whole_compact.read_hands(crops), without.read_hands(crops)
    assert other.kinds is None
    assert torch.equal(one.joints, other.joints)
    assert all(torch.equal(a, b) for a, b in zip(one.pose, other.pose, strict=True))


def test_networks_as_the_original_has_them_tell_no_kinds(official):
    assert official.hand_kind_net is None
    crops = torch.rand(2, 3, official.spaces.crop_px, official.spaces.crop_px)
    with torch.inference_mode():
        assert official.read_hands(crops).kinds is None


def test_what_is_learned_of_kinds_never_moves_a_joint(whole_compact, crops):
    """Gradients reach the trunk and the kind net itself, and not the joints that it reads at."""
    whole_compact.zero_grad()
    kinds = whole_compact.read_hands(crops).kinds
    kinds[:, 0].sum().backward()
    parts = {n.split('.')[0] for n, p in whole_compact.named_parameters() if p.grad is not None}
    whole_compact.zero_grad()
    assert parts == {'hand_roi_net', 'hand_kind_net'}
