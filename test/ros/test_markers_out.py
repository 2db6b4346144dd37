from interwild_ros.records import Side
from interwild_ros.ros.cdr import LayoutError, PatchedMessage, Slot
from interwild_ros.ros.markers_out import MarkersOut
from interwild_ros.testing.some_hands import some_topology, some_two_hands
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

TRACKED = {
    'both': (Side.RIGHT, Side.LEFT),
    'right': (Side.RIGHT,),
    'left': (Side.LEFT,),
    'none': (),
}


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
    assert np.mean(left != right) < 0.002
    assert received(turned.tobytes()) == received(typed)


def points_of(marker):
    return np.array([[p.x, p.y, p.z] for p in marker.points])


@pytest.mark.parametrize('frame_id', ['', 'c', 'cam', 'eyes', 'camera', 'optical', 'a/b_link'])
@pytest.mark.parametrize('tracked', TRACKED.values(), ids=TRACKED)
def test_patched_bytes_equal_the_typed_message(markers_out, tracked, frame_id):
    for seed, stamp_ns in ((1, 0), (2, 1_700_000_000_999_999_999)):
        hands = some_two_hands(*tracked, seed=seed, frame_id=frame_id, stamp_ns=stamp_ns)
        typed = markers_out.typed(hands, lifetime_sec=0.4)
        patched = markers_out.patched(hands, lifetime_sec=0.4)
        assert_equal_but_for_padding(patched, serialize_message(typed))


def test_patched_bytes_are_a_whole_message_for_a_receiver(markers_out):
    hands = some_two_hands(*Side)
    typed = markers_out.typed(hands, lifetime_sec=0.4)
    assert received(markers_out.patched(hands, lifetime_sec=0.4)) == received(typed)


def test_mesh_and_skeleton_are_drawn_in_the_camera_frame(markers_out):
    hands = some_two_hands(*Side, stamp_ns=3_000_000_004, frame_id='eye')
    (message,) = markers_out.messages(hands, lifetime_sec=0.25)
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
        (message,) = markers_out.messages(some_two_hands(*Side, seed=seed), lifetime_sec=0.4)
        counts.add(tuple(len(marker.points) for marker in received(message).markers))
    assert counts == {(4614, 40, 4614, 40)}


def test_a_lost_hand_is_deleted_once(markers_out):
    markers_out.messages(some_two_hands(*Side), lifetime_sec=0.4)
    alone = some_two_hands(Side.RIGHT, stamp_ns=9_000_000_000, frame_id='eye')
    deletion, drawing = markers_out.messages(alone, lifetime_sec=0.4)
    deleted = received(deletion).markers
    assert {marker.ns for marker in deleted} == {'left_mesh', 'left_skeleton'}
    assert {marker.action for marker in deleted} == {Marker.DELETE}
    assert {marker.header.stamp.sec for marker in deleted} == {9}
    assert {marker.header.frame_id for marker in deleted} == {'eye'}
    assert {marker.ns for marker in received(drawing).markers} == {'right_mesh', 'right_skeleton'}
    (drawing,) = markers_out.messages(alone, lifetime_sec=0.4)
    assert {marker.action for marker in received(drawing).markers} == {Marker.ADD}


def test_nothing_is_sent_where_nothing_is_shown(markers_out):
    none = some_two_hands()
    assert markers_out.messages(none, lifetime_sec=0.4) == []
    markers_out.messages(some_two_hands(*Side), lifetime_sec=0.4)
    (deletion,) = markers_out.messages(none, lifetime_sec=0.4)
    assert [marker.action for marker in received(deletion).markers] == [Marker.DELETE] * 4
    assert markers_out.messages(none, lifetime_sec=0.4) == []


def test_a_hand_that_comes_back_is_drawn_again(markers_out):
    for _ in range(2):
        markers_out.messages(some_two_hands(Side.LEFT), lifetime_sec=0.4)
        markers_out.messages(some_two_hands(), lifetime_sec=0.4)
    (drawing,) = markers_out.messages(some_two_hands(Side.LEFT), lifetime_sec=0.4)
    assert {marker.ns for marker in received(drawing).markers} == {'left_mesh', 'left_skeleton'}


def test_memory_does_not_grow_with_the_number_of_frames_names(markers_out):
    for number in range(20):
        hands = some_two_hands(Side.LEFT, frame_id=f'camera_{number}')
        markers_out.messages(hands, lifetime_sec=0.4)
    assert len(markers_out._templates) <= 8


def test_a_layout_that_is_not_understood_is_told_once_and_drawn_typed(monkeypatch):
    told = []
    markers_out = MarkersOut(some_topology(), on_fallback=told.append)
    # A middleware that writes numbers otherwise: big-endian ones, say.
    monkeypatch.setattr(
        'interwild_ros.ros.markers_out._slots',
        lambda numbers: {
            name: Slot('>f8' if name != 'stamp' else '>i4', values.size)
            for name, values in numbers.items()
        },
    )
    hands = some_two_hands(*Side)
    for _ in range(2):
        (message,) = markers_out.messages(hands, lifetime_sec=0.4)
        assert received(message) == received(markers_out.typed(hands, lifetime_sec=0.4))
    assert len(told) == 1
    assert 'slow' in told[0]


def test_numbers_that_are_not_found_are_refused_by_name():
    with pytest.raises(LayoutError, match=r'stamp: 2 numbers of i4 stand at 0 places'):
        PatchedMessage(lambda numbers: Header(), {'stamp': Slot('i4', 2)})
