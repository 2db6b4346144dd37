"""A ROS node inside of a command, which is no node itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from interwild_ros.ros.roomy_memory import use_roomy_memory
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node


@contextmanager
def own_node(name: str) -> Iterator[tuple[Node, SingleThreadedExecutor]]:
    """Give a node and the executor that runs its callbacks, in a context of their own."""
    use_roomy_memory()
    context = Context()
    rclpy.init(args=[], context=context)
    try:
        node = Node(name, context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        yield node, executor
        executor.shutdown()
        node.destroy_node()
    finally:
        context.try_shutdown()
