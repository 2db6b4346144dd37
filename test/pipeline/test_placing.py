from dataclasses import replace

from interwild_ros.config import Settings
from interwild_ros.geometry.camera import project
from interwild_ros.geometry.wrist_frame import wrist_quaternion_xyzw
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.pipeline.placing import place_pair
from interwild_ros.records import (
    Camera,
    DepthSource,
    Frame,
    HandBox,
    HandEstimate,
    NoHand,
    PairEstimate,
    Side,
)
import numpy as np
import pytest
import torch

CAMERA = Camera(640, 480, 600.0, 610.0, 330.0, 235.0, 'plumb_bob', (0.1, -0.05, 0.01, 0.01))
FRAME = Frame(np.zeros((480, 640, 3), np.uint8), CAMERA, stamp_ns=7, frame_id='camera')
RIGHT_WRIST = np.array([0.08, 0.05, 0.5])
LEFT_FROM_RIGHT = np.array([-0.12, -0.03, 0.04])
TOPOLOGY = HandPair(read_stand_in(Side.RIGHT), read_stand_in(Side.LEFT)).topology()


@pytest.fixture(scope='module')
def meshes():
    model = HandPair(read_stand_in(Side.RIGHT), read_stand_in(Side.LEFT))
    pose = torch.zeros(2, 48)
    pose[:, 0] = 1.2
    with torch.inference_mode():
        vertices, joints = (x.numpy() for x in model(pose, torch.zeros(2, 10)))
    wrist = joints[:, :1]
    return vertices - wrist, joints - wrist


def place(pair, settings, frame=FRAME):
    return place_pair(frame, pair, settings, TOPOLOGY)


def estimate(side, meshes, wrist_m, camera=CAMERA, score=0.9):
    vertices, joints = meshes[0][side], meshes[1][side]
    return HandEstimate(
        box=HandBox(side, (10.0, 20.0, 110.0, 140.0), score),
        joints_image_px=project(camera, joints + wrist_m),
        joint_depths_m=joints[:, 2],
        pose=np.zeros(48),
        betas=np.zeros(10),
        joints_m=joints,
        vertices_m=vertices,
    )


def pair(meshes, *, interacting=False, left_from_right=LEFT_FROM_RIGHT, scores=(0.9, 0.9)):
    right = estimate(Side.RIGHT, meshes, RIGHT_WRIST, score=scores[0])
    left = estimate(Side.LEFT, meshes, RIGHT_WRIST + LEFT_FROM_RIGHT, score=scores[1])
    return PairEstimate(right, left, np.asarray(left_from_right), interacting)


@pytest.mark.parametrize('mode', ['auto', 'apart', 'together'])
@pytest.mark.parametrize('interacting', [False, True])
def test_hands_are_placed_where_their_pictures_were_taken(meshes, mode, interacting):
    two = place(pair(meshes, interacting=interacting), Settings(placement=mode))
    np.testing.assert_allclose(two.right.wrist_m, RIGHT_WRIST, atol=1e-5)
    np.testing.assert_allclose(two.left.wrist_m, RIGHT_WRIST + LEFT_FROM_RIGHT, atol=1e-5)
    for hand in two.hands:
        assert hand.reprojection_error_px < 0.01
        assert hand.depth_source is DepthSource.INTRINSICS
        px = project(CAMERA, hand.joints_m)
        np.testing.assert_allclose(px, hand.joints_image_px, atol=0.05)
        found = hand.vertices_m - hand.wrist_m
        np.testing.assert_allclose(found, meshes[0][hand.side], atol=1e-6)


def relative(two):
    return two.left.wrist_m - two.right.wrist_m


def test_together_obeys_the_relative_translation_apart_does_not_and_auto_lies_between(meshes):
    wrong = pair(meshes, interacting=True, left_from_right=np.add(LEFT_FROM_RIGHT, (0, 0, 0.05)))
    together = place(wrong, Settings(placement='together'))
    np.testing.assert_allclose(relative(together), wrong.left_from_right_m, atol=1e-9)
    apart = place(wrong, Settings(placement='apart'))
    np.testing.assert_allclose(relative(apart), LEFT_FROM_RIGHT, atol=1e-5)
    between = relative(place(wrong, Settings(placement='auto')))[2]
    assert relative(apart)[2] + 0.005 < between < relative(together)[2] - 0.005


@pytest.mark.parametrize('mode', ['auto', 'apart', 'together'])
def test_the_disagreement_is_that_of_the_hands_placed_apart(meshes, mode):
    wrong = pair(meshes, interacting=True, left_from_right=np.add(LEFT_FROM_RIGHT, (0, 0, 0.05)))
    assert place(wrong, Settings(placement=mode)).disagreement_m == pytest.approx(0.05, abs=1e-4)


def test_every_placed_hand_says_how_sure_its_wrist_is_and_least_in_depth(meshes):
    for hand in place(pair(meshes), Settings()).hands:
        std_m = np.sqrt(np.diag(hand.wrist_covariance_m2))
        assert (std_m > 0).all()
        assert std_m[2] > 2 * max(std_m[:2])


def test_a_hand_that_only_fills_its_slot_is_no_hand(meshes):
    one = pair(meshes)
    filler = replace(one.left, is_hand=False)
    two = place(replace(one, left=filler), Settings())
    assert two.left == NoHand(Side.LEFT, 0.9, 'not_found')


def test_a_probability_under_a_half_is_no_hand_unless_told_otherwise(meshes):
    one = pair(meshes, scores=(0.9, 0.4))
    told = replace(one, left=replace(one.left, kinds=(0.4, 0.1, 0.5)))
    assert place(told, Settings()).left.reason == 'low_score'
    assert place(told, Settings(min_score=0.3)).left.side is Side.LEFT


def depth_of(meshes, wrist_m, off_m):
    """Return a depth picture of a wall behind one right hand that is `off_m` farther away."""
    depth_m = np.full((480, 640), 1.5, np.float32)
    points = meshes[0][Side.RIGHT] + wrist_m
    for (x, y), z in zip(np.rint(project(CAMERA, points)).astype(int), points[:, 2], strict=True):
        near = depth_m[y - 2 : y + 3, x - 2 : x + 3]
        np.minimum(near, z + off_m, out=near)
    return depth_m


def test_a_depth_picture_decides_how_far_the_hand_is(meshes):
    """The hand is 4 cm farther away than its size says: it is larger."""
    seen = Frame(FRAME.image, CAMERA, 7, 'camera', depth_of(meshes, RIGHT_WRIST, 0.04))
    hand = place(pair(meshes), Settings(), frame=seen).right
    assert hand.depth_source is DepthSource.DEPTH_IMAGE
    assert hand.wrist_m[2] == pytest.approx(RIGHT_WRIST[2] + 0.04, abs=0.006)
    assert hand.wrist_covariance_m2[2, 2] < 0.01**2


def test_a_depth_picture_without_readings_changes_nothing(meshes):
    blind = Frame(FRAME.image, CAMERA, 7, 'camera', np.full((480, 640), np.nan, np.float32))
    hand = place(pair(meshes), Settings(), frame=blind).right
    assert hand.depth_source is DepthSource.INTRINSICS
    np.testing.assert_allclose(hand.wrist_m, RIGHT_WRIST, atol=1e-5)


def test_a_hand_under_the_least_score_is_no_hand_and_does_not_move_the_other(meshes):
    one = pair(meshes, interacting=True, left_from_right=(9, 9, 9), scores=(0.9, 0.1))
    two = place(one, Settings(min_score=0.5))
    assert two.left == NoHand(Side.LEFT, 0.1, 'low_score')
    assert two.left_from_right_m is None
    assert not two.interacting
    np.testing.assert_allclose(two.right.wrist_m, RIGHT_WRIST, atol=1e-5)


def test_a_hand_that_does_not_fit_its_picture_is_no_hand_when_a_limit_is_set(meshes):
    one = pair(meshes)
    shaken = one.right.joints_image_px + np.random.default_rng(0).normal(0, 20, (21, 2))
    object.__setattr__(one.right, 'joints_image_px', shaken)
    assert place(one, Settings()).right.reprojection_error_px > 5
    strict = place(one, Settings(max_reprojection_px=5.0, placement='apart'))
    assert strict.right.reason == 'reprojection'
    assert strict.left.reprojection_error_px < 0.01


@pytest.mark.parametrize('broken', ['joints_image_px', 'joints_m'])
def test_numbers_that_are_not_finite_give_no_hand_and_never_an_exception(meshes, broken):
    one = pair(meshes, interacting=True)
    object.__setattr__(one.right, broken, np.full_like(getattr(one.right, broken), np.nan))
    two = place(one, Settings())
    assert isinstance(two.right, NoHand)
    np.testing.assert_allclose(two.left.wrist_m, RIGHT_WRIST + LEFT_FROM_RIGHT, atol=1e-5)


def test_without_a_calibration_the_placement_is_nominal(meshes):
    nominal = Camera(640, 480, 600.0, 600.0, 319.5, 239.5, nominal=True)
    frame = Frame(FRAME.image, nominal, 0, 'camera')
    assert place(pair(meshes), Settings(), frame=frame).right.depth_source is DepthSource.NOMINAL


def test_the_wrist_frame_is_that_of_the_placed_joints(meshes):
    right = place(pair(meshes), Settings()).right
    wanted = wrist_quaternion_xyzw(right.joints_m, Side.RIGHT)
    np.testing.assert_allclose(right.wrist_quaternion_xyzw, wanted)
