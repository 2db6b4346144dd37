from interwild_ros.networks.variants import COMPACT_SPACES
from interwild_ros.train.ablation.views import NOISY, PairViewMaker, weak_distance_m
from interwild_ros.train.synthetic.domains import STUDIO, WILD
from interwild_ros.train.synthetic.residuals import NO_BETTER_KNOWN
import pytest
import torch


@pytest.fixture(scope='module')
def views():
    maker = PairViewMaker(STUDIO, seed=3, spaces=COMPACT_SPACES, residuals=NO_BETTER_KNOWN)
    return maker.draw(range(8))


def test_every_picture_has_both_hands(views):
    assert views.pictures.shape == (8, 3, 128, 128)
    assert views.joints.shape == (8, 2, 21, 3)
    assert views.left_from_right_m.norm(dim=1).min() > 0.01


def test_only_the_studio_may_teach_where_hands_are(views):
    wild = PairViewMaker(WILD, seed=3, spaces=COMPACT_SPACES, residuals=NO_BETTER_KNOWN)
    assert views.has_3d.all()
    assert not wild.draw(range(2)).has_3d.any()


def test_a_pair_follows_from_its_number(views):
    maker = PairViewMaker(STUDIO, seed=3, spaces=COMPACT_SPACES, residuals=NO_BETTER_KNOWN)
    for one, other in zip(maker.draw(range(4, 8)), views, strict=True):
        assert torch.equal(one, other[4:])


def test_the_true_translation_fits_the_joints_in_the_picture(views):
    """Weak perspective is only about right, so the truth is not the best there is."""
    true = weak_distance_m(views, views.left_from_right_m)
    wrong = weak_distance_m(views, views.left_from_right_m + torch.tensor([0.1, 0.0, 0.0]))
    assert true.median() < 0.012
    assert (wrong > true).float().mean() > 0.8


def test_what_a_picture_says_of_the_translation_has_no_depth(views):
    place = views.left_from_right_m.clone().requires_grad_()
    weak_distance_m(views, place).sum().backward()
    assert place.grad[:, :2].abs().sum() > 0
    assert not place.grad[:, 2].any()


@pytest.fixture(scope='module')
def noisy_of():
    def draw(domain):
        maker = PairViewMaker(
            domain, seed=3, spaces=COMPACT_SPACES, residuals=NO_BETTER_KNOWN, annotating=NOISY
        )
        return maker.draw(range(8))

    return draw


def test_noisy_annotations_are_off_by_what_they_say(noisy_of):
    exact = PairViewMaker(WILD, seed=3, spaces=COMPACT_SPACES, residuals=NO_BETTER_KNOWN)
    true, said = exact.draw(range(8)), noisy_of(WILD)
    sides = (true.joints_px.amax(2) - true.joints_px.amin(2)).amax(-1)[..., None, None]
    off = (said.joints_px - true.joints_px) / sides
    assert off.std() == pytest.approx(NOISY.joints, rel=0.15)
    lengths = (views.own_joints_m.norm(dim=-1) for views in (true, said))
    assert torch.allclose(*lengths, atol=1e-6)  # a fit is turned, no more
    cosines = torch.cosine_similarity(true.own_joints_m[:, :, 1:], said.own_joints_m[:, :, 1:], -1)
    degrees = cosines.clamp(max=1).acos().rad2deg()
    assert 5 < degrees.median() < 20
    assert torch.equal(true.joints, said.joints)
    assert torch.equal(true.left_from_right_m, said.left_from_right_m)


def test_what_has_truth_in_3d_is_not_guessed(views, noisy_of):
    for one, other in zip(noisy_of(STUDIO), views, strict=True):
        assert torch.equal(one, other)
