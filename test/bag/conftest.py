"""Bags to read: written from messages as the node makes them.

Fixtures
    small_bag   a folder with a bag of five pictures, of which three were worked on
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
import warnings

import pytest

if importlib.util.find_spec('rclpy') is None:
    collect_ignore_glob = ['test_*.py']  # the definitions of messages come with ROS
else:
    with warnings.catch_warnings():
        # The ROS wheels bring a lark that imports modules which Python calls deprecated.
        warnings.simplefilter('ignore', DeprecationWarning)
        import rclpy  # noqa: F401
        import rosidl_generator_py  # noqa: F401


@pytest.fixture
def small_bag(tmp_path: Path) -> Path:
    from recorded import write_small_bag

    return write_small_bag(tmp_path / 'bag')
