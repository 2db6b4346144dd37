from dataclasses import replace

from interwild_ros.bag.read import Received
from interwild_ros.bag.steadiness import measure_steadiness, SidePresence
from interwild_ros.records import NoHand, Side
from interwild_ros.testing.some_hands import some_hand, some_two_hands
import numpy as np
import pytest

PERIOD_NS = 33_000_000


def received(frames):
    """Return frames as a bag gives them, one after another."""
    return [
        Received(number * PERIOD_NS, number * PERIOD_NS, replace(f, stamp_ns=number * PERIOD_NS))
        for number, f in enumerate(frames)
    ]


def moved(offset_m):
    """Return both hands, moved as they are."""
    frame = some_two_hands(*Side)
    right, left = (
        replace(hand, joints_m=hand.joints_m + offset_m, vertices_m=hand.vertices_m + offset_m)
        for hand in frame.hands
    )
    return replace(frame, right=right, left=left)


def swaying(amplitude_m, count=8):
    """Return hands whose joints jump back and forth along x."""
    return [moved(np.array([amplitude_m * (-1) ** n, 0.0, 0.0])) for n in range(count)]


def test_jitter_is_told_of_raw_and_of_steadied_hands_each_by_itself():
    found = measure_steadiness(received(swaying(0.001)), received(swaying(0.005)))
    assert found.jitter.filtered_mm == pytest.approx(4.0, abs=1e-3)  # 1 + 2 + 1
    assert found.jitter.raw_mm == pytest.approx(20.0, abs=1e-3)


def test_even_motion_is_no_jitter():
    frames = received([moved(np.array([0.01 * n, 0.0, 0.0])) for n in range(6)])
    assert measure_steadiness(frames, frames).jitter.filtered_mm == pytest.approx(0.0, abs=1e-9)


def test_without_raw_hands_or_enough_of_them_there_is_no_jitter():
    found = measure_steadiness(received(swaying(0.001)), iter(()))
    assert found.jitter.raw_mm is None
    assert found.jitter.filtered_mm is not None
    two = received(swaying(0.001, count=2))
    assert measure_steadiness(two, two).jitter.filtered_mm is None


def test_hands_that_come_and_go_jump_over_no_gap():
    """Frames on both sides of one without a hand are no neighbours."""
    frames = swaying(0.001)
    frames[2::3] = [some_two_hands() for _ in frames[2::3]]
    assert measure_steadiness(received(frames), ()).jitter.filtered_mm is None


@pytest.mark.parametrize(
    ('seen', 'share', 'appearances', 'losses'),
    [
        ('xxxx', 1.0, 1, 0),
        ('....', 0.0, 0, 0),
        ('.xx.', 0.5, 1, 1),
        ('x.x.x', 0.6, 3, 2),
        ('..xx', 0.5, 1, 0),
    ],
)
@pytest.mark.parametrize('side', Side)
def test_presence_counts_frames_appearances_and_losses(side, seen, share, appearances, losses):
    frames = [some_two_hands(*([side] if letter == 'x' else [])) for letter in seen]
    presence = measure_steadiness(received(frames), ()).presence
    absent = {'low_score': seen.count('.')} if '.' in seen else {}
    one, other = presence.right, presence.left
    if side is Side.LEFT:
        one, other = other, one
    assert one == SidePresence(share, appearances, losses, absent)
    assert other == SidePresence(0.0, 0, 0, {'low_score': len(seen)})


def test_absences_are_counted_by_reason():
    reasons = ['gathering', 'not_found', 'gathering']
    frames = [replace(some_two_hands(), left=NoHand(Side.LEFT, 0.0, r)) for r in reasons]
    presence = measure_steadiness(received(frames), ()).presence
    assert presence.left.absent == {'gathering': 2, 'not_found': 1}


def test_how_often_the_detector_looked_is_a_share_of_the_frames():
    frames = [replace(some_two_hands(), was_detected=n % 4 == 0) for n in range(8)]
    assert measure_steadiness(received(frames), ()).presence.detected_share == 0.25


def test_how_sure_a_wrist_is_counts_along_its_ray():
    hand = some_hand(Side.RIGHT)
    ray = hand.wrist_m / np.linalg.norm(hand.wrist_m)
    covariance = 1e-8 * np.eye(3) + 0.02**2 * np.outer(ray, ray)
    hand = replace(hand, wrist_covariance_m2=covariance)
    found = measure_steadiness(received([replace(some_two_hands(), right=hand)]), ())
    assert found.wrist_std_mm.p50 == pytest.approx(20.0, abs=0.01)


def test_hands_that_do_not_say_how_sure_they_are_are_left_out():
    hand = replace(some_hand(Side.RIGHT), wrist_covariance_m2=None)
    found = measure_steadiness(received([replace(some_two_hands(), right=hand)]), ())
    assert found.wrist_std_mm.p50 is None


def test_disagreement_is_of_frames_with_both_hands():
    frames = [some_two_hands(), some_two_hands(Side.LEFT), some_two_hands(*Side)]
    assert measure_steadiness(received(frames), ()).disagreement_mm.p50 == 62.5
    assert measure_steadiness(received(frames[:2]), ()).disagreement_mm.p50 is None


def test_a_recording_without_frames_has_no_figures():
    assert measure_steadiness([], iter(())) is None
