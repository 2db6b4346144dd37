"""The servo example as a process of its own, led by poses that this process publishes."""

from itertools import pairwise
import math
import signal
import time

from geometry_msgs.msg import PoseStamped
from node_client import stamp
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from scipy.spatial.transform import Rotation
from std_msgs.msg import Bool
from std_srvs.srv import SetBool
from tool_motion import followed, limited, Pose, Settings

HAND, TARGET = '/hands_node/right/wrist_pose', '/servo_node/pose_target_cmds'
ENGAGED = '/servo_pose/engaged'
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
START_SEC = 30.0
PERIOD_SEC = 0.03

AT, TO = np.array([0.1, 0.2, 0.6]), Rotation.from_rotvec([0.3, -0.2, 0.1])  # a hand
START = {'start_x': 0.3, 'start_y': -0.1, 'start_z': 0.5, 'start_xyzw': '[1.0, 0.0, 0.0, 0.0]'}
START_AT, START_TO = np.array([0.3, -0.1, 0.5]), Rotation.from_rotvec([math.pi, 0, 0])
# Patient, for a crowded machine: what is late has its own timeout in the tests of that.
FREE = {'max_step_m': 10.0, 'max_step_rad': 4.0, 'timeout_sec': 2.0}
# The camera looks along the robot's x: its right is the robot's -y, its down the robot's -z.
ROBOT_FROM_CAMERA = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])


class Operator:
    """Shows a hand to a running example, works its clutch, and sees what it sends."""

    def __init__(self, client, process):
        self.client, self.process = client, process
        self.targets, self.states = client.heard[TARGET], client.heard[ENGAGED]
        client.listen(PoseStamped, TARGET)
        client.listen(Bool, ENGAGED, LATCHED)
        self._hand = client.node.create_publisher(PoseStamped, HAND, 10)
        client.wait_until(self._hand.get_subscription_count, START_SEC)
        client.wait_until(lambda: client.node.count_publishers(TARGET) and self.states, START_SEC)

    @property
    def is_engaged(self):
        return self.states[-1].data

    def show(self, at=AT, to=TO, *, late_sec=0.0, frame_id='eye'):
        """Publish one pose; return its stamp."""
        message = PoseStamped()
        stamp_ns = self.client.node.get_clock().now().nanoseconds - round(late_sec * 1e9)
        stamp(message, stamp_ns, frame_id)
        position, orientation = message.pose.position, message.pose.orientation
        position.x, position.y, position.z = map(float, at)
        orientation.x, orientation.y, orientation.z, orientation.w = to.as_quat()
        self._hand.publish(message)
        return message.header.stamp

    def keep_showing(self, at=AT, to=TO, *, seconds=0.3):
        for _ in range(round(seconds / PERIOD_SEC)):
            self.show(at, to)
            self.client.wait(PERIOD_SEC)

    def clutch(self, engage):
        request = SetBool.Request(data=engage)
        return self.client.call(SetBool, '/servo_pose/clutch', request, START_SEC)

    def engage(self, at=AT, to=TO):
        """Show a hand that rests, and engage as soon as the example has heard it."""
        for _ in range(20):
            self.keep_showing(at, to, seconds=0.09)
            if self.clutch(True).success:
                return
        pytest.fail(self.process.output)

    def answer(self, at=AT, to=TO):
        """Show a hand, and return the target that it leads to."""
        shown = self.show(at, to)
        self.client.wait_until(
            lambda: self.targets and self.targets[-1].header.stamp == shown, START_SEC
        )
        return self.targets[-1]


def place_of(message):
    position = message.pose.position
    return np.array([position.x, position.y, position.z])


def rotation_of(message):
    turn = message.pose.orientation
    return Rotation.from_quat([turn.x, turn.y, turn.z, turn.w])


def apart_rad(one, other):
    return (one * other.inv()).magnitude()


@pytest.fixture
def operate(client, start_example):
    def start(**parameters):
        return Operator(client, start_example('servo_pose', **(START | FREE | parameters)))

    return start


def test_nothing_moves_before_the_clutch_engages_nor_after_it_lets_go(operate):
    operator = operate()
    operator.keep_showing()
    assert operator.targets == []
    assert not operator.is_engaged
    operator.engage()
    operator.answer()
    assert operator.is_engaged
    assert operator.clutch(False).success
    operator.client.wait_until(lambda: not operator.is_engaged)
    count = len(operator.targets)
    operator.keep_showing(AT + 0.05)
    assert len(operator.targets) == count


def test_without_a_present_hand_the_clutch_refuses_with_the_reason(operate):
    operator = operate(timeout_sec=0.2)
    refused = operator.clutch(True)
    assert (refused.success, refused.message) == (False, 'no right hand was heard')
    operator.keep_showing(seconds=0.1)
    operator.client.wait(0.4)
    refused = operator.clutch(True)
    assert not refused.success
    assert 's old' in refused.message
    assert not operator.is_engaged


def test_the_tool_goes_from_its_start_the_scaled_way_of_the_hand_in_robot_axes(operate):
    operator = operate(scale=2, frame_id='panda_link0')
    operator.engage()
    resting = operator.answer()
    assert resting.header.frame_id == 'panda_link0'
    np.testing.assert_allclose(place_of(resting), START_AT, atol=1e-9)
    assert apart_rad(rotation_of(resting), START_TO) < 1e-7
    for way in (*np.diag([0.05, 0.04, 0.03]), np.array([-0.02, 0.05, 0.01])):
        target = operator.answer(AT + way)
        expected = START_AT + 2 * ROBOT_FROM_CAMERA @ way
        np.testing.assert_allclose(place_of(target), expected, atol=1e-9)
        assert apart_rad(rotation_of(target), START_TO) < 1e-7


def test_the_tool_turns_as_the_hand_turned_in_robot_axes_and_stays_where_it_is(operate):
    operator = operate()
    operator.engage()
    for turned_rad in ([0.5, 0.0, 0.0], [0.0, 0.7, 0.0], [-0.4, 0.3, 1.2]):
        target = operator.answer(AT, Rotation.from_rotvec(turned_rad) * TO)
        expected = Rotation.from_rotvec(ROBOT_FROM_CAMERA @ turned_rad) * START_TO
        assert apart_rad(rotation_of(target), expected) < 1e-7
        np.testing.assert_allclose(place_of(target), START_AT, atol=1e-9)


def test_another_camera_is_set_by_its_rotation(operate):
    rotation = Rotation.from_rotvec([0.4, -1.1, 0.9])
    operator = operate(robot_from_camera_xyzw=rotation.as_quat().tolist())
    operator.engage()
    target = operator.answer(np.add(AT, [0.05, 0.02, -0.03]))
    expected = START_AT + rotation.apply([0.05, 0.02, -0.03])
    np.testing.assert_allclose(place_of(target), expected, atol=1e-9)


def test_engaged_again_the_tool_goes_on_from_where_it_was_sent_last(operate):
    operator = operate()
    operator.engage()
    operator.answer(np.add(AT, [0.0, 0.0, 0.1]))
    operator.clutch(False)
    elsewhere = np.add(AT, [0.3, -0.2, 0.3])
    operator.engage(elsewhere)
    target = operator.answer(np.add(elsewhere, [0.0, 0.0, 0.05]))
    np.testing.assert_allclose(place_of(target), np.add(START_AT, [0.15, 0, 0]), atol=1e-9)


def test_the_tool_stops_at_the_wall_of_its_workspace_and_comes_back_with_the_hand(operate):
    operator = operate(workspace_min='[0.2, -0.2, 0.4]', workspace_max='[0.35, 0.2, 0.6]')
    operator.engage()
    far = operator.answer(np.add(AT, [0.0, -0.5, 0.5]))
    np.testing.assert_allclose(place_of(far), [0.35, -0.1, 0.6], atol=1e-9)
    back = operator.answer(np.add(AT, [0.0, 0.0, 0.02]))
    np.testing.assert_allclose(place_of(back), np.add(START_AT, [0.02, 0, 0]), atol=1e-9)


def test_a_hand_that_jumps_is_followed_in_steps(operate):
    operator = operate(max_step_m=0.02, max_step_rad=0.1)
    operator.engage()
    at, to = np.add(AT, [0.0, 0.0, 0.05]), Rotation.from_rotvec([0.0, 0.0, 0.25]) * TO
    places = [START_AT]
    rotations = [START_TO]
    for _ in range(4):
        target = operator.answer(at, to)
        places.append(place_of(target))
        rotations.append(rotation_of(target))
    steps_m = np.linalg.norm(np.diff(places, axis=0), axis=1)
    np.testing.assert_allclose(steps_m, [0.02, 0.02, 0.01, 0], atol=1e-9)
    steps_rad = [apart_rad(*pair) for pair in pairwise(rotations)]
    np.testing.assert_allclose(steps_rad, [0.1, 0.1, 0.05, 0], atol=1e-6)


def test_a_lost_hand_lets_the_clutch_go_for_good(operate):
    operator = operate(timeout_sec=1.0)
    operator.engage()
    operator.answer()
    lost_sec = time.monotonic()
    operator.client.wait_until(lambda: not operator.is_engaged)
    assert 0.7 < time.monotonic() - lost_sec < 5.0
    count = len(operator.targets)
    operator.keep_showing(AT + 0.05)
    assert len(operator.targets) == count
    assert not operator.is_engaged
    operator.engage(AT + 0.05)
    target = operator.answer(AT + 0.05)
    np.testing.assert_allclose(place_of(target), START_AT, atol=1e-9)


@pytest.mark.parametrize(
    ('shown', 'reason'),
    [
        ({'late_sec': 5.0}, 'stamps go on by -'),
        ({'late_sec': -5.0}, 'stamps go on by 5'),
        ({'frame_id': 'other_eye'}, 'the camera is now other_eye'),
        ({'at': [0.1, math.nan, 0.6]}, 'NaN'),
    ],
)
def test_a_doubtful_pose_is_not_followed_and_lets_the_clutch_go(operate, shown, reason):
    operator = operate()
    operator.engage()
    operator.answer()
    count = len(operator.targets)
    operator.show(**shown)
    operator.client.wait_until(lambda: not operator.is_engaged)
    operator.process.wait_for('released: ')
    assert reason in operator.process.output
    operator.keep_showing()
    assert len(operator.targets) == count


def test_a_hand_that_is_always_late_never_engages(operate):
    operator = operate(engaged=True, timeout_sec=0.2)
    for _ in range(10):
        operator.show(late_sec=0.5)
        operator.client.wait(PERIOD_SEC)
    assert not operator.is_engaged
    assert operator.targets == []


def test_by_parameter_it_engages_itself_at_the_first_hand_and_only_then(operate):
    operator = operate(engaged=True)
    operator.keep_showing()
    assert operator.is_engaged
    np.testing.assert_allclose(place_of(operator.answer()), START_AT, atol=1e-9)
    operator.client.wait_until(lambda: not operator.is_engaged)
    operator.keep_showing()
    assert not operator.is_engaged


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'start_x': '.nan'}, 'wanted where the tool stands'),
        ({'start_z': -0.5}, 'wanted where the tool stands'),
        ({'side': 'upper'}, "side is 'upper', wanted right or left"),
        ({'scale': 0.0}, 'scale is 0.0, wanted above 0'),
        ({'scale': 'big'}, 'cannot start'),
        ({'start_xyzw': '[0.0, 0.0, 0.0, 0.5]'}, 'wanted a unit quaternion x y z w'),
        ({'workspace_min': '[0.0, 0.0]'}, 'cannot start'),
    ],
)
def test_what_no_arm_should_follow_is_said_in_a_line_with_exit_code_1(
    start_example, parameters, words
):
    process = start_example('servo_pose', **(START | parameters))
    assert process.wait(START_SEC) == 1
    assert words in process.output
    assert 'Traceback' not in process.output


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order_while_it_follows(operate, number):
    operator = operate()
    operator.engage()
    operator.keep_showing(seconds=0.1)
    assert operator.process.stop(number) == 0
    assert 'Traceback' not in operator.process.output
    assert 'rror' not in operator.process.output


def some_pose(rng):
    return Pose(rng.uniform(-1, 1, 3), Rotation.random(random_state=rng).as_quat())


def given(**parameters):
    values = {'start_x': 0.3, 'start_y': -0.1, 'start_z': 0.5, **parameters}
    return Settings(**values)


def same(one, other):
    turn = Rotation.from_quat(one.xyzw) * Rotation.from_quat(other.xyzw).inv()
    return np.allclose(one.xyz_m, other.xyz_m, atol=1e-12) and turn.magnitude() < 1e-7


def test_ways_that_follow_each_other_add_up():
    rng = np.random.default_rng(1)
    settings = given(scale=1.7)
    for _ in range(20):
        one, two, three, tool = (some_pose(rng) for _ in range(4))
        halfway = followed(two, one, tool, settings)
        assert same(followed(three, two, halfway, settings), followed(three, one, tool, settings))
        assert same(followed(one, one, tool, settings), tool)


def test_where_the_hand_is_when_the_clutch_engages_makes_no_difference():
    rng = np.random.default_rng(2)
    settings = given()
    for _ in range(20):
        then, now, tool = (some_pose(rng) for _ in range(3))
        shift = rng.uniform(-1, 1, 3)
        moved_then, moved_now = (Pose(p.xyz_m + shift, p.xyzw) for p in (then, now))
        assert same(
            followed(moved_now, moved_then, tool, settings), followed(now, then, tool, settings)
        )


def test_no_hand_leads_the_tool_out_of_its_limits():
    rng = np.random.default_rng(3)
    settings = given()
    tool = settings.start
    for _ in range(200):
        last, tool = tool, limited(some_pose(rng), tool, settings)
        assert np.array_equal(settings.inside(tool.xyz_m), tool.xyz_m)
        assert np.linalg.norm(tool.xyz_m - last.xyz_m) <= settings.max_step_m + 1e-12
        turn = Rotation.from_quat(tool.xyzw) * Rotation.from_quat(last.xyzw).inv()
        assert turn.magnitude() <= settings.max_step_rad + 1e-6
        assert np.linalg.norm(tool.xyzw) == pytest.approx(1)
