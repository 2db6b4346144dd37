from interwild_ros.geometry.upright import turn_matrices, turn_to_upright, turns_to_upright
import numpy as np
import pytest
import torch

UP = np.zeros((21, 2))
UP[1:] = np.random.default_rng(0).uniform((-10, -70), (10, -50), (20, 2))
UP[[5, 9, 13, 17]] = [(-15.0, -50.0), (-5.0, -52.0), (5.0, -51.0), (15.0, -47.0)]


def turned(joints_px, turn):
    return joints_px @ turn_matrices(torch.tensor(turn).double()).numpy().T + (300.0, 200.0)


@pytest.mark.parametrize(
    ('towards', 'wanted'),
    [((0, -1), 0.0), ((1, 0), -np.pi / 2), ((-1, 0), np.pi / 2), ((1, -1), -np.pi / 4)],
)
def test_fingers_are_turned_until_they_point_up_in_the_picture(towards, wanted):
    joints_px = np.tile(np.multiply(towards, 40.0), (21, 1))
    joints_px[0] = 0
    assert turn_to_upright(joints_px) == pytest.approx(wanted)


@pytest.mark.parametrize('turn', [-3.0, -1.2, 0.0, 0.4, 2.5])
def test_a_turn_undoes_how_a_hand_is_turned(turn):
    assert turn_to_upright(UP) == pytest.approx(0.0, abs=1e-12)
    assert turn_to_upright(turned(UP, turn)) == pytest.approx(-turn)


def test_many_hands_are_turned_as_each_is_by_itself():
    hands = np.random.default_rng(1).normal(size=(2, 5, 21, 2))
    found = turns_to_upright(torch.from_numpy(hands))
    wanted = [[turn_to_upright(hand) for hand in row] for row in hands]
    np.testing.assert_allclose(found, wanted)


def test_a_turn_in_the_picture_is_clockwise():
    right_to_down = turn_matrices(torch.tensor(np.pi / 2)) @ torch.tensor([1.0, 0.0])
    torch.testing.assert_close(right_to_down, torch.tensor([0.0, 1.0]))
