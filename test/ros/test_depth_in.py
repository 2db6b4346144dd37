import threading
import time

from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.geometry.mirror import mirror_frame
from interwild_ros.records import Frame
from interwild_ros.ros.depth_in import DepthInput
from interwild_ros.ros.hands_out import header_message
import numpy as np
import pytest
from sensor_msgs.msg import Image

WIDTH, HEIGHT = 6, 4
MS_NS = 1_000_000
NOW_NS = 5_000_000_000
AT_ONCE = Settings(use_depth=True, depth_slop_ms=20.0, depth_wait_ms=0.0)
PATIENT = AT_ONCE.changed({'depth_wait_ms': 5000.0})


def frame(stamp_ns=NOW_NS):
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return Frame(image, camera_from_fov(WIDTH, HEIGHT, 60.0), stamp_ns, 'eye')


def depth_message(metres, *, stamp_ns=NOW_NS, encoding='32FC1', shape=(HEIGHT, WIDTH)):
    """Return a picture of one depth, or of an array of depths."""
    kind, unit = {'32FC1': ('<f4', 1.0), '16UC1': ('<u2', 1000.0)}[encoding]
    numbers = np.broadcast_to(np.multiply(metres, unit), shape).astype(kind)
    return Image(
        header=header_message(stamp_ns, 'depth'),
        encoding=encoding,
        height=shape[0],
        width=shape[1],
        step=shape[1] * numbers.itemsize,
        data=numbers.tobytes(),
    )


def depth_input(*messages):
    depth = DepthInput()
    for message in messages:
        depth.put(message)
    return depth


def metres_of(joined):
    (metres,) = np.unique(joined.depth_m)
    return metres


@pytest.mark.parametrize('encoding', ['16UC1', '32FC1'])
def test_a_picture_of_the_same_stamp_is_joined_in_metres(encoding):
    metres = np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH) / 8
    joined = depth_input(depth_message(metres, encoding=encoding)).join(frame(), AT_ONCE)
    wanted = np.where(metres > 0, metres, np.nan)
    np.testing.assert_allclose(joined.depth_m, wanted, rtol=1e-6)
    assert (joined.stamp_ns, joined.frame_id) == (NOW_NS, 'eye')


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_several_pictures_the_one_of_the_nearest_stamp_is_joined(order):
    offsets_ms = (-12, 5, 15)
    messages = [
        depth_message(1.0 + index, stamp_ns=NOW_NS + offsets_ms[index] * MS_NS) for index in order
    ]
    assert metres_of(depth_input(*messages).join(frame(), AT_ONCE)) == 2.0


@pytest.mark.parametrize('sign', [-1, 1])
@pytest.mark.parametrize(('offset_ms', 'belongs'), [(0, True), (20, True), (21, False)])
def test_a_stamp_belongs_within_the_slop_on_either_side(sign, offset_ms, belongs):
    message = depth_message(1.0, stamp_ns=NOW_NS + sign * offset_ms * MS_NS)
    joined = depth_input(message).join(frame(), AT_ONCE)
    assert (joined.depth_m is not None) is belongs


def test_without_a_picture_the_frame_stays_as_it_is():
    one = frame()
    assert DepthInput().join(one, AT_ONCE) is one


def put_later(depth, seconds, *messages):
    timer = threading.Timer(seconds, lambda: [depth.put(message) for message in messages])
    timer.start()
    return timer


def test_a_picture_that_comes_while_it_is_waited_for_is_joined_at_once():
    depth = depth_input(depth_message(9.0, stamp_ns=NOW_NS - 40 * MS_NS))
    put_later(depth, 0.1, depth_message(1.0))
    begun = time.monotonic()
    joined = depth.join(frame(), PATIENT)
    assert 0.09 < time.monotonic() - begun < 2.0
    assert metres_of(joined) == 1.0


def test_an_earlier_picture_within_the_slop_does_not_end_the_wait_for_the_right_one():
    depth = depth_input(depth_message(9.0, stamp_ns=NOW_NS - 15 * MS_NS))
    put_later(depth, 0.1, depth_message(1.0))
    assert metres_of(depth.join(frame(), PATIENT)) == 1.0


def test_a_later_picture_ends_the_wait_for_nothing_nearer_will_come():
    depth = depth_input(depth_message(9.0, stamp_ns=NOW_NS + 100 * MS_NS))
    begun = time.monotonic()
    assert depth.join(frame(), PATIENT).depth_m is None
    assert time.monotonic() - begun < 2.0


def test_a_picture_that_does_not_come_ends_the_wait_in_time():
    depth = depth_input(depth_message(9.0, stamp_ns=NOW_NS - 15 * MS_NS))
    begun = time.monotonic()
    joined = depth.join(frame(), AT_ONCE.changed({'depth_wait_ms': 150.0}))
    assert 0.14 < time.monotonic() - begun < 2.0
    assert metres_of(joined) == 9.0  # the nearest one that there is, within the slop


def test_only_the_last_pictures_are_kept():
    depth = depth_input(depth_message(1.0))
    for number in range(1, 50):
        depth.put(depth_message(2.0, stamp_ns=NOW_NS + number * 100 * MS_NS))
    assert depth.join(frame(), AT_ONCE).depth_m is None


def test_forgotten_pictures_are_not_joined():
    depth = depth_input(depth_message(1.0))
    depth.forget()
    assert depth.join(frame(), AT_ONCE).depth_m is None


def test_depth_is_turned_back_with_a_mirrored_image():
    """A frame of a mirrored image was turned back when it was read."""
    metres = 1.0 + np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    as_it_came = depth_input(depth_message(metres)).join(frame(), AT_ONCE)
    mirrored = AT_ONCE.changed({'mirrored_image': True})
    joined = depth_input(depth_message(metres)).join(mirror_frame(frame()), mirrored)
    np.testing.assert_array_equal(joined.depth_m, mirror_frame(as_it_came).depth_m)
    np.testing.assert_array_equal(joined.depth_m, metres[:, ::-1])


def test_depth_of_another_size_is_refused_with_both_sizes():
    depth = depth_input(depth_message(1.0, shape=(HEIGHT, WIDTH + 1)))
    with pytest.raises(InputError, match=r'\(4, 7\).*\(4, 6\)') as caught:
        depth.join(frame(), AT_ONCE)
    assert caught.value.cause == 'depth_size'


def test_a_picture_that_is_no_depth_is_refused_with_its_encoding():
    message = depth_message(1.0)
    message.encoding = 'rgb8'
    with pytest.raises(InputError, match=r"'rgb8'.*16UC1") as caught:
        depth_input(message).join(frame(), AT_ONCE)
    assert caught.value.cause == 'bad_encoding'


def test_a_bad_picture_of_another_moment_does_not_matter():
    bad = depth_message(1.0, stamp_ns=NOW_NS - 500 * MS_NS)
    bad.encoding = 'rgb8'
    assert metres_of(depth_input(bad, depth_message(3.0)).join(frame(), AT_ONCE)) == 3.0
