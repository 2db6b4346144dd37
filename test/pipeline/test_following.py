"""Laws of following, with networks of which the truth is known."""

from dataclasses import replace
import itertools

from interwild_ros.geometry.camera import project
from interwild_ros.geometry.wrist_frame import wrist_quaternion_xyzw
from interwild_ros.pipeline.following import Follower
from interwild_ros.records import Camera, Frame, Hand, NoHand, NS_PER_SEC, Side
from interwild_ros.testing.simulated_sight import EXACT, SightNoise, SimulatedSight
from interwild_ros.testing.simulated_worlds import TrueHand
from interwild_ros.tracking.hand_size import Measured, NotMeasured, palm_length_m
from interwild_ros.tracking.steadiness import jitter_mm_per_frame2
import numpy as np
import pytest

CAMERA = Camera(640, 480, 600.0, 600.0, 319.5, 239.5)
IMAGE = np.zeros((480, 640, 3), np.uint8)
UPRIGHT = 2 * np.pi / 3 / np.sqrt(3) * np.ones(3)  # fingers up, the palm to the camera
FPS = 30
NOISY = SightNoise()
HELD = 1  # frames for which a pose may be published again
LOST = 3  # bad frames that unmake a hand


def hand(side=Side.RIGHT, *, aside=0.12, height=0.06, depth=0.6, seed=0, **more):
    """Return a hand at its own side of the picture, the left one the right one's mirror image."""
    rng = np.random.default_rng(seed)
    pose = np.concatenate([UPRIGHT, rng.normal(0, 0.1, 45)])
    right = TrueHand(
        Side.RIGHT, np.array([-aside, height, depth]), pose, rng.normal(0, 0.5, 10), **more
    )
    return right if side is Side.RIGHT else right.mirrored()


def both(_time=0.0):
    return hand(), hand(Side.LEFT)


def swinging(time):
    """Both hands move and turn, not alike."""
    wave = np.sin(2 * np.pi * time * np.array([0.7, 1.1]))
    right = hand(aside=0.12 + 0.05 * wave[0], depth=0.6 + 0.05 * wave[1])
    left = hand(Side.LEFT, height=0.05 + 0.05 * wave[1], seed=1)
    turned = left.pose + np.concatenate([[0.3 * wave[0], 0, 0], np.zeros(45)])
    return right, replace(left, pose=turned)


def stamps(count, first_sec=0.0, fps=FPS):
    return (NS_PER_SEC * (first_sec + np.arange(count) / fps)).astype(np.int64).tolist()


def frame(stamp_ns):
    return Frame(IMAGE, CAMERA, stamp_ns, 'camera')


class Play:
    """A follower that is shown a world, frame after frame."""

    def __init__(self, pipeline, world, noise=EXACT, *, tells_kinds=True, seed=0, **settings):
        chosen = pipeline.with_settings(pipeline.settings.changed(settings))
        self.sight = SimulatedSight(chosen, world, noise, seed=seed, tells_kinds=tells_kinds)
        self.follow = Follower(self.sight)

    def show(self, stamps_ns):
        return [self.follow(frame(stamp_ns)) for stamp_ns in stamps_ns]

    def hands(self, stamps_ns):
        return [said.hands for said in self.show(stamps_ns)]


def of(two_hands, side):
    return (two_hands.right, two_hands.left)[side]


def is_there(two_hands, side):
    return isinstance(of(two_hands, side), Hand)


def letters(said, side=Side.RIGHT):
    return ''.join('x' if is_there(two_hands, side) else '.' for two_hands in said)


def off_m(one, truth):
    return float(np.linalg.norm(one.wrist_m - truth.wrist_m))


# What is published.


@pytest.mark.parametrize('tells_kinds', [True, False])
def test_without_noise_hands_are_where_they_are(pipeline, tells_kinds):
    said = Play(pipeline, both, tells_kinds=tells_kinds).hands(stamps(5))
    assert letters(said) == letters(said, Side.LEFT) == '.xxxx'
    for truth in both():
        assert off_m(of(said[-1], truth.side), truth) < 1e-4


def test_a_still_hand_comes_near_the_truth_and_trembles_less(pipeline):
    def apart(_time):
        return hand(aside=0.18), hand(Side.LEFT, aside=0.18)

    said = Play(pipeline, apart, NOISY).show(stamps(90))[30:]
    for truth in apart(0):
        side = truth.side
        steady = [of(s.hands, side) for s in said if is_there(s.hands, side)]
        raw = [of(s.raw, side) for s in said if is_there(s.raw, side)]
        errors, raw_errors = ([off_m(h, truth) for h in hands] for hands in (steady, raw))
        assert np.median(errors) < min(0.01, 0.7 * np.median(raw_errors))
        jitter, raw_jitter = (
            jitter_mm_per_frame2(np.stack([h.joints_m for h in hands])) for hands in (steady, raw)
        )
        assert jitter < raw_jitter / 3


@pytest.mark.parametrize('palm_m', [0.0, 0.105])
def test_pose_and_shape_and_scale_give_the_published_mesh(pipeline, palm_m):
    said = Play(pipeline, swinging, NOISY, palm_length_m=palm_m).hands(stamps(20))
    checked = 0
    for two in said:
        for one in two.hands:
            poses, betas = (np.stack([a, a]) for a in (one.pose, one.betas))
            joints, vertices = (one.scale * a[one.side] for a in pipeline.pose(poses, betas))
            np.testing.assert_allclose(one.joints_m - one.wrist_m, joints, atol=1e-6)
            np.testing.assert_allclose(one.vertices_m - one.wrist_m, vertices, atol=1e-6)
            wanted = wrist_quaternion_xyzw(one.joints_m, one.side)
            np.testing.assert_allclose(one.wrist_quaternion_xyzw, wanted, atol=1e-9)
            px = project(CAMERA, one.joints_m) - one.joints_image_px
            assert one.reprojection_error_px == pytest.approx(np.sqrt((px**2).sum(1).mean()))
            checked += 1
    assert checked > 20


def test_every_message_has_the_stamp_and_frame_of_its_picture(pipeline):
    times = stamps(40)
    noise = replace(NOISY, outliers=0.3)
    for said, stamp_ns in zip(Play(pipeline, both, noise).show(times), times, strict=True):
        for two in (said.hands, said.raw):
            assert (two.stamp_ns, two.frame_id) == (stamp_ns, 'camera')


def test_without_following_every_frame_stands_for_itself(pipeline):
    play = Play(pipeline, swinging, NOISY, follow=False)
    for stamp_ns in stamps(6):
        said = play.follow(frame(stamp_ns))
        assert said.hands is said.raw
        assert letters([said.hands]) == letters([play.sight(frame(stamp_ns))])


def test_unfiltered_hands_are_followed_but_not_moved(pipeline):
    said = Play(pipeline, swinging, NOISY, filtered=False, freeze_shape_after=1).show(stamps(20))
    there = [s for s in said if is_there(s.hands, Side.RIGHT) and is_there(s.raw, Side.RIGHT)]
    assert len(there) > 10
    for one in there:
        np.testing.assert_array_equal(one.hands.right.pose, one.raw.right.pose)


def test_the_same_frames_give_the_same_hands(pipeline):
    first, again = (Play(pipeline, swinging, NOISY).hands(stamps(15)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert letters([one]) == letters([other])
        for mine, others in zip(one.hands, other.hands, strict=True):
            np.testing.assert_array_equal(mine.vertices_m, others.vertices_m)


@pytest.mark.parametrize('tells_kinds', [True, False])
def test_a_mirrored_world_with_exchanged_sides_gives_mirrored_hands(pipeline, tells_kinds):
    def mirrored(time):
        return [one.mirrored() for one in swinging(time)]

    worlds = (swinging, mirrored)
    said, other = (Play(pipeline, w, tells_kinds=tells_kinds).hands(stamps(12)) for w in worlds)
    assert letters(said) == letters(other, Side.LEFT) == '.' + 11 * 'x'
    for one, another in zip(said, other, strict=True):
        for mine in one.hands:
            image = of(another, mine.side.other)
            np.testing.assert_allclose(mine.joints_m * (-1, 1, 1), image.joints_m, atol=1e-5)
            np.testing.assert_allclose(mine.betas, image.betas, atol=1e-9)


# Sizes.


def test_a_longer_palm_is_a_larger_hand_that_is_as_much_farther_away(pipeline):
    small, large = (
        Play(pipeline, both, palm_length_m=palm_m).hands(stamps(10))[-1] for palm_m in (0.08, 0.1)
    )
    for one, other in zip(small.hands, large.hands, strict=True):
        assert palm_length_m(one.joints_m) == pytest.approx(0.08, rel=1e-5)
        np.testing.assert_allclose(1.25 * one.joints_m, other.joints_m, rtol=1e-4, atol=1e-6)


def test_a_known_distance_tells_the_palm_of_a_hand_that_the_networks_see_too_small(pipeline):
    play = Play(pipeline, both, calibration_distance_m=0.66)  # networks see it at 0.60 m
    times = stamps(12)
    said = play.show(times[:10])
    refused = play.follow.measure_palm(times[9])
    assert isinstance(refused, NotMeasured)
    assert '9 frames' in refused.reason  # in the first one nothing is sure
    play.show(times[10:])
    measured = play.follow.measure_palm(times[-1])
    assert isinstance(measured, Measured)
    palm_m = palm_length_m(said[-1].hands.right.joints_m)
    assert measured.palm_length_m == pytest.approx(1.1 * palm_m, rel=1e-3)
    assert isinstance(play.follow.measure_palm(times[-1] + 60 * NS_PER_SEC), NotMeasured)


def test_the_palm_that_was_measured_puts_the_hand_at_its_distance(pipeline):
    play = Play(pipeline, both, calibration_distance_m=0.66)
    times = stamps(12)
    play.show(times)
    palm_m = play.follow.measure_palm(times[-1]).palm_length_m
    for one in Play(pipeline, both, palm_length_m=palm_m).hands(stamps(5))[-1].hands:
        assert one.wrist_m[2] == pytest.approx(0.66, rel=1e-3)


# Coming and going.


def hidden_from(start_sec, end_sec=np.inf, side=Side.RIGHT):
    def world(time):
        is_hidden = start_sec <= time < end_sec
        return [replace(one, is_hidden=is_hidden and one.side is side) for one in both()]

    return world


@pytest.mark.parametrize('tells_kinds', [True, False])
def test_a_hand_that_goes_is_lost_at_once_and_its_pose_never_said_again(pipeline, tells_kinds):
    play = Play(pipeline, hidden_from(0.5, 1.0), NOISY, tells_kinds=tells_kinds)
    said = play.hands(stamps(50))
    gone = [two for two in said if 0.5e9 <= two.stamp_ns < 1.0e9]
    assert set(letters(gone)[HELD:]) == {'.'}
    assert len(letters(gone, Side.LEFT).replace('.', '')) > 10
    before = {two.right.pose.tobytes() for two in said[:15] if is_there(two, Side.RIGHT)}
    after = [two.right for two in said[30:] if is_there(two, Side.RIGHT)]
    assert len(after) > 10
    assert not before & {one.pose.tobytes() for one in after}
    assert off_m(after[0], hand()) < 0.06  # as that frame by itself


def test_a_hand_that_is_gone_says_so_in_a_word(pipeline):
    said = Play(pipeline, hidden_from(0.3)).hands(stamps(15))
    assert letters(said) == '.' + 8 * 'x' + HELD * 'x' + 5 * '.'
    assert said[-1].right.reason in ('score', 'misfit', 'not_found')


def published_again(said, side):
    """Return how often each pose was published after its first time."""
    poses = [of(two, side).pose.tobytes() for two in said if is_there(two, side)]
    return len(poses) - len(set(poses))


def test_no_pose_is_published_more_than_twice_however_bad_the_frames_are(pipeline):
    noise = replace(NOISY, outliers=0.4, side_told=0.7)
    said = Play(pipeline, swinging, noise).hands(stamps(120))
    for side in Side:
        poses = [of(two, side).pose.tobytes() if is_there(two, side) else None for two in said]
        again = [pose is not None and pose in poses[:i] for i, pose in enumerate(poses)]
        assert not any(one and other for one, other in itertools.pairwise(again))
        for index in np.flatnonzero(again):
            assert poses[index] == poses[index - 1]
    assert published_again(said, Side.RIGHT) > 0


def jumping(frames, shift=(0.0, 0.0, 0.25)):
    """Return a world in which the right hand is elsewhere in some frames."""

    def world(time):
        right, left = both()
        jumps = round(time * FPS) in frames
        return replace(right, wrist_m=right.wrist_m + np.multiply(jumps, shift)), left

    return world


@pytest.mark.parametrize('shift', [(0.0, 0.0, 0.25), (0.0, -0.12, 0.0)])
def test_one_wild_frame_is_answered_with_the_pose_before(pipeline, shift):
    said = Play(pipeline, jumping({15}, shift)).hands(stamps(25))
    assert letters(said) == '.' + 24 * 'x'
    assert max(off_m(two.right, hand()) for two in said[1:]) < 1e-3


def test_wild_frames_in_a_row_are_no_hand_until_they_are_believed(pipeline):
    said = Play(pipeline, jumping(range(15, 99))).hands(stamps(30))
    told = letters(said)[15:]
    assert told.startswith('x.')
    assert told.endswith(8 * 'x')
    assert said[16].right.reason == 'outlier'
    assert said[-1].right.wrist_m[2] == pytest.approx(0.85, abs=0.01)


def turned_over(frames):
    """Return a world in which the right hand shows its back in some frames."""

    def world(time):
        right, left = both()
        over = replace(left, pose=left.pose).mirrored()
        flipped = over.pose * np.concatenate([(1, 1, -1), np.ones(45)])
        turns = round(time * FPS) in frames
        return (replace(right, pose=flipped) if turns else right), left

    return world


def test_a_back_taken_for_a_palm_in_one_frame_does_not_turn_the_hand(pipeline):
    said = Play(pipeline, turned_over({15})).hands(stamps(25))
    assert letters(said) == '.' + 24 * 'x'
    for two in said[1:]:
        np.testing.assert_allclose(two.right.pose[:3], UPRIGHT, atol=1e-3)


def test_a_hand_that_does_turn_over_is_believed_after_some_frames(pipeline):
    said = Play(pipeline, turned_over(range(15, 99))).hands(stamps(40))
    told = letters(said)[15:]
    assert told == 'x..' + 22 * 'x'
    truth = turned_over({0})(0.0)[0]
    np.testing.assert_allclose(
        said[-1].right.joints_m[9], true_joints(pipeline, truth)[9], atol=5e-3
    )


def true_joints(pipeline, truth):
    poses, betas = (np.stack([a, a]) for a in (truth.pose, truth.betas))
    return truth.wrist_m + pipeline.pose(poses, betas)[0][truth.side]


# Sides.


def crossing(time):
    """Each hand goes to the other's side and back, the left one behind, in two seconds."""
    across = 0.12 * (1 - np.cos(np.pi * time))
    right, left = both()
    return (
        replace(right, wrist_m=right.wrist_m + np.array([across, 0, 0])),
        replace(left, wrist_m=left.wrist_m + np.array([-across, 0.02, 0.12])),
    )


@pytest.mark.parametrize('tells_kinds', [True, False])
@pytest.mark.parametrize('seed', [0, 1])
def test_hands_that_cross_keep_their_sides(pipeline, tells_kinds, seed):
    play = Play(pipeline, crossing, NOISY, tells_kinds=tells_kinds, seed=seed)
    times = stamps(62)
    said = play.hands(times)
    for two in said:
        truths = crossing(two.stamp_ns / NS_PER_SEC)
        for one in two.hands:
            assert off_m(one, truths[one.side]) < off_m(one, truths[one.side.other])
    for side in Side:
        assert letters(said[-5:], side).count('x') >= 4
    assert play.follow.exchanges == 0


@pytest.mark.parametrize('tells_kinds', [True, False])
def test_two_readings_of_one_hand_are_one_hand(pipeline, tells_kinds):
    def one_covers_the_other(time):
        right, left = crossing(min(time, 0.5))
        return right, left

    play = Play(pipeline, one_covers_the_other, NOISY, tells_kinds=tells_kinds)
    for two in play.hands(stamps(40))[-15:]:
        assert not is_there(two, Side.LEFT)
        assert is_there(two, Side.RIGHT)


def exchanged_until(end_sec):
    """Return a world whose hands carry each other's sides at first."""

    def world(time):
        right, left = both()
        if time >= end_sec:
            return right, left
        return (
            replace(right, wrist_m=left.wrist_m),
            replace(left, wrist_m=right.wrist_m),
        )

    return world


def sides_by_place(said):
    """Return for each frame whether the hands are at their own sides of the picture."""
    return [
        np.mean([(one.wrist_m[0] < 0) == (one.side is Side.RIGHT) for one in two.hands])
        for two in said
        if two.hands
    ]


def test_labels_that_begin_wrong_are_put_right_once(pipeline):
    said = Play(pipeline, exchanged_until(0.5)).hands(stamps(45))
    right = sides_by_place(said)
    changes = np.flatnonzero(np.diff(right))
    assert right[0] == 0
    assert right[-1] == 1
    assert len(changes) == 1
    late = [two for two in said if two.stamp_ns > 0.75e9]
    assert letters(late) == letters(late, Side.LEFT) == len(late) * 'x'


class Hesitant(SimulatedSight):
    """Crops that tell their own side with a probability that a test sets."""

    own_share = 0.9

    def _told(self, rng):
        return self.own_share


def test_faint_evidence_exchanges_labels_once_and_hands_stay_there(pipeline):
    sight = Hesitant(pipeline, both, EXACT)
    follow = Follower(sight)
    times = stamps(80)
    first = [follow(frame(t)).hands for t in times[:15]]
    sight.own_share = 0.3  # networks come to think that each hand is rather the other one
    later = [follow(frame(t)).hands for t in times[15:]]
    assert follow.exchanges == 1
    assert sides_by_place(first) == 14 * [1]
    assert sides_by_place(later)[-10:] == 10 * [0]
    assert set(letters(later) + letters(later, Side.LEFT)) <= {'x', '.'}
    assert letters(later).count('.') <= 2 * LOST


# Time.


def test_time_that_goes_back_begins_everything_anew(pipeline):
    play = Play(pipeline, swinging, NOISY)
    play.show(stamps(30))
    again, fresh = play.hands(stamps(10)), Play(pipeline, swinging, NOISY).hands(stamps(10))
    assert letters(again) == letters(fresh)
    for one, other in zip(again, fresh, strict=True):
        for mine, others in zip(one.hands, other.hands, strict=True):
            np.testing.assert_array_equal(mine.joints_m, others.joints_m)


def moved_at(time_sec, shift):
    def world(time):
        right, left = both()
        return replace(right, wrist_m=right.wrist_m + np.multiply(time >= time_sec, shift)), left

    return world


@pytest.mark.parametrize(('gap_sec', 'begins_anew'), [(0.4, False), (0.6, True)])
def test_filters_begin_anew_after_a_gap(pipeline, gap_sec, begins_anew):
    """The hand moved by 3 cm meanwhile."""
    play = Play(pipeline, moved_at(1.0, (0.03, 0, 0)), longest_gap_ms=500.0)
    said = play.hands(stamps(20) + stamps(5, 19 / FPS + gap_sec))[20:]
    truth = moved_at(0.0, (0.03, 0, 0))(1.0)[0]
    if begins_anew:
        assert letters(said) == '.xxxx'
        assert off_m(said[1].right, truth) < 1e-4
    else:
        assert letters(said) == 'xxxxx'
        assert off_m(said[0].right, truth) > 1e-4


@pytest.mark.parametrize('seed', range(3))
def test_whatever_the_stamps_are_all_that_is_published_is_finite(pipeline, seed):
    rng = np.random.default_rng(seed)
    steps = rng.choice([0, 1, 10**6, 33 * 10**6, 2 * 10**8, 10**9, -(10**7), -(10**9)], 60)
    times = np.maximum(5 * 10**9 + np.cumsum(steps), 0).tolist()
    noise = replace(NOISY, outliers=0.2, missed=0.3)
    play = Play(pipeline, swinging, noise, seed=seed, tells_kinds=bool(seed % 2))
    for said, stamp_ns in zip(play.show(times), times, strict=True):
        assert said.hands.stamp_ns == stamp_ns
        for one in said.hands.hands:
            for numbers in (one.joints_m, one.vertices_m, one.pose, one.betas):
                assert np.isfinite(numbers).all()


def test_dropped_frames_lose_no_hand(pipeline):
    rng = np.random.default_rng(0)
    kept = [t for t in stamps(90) if rng.random() > 0.5]
    said = Play(pipeline, swinging, NOISY).hands(kept)
    for side in Side:
        assert letters(said, side).count('x') > 0.85 * len(kept)


def test_a_frame_that_cannot_be_used_changes_nothing(pipeline):
    play = Play(pipeline, both)
    play.show(stamps(10))
    with pytest.raises(ValueError, match='broken'):
        play.follow.look(Broken(stamps(11)[-1]))
    said = play.hands(stamps(5, 11 / FPS))
    assert letters(said) == 5 * 'x'


class Broken(Frame):
    """A frame whose picture nobody can read."""

    def __init__(self, stamp_ns):
        super().__init__(IMAGE, CAMERA, stamp_ns, 'camera')
        object.__setattr__(self, 'is_read', False)

    def __getattribute__(self, name):
        if name == 'image':
            raise ValueError('broken')
        return super().__getattribute__(name)


# Settings that change.


def test_other_settings_keep_the_hands_and_their_owner(pipeline):
    play = Play(pipeline, both, replace(NOISY, side_told=1.0))
    before = play.hands(stamps(30))[-1]
    for number, changes in enumerate(
        (
            {'fingers_beta': 0.0},
            {'detect_every': 3},
            {'outlier_floor_m': 0.05},
            {'filtered': False},
        )
    ):
        play.follow.use(play.sight.with_settings(play.sight.settings.changed(changes)))
        after = play.hands(stamps(2, 1.0 + 2 * number / FPS))
        assert letters(after) == letters(after, Side.LEFT) == 'xx'
    np.testing.assert_allclose(after[-1].right.betas, before.right.betas, atol=0.15)


def test_a_least_score_that_changes_counts_for_hands_that_are_to_appear(pipeline):
    play = Play(pipeline, both, NOISY, min_score=0.99)
    assert letters(play.hands(stamps(10))) == 10 * '.'
    play.follow.use(play.sight.with_settings(play.sight.settings.changed({'min_score': 0.3})))
    assert 'xxxx' in letters(play.hands(stamps(10, 10 / FPS)))


def test_another_palm_takes_hold_in_the_next_frame(pipeline):
    play = Play(pipeline, both)
    before = play.hands(stamps(10))[-1].right
    play.follow.use(play.sight.with_settings(play.sight.settings.changed({'palm_length_m': 0.12})))
    after = play.hands(stamps(2, 10 / FPS))[0].right
    assert palm_length_m(after.joints_m) == pytest.approx(0.12, rel=1e-5)
    grown = 0.12 / palm_length_m(before.joints_m)
    np.testing.assert_allclose(after.wrist_m, grown * before.wrist_m, rtol=1e-3)


def test_following_that_is_switched_on_and_off_says_what_there_is(pipeline):
    play = Play(pipeline, both)
    on = play.sight.settings
    told = ''
    for number, follows in enumerate((True, False, True)):
        play.follow.use(play.sight.with_settings(on.changed({'follow': follows})))
        told += letters(play.hands(stamps(5, number * 5 / FPS)))
    assert told[:5] == '.xxxx'
    assert told[5:10] == 'xxxxx'
    assert told[-3:] == 'xxx'


def test_a_hand_that_only_fills_a_slot_is_not_found(pipeline):
    def one_hand(_time):
        return [hand()]

    said = Play(pipeline, one_hand).hands(stamps(10))
    assert letters(said) == '.' + 9 * 'x'
    assert {two.left.reason for two in said if isinstance(two.left, NoHand)} <= {
        'not_found',
        'score',
        'misfit',
    }
    assert letters(said, Side.LEFT) == 10 * '.'
