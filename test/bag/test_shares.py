"""A long recording in shares: whoever foresaw what, the result stays the same."""

from dataclasses import replace
from itertools import pairwise

from analyses import bytes_of
from hand_bags import write_hand_bag
from interwild_ros.bag import shares
from interwild_ros.bag.jobs import BagJob, NamedBag, Request
from interwild_ros.bag.shares import (
    foresee,
    FORESEEN_COST,
    Foresight,
    parts_of,
    share_length,
    shares_beside,
    shares_of,
)
from interwild_ros.bag.sturdy import open_sturdy
from interwild_ros.config import Settings
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.tracking.matching import WHOLE
import pytest

FRAMES = 36


@pytest.mark.parametrize('pictures', [2, 7, 100, 1801])
@pytest.mark.parametrize('length', [1, 3, 50])
def test_shares_follow_each_other_from_the_first_picture_to_the_last(pictures, length):
    found = shares_of(pictures, length)
    if not found:
        assert pictures <= length
        return
    assert found[0].first == 0
    assert found[-1].last == pictures
    assert all(one.last == other.first for one, other in pairwise(found))
    assert all(share.lead == max(0, share.first - shares.LEAD) for share in found)
    assert 0 < max(map(len, found)) <= length
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_a_share_is_neither_so_short_that_its_lead_costs_more_nor_so_long_that_all_wait_for_it():
    assert share_length(10, 64) == share_length(1200, 1) == 600
    assert share_length(8000, 2) == 2000
    assert share_length(10**7, 1) == 3000


@pytest.mark.parametrize('row', [0, 1, 400])
@pytest.mark.parametrize('helpers', [1, 2, 7])
def test_helpers_are_done_with_their_shares_when_the_analysis_is_through_with_them(row, helpers):
    pictures, lead = 100_000, 150
    found = shares_beside(pictures, row, helpers, lead=lead)
    assert len(found) == helpers
    assert found[-1].last == pictures
    assert all(one.last == other.first for one, other in pairwise(found))
    assert all(share.lead == share.first - lead for share in found)
    through = found[0].first - row
    for share in found:
        through += FORESEEN_COST * len(share)
        assert lead + len(share) == pytest.approx(through, abs=2)


def test_nothing_is_shared_where_a_lead_alone_is_as_long_as_what_is_left():
    for pictures, row, helpers in ((150, 0, 1), (1000, 850, 3), (1000, 1000, 1), (9000, 0, 0)):
        assert shares_beside(pictures, row, helpers, lead=150) == ()
    (share,) = shares_beside(151, 0, 1, lead=150) or (None,)
    assert share is None or share.last == 151


@pytest.fixture(scope='module')
def pipeline():
    return load_pipeline(Settings(device='cpu'))


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return write_hand_bag(tmp_path_factory.mktemp('recorded') / 'bag', FRAMES, skipped=(20, 21))


@pytest.fixture(scope='module')
def analysed(bag, pipeline, tmp_path_factory):
    """Returns what analyses the bag, given what was foreseen, and what it says then."""
    place = tmp_path_factory.mktemp('analysed')
    count = iter(range(10))

    def run(foresight=None):
        out = place / str(next(count))
        with open_sturdy(bag) as opened:
            job = BagJob(
                NamedBag(bag, 'bag'), opened, out, Request(pipeline.settings), pipeline, {}
            )
            (measured,) = job.measured()
            made = foresight(opened, measured) if foresight else None
            outcome = job.analysed(measured, foresight=made)
        return bytes_of(outcome.folder), outcome.summary['timings']['foreseen']

    return run


@pytest.fixture(scope='module')
def alone(analysed):
    found, foreseen = analysed()
    assert foreseen == 0
    return found


def foresight_of(pipeline, length, change=lambda said: said):
    def made(opened, measured):
        plan, camera = measured.plan, measured.camera
        parts, said = [], []
        for share, part in parts_of(plan, length):
            entry = measured.entry_of(part)
            lead = share.first - share.lead
            parts.append(share)
            said.append(foresee(opened, camera, part, pipeline=pipeline, lead=lead, entry=entry))
        assert [len(of) for of in said] == [len(share) for share in parts]
        firsts = [int(plan.stamps_ns[share.first]) for share in parts]
        return Foresight([lambda of=of: change(of) for of in said], firsts)

    return made


def test_what_is_foreseen_from_the_beginning_is_all_used_and_changes_nothing(
    analysed, alone, pipeline
):
    found, foreseen = analysed(foresight_of(pipeline, 12))
    assert found == alone
    assert foreseen == FRAMES - 2


def test_what_was_seen_otherwise_is_not_used(analysed, alone, pipeline, monkeypatch):
    monkeypatch.setattr(shares, 'LEAD', 0)
    found, foreseen = analysed(foresight_of(pipeline, 12))
    assert found == alone
    assert 11 <= foreseen < FRAMES - 2  # the first share begins as the whole does


def test_shares_that_say_nothing_or_looked_elsewhere_change_nothing(analysed, alone, pipeline):
    for change in (
        lambda said: {},
        lambda said: {at: (replace(WHOLE, detects=False), pair) for at, (_, pair) in said.items()},
    ):
        found, foreseen = analysed(foresight_of(pipeline, 12, change))
        assert found == alone
        assert foreseen == 0


def test_one_share_is_held_at_a_time():
    fetched = []

    def share(number):
        return lambda: fetched.append(number) or {number: (WHOLE, f'pair {number}')}

    foresight = Foresight([share(number) for number in range(4)], [0, 1, 2, 3])
    assert foresight(1, WHOLE) == 'pair 1'
    assert fetched == [0, 1]
    assert foresight(1, replace(WHOLE, detects=False)) is None
    assert foresight(3, WHOLE) == 'pair 3'
    assert fetched == [0, 1, 2, 3]
    assert foresight(3, WHOLE) == 'pair 3'
    assert foresight(4, WHOLE) is None
    assert foresight.used == 3
