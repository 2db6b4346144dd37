from itertools import pairwise

from interwild_ros.errors import InputError, SettingError
from interwild_ros.tracking.interacting import (
    Interacting,
    InteractingSettings,
    Nearness,
    nearness,
)
import numpy as np
import pytest

SEC = 1_000_000_000
FRAME = SEC // 30
# overlapping, touching (neither for nor against), near, far
LETTERS = {
    'o': Nearness(iou=0.1, gap=0.0),
    't': Nearness(iou=0.0, gap=0.0),
    'n': Nearness(iou=0.0, gap=0.2),
    'f': Nearness(iou=0.0, gap=0.8),
}


def run(letters, frame_ns=FRAME, **settings):
    interacting = Interacting(InteractingSettings(**settings))
    return [interacting(LETTERS[c], i * frame_ns) for i, c in enumerate(letters)]


def said(letters, **settings):
    return ''.join('x' if i.interacting else '.' for i in run(letters, **settings))


@pytest.mark.parametrize(
    ('letters', 'wanted'),
    [
        ('oooo', '.xxx'),  # two overlapping frames join
        ('ototoo', '.....x'),  # in a row
        ('tttnnnfff', '.........'),  # touching and near hands do not join
        ('oottttnnnn', '.xxxxxxxxx'),  # nor do they part
        ('oofffff', '.xxx...'),  # three far frames part
        ('ooffnffnff', '.xxxxxxxxx'),  # in a row
        ('oofffooo', '.xxx..xx'),  # and it takes two to join again
        ('ofofofof', '........'),
    ],
)
def test_hands_join_at_an_overlap_and_part_at_a_gap(letters, wanted):
    assert said(letters, frames_to_join=2, frames_to_part=3) == wanted


def test_boxes_that_swing_about_the_edge_of_overlap_do_not_flicker():
    rng = np.random.default_rng(0)
    for low, high in (('o', 'n'), ('f', 't')):
        found = said(''.join(rng.choice([low, high], 500)), frames_to_part=1000)
        assert found.count('.x') + found.count('x.') <= 1


def test_the_weight_moves_at_a_bounded_rate_whatever_the_boxes_do():
    rng = np.random.default_rng(1)
    for blend_sec in (0.1, 0.25, 2.0):
        interacting = Interacting(InteractingSettings(blend_sec=blend_sec))
        stamp_ns, before = 0, interacting(LETTERS['o'], 0)
        letters = ''.join(c * n for c, n in zip('of' * 40, rng.integers(1, 30, 80), strict=True))
        for letter in letters:
            elapsed_ns = int(rng.uniform(0.001, 0.1) * SEC)
            stamp_ns += elapsed_ns
            now = interacting(LETTERS[letter], stamp_ns)
            assert abs(now.weight - before.weight) <= elapsed_ns / SEC / blend_sec + 1e-9
            before = now


def test_the_weight_goes_all_the_way_in_the_time_it_is_given_at_any_frame_rate():
    for rate_hz in (10, 30, 120):
        frame_ns = SEC // rate_hz
        weights = [i.weight for i in run('o' * rate_hz, frame_ns, blend_sec=0.5)]
        joined = 1  # the second frame
        on_the_way = np.arange(len(weights) - joined) + 1
        np.testing.assert_allclose(
            weights[joined:], np.minimum(on_the_way / rate_hz / 0.5, 1), atol=1e-6
        )
        assert weights[0] == 0


def test_the_weight_rises_while_hands_interact_and_falls_while_they_do_not():
    found = run('o' * 20 + 'f' * 40 + 'o' * 20)
    for before, now in pairwise(found):
        rises = now.weight > before.weight or now.weight == 1
        falls = now.weight < before.weight or now.weight == 0
        assert rises if now.interacting else falls
    assert found[19].weight == 1
    assert found[59].weight == 0


def test_scaling_time_and_its_settings_changes_nothing():
    letters = 'ooofffffooottnnfffffff'
    one = run(letters, FRAME, blend_sec=0.25, longest_gap_sec=0.5)
    four = run(letters, 4 * FRAME, blend_sec=1.0, longest_gap_sec=2.0)
    assert [i.interacting for i in one] == [i.interacting for i in four]
    np.testing.assert_allclose([i.weight for i in one], [i.weight for i in four])


@pytest.mark.parametrize('next_ns', [0, 10 * SEC])
def test_time_that_goes_back_and_a_gap_begin_anew(next_ns):
    interacting = Interacting()
    for i in range(30):
        assert interacting(LETTERS['o'], SEC + i * FRAME).interacting == (i > 0)
    again = interacting(LETTERS['o'], next_ns)
    assert not again.interacting
    assert again.weight == 0
    assert interacting(LETTERS['o'], next_ns + FRAME).interacting


def test_a_stamp_that_was_just_seen_changes_nothing():
    once, twice = Interacting(), Interacting()
    for i, letter in enumerate('ooooffffffffooo'):
        wanted = once(LETTERS[letter], i * FRAME)
        assert twice(LETTERS[letter], i * FRAME) == wanted
        for other in 'fot':
            assert twice(LETTERS[other], i * FRAME) == wanted


def test_after_a_reset_nothing_is_remembered():
    used, new = Interacting(), Interacting()
    for i in range(20):
        used(LETTERS['o'], i * FRAME)
    used.reset()
    for i in range(20, 30):
        assert used(LETTERS['o'], i * FRAME) == new(LETTERS['o'], i * FRAME)


def test_stamps_in_any_order_give_a_weight_between_0_and_1():
    rng = np.random.default_rng(2)
    for spread in (1, FRAME, SEC, 2**62):
        interacting = Interacting()
        for stamp_ns in rng.integers(-spread, spread, 500):
            found = interacting(LETTERS[rng.choice(list('otnf'))], int(stamp_ns))
            assert 0 <= found.weight <= 1
            assert isinstance(found.interacting, bool)


def test_boxes_overlap_or_have_a_gap_but_not_both():
    rng = np.random.default_rng(3)
    for _ in range(500):
        corner, size = rng.uniform(0, 300, (2, 2)), rng.uniform(10, 200, (2, 2))
        boxes = np.hstack([corner, corner + size])
        found = nearness(*boxes)
        assert (found.iou > 0) != (found.gap > 0)
        assert found == nearness(*boxes[::-1])


def test_the_gap_is_in_hand_sizes_whatever_the_picture_is_scaled_to():
    right, left = np.array([0, 0, 100, 80]), np.array([130, 120, 150, 180])
    for scale in (0.1, 1, 30):
        found = nearness(scale * right, scale * left)
        assert found.gap == pytest.approx(50 / 80)  # 30 across, 40 down; sides of 100 and 60


def test_boxes_side_by_side_touch():
    assert nearness((0, 0, 10, 10), (10, 0, 20, 10)) == Nearness(iou=0.0, gap=0.0)


@pytest.mark.parametrize(
    'box', [(0, 0, np.nan, 1), (5, 5, 5, 5), (0, 0, np.inf, 1), (9, 9, 1, 1)], ids=str
)
def test_boxes_without_a_size_are_refused(box):
    with pytest.raises(InputError):
        nearness(box, box)


@pytest.mark.parametrize('values', [(-0.1, 0.0), (np.nan, 0.0), (0.0, np.inf), (0.0, -1.0)])
def test_a_nearness_that_is_no_measure_is_refused(values):
    with pytest.raises(InputError):
        Nearness(*values)


@pytest.mark.parametrize(
    'values',
    [{'join_iou': 2.0}, {'frames_to_join': 0}, {'part_gap': -1.0}, {'blend_sec': 0.0}],
)
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(SettingError, match=next(iter(values))):
        InteractingSettings(**values)
