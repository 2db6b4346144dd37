from interwild_ros.bag.account import input_file, NODE_ONLY, relevant, times_of
from interwild_ros.bag.plan import NOTHING, Plan
from interwild_ros.config import Settings, settings_of
from interwild_ros.errors import AssetError
import numpy as np
import pytest

SECOND_NS = 1_000_000_000


def plan(*seconds):
    stamps_ns = np.array([round(second * SECOND_NS) for second in seconds], np.int64)
    nothing = np.full(len(stamps_ns), NOTHING)
    return Plan(
        images=np.arange(len(stamps_ns)),
        infos=nothing,
        depths=nothing,
        stamps_ns=stamps_ns,
        received_ns=stamps_ns,
        since_gap=np.arange(len(stamps_ns)),
        unreadable=0,
        repeated=0,
        disordered=0,
        early=0,
        is_unstamped=False,
    )


def test_rate_and_duration_are_those_of_the_stamps():
    times = times_of(plan(5.0, 5.1, 5.2, 5.3))
    assert times.duration_sec == pytest.approx(0.3)
    assert times.rate_hz == pytest.approx(10)
    assert times.median_step_ms == pytest.approx(100)
    assert (times.gap_count, times.gaps) == (0, ())


def test_a_gap_is_told_with_its_beginning_and_its_length():
    times = times_of(plan(5.0, 5.1, 5.2, 5.9, 6.0, 6.2))
    assert times.gap_count == 2
    found = [(gap.start_sec, gap.duration_sec) for gap in times.gaps]
    assert found == [(pytest.approx(0.2), pytest.approx(0.7)), (pytest.approx(1.0), 0.2)]


def test_of_many_gaps_the_longest_are_listed_in_their_order():
    steps = np.ones(1000)
    steps[::5] = np.linspace(2, 4, 200)
    times = times_of(plan(*np.cumsum(steps)))
    assert times.gap_count == 199
    assert len(times.gaps) == 100
    assert min(gap.duration_sec for gap in times.gaps) > 2.9
    starts = [gap.start_sec for gap in times.gaps]
    assert starts == sorted(starts)


def test_repeated_stamps_are_no_steps():
    assert times_of(plan(1.0, 1.0, 2.0, 2.0, 3.0)).rate_hz == pytest.approx(1)


@pytest.mark.parametrize('seconds', [(), (1.0,)])
def test_without_two_stamps_there_is_no_rate(seconds):
    times = times_of(plan(*seconds))
    assert times.rate_hz is None
    assert times.gap_count == 0


def test_settings_of_the_node_alone_are_left_out_and_all_others_are_told():
    names = {setting.name for setting in settings_of(Settings)}
    assert set(NODE_ONLY) < names
    assert relevant(Settings()).keys() == names - set(NODE_ONLY)


def test_a_file_is_known_by_its_size_its_beginning_and_its_end(tmp_path):
    file = tmp_path / 'bag.mcap'
    content = bytearray(5 << 20)
    seen = set()
    for at in (None, 0, -1):
        if at is not None:
            content[at] ^= 1
        file.write_bytes(content)
        seen.add(input_file(file))
    file.write_bytes(content + b'x')
    seen.add(input_file(file))
    assert len(seen) == 4
    with pytest.raises(AssetError, match='cannot read'):
        input_file(tmp_path / 'absent')
