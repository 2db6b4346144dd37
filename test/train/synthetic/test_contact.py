from interwild_ros.train.synthetic.contact import (
    bead_radii_m,
    beads,
    clearance_m,
    distance_to_contact_m,
)
from interwild_ros.train.synthetic.draws import Draws
import pytest
import torch
import torch.nn.functional as F


@pytest.fixture(scope='module')
def strings():
    draws = Draws(0, range(60), 'contact')
    joints = draws.normal(2, 21, 3, std=0.03)
    forearms = F.normalize(draws.normal(2, 3), dim=-1)
    return [beads(joints[:, hand], forearms[:, hand]) for hand in range(2)]


@pytest.fixture(scope='module')
def directions():
    return F.normalize(Draws(0, range(60), 'ways').normal(3), dim=1)


def test_every_bead_has_a_radius(strings):
    assert strings[0].shape[1:] == (len(bead_radii_m()), 3)


def test_moved_to_contact_hands_just_touch(strings, directions):
    still, moving = strings
    distance = distance_to_contact_m(still, moving, directions)
    free = clearance_m(still, moving + (distance[:, None] * directions)[:, None])
    torch.testing.assert_close(free, torch.zeros(60), rtol=0, atol=2e-6)


def test_any_way_beyond_contact_is_free(strings, directions):
    still, moving = strings
    distance = distance_to_contact_m(still, moving, directions)
    for more in (0.005, 0.05, 1.0):
        beyond = (distance + more)[:, None] * directions
        assert clearance_m(still, moving + beyond[:, None]).min() > 0


def test_hands_that_pass_each_other_never_touch(strings, directions):
    still, moving = strings
    aside = F.normalize(torch.linalg.cross(directions, torch.ones(60, 3)), dim=1)
    distance = distance_to_contact_m(still, moving + 5 * aside[:, None], directions)
    assert distance.isneginf().all()
