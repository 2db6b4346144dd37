from interwild_ros.geometry.mirror import mirror_axis_angle
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.records import Side
from interwild_ros.train.synthetic.domains import Hands
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.gestures import draw_fingers, GESTURES
from interwild_ros.train.synthetic.poses import draw_shapes, PoseMaker
from interwild_ros.train.synthetic.skeleton import entanglement_m, pinch_gap_m
import pytest
import torch

EVEN = Hands(gestures=(1.0,) * len(GESTURES))


@pytest.fixture(scope='module')
def maker():
    return PoseMaker()


def only(name):
    return Hands(gestures=tuple(float(gesture == name) for gesture in GESTURES))


def joints(maker, name, count=100):
    poses = maker.draw(Draws(0, range(count), name), only(name))
    return maker.skeleton.joints(poses.rotations)


def reach_m(joints):
    """Return how far the fingertips, without the thumb's, are from the wrist: (N, 4)."""
    return (joints[:, [8, 12, 16, 20]] - joints[:, :1]).norm(dim=-1)


def test_bends_stay_within_the_limits_of_joints():
    draws = Draws(0, range(2000), 'limits')
    fingers = draw_fingers(draws, draws.choice(EVEN.gestures))
    assert fingers.bends_deg.min() >= -28
    assert fingers.bends_deg.max() <= 112
    assert fingers.spreads_deg.abs().max() < 60


def test_every_gesture_comes():
    draws = Draws(0, range(500), 'all')
    assert len(PoseMaker().draw(draws, EVEN).gestures.unique()) == len(GESTURES)


def test_a_fist_is_closed_and_an_open_hand_is_not(maker):
    assert reach_m(joints(maker, 'fist')).amax(1).median() < 0.11
    assert reach_m(joints(maker, 'open')).amin(1).median() > 0.13


def test_pointing_stretches_the_index_finger_alone(maker):
    reach = reach_m(joints(maker, 'point')).median(0).values
    assert reach[0] > 0.15
    assert reach[1:].max() < 0.11


def test_a_pinch_brings_a_fingertip_to_the_thumb(maker):
    assert pinch_gap_m(joints(maker, 'pinch')).median() < 0.006
    assert pinch_gap_m(joints(maker, 'open')).median() > 0.03


def test_fingers_hardly_enter_one_another(maker):
    poses = maker.draw(Draws(0, range(400), 'mixed'), EVEN)
    within = entanglement_m(maker.skeleton.joints(poses.rotations))
    assert within.quantile(0.9) < 0.008
    assert within.max() < 0.02


def test_a_left_hand_has_the_mirrored_pose(maker):
    rotations = maker.draw(Draws(0, range(5), 'mirror'), EVEN).rotations
    means = [torch.tensor(read_stand_in(side).hands_mean).float() for side in Side]
    right, left = (maker.mano_fingers(rotations, side) + means[side] for side in Side)
    torch.testing.assert_close(mirror_axis_angle(right.view(-1, 15, 3)).flatten(1), left)


def test_the_skeleton_is_that_of_the_hand_model(maker, scene_maker, scenes):
    mean = torch.tensor(read_stand_in(Side.RIGHT).hands_mean).float()
    fingers = (scenes.pose[:, Side.RIGHT, 3:] + mean).view(-1, 15, 3)
    pose = torch.cat([torch.zeros(len(fingers), 3), fingers.flatten(1) - mean], 1)
    with torch.no_grad():
        _, joints = scene_maker.hand_models(pose.repeat(2, 1), scenes.betas.repeat(2, 1))
    joints = joints[: len(fingers)]
    bones = maker.skeleton.joints(fingers, scenes.betas)
    off = (bones - bones[:, :1] - joints + joints[:, :1]).norm(dim=-1)
    assert off.mean() < 0.001
    assert off.max() < 0.006


def test_shapes_differ_but_not_without_limit():
    shapes = draw_shapes(Draws(0, range(500), 'shape'))
    assert shapes.std(0).min() > 0.6
    assert shapes.abs().max() < 2.5
