from dataclasses import replace

from interwild_ros.errors import SettingError
from interwild_ros.geometry.regions import overlap
from interwild_ros.records import Candidate, Side
from interwild_ros.tracking.boxes import centre, distance
from interwild_ros.tracking.matching import assign, WHOLE
from interwild_ros.tracking.track import begun, Observed
from interwild_ros.tracking.tracker import Tracker, TrackerSettings
import numpy as np
import pytest

SEC = 1_000_000_000
SIZE = (640, 480)
FALLBACK = (0.0, 0.0, 639.0, 479.0)
RIGHT_KINDS, WRONG_KINDS = (0.85, 0.1, 0.05), (0.1, 0.85, 0.05)

# A flat right hand, 1 high: the wrist, and four joints of each finger from the thumb on.
ROOTS = np.array([(-0.25, 0.3), (-0.15, 0.0), (-0.05, -0.05), (0.05, 0.0), (0.15, 0.05)])
ENDS = np.array([(-0.5, 0.0), (-0.25, -0.4), (-0.05, -0.5), (0.12, -0.42), (0.3, -0.3)])
STEPS = np.linspace(0, 1, 4)[:, None]
FINGERS = ROOTS[:, None] + STEPS * (ENDS - ROOTS)[:, None]
SHAPE = np.concatenate([[(0.0, 0.5)], FINGERS.reshape(20, 2)])


def joints(x, y=240.0, side=Side.RIGHT, size=100.0):
    return size * SHAPE * (1 if side is Side.RIGHT else -1, 1) + (x, y)


def observed(points, kinds=None, *, is_present=True, is_doubtful=False):
    return Observed(np.asarray(points, float), is_present, is_doubtful, kinds)


def box_of(points):
    return begun(observed(points), 0).box


def candidate(points, right_share=0.5, score=0.8):
    return Candidate(box_of(points), score, right_share)


class Play:
    """A tracker that is shown one frame after another."""

    def __init__(self, hz=30.0, settings=None, frames_before=0):
        self.tracker = Tracker(settings, frames_before=frames_before)
        self.frame_ns = round(SEC / hz)
        self.stamp_ns = frames_before * self.frame_ns

    def seek(self):
        return self.tracker.seek(self.stamp_ns, SIZE)

    def take(self, right=None, left=None, detected=None):
        self.tracker.take(self.stamp_ns, right, left, detected=detected)
        self.stamp_ns += self.frame_ns

    def show(self, right=None, left=None, others=()):
        """Show true hands, that are read where they are; return what was sought."""
        sought = self.seek()
        hands = [hand for hand in (right, left, *others) if hand is not None]
        detected = tuple(candidate(h.joints_px) for h in hands) if sought.detects else None
        self.take(right, left, detected)
        return sought


def both(**more):
    return observed(joints(200), **more), observed(joints(440, side=Side.LEFT), **more)


# Where a followed hand will be.


def test_boxes_that_are_sought_lie_on_whole_pixels():
    play = Play()
    for frame in range(8):
        hand = observed(joints(200.123 + 7.3 * frame))
        sought = play.show(hand, observed(joints(440.77, side=Side.LEFT)))
        assert all(edge == int(edge) for box in sought.boxes if box for edge in box)


@pytest.mark.parametrize('hz', [10, 15, 30, 60])
@pytest.mark.parametrize('speed', [0, 150, 600, -900])
def test_a_hand_of_constant_speed_stays_in_its_predicted_box(hz, speed):
    rng = np.random.default_rng(0)
    play = Play(hz)
    for i in range(max(8, hz // 4)):
        x = (50 if speed > 0 else 590) + speed * i / hz
        points = joints(x) + rng.normal(0, 1.0, (21, 2))
        sought = play.show(observed(points))
        if i >= 2 and 50 <= x <= 590:
            assert overlap(sought.boxes[0], box_of(points)) > 0.6
            assert sought.boxes[1] is None


def test_a_predicted_box_moves_no_farther_than_it_is_long():
    play = Play(10)
    play.show(observed(joints(100)))
    play.show(observed(joints(350)))
    assert distance(play.seek().boxes[0], box_of(joints(350))) <= 120.001


def test_a_hand_that_leaves_the_image_is_lost():
    play = Play(30)
    seen = [play.show(observed(joints(560 + 20 * i))).boxes[0] for i in range(20)]
    assert seen[3] is not None
    assert seen[-1] is None


# When and where the detector looks.


def looks(play, frames, hands, **more):
    return [play.show(*hands, **more) for _ in range(frames)]


@pytest.mark.parametrize('every', [1, 2, 10])
def test_with_both_hands_the_detector_runs_every_n_frames(every):
    play = Play(settings=TrackerSettings(detect_every=every))
    sought = looks(play, 41, both())
    assert [s.detects for s in sought] == [i % every == 0 for i in range(41)]


@pytest.mark.parametrize('hands', [both(), both()[:1]])
def test_who_begins_later_looks_in_the_same_frames(hands):
    play, later = Play(), Play(frames_before=17)
    looks(play, 17, hands)
    seen, seen_later = looks(play, 40, hands), looks(later, 40, hands)
    assert [s.detects for s in seen[5:]] == [s.detects for s in seen_later[5:]]
    assert [s.boxes for s in seen[5:]] == [s.boxes for s in seen_later[5:]]


@pytest.mark.parametrize('every', [1, 3, 7])
def test_with_one_hand_missing_it_looks_more_often(every):
    play = Play(settings=TrackerSettings(look_every=every))
    sought = looks(play, 43, (both()[0], None))
    assert [s.detects for s in sought] == [i % every == 0 for i in range(43)]


def test_with_no_hand_it_looks_always_and_everywhere():
    play = Play()
    assert all(play.show() is WHOLE for _ in range(20))


def test_a_doubtful_hand_is_sought_at_once():
    play = Play()
    looks(play, 4, both())
    right, left = both()
    doubtful = replace(left, is_doubtful=True)
    sought = [*looks(play, 3, (right, doubtful)), *looks(play, 3, (right, left))]
    assert [s.detects for s in sought] == [False, True, True, True, False, False]


def test_a_hand_that_was_lost_is_sought_in_the_next_frame():
    play = Play(settings=TrackerSettings(look_every=7))
    looks(play, 4, both())
    sought = looks(play, 3, (both()[0], None))
    assert [s.detects for s in sought] == [False, True, False]


def test_other_settings_keep_the_hands():
    play = Play()
    looks(play, 4, both())
    play.tracker.use(TrackerSettings(detect_every=2))
    sought = looks(play, 4, both())
    assert [s.detects for s in sought] == [True, False, True, False]
    assert None not in sought[0].boxes


def test_on_schedule_it_looks_about_both_hands():
    play = Play()
    regions = [s.region for s in looks(play, 31, both()) if s.detects]
    assert regions[0] is None
    for x1, y1, x2, y2 in regions[1:]:
        assert (x1, x2) == (0, 639)
        assert 0 < y1 < 170
        assert 310 < y2 < 479


def test_with_one_hand_it_looks_about_it_and_everywhere_in_turn():
    play = Play()
    small = observed(joints(320, size=40))
    regions = [s.region for s in looks(play, 31, (None, small)) if s.detects]
    assert regions[0::2] == [None] * len(regions[0::2])
    for region in regions[1::2]:
        np.testing.assert_allclose(centre(region), centre(box_of(small.joints_px)))
        assert 90 < region[3] - 240 < 110


def test_a_region_that_is_all_of_the_image_is_named_so():
    play = Play()
    large = (observed(joints(150, size=400)), observed(joints(490, side=Side.LEFT, size=400)))
    assert all(s.region is None for s in looks(play, 21, large))


# Time.


def test_a_gap_begins_everything_anew():
    play = Play()
    looks(play, 5, both())
    play.stamp_ns += round(0.2 * SEC)
    assert play.seek() is not WHOLE
    play.stamp_ns += round(0.1 * SEC)
    assert play.seek() is WHOLE


def test_a_stamp_that_goes_back_begins_everything_anew():
    play = Play()
    looks(play, 5, both())
    play.stamp_ns = 3 * play.frame_ns
    assert play.seek() is WHOLE


def test_a_repeated_stamp_gives_the_same_answer_and_teaches_nothing():
    play, other = Play(), Play()
    for i in range(25):
        hands = [observed(joints(x + 5 * i)) for x in (150, 350)]
        first, wanted = play.show(*hands), other.show(*hands)
        stamp_ns = play.stamp_ns - play.frame_ns
        assert play.tracker.seek(stamp_ns, SIZE) is first
        play.tracker.take(stamp_ns, None, None, detected=())
        assert play.tracker.seek(stamp_ns, SIZE) is first
        assert (first.boxes, first.detects, first.region) == (
            wanted.boxes,
            wanted.detects,
            wanted.region,
        )


def test_frames_that_were_sought_and_not_taken_change_nothing():
    play = Play()
    looks(play, 5, both())
    for later in (1, 5, 3):
        play.tracker.seek(play.stamp_ns + later * SEC // 100, SIZE)
    assert None not in play.seek().boxes
    assert not play.seek().detects


def test_an_image_of_another_size_and_a_reset_begin_everything_anew():
    play = Play()
    looks(play, 5, both())
    assert play.tracker.seek(play.stamp_ns, (1280, 720)) is WHOLE
    looks(play, 5, both())
    play.tracker.reset()
    assert play.seek() is WHOLE


# Losing hands.


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, 1e30])
def test_joints_that_are_no_places_and_absent_hands_are_lost(bad):
    points = joints(200)
    points[7, 1] = bad
    for lost in (None, observed(points), observed(joints(200), is_present=False)):
        play = Play()
        looks(play, 5, both())
        play.show(lost, both()[1])
        right, left = play.seek().boxes
        assert right is None
        assert left is not None


def dropped_after_sec(hands, hz=30, frames=90, play=None):
    """Return which sides are dropped, and after how many seconds of showing hands."""
    play = play or Play(hz)
    for i in range(frames):
        play.take(*hands(i))
        sides = [side for side in Side if play.seek().boxes[side] is None]
        if sides:
            assert play.seek().detects
            return sides, i / hz
    return [], None


@pytest.mark.parametrize('hz', [10, 30, 60])
def test_of_two_new_tracks_on_one_hand_the_weaker_is_dropped_soon(hz):
    rng = np.random.default_rng(0)

    def one_hand(_):
        return [
            observed(joints(300) + rng.normal(0, 2, (21, 2)), kinds)
            for kinds in (WRONG_KINDS, RIGHT_KINDS)
        ]

    sides, after_sec = dropped_after_sec(one_hand, hz)
    assert sides == [Side.RIGHT]
    assert 0.2 < after_sec < 0.4


def test_of_an_old_and_a_new_track_on_one_hand_the_new_one_is_dropped():
    for side in Side:
        play = Play()
        hand = observed(joints(300))
        looks(play, 60, (hand, None) if side is Side.RIGHT else (None, hand))
        sides, _ = dropped_after_sec(lambda _, hand=hand: (hand, hand), play=play)
        assert sides == [side.other]


def test_two_old_tracks_that_stay_on_one_hand_are_told_apart_in_a_second():
    play = Play()
    looks(play, 60, both(kinds=RIGHT_KINDS))
    hands = [observed(joints(440, side=Side.LEFT), k) for k in (WRONG_KINDS, RIGHT_KINDS)]
    sides, after_sec = dropped_after_sec(lambda _: hands, play=play)
    assert sides == [Side.RIGHT]
    assert 0.9 < after_sec < 1.1


def test_hands_that_meet_again_and_again_are_two():
    def meeting(i):
        return [observed(joints(300 + dx)) for dx in (0, 0 if i % 5 else 80)]

    assert dropped_after_sec(meeting) == ([], None)


def test_hands_held_before_each_other_are_two():
    hands = observed(joints(300)), observed(joints(282, side=Side.LEFT))
    assert overlap(*(box_of(h.joints_px) for h in hands)) > 0.9
    assert dropped_after_sec(lambda _: hands) == ([], None)


def test_a_hand_that_the_detector_contradicts_twice_is_sought_anew():
    play = Play()
    looks(play, 11, both())  # the detector ran in the last of these
    right, left = both()
    doubtful = replace(left, is_doubtful=True)
    away = joints(440, 60, side=Side.LEFT)
    contradicting = (candidate(right.joints_px), candidate(away, right_share=0.1))
    play.take(right, doubtful, contradicting)
    assert None not in play.seek().boxes
    play.take(right, doubtful, contradicting)
    sought = play.seek()
    assert (sought.boxes[1], sought.detects) == (None, True)
    assert assign(sought, contradicting, FALLBACK)[1].box == box_of(away)


@pytest.mark.parametrize('kinds', [RIGHT_KINDS, None])
def test_a_hand_that_the_networks_are_sure_of_outlives_a_detector_that_misses_it(kinds):
    play = Play()
    hands = both(kinds=kinds)
    elsewhere = candidate(joints(440, 60), right_share=0.4)
    for _ in range(30):
        play.take(*hands, (elsewhere,))
        assert None not in play.seek().boxes


def test_after_a_contradiction_the_detector_looks_again_soon():
    play = Play()
    right, left = both(kinds=(0.1, 0.1, 0.8))
    play.take(right, left, ())
    play.take(right, left, (candidate(right.joints_px), candidate(joints(440, 60))))
    detects = []
    for _ in range(3):
        detects.append(play.seek().detects)
        play.take(right, left)
    assert detects == [False, True, False]


def test_a_detector_that_finds_nothing_at_all_contradicts_nobody():
    play = Play()
    for _ in range(30):
        play.take(*both(is_doubtful=True), ())
        assert None not in play.seek().boxes


# Right and left.


def nearest(box, hands):
    """Return the true hand that networks read in a box."""
    return min(range(len(hands)), key=lambda i: distance(box, box_of(hands[i])))


def followed_hands(path, frames, *, hz, rng, kinds, others=lambda i: ()):
    """Return which true hand each side reads in every frame, and how often labels changed.

    :param path: frame to the joints of the right and the left hand; `others` likewise.
    :param kinds: what the networks say of the own and of the other hand.
    """
    play, reads = Play(hz), []
    for i in range(frames):
        hands = [*path(i), *others(i)]
        sought = play.seek()
        proposed = tuple(
            candidate(points, right_share=share, score=rng.uniform(0.3, 1.0))
            for points, share in zip(hands, (0.7, 0.3, rng.uniform()), strict=False)
        )
        slots = assign(sought, proposed if sought.detects else (), FALLBACK)
        read = [nearest(slot.box, hands) for slot in slots]
        reads.append(tuple(read))
        play.take(
            *(
                observed(hands[k] + rng.normal(0, 2, (21, 2)), kinds[0 if k == side else 1])
                for side, k in enumerate(read)
            ),
            proposed if sought.detects else None,
        )
    return reads, play.tracker.exchanges


@pytest.mark.parametrize('kinds', [(None, None), (RIGHT_KINDS, WRONG_KINDS)])
@pytest.mark.parametrize('hz', [10, 30, 60])
@pytest.mark.parametrize(('speed', 'apart'), [(480, 0), (480, 20), (240, 20), (120, 30)])
def test_hands_that_cross_keep_their_sides(kinds, hz, speed, apart):
    def crossing(i):
        x = 200 + speed * i / hz
        return joints(x), joints(640 - x, 240 + apart, side=Side.LEFT)

    for seed in range(3):
        reads, exchanges = followed_hands(
            crossing, 1 + hz * 240 // speed, hz=hz, rng=np.random.default_rng(seed), kinds=kinds
        )
        assert reads[-1] == (0, 1)
        assert np.mean([read == (0, 1) for read in reads]) > 0.9
        assert exchanges == 0


@pytest.mark.parametrize('kinds', [(None, None), (RIGHT_KINDS, WRONG_KINDS)])
@pytest.mark.parametrize('height', [190, 210, 270, 290])
def test_another_persons_hand_that_passes_takes_no_side(kinds, height):
    def standing(_):
        return joints(200), joints(440, side=Side.LEFT)

    def passing(i):
        return (joints(60 + 8 * (i - 5), height, size=90),) if i > 5 else ()

    for seed in range(3):
        reads, exchanges = followed_hands(
            standing, 65, hz=30, rng=np.random.default_rng(seed), kinds=kinds, others=passing
        )
        assert reads == [(0, 1)] * len(reads)
        assert exchanges == 0


@pytest.mark.parametrize('hz', [10, 30, 60])
@pytest.mark.parametrize('count', [1, 2])
def test_labels_that_begin_wrong_are_put_right_once_and_within_a_second(hz, count):
    play, wrong_sec = Play(hz), 0.0
    true = both()
    for i in range(3 * hz):
        sought = play.show(*hands_as_labelled(play.seek(), true[:count], at_first=i == 0))
        if i and overlap(sought.boxes[1] or FALLBACK, box_of(true[0].joints_px)) > 0.5:
            wrong_sec += 1 / hz
    assert play.tracker.exchanges == 1
    assert 0.25 < wrong_sec < 1.0
    boxes = play.seek().boxes
    assert overlap(boxes[0], box_of(true[0].joints_px)) > 0.9
    assert (boxes[1] is None) == (count == 1)


def hands_as_labelled(sought, true, *, at_first):
    """Return the hands by the side they carry, with what networks then say of them."""
    exchanged = at_first or distance(sought.boxes[1] or FALLBACK, box_of(true[0].joints_px)) < 50
    if exchanged:
        left, right = (*(replace(h, kinds=WRONG_KINDS) for h in true), None)[:2]
    else:
        right, left = (*(replace(h, kinds=RIGHT_KINDS) for h in true), None)[:2]
    return right, left


@pytest.mark.parametrize('hz', [10, 30, 60])
def test_a_short_spell_of_wrong_evidence_changes_no_label(hz):
    play = Play(hz)
    sure_of_wrong = (0.0, 1.0, 0.0)
    for spell_sec in (1 / hz, 0.2, 0.3):
        looks(play, hz, both(kinds=RIGHT_KINDS))
        looks(play, int(spell_sec * hz), both(kinds=sure_of_wrong))
        looks(play, hz, (both(kinds=RIGHT_KINDS)[0], None))
        looks(play, int(spell_sec * hz), (both(kinds=sure_of_wrong)[0], None))
    assert play.tracker.exchanges == 0


def test_after_an_exchange_evidence_starts_anew():
    play = Play()
    while not play.tracker.exchanges:
        looks(play, 1, both(kinds=WRONG_KINDS))
    looks(play, 5, both(kinds=(0.2, 0.6, 0.2)))
    assert play.tracker.exchanges == 1


def test_labels_that_were_right_for_long_are_changed_as_soon():
    play = Play()
    looks(play, 300, both(kinds=RIGHT_KINDS))
    wrong_frames = 0
    while not play.tracker.exchanges:
        looks(play, 1, both(kinds=WRONG_KINDS))
        wrong_frames += 1
    assert 15 < wrong_frames < 35


@pytest.mark.parametrize('kinds', [None, (np.nan, 1.0, 0.0), (0.0, 0.0, 1.0), (0.4, 0.4, 0.2)])
def test_networks_that_do_not_say_change_no_label(kinds):
    play = Play()
    looks(play, 300, both(kinds=kinds))
    assert play.tracker.exchanges == 0


def test_evidence_against_one_hand_alone_changes_no_labels_of_two():
    play = Play()
    right, left = both(kinds=RIGHT_KINDS)
    looks(play, 300, (right, replace(left, kinds=(0.3, 0.6, 0.1))))
    assert play.tracker.exchanges == 0


def test_a_mirrored_picture_with_exchanged_sides_gives_the_mirrored_answer():
    rng = np.random.default_rng(3)
    play, mirrored = Play(), Play()
    for _ in range(400):
        hands = [random_hand(rng, side) for side in Side]
        proposed = tuple(
            candidate(joints(*rng.uniform(50, 430, 2)), *rng.uniform(0, 1, 2)) for _ in range(3)
        )
        sought, other = play.seek(), mirrored.seek()
        assert sought.detects == other.detects
        for one, two in zip(
            (*sought.boxes, sought.region), (*other.boxes[::-1], other.region), strict=True
        ):
            assert (one is None) == (two is None)
            np.testing.assert_allclose(mirror(one) or (), two or (), atol=1e-6)
        detected = proposed if sought.detects else None
        play.take(*hands, detected)
        mirrored.take(
            *(h and replace(h, joints_px=h.joints_px * (-1, 1) + (639, 0)) for h in hands[::-1]),
            detected
            and tuple(Candidate(mirror(c.box), c.score, 1 - c.right_share) for c in detected),
        )
    assert play.tracker.exchanges == mirrored.tracker.exchanges > 0


def random_hand(rng, side):
    if rng.random() < 0.03:
        return None
    kinds = tuple(rng.dirichlet([0.7, 1, 0.3]))
    points = joints(200 + 240 * side, side=side) + rng.normal(0, 10, 2)
    return observed(points, kinds, is_doubtful=rng.random() < 0.1)


def mirror(box):
    return box and (639 - box[2], box[1], 639 - box[0], box[3])


# Anything goes in.


@pytest.mark.parametrize('seed', range(20))
def test_nothing_that_comes_in_raises_and_all_boxes_are_finite(seed):
    rng = np.random.default_rng(seed)
    tracker, stamp_ns = Tracker(), 0
    for _ in range(200):
        stamp_ns += int(rng.choice([0, 1, SEC // 60, SEC // 30, SEC // 10, SEC, -SEC, -1]))
        sought = tracker.seek(stamp_ns, (640, 480) if rng.random() < 0.99 else (1, 1))
        proposed = tuple(any_candidate(rng) for _ in range(rng.integers(4)))
        slots = assign(sought, proposed, FALLBACK)
        for box in (*sought.boxes, sought.region, *(slot.box for slot in slots)):
            assert box is None or np.isfinite(box).all()
            assert box is None or (box[0] < box[2] and box[1] < box[3])
        if rng.random() < 0.9:
            detected = proposed if rng.random() < 0.5 else None
            tracker.take(stamp_ns, any_hand(rng), any_hand(rng), detected=detected)


def any_number(rng):
    return float(rng.choice([0, -1, 1e-300, 5, 300, 1e6, -1e6, 1e30, np.nan, np.inf, -np.inf]))


def any_hand(rng):
    if rng.random() < 0.1:
        return None
    points = joints(*rng.uniform(0, 600, 2), size=10 ** rng.uniform(-9, 9))
    if rng.random() < 0.1:
        points[rng.integers(21), rng.integers(2)] = any_number(rng)
    kinds = tuple(any_number(rng) for _ in range(3)) if rng.random() < 0.5 else None
    return observed(points, kinds, is_present=rng.random() < 0.9, is_doubtful=rng.random() < 0.2)


def any_candidate(rng):
    if rng.random() < 0.5:
        return candidate(joints(*rng.uniform(0, 600, 2)), *rng.uniform(0, 1, 2))
    return Candidate(tuple(any_number(rng) for _ in range(4)), any_number(rng), any_number(rng))


def test_settings_out_of_range_are_refused():
    with pytest.raises(SettingError, match='detect_every is 0, wanted 1'):
        TrackerSettings(detect_every=0)


def test_hands_are_sought_upright_after_how_they_were_last_seen():
    play = Play()
    play.show(*both())
    upright = play.seek().turns
    assert max(map(abs, upright)) < 0.3
    turn = 1.0
    cos, sin = np.cos(turn), np.sin(turn)
    turned = SHAPE @ np.array([[cos, -sin], [sin, cos]]).T * 100 + (200, 240)
    play.show(observed(turned), both()[1])
    right, left = play.seek().turns
    assert right == pytest.approx(upright[Side.RIGHT] - turn, abs=0.07)
    assert left == upright[Side.LEFT]
    play.take(None, both()[1])
    assert play.seek().turns[Side.RIGHT] == 0.0
