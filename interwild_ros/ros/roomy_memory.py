"""Room for pictures and meshes in the memory that Fast DDS hands messages over in."""

from __future__ import annotations

import os

from interwild_ros.ros.shared_files import shared_file

# Fast DDS 2 (Humble, Jazzy) goes by the first, Fast DDS 3 (Kilted) by the second.
_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
_PROFILE = 'config/fast_dds.xml'


def use_roomy_memory() -> None:
    """Have this process use config/fast_dds.xml; to be called before rclpy is initialised.

    By default half a megabyte is shared by all messages of a process. With a picture and two
    meshes in it, small ones such as TF find no room, and a listener that is slow gets them again
    only seconds later. A profile that the user has named stays, and other DDS ask for none.
    """
    if any(name in os.environ for name in _VARIABLES):
        return
    profile = shared_file(_PROFILE)
    if profile is not None:
        os.environ.update(dict.fromkeys(_VARIABLES, str(profile)))
