"""The dex-retargeting example: laws of the operator frame, and the node as a process."""

import signal

from dex_keypoints import cloud_of, FIELDS, joints_of, operator_points
from interwild_ros.geometry.wrist_frame import cam_from_hand
from interwild_ros.hand_model.joints import JOINT_PARENTS, joint_regressor_21
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.records import Side
from node_client import stamp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

SIDES = pytest.mark.parametrize('side', ['right', 'left'])
# A right hand's points are mirrored into a left hand's in the plane of palm and fingers' length.
MIRRORED_OPERATOR = np.array([1.0, -1.0, 1.0])
POINTS = '/dex_keypoints/points'
START_SEC = 30.0


def stand_in_hand(side):
    """Return the joints of the stand-in hand at rest, in its model space."""
    regressor = joint_regressor_21(read_stand_in(Side.RIGHT).j_regressor)
    return regressor @ read_stand_in(Side[side.upper()]).v_template


def some_hands(side, count=20):
    """Yield a hand's joints, shaken and put anywhere in front of a camera."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        shaken_m = stand_in_hand(side) + rng.normal(0, 0.01, (21, 3))
        rotation = Rotation.random(random_state=seed).as_matrix()
        yield shaken_m @ rotation.T + rng.uniform(-1, 1, 3)


@SIDES
def test_a_hand_that_only_moves_keeps_its_points(side):
    for number, joints_m in enumerate(some_hands(side)):
        rotation = Rotation.random(random_state=100 + number).as_matrix()
        moved_m = joints_m @ rotation.T + [0.3, -0.2, 0.8]
        np.testing.assert_allclose(
            operator_points(moved_m, side), operator_points(joints_m, side), atol=1e-12
        )


def test_a_right_hand_in_the_mirror_has_a_left_hands_points():
    for joints_m in some_hands('right'):
        in_mirror_m = joints_m * [-1, 1, 1]
        np.testing.assert_allclose(
            operator_points(in_mirror_m, 'left'),
            operator_points(joints_m, 'right') * MIRRORED_OPERATOR,
            atol=1e-12,
        )


@SIDES
def test_bones_keep_their_lengths_and_the_hand_its_handedness(side):
    parents = list(JOINT_PARENTS[1:])
    for joints_m in some_hands(side):
        points_m = operator_points(joints_m, side)
        bones, wanted = points_m[1:] - points_m[parents], joints_m[1:] - joints_m[parents]
        np.testing.assert_allclose(
            np.linalg.norm(bones, axis=1), np.linalg.norm(wanted, axis=1), atol=1e-12
        )
        assert np.linalg.det(bones[:3]) == pytest.approx(np.linalg.det(wanted[:3]), abs=1e-12)


@SIDES
def test_x_leaves_the_palm_and_z_goes_to_the_middle_knuckle(side):
    joints_m = stand_in_hand(side)
    points_m = operator_points(joints_m, side)
    reach_m = np.linalg.norm(joints_m[9] - joints_m[0])
    np.testing.assert_array_equal(points_m[0], 0)
    np.testing.assert_allclose(points_m[9], [0, 0, reach_m], atol=1e-12)
    assert abs(points_m[5, 0]) < 1e-12  # the index knuckle lies in the plane that x is square to
    # The frame of wrist_pose takes its plane from the little finger's knuckle: nearly the same.
    x, y, z = (cam_from_hand(joints_m, Side[side.upper()]).T @ (joints_m - joints_m[0]).T)[:, 5:]
    np.testing.assert_allclose(points_m[5:], np.stack([-z, y, x], axis=1), atol=0.02)


@SIDES
def test_the_points_are_those_of_the_formula_written_otherwise(side):
    sign = {'right': 1.0, 'left': -1.0}[side]
    for joints_m in some_hands(side):
        along, out, across = wrist_coordinates(joints_m)
        wanted = np.stack([-sign * out, sign * across, -along], axis=1)
        np.testing.assert_allclose(operator_points(joints_m, side), wanted, atol=1e-12)


def wrist_coordinates(joints_m):
    """Return how far joints are toward the wrist, along the normal, and toward the index."""
    wrist, index, middle = joints_m[[0, 5, 9]]
    along = (wrist - middle) / np.linalg.norm(wrist - middle)
    across = index - middle - ((index - middle) @ along) * along
    across /= np.linalg.norm(across)
    return ((joints_m - wrist) @ axis for axis in (along, np.cross(across, along), across))


@pytest.mark.parametrize('spoilt', [np.zeros((21, 3)), np.full((21, 3), np.nan)])
def test_what_spans_no_palm_has_no_points(spoilt):
    with pytest.raises(ValueError, match=r'plane|converge'):
        operator_points(spoilt, 'right')


def test_joints_come_back_out_of_a_message():
    joints_m = stand_in_hand('left')
    cloud = cloud_of(joints_m, Header(frame_id='eye'))
    assert (cloud.height, cloud.width, cloud.point_step, cloud.row_step) == (1, 21, 16, 336)
    np.testing.assert_allclose(joints_of(cloud), joints_m, atol=1e-7)


class Wires:
    """A running example between keypoints that are sent and points that are heard."""

    def __init__(self, client, process, side):
        self.client, self.process, self.points = client, process, client.heard[POINTS]
        client.listen(PointCloud2, POINTS)
        topic = f'/hands_node/{side}/keypoints'
        self._keypoints = client.node.create_publisher(PointCloud2, topic, 10)
        client.wait_until(self._keypoints.get_subscription_count, START_SEC)
        client.wait_until(lambda: client.node.count_publishers(POINTS), START_SEC)
        client.wait(0.2)

    def send(self, cloud, stamp_ns=0):
        stamp(cloud, stamp_ns, 'eye')
        self._keypoints.publish(cloud)


@pytest.fixture
def wire(client, start_example):
    return lambda side: Wires(client, start_example('dex_keypoints', side=side), side)


@SIDES
def test_keypoints_come_out_as_points_of_the_operator(wire, side):
    wires = wire(side)
    for number, joints_m in enumerate(some_hands(side, 5)):
        wires.send(cloud_of(joints_m, Header()), stamp_ns=3_000_000_004 + number)
        wires.client.wait_until(lambda count=number + 1: len(wires.points) == count)
        cloud = wires.points[-1]
        assert cloud.header.frame_id == f'{side}_operator'
        assert (cloud.header.stamp.sec, cloud.header.stamp.nanosec) == (3, 4 + number)
        assert list(cloud.fields) == FIELDS
        assert (cloud.height, cloud.width, cloud.is_bigendian) == (1, 21, False)
        points_m = np.frombuffer(cloud.data, '<f4').reshape(21, 4)[:, :3]
        np.testing.assert_allclose(points_m, operator_points(joints_m, side), atol=1e-6)
        assert list(bytes(cloud.data)[12::16]) == list(range(21))


def test_what_cannot_be_converted_is_left_out_and_said(wire):
    wires = wire('right')
    joints_m = stand_in_hand('right')
    short = cloud_of(joints_m, Header())
    short.data = short.data[:-16]
    shuffled = cloud_of(joints_m, Header())
    shuffled.data[12] = 7
    for spoilt in (cloud_of(np.zeros((21, 3)), Header()), short, shuffled):
        wires.send(spoilt, stamp_ns=1)
        wires.client.wait(0.2)
    wires.send(cloud_of(joints_m, Header()), stamp_ns=2)
    wires.client.wait_until(lambda: wires.points)
    assert [cloud.header.stamp.nanosec for cloud in wires.points] == [2]
    wires.process.wait_for('not converted: ')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(wire, number):
    wires = wire('left')
    assert wires.process.stop(number) == 0
    assert wires.process.output == ''


def test_a_side_that_no_hand_has_is_refused(start_example):
    process = start_example('dex_keypoints', side='upper')
    assert process.wait(START_SEC) == 1
    assert "side is 'upper', wanted right or left" in process.output
    assert 'Traceback' not in process.output
