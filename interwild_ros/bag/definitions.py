"""Where the definitions of message types are: the .msg files that every ROS package installs.

Where ROS is not installed, this package's own are taken from its source or its wheel, and those
of ROS's common packages from rosbags, which knows them without their comments.
"""

from __future__ import annotations

import os
from pathlib import Path
import sys

from interwild_ros.errors import AssetError
from rosbags.typesys import get_typestore, Stores

_SOURCE = Path(__file__).resolve().parents[2] / 'msg'
_OURS = 'interwild_ros'
_SEPARATOR = '=' * 80


def read_definition(kind: str) -> str:
    """Return the text of the installed .msg file of a message type.

    :param kind: as ROS writes it: `package/msg/Name`.
    :raises AssetError: when neither an installed package nor rosbags defines it.
    """
    package, _, name = kind.partition('/msg/')
    places = [prefix / 'share' / package / 'msg' / f'{name}.msg' for prefix in _prefixes()]
    places += [_SOURCE / f'{name}.msg'] if package == _OURS else []
    for place in places:
        if place.is_file():
            return place.read_text(encoding='utf-8')
    store = get_typestore(Stores.LATEST)
    if kind in store.fielddefs:
        return store.generate_msgdef(kind, ros_version=2)[0].partition(_SEPARATOR)[0]
    raise AssetError(
        f'no installed package defines the message type {kind}: looked for '
        f'{", ".join(map(str, places))}'
    )


def _prefixes() -> list[Path]:
    """Return what a ROS set-up file names, and the prefix of this Python: wheels install there."""
    sourced = [part for part in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if part]
    return [Path(part) for part in dict.fromkeys([*sourced, sys.prefix])]
