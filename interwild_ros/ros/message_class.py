"""From the name of a message type to its class."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from interwild_ros.errors import AssetError


def message_class(kind: str) -> Any:
    """Return the class of a message type.

    :param kind: as ROS writes it: `package/msg/Name`.
    :raises AssetError: when it is not installed.
    """
    package, _, name = kind.partition('/msg/')
    try:
        return getattr(import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError) as error:
        raise AssetError(f'the message type {kind} is not installed for Python') from error
