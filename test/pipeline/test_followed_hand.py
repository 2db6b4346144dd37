from dataclasses import replace
import math

from interwild_ros.config import Settings
from interwild_ros.geometry.camera import project
from interwild_ros.pipeline.followed_hand import FollowedHand, presence_limits
from interwild_ros.pipeline.wrists import Wrist
from interwild_ros.records import (
    Camera,
    DepthSource,
    Frame,
    HandBox,
    HandEstimate,
    NS_PER_SEC,
    OPTICAL_AXIS,
    Side,
)
from interwild_ros.tracking.presence import Range
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

CAMERA = Camera(640, 480, 600.0, 600.0, 319.5, 239.5)
IMAGE = np.zeros((480, 640, 3), np.uint8)
PLACE = np.array([0.05, 0.05, 0.6])
OURS, OTHER, NOTHING = (0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.02, 0.03, 0.95)
SIZES = Range(16.0, 8192.0)


@pytest.fixture(scope='module')
def posed(pipeline):
    poses = np.zeros((2, 48))
    poses[:, :3] = 2 * np.pi / 3 / np.sqrt(3)
    joints, vertices = pipeline.pose(poses, np.zeros((2, 10)))
    return poses[0], joints[0].astype(float), vertices[0]


class Play:
    """A right hand that is shown one frame after another, 30 a second."""

    def __init__(self, posed, **settings):
        self.pose, self.joints, self.vertices = posed
        self.hand = FollowedHand(*self.settings(**settings))
        self.stamp_ns = 0

    def settings(self, **settings):
        chosen = Settings(**settings)
        return chosen, presence_limits(chosen, says_kinds=True)

    def estimate(
        self, place=PLACE, kinds=OURS, betas=0.0, *, turn=0.0, fits=True, is_hand=True, depths=None
    ):
        joints_px = project(CAMERA, self.joints + place)
        if not fits:
            joints_px = joints_px + np.random.default_rng(0).normal(0, 60, (21, 2))
        turned = (
            Rotation.from_rotvec([0, 0, turn]) * Rotation.from_rotvec(self.pose[:3])
        ).as_rotvec()
        return HandEstimate(
            box=HandBox(Side.RIGHT, (200.0, 100.0, 350.0, 300.0), kinds[0]),
            joints_image_px=joints_px,
            joint_depths_m=self.joints @ OPTICAL_AXIS if depths is None else depths[0],
            depths_along=OPTICAL_AXIS if depths is None else depths[1],
            pose=np.concatenate([turned, self.pose[3:]]),
            betas=np.full(10, betas),
            joints_m=self.joints,
            vertices_m=self.vertices,
            is_hand=is_hand,
            kinds=kinds,
        )

    def decide(self, place=PLACE, *, wait_sec=1 / 30, **how):
        """Return what a frame comes to, and what is published of it."""
        self.stamp_ns += round(wait_sec * NS_PER_SEC)
        frame = Frame(IMAGE, CAMERA, self.stamp_ns, 'camera')
        estimate = self.estimate(place, **how)
        wrist = Wrist(np.array(place), 1e-4 * np.eye(3), DepthSource.INTRINSICS)
        decided = self.hand.decide(estimate, wrist if estimate.is_hand else None, frame)
        return decided, self.hand.steadied(decided)

    def appear(self, frames=5):
        return [self.decide() for _ in range(frames)][-1]

    def letters(self, frames, **how):
        """Return for each frame x: new, h: the pose before, or a dot: nothing."""
        told = ''
        for _ in range(frames):
            decided, published = self.decide(**how)
            told += '.' if published is None else 'h' if decided.is_doubtful else 'x'
        return told


def test_two_good_frames_make_a_hand(posed):
    play = Play(posed)
    first, nothing = play.decide()
    assert (first.reason, nothing, first.is_followed) == ('gathering', None, True)
    second, published = play.decide()
    assert second.reason == 'good'
    np.testing.assert_allclose(published.wrist_cam_m, PLACE)


ASIDE = np.array([0.0, 0.95, math.sqrt(1 - 0.95**2)])


def test_depths_are_along_the_line_that_is_said(posed):
    def told(depths_m):
        return Play(posed).letters(4, depths=(depths_m, ASIDE))

    joints = posed[1]
    assert told(joints @ ASIDE) == '.xxx'
    assert 'x' not in told(joints[:, 2])


def test_a_bad_frame_between_two_good_ones_does_not_end_the_wait(posed):
    play = Play(posed)
    play.decide()
    bad, _ = play.decide(kinds=NOTHING)
    assert bad.is_followed
    assert bad.is_doubtful
    assert play.decide()[0].reason == 'good'


@pytest.mark.parametrize(
    ('how', 'reason'),
    [({'kinds': NOTHING}, 'score'), ({'fits': False}, 'misfit')],
)
def test_a_bad_frame_is_answered_with_the_pose_before_and_the_next_with_nothing(
    posed, how, reason
):
    play = Play(posed)
    before = play.appear()[1]
    decided, held = play.decide(place=PLACE + 0.01, **how)
    assert decided.reason == reason
    assert decided.is_followed
    np.testing.assert_array_equal(held.wrist_cam_m, before.wrist_cam_m)
    assert held.stamp_ns == play.stamp_ns > before.stamp_ns
    assert play.letters(2, **how) == '..'
    assert play.decide()[0].reason == 'gathering'  # the third bad one unmade it


def test_a_pose_is_held_again_only_after_a_new_one(posed):
    play = Play(posed)
    play.appear()
    told = ''.join(play.letters(1, kinds=kinds) for kinds in 3 * (NOTHING, OURS))
    assert told == 'hxhxhx'


@pytest.mark.parametrize(('wait_sec', 'told'), [(0.1, 'h'), (0.2, '.')])
def test_a_pose_is_held_for_a_short_time_only(posed, wait_sec, told):
    play = Play(posed)
    play.appear()
    assert play.letters(1, kinds=NOTHING, wait_sec=wait_sec) == told


def test_a_hand_without_a_place_is_gone_at_once(posed):
    play = Play(posed)
    play.appear()
    decided, published = play.decide(is_hand=False)
    assert (decided.reason, decided.is_followed, published) == ('not_found', False, None)
    assert play.letters(2) == '.x'


@pytest.mark.parametrize(
    'how',
    [
        {'place': PLACE + np.array([0, 0, 0.2])},
        {'place': PLACE + np.array([0.15, 0, 0])},
        {'turn': np.pi},
        {'turn': -2.0},
    ],
)
def test_outliers_are_refused_three_times_and_then_believed(posed, how):
    play = Play(posed)
    play.appear()
    told = play.letters(10, **how)
    assert told.startswith('h..')
    assert told.endswith('xxxxx')
    assert play.decide(**how)[0].reason == 'good'


@pytest.mark.parametrize('hz', [10, 30])
def test_a_fast_hand_is_no_outlier(posed, hz):
    play = Play(posed)
    play.appear()
    for number in range(20):
        time = number / hz
        place = PLACE + np.array([0.1 * np.sin(2 * np.pi * time), 0, 0])
        turn = 0.8 * np.sin(2 * np.pi * time)
        assert play.decide(place, turn=turn, wait_sec=1 / hz)[0].reason == 'good'


def test_a_hand_that_goes_on_as_before_may_be_called_the_other_one_for_two_frames(posed):
    play = Play(posed)
    play.appear()
    assert play.letters(4, kinds=OTHER) == 'xx..'


@pytest.mark.parametrize('how', [{'turn': np.pi}, {'place': PLACE + np.array([0.15, 0, 0])}])
def test_a_hand_that_is_the_other_one_is_not_published(posed, how):
    play = Play(posed)
    play.appear()
    assert play.letters(4, kinds=OTHER, **how) == 'h...'


def test_unfiltered_what_is_good_passes_and_what_is_bad_is_nothing(posed):
    play = Play(posed, filtered=False)
    play.appear()
    far = PLACE + np.array([0, 0, 0.3])
    decided, published = play.decide(far)
    assert decided.reason == 'good'
    np.testing.assert_array_equal(published.wrist_cam_m, far)
    assert play.letters(1, kinds=NOTHING) == '.'


def test_the_shape_is_that_of_the_frames_before_and_stays_when_the_hand_goes(posed):
    play = Play(posed, freeze_shape_after=3)
    assert play.hand.shape(play.estimate(betas=2.0))[0] == 2.0
    for number, betas in enumerate((0.1, 0.3, 0.8, 9.0)):
        play.hand.learn_shape(np.full(10, betas), (number + 1) * 10**7)
    known = play.hand.shape(play.estimate(betas=2.0))
    np.testing.assert_allclose(known, 0.4)
    play.hand.vanish()
    np.testing.assert_array_equal(play.hand.shape(play.estimate(betas=2.0)), known)
    play.hand.reset()
    assert play.hand.shape(play.estimate(betas=2.0))[0] == 2.0


def test_a_hand_that_vanished_appears_anew_by_new_frames(posed):
    play = Play(posed)
    play.appear()
    play.hand.vanish()
    moved = PLACE + np.array([0.2, 0, 0.2])
    assert play.letters(3, place=moved) == '.xx'


def test_other_settings_keep_presence_and_shape_but_not_motion(posed):
    play = Play(posed)
    play.appear()
    play.hand.learn_shape(np.full(10, 0.5), play.stamp_ns)
    play.hand.use(*play.settings(distance_beta=0.0, freeze_shape_after=1))
    moved = PLACE + np.array([0, 0, 0.2])
    decided, published = play.decide(moved)
    assert decided.reason == 'good'
    np.testing.assert_allclose(published.wrist_cam_m, moved)
    assert play.hand.shape(play.estimate())[0] == 0.5


def test_how_far_a_hand_turned_is_told_from_what_was_published(posed):
    play = Play(posed)
    assert play.hand.turned_rad(play.estimate()) == np.inf
    play.appear()
    assert play.hand.turned_rad(play.estimate()) == pytest.approx(0, abs=1e-6)
    assert play.hand.turned_rad(play.estimate(turn=1.0)) == pytest.approx(1.0)
    play.hand.lose()
    assert play.hand.turned_rad(play.estimate()) == np.inf


@pytest.mark.parametrize(('says_kinds', 'appear', 'stay'), [(True, 0.5, 0.25), (False, 0, 0)])
def test_the_least_score_is_what_suits_the_networks_or_the_setting(says_kinds, appear, stay):
    usual = presence_limits(Settings(), says_kinds=says_kinds)
    assert (usual.appear.score.low, usual.stay.score.low) == (appear, stay)
    asked = presence_limits(Settings(min_score=0.8), says_kinds=says_kinds)
    assert asked.appear.score.low == 0.8
    assert asked.stay.score.low == (0.4 if says_kinds else 0.8)
    assert replace(usual.appear, score=SIZES) != usual.stay
