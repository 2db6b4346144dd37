from camera_bags import header, STORE
from interwild_ros.bag.plan import CameraTimes, header_stamp_ns, NOTHING, plan_of, TopicTimes
import numpy as np
import pytest

SLOP_NS = 20


def topic(stamps_ns, received_ns=None):
    times = TopicTimes()
    for index, stamp_ns in enumerate(stamps_ns):
        data = b'' if stamp_ns is None else serialised(stamp_ns)
        times.add(data, received_ns[index] if received_ns else index)
    return times


def serialised(stamp_ns, *, little_endian=True):
    data = STORE.serialize_cdr(
        header(stamp_ns), 'std_msgs/msg/Header', little_endian=little_endian
    )
    return bytes(data)


def plan(images, infos=(), depths=(), received_ns=None):
    times = CameraTimes(topic(images, received_ns), topic(infos), topic(depths))
    return plan_of(times, depth_slop_ns=SLOP_NS, longest_gap_ns=50)


@pytest.mark.parametrize('little_endian', [True, False])
@pytest.mark.parametrize('stamp_ns', [0, 1, 1_700_000_000_999_999_999, -1])
def test_the_stamp_is_read_without_reading_the_message(stamp_ns, little_endian):
    assert header_stamp_ns(serialised(stamp_ns, little_endian=little_endian)) == stamp_ns


@pytest.mark.parametrize('data', [b'', b'\0\1', b'\7\1' + bytes(20), b'\0\1' + bytes(9)])
def test_what_has_no_header_has_no_stamp(data):
    assert header_stamp_ns(data) is None


def test_pictures_come_in_the_order_of_their_stamps_and_else_of_the_bag():
    found = plan([30, 10, 20, 10])
    assert found.images.tolist() == [1, 3, 2, 0]
    assert found.stamps_ns.tolist() == [10, 10, 20, 30]
    assert found.received_ns.tolist() == [1, 3, 2, 0]
    assert (found.repeated, found.disordered) == (1, 3)


def test_different_stamps_are_counted_from_each_gap_on():
    found = plan([10, 20, 20, 30, 80, 131, 140, 140, 300])
    assert found.since_gap.tolist() == [0, 1, 1, 2, 3, 0, 1, 1, 0]
    assert found.rows(2, 4).since_gap.tolist() == [1, 2]
    assert plan([]).since_gap.tolist() == []


def test_a_recording_in_order_is_left_as_it_is():
    found = plan([10, 20, 30])
    assert found.images.tolist() == [0, 1, 2]
    assert (found.repeated, found.disordered, found.unreadable) == (0, 0, 0)


def test_a_picture_has_the_last_info_that_is_not_later():
    found = plan([10, 20, 30, 40], infos=[10, 25, 40, 40])
    assert found.infos.tolist() == [0, 0, 1, 3]
    assert found.early == 0


def test_the_order_in_which_infos_were_recorded_does_not_matter():
    assert plan([10, 20, 30], infos=[25, 10]).infos.tolist() == [1, 1, 0]


def test_pictures_before_the_first_info_have_that_one():
    found = plan([10, 20, 30], infos=[25, 27])
    assert found.infos.tolist() == [0, 0, 1]
    assert found.early == 2


def test_without_infos_and_depths_there_are_none():
    found = plan([10, 20])
    assert found.infos.tolist() == found.depths.tolist() == [NOTHING, NOTHING]


def test_depth_is_the_nearest_within_the_slop_and_the_earlier_of_two():
    found = plan([100, 200, 300, 400], depths=[90, 110, 205, 205, 330])
    assert found.depths.tolist() == [0, 2, NOTHING, NOTHING]


def test_a_message_without_header_is_counted_and_left_out():
    found = plan([10, None, 20], infos=[None, 5], depths=[None, 10])
    assert found.images.tolist() == [0, 2]
    assert found.unreadable == 1
    assert found.infos.tolist() == [1, 1]
    assert found.depths.tolist() == [1, 1]


def test_where_no_picture_has_a_stamp_the_times_of_arrival_count():
    found = plan([0, 0, 0], received_ns=[7, 9, 8])
    assert found.is_unstamped
    assert found.stamps_ns.tolist() == [7, 8, 9]
    assert found.repeated == 0


def test_a_single_stamp_of_zero_is_a_stamp():
    found = plan([0, 10], received_ns=[70, 80])
    assert not found.is_unstamped
    assert found.stamps_ns.tolist() == [0, 10]


def test_nothing_recorded_is_nothing_to_do():
    found = plan([])
    assert len(found) == 0
    assert found.repeated == found.disordered == 0


def test_the_plan_holds_for_every_order_of_recording():
    random = np.random.default_rng(0)
    stamps_ns = np.sort(random.choice(1000, 50, replace=False)) + 1
    infos_ns = np.sort(random.choice(1000, 5, replace=False)) + 1
    in_order = plan(stamps_ns.tolist(), infos=infos_ns.tolist())
    for _ in range(5):
        order = random.permutation(50)
        shuffled = plan(stamps_ns[order].tolist(), infos=infos_ns.tolist())
        assert order[shuffled.images].tolist() == in_order.images.tolist()
        assert shuffled.infos.tolist() == in_order.infos.tolist()
