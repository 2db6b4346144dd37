import os
import signal

from child_processes import processes_about
import cv2
from interwild_ros.bag.read import open_bag
from interwild_ros.errors import NodeError
from interwild_ros.ros.domain import DOMAIN_IDS, free_domain_id
from interwild_ros.ros.recording import Plan, record_nodes
import numpy as np
import pytest


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for number in range(60):
        picture = np.full((48, 64, 3), 4 * number, np.uint8)
        cv2.imwrite(str(folder / f'{number}.png'), picture)
    return folder


@pytest.fixture
def plan(pictures, ros_domain):
    def make(*, camera=None, hands=None, **rest):
        return Plan(
            camera={
                'source': str(pictures),
                'image_transport': 'compressed',
                'wait_for_subscribers': 2,
            }
            | (camera or {}),
            hands={'image_transport': 'compressed', 'threads': 1} | (hands or {}),
            domain_id=ros_domain,
            **rest,
        )

    return make


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / 'out'
    folder.mkdir()
    return folder


def record_and_fail(plan, out, say=lambda text: None):
    with pytest.raises(NodeError) as failed:
        record_nodes(plan, out, say=say)
    assert processes_about(out) == {}
    assert not (out / 'bag').exists()
    return str(failed.value)


def test_a_source_without_end_is_ended_after_its_time(plan, out):
    record_nodes(plan(camera={'loop': True}, length_sec=1.0), out, say=lambda text: None)
    assert processes_about(out) == {}
    with open_bag(out / 'bag') as bag:
        pictures, hands = bag.picture_stamps(), list(bag.two_hands())
    assert 20 <= len(pictures) <= 60
    # a camera that is stopped does not wait until the node has its last picture too
    assert hands[-1].stamp_ns in [picture.stamp_ns for picture in pictures[-2:]]


def test_a_hands_node_that_does_not_start_is_waited_for_only_so_long(plan, out):
    message = record_and_fail(plan(hands={'autostart': False}, start_timeout_sec=3.0), out)
    assert message.startswith('hands_node was not ready within 3 s')


def test_a_camera_that_sends_nothing_is_told_with_what_it_said(plan, out):
    nobody_else = plan(camera={'wait_for_subscribers': 3}, picture_timeout_sec=8.0)
    message = record_and_fail(nobody_else, out)
    assert message.startswith('camera_node published no picture within 8 s')
    assert 'Hz on /image/compressed' in message


def test_a_hands_node_that_says_nothing_is_told(plan, out):
    deaf = plan(
        camera={'wait_for_subscribers': 1, 'loop': True},
        hands={'image_transport': 'raw'},
        answer_timeout_sec=1.0,
    )
    message = record_and_fail(deaf, out)
    assert message.startswith('hands_node published nothing within 1 s of the first picture')


def test_a_node_that_is_killed_is_told_by_its_signal(plan, out):
    def kill_hands_node(text):
        if text == 'starting camera_node':
            for process_id, words in processes_about(out).items():
                assert 'hands_node' in words
                os.kill(process_id, signal.SIGKILL)

    message = record_and_fail(plan(), out, kill_hands_node)
    assert message.startswith('hands_node died with signal SIGKILL; its last words:')


def test_a_free_domain_is_one_that_nobody_is_in(ros_node, ros_domain):
    found = {free_domain_id() for _ in range(300)}
    assert found <= set(DOMAIN_IDS) - {ros_domain}
