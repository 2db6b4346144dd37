from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import TransformStamped
from interwild_ros.hand_model.joints import JOINT_NAMES
from interwild_ros.ros.without_own import sieves_for
from rclpy.serialization import serialize_message
from tf2_msgs.msg import TFMessage

SIEVES = sieves_for('/robot/hands_node', tf_prefix='anna/')


def tf(*frames):
    return TFMessage(transforms=[TransformStamped(child_frame_id=frame) for frame in frames])


def diagnostics(*names):
    return DiagnosticArray(status=[DiagnosticStatus(name=name) for name in names])


def through(topic, message):
    data = serialize_message(message)
    found = SIEVES[topic](data)
    return 'as it was' if found is data else found


def test_frames_of_hands_and_their_joints_are_taken_out():
    own = ('anna/right_hand', 'anna/left_hand', f'anna/left_hand_{JOINT_NAMES[-1]}')
    assert through('/tf', tf(*own)) is None
    assert through('/tf', tf('arm', *own, 'base')) == tf('arm', 'base')


def test_other_frames_pass_as_they_are():
    assert through('/tf', tf('arm', 'right_hand', 'anna/right_handle')) == 'as it was'
    assert through('/tf', tf()) == 'as it was'


def test_what_the_node_says_of_itself_is_taken_out():
    own, other = '/robot/hands_node: camera', '/robot/hands_node_2: camera'
    assert through('/diagnostics', diagnostics(own)) is None
    assert through('/diagnostics', diagnostics(other, own)) == diagnostics(other)
    assert through('/diagnostics', diagnostics(other)) == 'as it was'
