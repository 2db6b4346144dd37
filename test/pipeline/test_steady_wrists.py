"""TransNet's word over time, in a follower that sees hands whose truth is known."""

from dataclasses import replace

from interwild_ros.pipeline.following import Follower
from interwild_ros.records import Camera, Frame, Hand, Side
from interwild_ros.testing.simulated_sight import EXACT, SimulatedSight
from interwild_ros.testing.simulated_worlds import TrueHand
from interwild_ros.tracking.hand_size import palm_length_m
import numpy as np
import pytest

CAMERA = Camera(640, 480, 600.0, 600.0, 319.5, 239.5)
IMAGE = np.zeros((480, 640, 3), np.uint8)
UPRIGHT = 2 * np.pi / 3 / np.sqrt(3) * np.ones(3)
FRAME_NS = 33_333_333
RIGHT = TrueHand(
    Side.RIGHT,
    np.array([-0.15, 0.06, 0.6]),
    np.concatenate([UPRIGHT, np.zeros(45)]),
    np.zeros(10),
)
PAIR = (RIGHT, RIGHT.mirrored())
NOISY_RELATION = replace(EXACT, relation_m=0.03)


class TooLarge(SimulatedSight):
    """Networks that take hands for 5 % larger than they are, and so for farther away."""

    def _reading(self, *args):
        read = super()._reading(*args)
        return read._replace(betas=read.betas + np.eye(10)[0])


def world(_time):
    return PAIR


def left_goes_at(frame):
    def hides(time):
        return RIGHT, replace(PAIR[1], is_hidden=time * 1e9 >= frame * FRAME_NS - 1)

    return hides


def show(pipeline, frames, *, seen=world, noise=EXACT, kind=SimulatedSight, **settings):
    chosen = pipeline.with_settings(pipeline.settings.changed(settings))
    follow = Follower(kind(chosen, seen, noise))
    return [follow(Frame(IMAGE, CAMERA, i * FRAME_NS, 'camera')) for i in range(frames)]


def depths(hands):
    return np.array([two.right.wrist_m[2] for two in hands if isinstance(two.right, Hand)])


def test_transnets_noise_does_not_shake_the_wrists(pipeline):
    said = show(pipeline, 60, noise=NOISY_RELATION, filtered=False)[30:]
    steady, raw = depths([s.hands for s in said]), depths([s.raw for s in said])
    assert raw.std() > 0.01
    assert steady.std() < raw.std() / 5
    assert abs(np.diff(steady)).max() < 0.003


def test_a_wrong_size_is_drawn_towards_transnets_word_as_far_as_in_a_single_frame(pipeline):
    said = show(pipeline, 30, kind=TooLarge)[-1]
    alone = show(pipeline, 3, kind=TooLarge, placement='apart')[-1]
    assert alone.hands.right.wrist_m[2] == pytest.approx(1.05 * 0.6, rel=0.005)
    z = said.hands.right.wrist_m[2]
    assert 0.6 < z < alone.hands.right.wrist_m[2] - 0.005
    assert z == pytest.approx(said.raw.right.wrist_m[2], abs=1e-3)


def test_a_hand_stays_where_it_is_when_the_other_one_goes(pipeline):
    said = show(pipeline, 40, seen=left_goes_at(25), kind=TooLarge)
    z = depths([s.hands for s in said])
    assert not isinstance(said[-1].hands.left, Hand)
    assert abs(np.diff(z[5:])).max() < 1e-3
    assert abs(np.diff(depths([s.raw for s in said]))).max() > 0.005


def test_a_known_palm_needs_no_transnet(pipeline):
    palm_m = palm_length_m(show(pipeline, 2)[-1].hands.right.joints_m)
    said = show(pipeline, 20, noise=NOISY_RELATION, kind=TooLarge, palm_length_m=palm_m)
    np.testing.assert_allclose(depths([s.hands for s in said]), 0.6, atol=2e-3)


def test_transnets_word_is_of_hands_of_the_owners_size(pipeline):
    small, large = (show(pipeline, 3, palm_length_m=m)[-1].hands for m in (0.08, 0.1))
    np.testing.assert_allclose(1.25 * small.left_from_right_m, large.left_from_right_m, rtol=1e-5)


def test_held_together_hands_obey_each_frame(pipeline):
    for said in show(pipeline, 10, noise=NOISY_RELATION, placement='together', filtered=False)[1:]:
        two = said.hands
        apart = two.left.wrist_m - two.right.wrist_m
        np.testing.assert_allclose(apart, two.left_from_right_m, atol=1e-9)
