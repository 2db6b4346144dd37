"""Recordings in which drawn hands are seen, for tests that follow them: made without ROS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from camera_bags import camera_bag, header, IMAGE, stamps, STORE
from interwild_ros.imaging.demo_clip import demo_clip
import numpy as np


def write_hand_bag(folder: Path, frames: int, *, skipped: Sequence[int] = ()) -> Path:
    """Record the demo clip as it would be seen at 30 Hz.

    :param skipped: pictures of the clip that are left out.
    """
    with camera_bag(folder) as bag:
        clip = demo_clip(frames=frames, size=(320, 240))
        for index, (stamp_ns, shown) in enumerate(zip(stamps(frames), clip, strict=True)):
            if index not in skipped:
                bag.add(IMAGE, _picture(stamp_ns, shown.image), stamp_ns)
    return folder


def _picture(stamp_ns: int, image: np.ndarray) -> Any:
    height, width = image.shape[:2]
    return STORE.types['sensor_msgs/msg/Image'](
        header=header(stamp_ns),
        height=height,
        width=width,
        encoding='rgb8',
        is_bigendian=0,
        step=3 * width,
        data=image.ravel(),
    )
