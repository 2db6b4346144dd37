from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from interwild_ros.msg import TwoHands
from interwild_ros.ros.answers import Answers, OpenPictures
from node_client import NodeClient, stamp
import pytest

NODE = '/robot/hands_node'


@pytest.fixture
def told(ros_domain):
    """Answers, and a client that speaks as the hands node does."""
    listener, speaker = NodeClient(ros_domain), NodeClient(ros_domain, 'speaker')
    answers = Answers(listener.node, NODE)
    hands = speaker.node.create_publisher(TwoHands, f'{NODE}/two_hands', 10)
    work = speaker.node.create_publisher(DiagnosticArray, '/diagnostics', 10)
    listener.wait_until(
        lambda: hands.get_subscription_count() and work.get_subscription_count(), 60.0
    )
    listener.wait_until(lambda: listener.node.count_publishers(f'{NODE}/two_hands'), 60.0)
    yield answers, hands, work, listener
    listener.close()
    speaker.close()


def status(node=NODE, **counts):
    values = [KeyValue(key=key.replace('__', '.'), value=str(n)) for key, n in counts.items()]
    return DiagnosticArray(status=[DiagnosticStatus(name=f'{node}: camera', values=values)])


def answer(stamp_ns, *, right=False, left=False):
    message = TwoHands()
    stamp(message, stamp_ns, 'eye')
    message.right.tracked, message.left.tracked = right, left
    return message


def open_stamps(*stamps_ns):
    pictures = OpenPictures()
    for stamp_ns in stamps_ns:
        pictures.add(stamp_ns)
    return pictures


def test_an_answer_settles_its_picture_and_all_before():
    pictures = open_stamps(10, 20, 30, 40)
    pictures.settle(30)
    assert len(pictures) == 1
    pictures.settle(30)
    pictures.settle(99)
    assert len(pictures) == 1
    assert pictures.sent == 4


def test_of_a_stamp_that_repeats_the_first_is_answered():
    pictures = open_stamps(10, 10, 20)
    pictures.settle(10)
    assert len(pictures) == 2
    pictures.settle(20)
    assert len(pictures) == 0


def test_hands_are_counted_by_who_was_tracked(told):
    answers, hands, _, listener = told
    for stamp_ns in (1, 2, 3):
        answers.open.add(stamp_ns)
    hands.publish(answer(1, right=True))
    hands.publish(answer(2, right=True, left=True))
    listener.wait_until(lambda: answers.heard.messages == 2, 60.0)
    assert (answers.heard.right, answers.heard.left, answers.heard.both) == (2, 1, 1)
    assert len(answers.open) == 1


def test_pictures_that_the_node_skipped_are_settled_by_its_counts(told):
    answers, _, work, listener = told
    assert not answers.has_told_of_work
    work.publish(status(frames_in=7, frames_out=5, frames_skipped=2, bad_frames__odd=2))
    listener.wait_until(lambda: answers.has_told_of_work, 60.0)
    for stamp_ns in (1, 2, 3):
        answers.open.add(stamp_ns)
    work.publish(status(frames_in=10, frames_out=6, frames_skipped=3, bad_frames__odd=3))
    listener.wait_until(lambda: answers.work.skipped == 1, 60.0)
    assert len(answers.open) == 3
    work.publish(status(frames_in=10, frames_out=6, frames_skipped=4, bad_frames__odd=4))
    listener.wait_until(lambda: len(answers.open) == 0, 60.0)
    assert answers.work.done == 3
    assert answers.work.bad_frames == {'odd': 2}


def test_what_other_nodes_count_is_not_listened_to(told):
    answers, _, work, listener = told
    work.publish(status(node='/hands_node', frames_in=7, frames_out=7))
    work.publish(status(frames_in=1, frames_out=1))
    listener.wait_until(lambda: answers.has_told_of_work, 60.0)
    work.publish(status(frames_in=3, frames_out=3))
    listener.wait_until(lambda: answers.work.done == 2, 60.0)
