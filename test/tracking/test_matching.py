import math

from interwild_ros.records import Candidate, Side
from interwild_ros.tracking.matching import assign, claims, Slot, Sought, WHOLE
import numpy as np
import pytest

FALLBACK = (10.0, 10.0, 50.0, 50.0)
WIDTH = 640


def box(x, y=200.0, size=100.0):
    return (x - size / 2, y - size / 2, x + size / 2, y + size / 2)


def candidate(x, y=200.0, *, score=0.8, right_share=0.5, size=100.0):
    return Candidate(box(x, y, size), score, right_share)


def followed(right=None, left=None):
    return Sought((right and box(right), left and box(left)), detects=True, region=None)


def read(slot):
    return slot.box, slot.is_expected, slot.is_hand


def test_a_followed_side_keeps_its_predicted_box_whatever_is_proposed():
    rng = np.random.default_rng(0)
    for _ in range(100):
        proposed = [
            candidate(x, y, score=s, right_share=share)
            for x, y, s, share in rng.uniform([0, 0, 0, 0], [600, 400, 1, 1], (4, 4))
        ]
        right, left = assign(followed(200, 400), proposed, FALLBACK)
        assert read(right) == (box(200), True, True)
        assert read(left) == (box(400), True, True)


def test_a_guess_gives_way_to_what_is_proposed_near_it_and_to_nothing_else():
    guess = Sought((box(200), box(400)), detects=True, region=None, is_unsure=(True, False))
    for x, wanted in ((210, 200), (245, 245), (290, 200)):
        right, left = assign(guess, [candidate(x), candidate(445)], FALLBACK)
        assert read(right) == (box(wanted), True, True)
        assert read(left) == (box(400), True, True)


def test_what_is_proposed_at_a_followed_hand_is_not_read_for_the_other_side():
    for x in (380, 400, 420):
        right, left = assign(followed(left=400), [candidate(x, right_share=1.0)], FALLBACK)
        assert read(left) == (box(400), True, True)
        assert read(right) == (box(400), False, False)


def test_a_hand_that_is_proposed_twice_is_read_once():
    for second in (candidate(215, right_share=0.0), candidate(205, 210, size=60)):
        _, left = assign(followed(right=200), [candidate(202), second], FALLBACK)
        assert not left.is_hand


def test_a_missing_side_takes_nothing_that_cannot_be_of_it():
    _, left = assign(followed(right=200), [candidate(500, right_share=1.0)], FALLBACK)
    assert read(left) == (box(200), False, False)


def test_a_passer_by_is_read_for_no_followed_side():
    own, passing = candidate(405, right_share=0.4), candidate(330, score=1.0, right_share=0.0)
    right, left = assign(followed(200, 400), [passing, own], FALLBACK)
    assert (right.box, left.box) == (box(200), box(400))


def test_a_hand_that_touches_a_followed_one_is_read_for_the_missing_side():
    holding = candidate(360, right_share=0.9)
    right, left = assign(followed(left=300), [holding, candidate(302)], FALLBACK)
    assert read(right) == (holding.box, False, True)
    assert read(left) == (box(300), True, True)


def test_a_missing_side_takes_what_is_best_for_it():
    rng = np.random.default_rng(1)
    for share in rng.uniform(0.05, 0.95, 20):
        weak = candidate(500, score=0.3, right_share=share)
        strong = candidate(600, score=0.6, right_share=share)
        other = candidate(350, score=0.6, right_share=share / 2)
        right, _ = assign(followed(left=200), [weak, other, strong], FALLBACK)
        assert right.box == strong.box
        _, left = assign(followed(right=200), [weak, strong, other], FALLBACK)
        assert left.box == other.box


@pytest.mark.parametrize(('first', 'second'), [(0.9, 0.2), (0.9, 0.8), (0.3, 0.1)])
def test_of_two_candidates_the_righter_one_is_right(first, second):
    a, b = candidate(100, right_share=first), candidate(400, right_share=second)
    for proposed in ([a, b], [b, a]):
        right, left = assign(WHOLE, proposed, FALLBACK)
        assert read(right) == (a.box, False, True)
        assert read(left) == (b.box, False, True)


@pytest.mark.parametrize(('share', 'side'), [(0.9, Side.RIGHT), (0.1, Side.LEFT)])
def test_a_single_candidate_goes_to_its_side_and_is_read_for_the_other_one_too(share, side):
    proposed = [candidate(100, right_share=share)]
    slots = assign(WHOLE, proposed, FALLBACK)
    assert slots[side] == Slot(proposed[0].box, is_expected=False, is_hand=True)
    assert slots[side.other] == Slot(proposed[0].box, is_expected=False, is_hand=False)


def test_two_candidates_that_can_only_be_right_make_one_right_hand():
    weak, strong = candidate(100, score=0.2, right_share=1.0), candidate(400, right_share=1.0)
    right, left = assign(WHOLE, [weak, strong], FALLBACK)
    assert read(right) == (strong.box, False, True)
    assert read(left) == (strong.box, False, False)


def test_where_there_is_nothing_the_fallback_is_read():
    broken = [
        Candidate((0.0, 0.0, math.nan, 9.0), 0.9, 0.5),
        Candidate((0.0, 0.0, math.inf, 9.0), 0.9, 0.5),
        Candidate((9.0, 9.0, 9.0, 9.0), 0.9, 0.5),
        Candidate((0.0, 0.0, 9.0, 9.0), math.nan, 0.5),
        Candidate((0.0, 0.0, 9.0, 9.0), 0.9, math.nan),
    ]
    for proposed in ([], broken):
        for slot in assign(WHOLE, proposed, fallback=FALLBACK):
            assert read(slot) == (FALLBACK, False, False)


def test_a_candidate_supports_the_nearest_followed_hand_alone():
    boxes = followed(200, 260).boxes
    assert claims(boxes, [candidate(210)]).is_supported == (True, False)
    assert claims(boxes, [candidate(250)]).is_supported == (False, True)
    assert claims(boxes, [candidate(210), candidate(222)]).is_supported == (True, True)
    assert claims(boxes, [candidate(500)]).is_supported == (False, False)


def test_a_mirrored_picture_with_exchanged_sides_is_read_likewise():
    rng = np.random.default_rng(2)
    for _ in range(300):
        boxes = [None if rng.random() < 0.4 else box(*rng.uniform(50, 400, 2)) for _ in Side]
        proposed = [
            candidate(x, y, score=s, right_share=share)
            for x, y, s, share in rng.uniform([0, 0, 0, 0], [600, 400, 1, 1], (3, 4))
        ]
        slots = assign(Sought(tuple(boxes), detects=True, region=None), proposed, FALLBACK)
        mirrored = assign(
            Sought(tuple(mirror(b) for b in reversed(boxes)), detects=True, region=None),
            [Candidate(mirror(c.box), c.score, 1 - c.right_share) for c in proposed],
            mirror(FALLBACK),
        )
        for slot, other in zip(slots, reversed(mirrored), strict=True):
            np.testing.assert_allclose(mirror(slot.box), other.box)
            assert (slot.is_expected, slot.is_hand) == (other.is_expected, other.is_hand)


def mirror(one):
    return one and (WIDTH - 1 - one[2], one[1], WIDTH - 1 - one[0], one[3])


def test_a_followed_hand_is_read_upright_and_so_is_what_fills_the_other_side():
    sought = Sought((box(200), None), detects=True, region=None, turns=(0.5, 0.0))
    right, left = assign(sought, [candidate(500)], FALLBACK)
    assert (right.turn, left.turn) == (0.5, 0.0)  # nobody knows how a new hand is turned
    right, left = assign(sought, [], FALLBACK)
    assert (right.place, left.place) == ((box(200), 0.5), (box(200), 0.5))
