from interwild_ros.geometry.camera import project
from interwild_ros.geometry.mirror import mirror_axis_angle
from interwild_ros.records import Side
from interwild_ros.train.synthetic.contact import beads, clearance_m
from interwild_ros.train.synthetic.domains import WILD
from interwild_ros.train.synthetic.scenes import SceneMaker
import numpy as np
import pytest
import torch

ROUNDING = {'rtol': 0, 'atol': 2e-6}


@pytest.fixture(scope='module')
def many_wild():
    return SceneMaker(WILD, seed=1).make(range(400))


def test_a_scene_is_the_same_in_every_batch(scene_maker, scenes):
    again = scene_maker.make([7])
    some = scene_maker.make(range(3, 11))
    for name in ('pose', 'vertices_m', 'forearm_turns', 'joints_px', 'present'):
        wanted = getattr(scenes, name)[7]
        torch.testing.assert_close(getattr(again, name)[0], wanted, rtol=0, atol=1e-3)
        torch.testing.assert_close(getattr(some, name)[4], wanted, rtol=0, atol=1e-3)
    torch.testing.assert_close(again.vertices_m[0], scenes.vertices_m[7], **ROUNDING)


def test_pose_shape_and_translation_make_the_mesh(scene_maker, scenes):
    with torch.no_grad():
        rows = scenes.pose.transpose(0, 1).flatten(0, 1)
        made = scene_maker.hand_models(rows, scenes.betas.repeat(2, 1))
    for found, points in zip(made, (scenes.vertices_m, scenes.joints_m), strict=True):
        placed = torch.stack(found.chunk(2), 1) + scenes.trans_m[:, :, None]
        torch.testing.assert_close(placed, points, **ROUNDING)


def test_joints_in_the_picture_are_the_projected_joints(scenes):
    for row in range(5):
        camera = scenes.cameras.record(row)
        there = scenes.present[row]
        joints_m = scenes.joints_m[row][there].double().numpy().reshape(-1, 3)
        joints_px = scenes.joints_px[row][there].numpy().reshape(-1, 2)
        np.testing.assert_allclose(joints_px, project(camera, joints_m), atol=1e-2)


def test_the_left_hand_is_the_right_hand_of_the_mirrored_world(scene_maker, scenes):
    mirrored = mirror_axis_angle(scenes.pose.view(-1, 2, 16, 3)).flatten(2).flip(1)
    with torch.no_grad():
        both = [
            scene_maker.hand_models(p.transpose(0, 1).flatten(0, 1), scenes.betas.repeat(2, 1))[1]
            for p in (scenes.pose, mirrored)
        ]
    here, there = (torch.stack((j - j[:, :1]).chunk(2), 1) for j in both)
    torch.testing.assert_close(here * torch.tensor([-1.0, 1, 1]), there.flip(1), **ROUNDING)


def test_present_hands_are_before_the_camera_and_mostly_in_the_picture(scenes):
    assert scenes.present.any(1).all()
    assert scenes.joints_m[..., 2][scenes.present].min() > 0.1
    size = scenes.cameras.size[:, None, None]
    inside = ((scenes.joints_px >= 0) & (scenes.joints_px < size)).all(-1).float().mean(-1)
    assert inside[scenes.present].mean() > 0.93


def test_all_arrangements_come(many_wild):
    both = many_wild.present.all(1)
    shares = [
        (~both).float().mean(),
        (both & ~many_wild.interacting).float().mean(),
        many_wild.interacting.float().mean(),
    ]
    assert min(shares) > 0.2
    alone = many_wild.present[~both].float().mean(0)
    assert alone.min() > 0.4


def test_interacting_hands_touch_or_nearly_so(many_wild):
    free = free_space_m(many_wild)[many_wild.interacting]
    assert (free < 0.004).float().mean() > 0.5
    assert free.median() < 0.03


def test_no_hand_enters_the_other(many_wild):
    both = many_wild.present.all(1)
    assert free_space_m(many_wild)[both].min() > -0.0015


def free_space_m(scenes):
    strings = [beads(scenes.joints_m[:, side], scenes.forearms[:, side]) for side in Side]
    return clearance_m(*strings)


def test_distances_are_those_of_the_domain(domain, scenes):
    nearest, farthest = domain.cameras.distance_m
    depth = scenes.joints_m[:, :, 0, 2][scenes.present]
    assert depth.median() > nearest
    assert depth.median() < farthest
