from interwild_ros.records import Side
from interwild_ros.ros.cdr import LayoutError, PatchedMessage, Slot
from interwild_ros.ros.markers_out import MarkersOut, Scene, scene_of
from interwild_ros.testing.some_hands import some_topology, some_two_hands
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

NONE, RIGHT, LEFT, BOTH = (), (Side.RIGHT,), (Side.LEFT,), (Side.RIGHT, Side.LEFT)
TRACKED_AND_LOST = [
    pytest.param(BOTH, NONE, id='both'),
    pytest.param(RIGHT, NONE, id='right'),
    pytest.param(LEFT, NONE, id='left'),
    pytest.param(RIGHT, LEFT, id='left_lost'),
    pytest.param(LEFT, RIGHT, id='right_lost'),
    pytest.param(NONE, BOTH, id='both_lost'),
]


@pytest.fixture
def markers_out():
    return MarkersOut(some_topology(), on_fallback=pytest.fail)


def received(message):
    if isinstance(message, MarkerArray):
        message = serialize_message(message)
    return deserialize_message(message, MarkerArray)


def assert_equal_but_for_padding(patched, typed):
    """Hold two serialised messages equal byte for byte.

    Fast DDS leaves padding uninitialised: it may differ, so bytes that differ are turned over to
    see that no receiver reads them.
    """
    assert len(patched) == len(typed)
    left, right = np.frombuffer(patched, np.uint8), np.frombuffer(typed, np.uint8)
    turned = np.where(left != right, ~left, left)
    assert received(turned.tobytes()) == received(typed)


def points_of(marker):
    return np.array([[p.x, p.y, p.z] for p in marker.points])


@pytest.mark.parametrize('frame_id', ['', 'c', 'cam', 'eyes', 'camera', 'optical', 'a/b_link'])
@pytest.mark.parametrize(('tracked', 'lost'), TRACKED_AND_LOST)
def test_patched_bytes_equal_the_typed_message(tracked, lost, frame_id, markers_out):
    for seed, stamp_ns in ((1, 0), (2, 1_700_000_000_999_999_999)):
        hands = some_two_hands(*tracked, seed=seed, frame_id=frame_id, stamp_ns=stamp_ns)
        scene = scene_of(hands, lost, lifetime_sec=0.4)
        numbers = markers_out.numbers(hands)
        typed = serialize_message(scene.message(numbers))
        assert_equal_but_for_padding(markers_out.patcher.patched(scene, numbers), typed)


def test_mesh_and_skeleton_are_drawn_in_the_camera_frame(markers_out):
    hands = some_two_hands(*Side, stamp_ns=3_000_000_004, frame_id='eye')
    message = markers_out.message(hands, lifetime_sec=0.25)
    markers = {marker.ns: marker for marker in received(message).markers}
    assert sorted(markers) == ['left_mesh', 'left_skeleton', 'right_mesh', 'right_skeleton']
    for marker in markers.values():
        assert (marker.header.stamp.sec, marker.header.stamp.nanosec) == (3, 4)
        assert marker.header.frame_id == 'eye'
        assert marker.action == Marker.ADD
        assert not marker.frame_locked
        assert (marker.lifetime.sec, marker.lifetime.nanosec) == (0, 250_000_000)
        assert marker.color.a == 1.0
        assert marker.pose.orientation.w == 1.0
        assert not marker.colors
    topology = some_topology()
    right, left = hands.right, hands.left
    corners = right.vertices_m[topology.right_triangles].reshape(-1, 3)
    assert markers['right_mesh'].type == Marker.TRIANGLE_LIST
    np.testing.assert_array_equal(points_of(markers['right_mesh']), corners)
    corners = left.vertices_m[topology.left_triangles].reshape(-1, 3)
    np.testing.assert_array_equal(points_of(markers['left_mesh']), corners)
    assert markers['left_skeleton'].type == Marker.LINE_LIST
    bones = points_of(markers['left_skeleton']).reshape(20, 2, 3)
    for child, (start, end) in enumerate(bones, start=1):
        np.testing.assert_array_equal(start, left.joints_m[topology.joint_parents[child]])
        np.testing.assert_array_equal(end, left.joints_m[child])


def test_the_number_of_points_never_changes(markers_out):
    counts = set()
    for seed in range(3):
        message = markers_out.message(some_two_hands(*Side, seed=seed), lifetime_sec=0.4)
        counts.add(tuple(len(marker.points) for marker in received(message).markers))
    assert counts == {(4614, 40, 4614, 40)}


def actions(message):
    return {marker.ns: marker.action for marker in received(message).markers}


def test_a_lost_hand_is_deleted_once_in_the_message_that_draws_the_other(markers_out):
    markers_out.message(some_two_hands(*Side), lifetime_sec=0.4)
    alone = some_two_hands(Side.RIGHT, stamp_ns=9_000_000_000, frame_id='eye')
    message = markers_out.message(alone, lifetime_sec=0.4)
    right = {'right_mesh': Marker.ADD, 'right_skeleton': Marker.ADD}
    left = {'left_mesh': Marker.DELETE, 'left_skeleton': Marker.DELETE}
    assert actions(message) == right | left
    for marker in received(message).markers:
        assert (marker.header.stamp.sec, marker.header.frame_id) == (9, 'eye')
    assert actions(markers_out.message(alone, lifetime_sec=0.4)) == right


def test_nothing_is_sent_where_nothing_is_shown(markers_out):
    none = some_two_hands()
    assert markers_out.message(none, lifetime_sec=0.4) is None
    assert markers_out.clear() is None
    markers_out.message(some_two_hands(*Side), lifetime_sec=0.4)
    assert set(actions(markers_out.message(none, lifetime_sec=0.4)).values()) == {Marker.DELETE}
    assert markers_out.message(none, lifetime_sec=0.4) is None


def test_clearing_deletes_what_is_shown_with_the_last_stamp_once(markers_out):
    hands = some_two_hands(Side.LEFT, stamp_ns=9_000_000_000, frame_id='eye')
    markers_out.message(hands, lifetime_sec=0.4)
    message = markers_out.clear()
    assert actions(message) == {'left_mesh': Marker.DELETE, 'left_skeleton': Marker.DELETE}
    for marker in received(message).markers:
        assert (marker.header.stamp.sec, marker.header.frame_id) == (9, 'eye')
    assert markers_out.clear() is None


def test_a_hand_that_comes_back_is_drawn_again(markers_out):
    for _ in range(2):
        markers_out.message(some_two_hands(Side.LEFT), lifetime_sec=0.4)
        markers_out.message(some_two_hands(), lifetime_sec=0.4)
    message = markers_out.message(some_two_hands(Side.LEFT), lifetime_sec=0.4)
    assert actions(message) == {'left_mesh': Marker.ADD, 'left_skeleton': Marker.ADD}


def test_memory_does_not_grow_with_the_number_of_frame_names(markers_out):
    for number in range(20):
        hands = some_two_hands(Side.LEFT, frame_id=f'camera_{number}')
        markers_out.message(hands, lifetime_sec=0.4)
    assert len(markers_out.patcher.templates) <= 8


def test_a_layout_that_is_not_understood_is_told_once_and_drawn_typed(monkeypatch):
    def big_endian(scene, numbers):  # a middleware that writes numbers otherwise
        points = {name: Slot('>f8', numbers[name].size) for name in scene.drawn}
        return {'stamp': Slot('>i4', 2, places=4), **points}

    monkeypatch.setattr(Scene, 'slots', big_endian)
    told = []
    markers_out = MarkersOut(some_topology(), on_fallback=told.append)
    for _ in range(2):
        message = markers_out.message(some_two_hands(*Side), lifetime_sec=0.4)
        assert isinstance(message, MarkerArray)
        assert len(message.markers) == 4
    assert len(told) == 1
    assert 'slow' in told[0]


def test_numbers_that_are_not_found_are_refused_by_name():
    with pytest.raises(LayoutError, match=r'stamp: 2 numbers of i4 stand at 0 places'):
        PatchedMessage(lambda numbers: Header(), {'stamp': Slot('i4', 2)})
