"""What a configured node leaves to the garbage collector, in this process."""

import gc

from interwild_ros.ros.hands_node import HandsNode
from interwild_ros.ros.stop_signals import StopSignals
import pytest
import rclpy
from rclpy.lifecycle import TransitionCallbackReturn


@pytest.fixture
def node(ros_domain):
    rclpy.init(domain_id=ros_domain)
    with StopSignals() as stop:
        node = HandsNode(stop)
        yield node
        node.end_session()
        node.destroy_node()
    rclpy.try_shutdown()


def test_what_was_loaded_is_no_work_for_the_garbage_collector_until_it_goes(node):
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert gc.get_freeze_count() > 50_000
    assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    assert gc.get_freeze_count() == 0
