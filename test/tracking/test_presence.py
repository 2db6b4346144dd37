from dataclasses import replace
import math

from interwild_ros.errors import InputError, SettingError
from interwild_ros.hand_model.joints import JOINT_PARENTS
from interwild_ros.tracking.presence import (
    bone_lengths_m,
    bone_spread,
    Evidence,
    EvidenceLimits,
    FrameCounts,
    Presence,
    PresenceSettings,
    Range,
)
import numpy as np
import pytest

GOOD = Evidence(score=0.2, misfit=0.04, box_px=150.0, bone_spread=0.05)
BORDERLINE = replace(GOOD, misfit=0.15)  # good enough to stay, not to appear
BAD = replace(GOOD, misfit=0.6)
EVIDENCE = {'g': GOOD, 'o': BORDERLINE, 'b': BAD, '-': None}


def verdicts(letters, **counts):
    presence = Presence(PresenceSettings(counts=FrameCounts(**counts)))
    return [presence(EVIDENCE[letter]) for letter in letters]


def seen(letters, **counts):
    return ''.join('x' if v.present else '.' for v in verdicts(letters, **counts))


@pytest.mark.parametrize(
    ('letters', 'wanted'),
    [
        ('ggggg', '.xxxx'),  # two good frames make a hand
        ('gbgbb', '..xxx'),  # two among three do too
        ('gbbgbbgbb', '.........'),  # one among three does not
        ('ggbbgbbgg', '.xxxxxxxx'),  # two bad among three do not unmake it
        ('ggbbbgg', '.xxx..x'),  # three do, and it takes two good ones again
        ('gg-ggg', '.x..xx'),  # no solution does at once, and nothing before it counts
        ('g-g-g-', '......'),
        ('gbbbbb', '......'),
        ('ooooo', '.....'),  # borderline frames make no hand
        ('ggooooooo', '.xxxxxxxx'),  # and do not unmake one
    ],
)
def test_evidence_of_several_frames_decides(letters, wanted):
    assert seen(letters, frames=3, good_to_appear=2, bad_to_vanish=3) == wanted


def test_one_frame_decides_where_that_is_asked_for():
    assert seen('gbgbob', frames=1, good_to_appear=1, bad_to_vanish=1) == 'x.x...'


def test_a_measure_that_swings_about_its_limit_does_not_flicker():
    rng = np.random.default_rng(0)
    for measure, at in (('misfit', 0.12), ('score', 0.03), ('bone_spread', 0.25)):
        presence = Presence()
        values = at * rng.uniform(0.75, 1.25, 400)
        found = [presence(replace(GOOD, **{measure: v})).present for v in values]
        assert np.abs(np.diff(found)).sum() == 1


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        ({'score': 0.001}, 'score'),
        ({'misfit': 0.6}, 'misfit'),
        ({'misfit': math.inf}, 'misfit'),
        ({'box_px': 5.0}, 'box_px'),
        ({'box_px': 1e5}, 'box_px'),
        ({'bone_spread': 2.0}, 'bone_spread'),
    ],
)
def test_the_verdict_names_the_measure_that_was_out_of_range(change, reason):
    presence = Presence()
    bad = replace(GOOD, **change)
    for evidence, wanted in [
        (bad, (False, reason)),
        (GOOD, (False, 'gathering')),
        (GOOD, (True, 'good')),
        (bad, (True, reason)),
        (None, (False, 'no_solution')),
    ]:
        verdict = presence(evidence)
        assert (verdict.present, verdict.reason) == wanted


def test_no_solution_always_means_no_hand():
    rng = np.random.default_rng(1)
    letters = ''.join(rng.choice(list('gggob-'), 500))
    for letter, verdict in zip(letters, verdicts(letters), strict=True):
        if letter == '-':
            assert not verdict.present
            assert verdict.reason == 'no_solution'


def test_a_hand_never_turns_up_in_a_bad_frame_nor_vanishes_in_a_good_one():
    letters = ''.join(np.random.default_rng(2).choice(list('ggobb'), 2000))
    found = seen(letters, frames=4, good_to_appear=2, bad_to_vanish=2)
    assert '.x' in found
    assert 'x.' in found
    for letter, before, now in zip(letters[1:], found, found[1:], strict=False):
        assert (before, now) != ('.', 'x') or letter == 'g'
        assert (before, now) != ('x', '.') or letter == 'b'


def test_better_evidence_never_hides_a_hand_that_has_not_yet_appeared():
    rng = np.random.default_rng(3)
    better = {'b': 'o', 'o': 'g', 'g': 'g'}
    for _ in range(200):
        letters = ''.join(rng.choice(list('gob'), 12))
        first = (seen(letters) + 'x').index('x')
        assert (seen(''.join(better[c] for c in letters)) + 'x').index('x') <= first


def test_after_a_reset_nothing_is_remembered():
    presence = Presence()
    for _ in range(5):
        presence(GOOD)
    presence.reset()
    assert not presence(GOOD).present
    assert presence(GOOD).present


def test_limits_under_which_a_hand_could_appear_and_not_stay_are_refused():
    usual = PresenceSettings()
    narrow = replace(usual.stay, box_px=Range(100.0, 200.0))
    with pytest.raises(SettingError, match='box_px'):
        PresenceSettings(appear=usual.appear, stay=narrow)


def test_more_frames_than_there_are_cannot_be_asked_for():
    for counts in ({'good_to_appear': 4}, {'bad_to_vanish': 4}, {'frames': 0}):
        with pytest.raises(SettingError):
            FrameCounts(**counts)


def test_a_range_that_holds_nothing_is_refused():
    for low, high in ((1.0, 0.0), (math.nan, 1.0), (0.0, math.nan)):
        with pytest.raises(SettingError):
            Range(low, high)


def test_a_range_holds_its_ends_and_no_nan():
    assert Range(1.0, 2.0).holds(1.0)
    assert Range(1.0, 2.0).holds(2.0)
    assert not Range(-math.inf, math.inf).holds(math.nan)


def test_every_measure_can_break_a_limit():
    limits = EvidenceLimits(*[Range(0.0, 1.0)] * 4)
    inside = Evidence(0.5, 0.5, 0.5, 0.5)
    assert limits.broken_by(inside) is None
    for name in ('score', 'misfit', 'box_px', 'bone_spread'):
        for value in (-0.1, 1.1):
            assert limits.broken_by(replace(inside, **{name: value})) == name


def test_evidence_that_is_no_number_is_refused():
    with pytest.raises(InputError, match='score'):
        replace(GOOD, score=math.nan)


def test_a_hand_may_be_while_it_is_there_or_a_good_frame_counts():
    told = ''.join('x' if v.may_be else '.' for v in verdicts('bgbbbggbbb-'))
    assert told == '.xxx.xxxx..'


def test_other_limits_hold_from_the_next_frame_on():
    presence = Presence()
    assert [presence(GOOD).present for _ in range(3)] == [False, True, True]
    usual = PresenceSettings()
    strict = replace(usual.appear, score=Range(0.5, 1.0))
    presence.use(PresenceSettings(appear=strict, stay=strict))
    assert [presence(GOOD).present for _ in range(5)] == [True, True, False, False, False]


def random_joints(seed):
    return np.random.default_rng(seed).normal(0, 0.05, (21, 3))


def test_bones_lead_from_each_joint_to_its_parent():
    joints = random_joints(0)
    for joint, found in enumerate(bone_lengths_m(joints), start=1):
        wanted = np.linalg.norm(joints[joint] - joints[JOINT_PARENTS[joint]])
        assert found == pytest.approx(wanted)


def test_the_bones_of_a_usual_hand_of_any_size_and_place_have_no_spread():
    usual = bone_lengths_m(random_joints(1))
    for size in (0.5, 1.0, 3.0):
        moved = size * random_joints(1)[:, [1, 2, 0]] + 7
        assert bone_spread(bone_lengths_m(moved), usual) == pytest.approx(0, abs=1e-9)


def test_the_spread_is_about_the_relative_deviation_of_the_bones():
    usual = bone_lengths_m(random_joints(2))
    off = usual * np.exp(0.1 * np.tile([1.0, -1.0], 10))
    assert bone_spread(off, usual) == pytest.approx(0.1)


def test_a_bone_without_length_is_infinitely_unlike():
    usual = bone_lengths_m(random_joints(3))
    for bad in (0.0, math.nan):
        lengths = usual.copy()
        lengths[4] = bad
        assert bone_spread(lengths, usual) == math.inf
