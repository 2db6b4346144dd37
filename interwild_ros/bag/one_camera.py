"""The one camera of a bag that a hands node works on, and what its pictures are like."""

from __future__ import annotations

from interwild_ros.bag.cameras import CameraTopics, find_cameras, Wanted
from interwild_ros.bag.read import IMAGES
from interwild_ros.bag.sturdy import SturdyReader
from interwild_ros.errors import AssetError


def one_camera(
    bag: SturdyReader, wanted: Wanted, *, remedy: str = 'name its image topic as camera'
) -> CameraTopics:
    """Return the camera that is meant.

    :param remedy: what to do where there are several.
    :raises AssetError: when there is none, when there are several, or a topic is not there.
    """
    cameras = find_cameras(bag, wanted).cameras
    if len(cameras) > 1:
        names = ', '.join(camera.image for camera in cameras)
        raise AssetError(
            f'the bag {bag.path} has {len(cameras)} cameras ({names}), wanted one: {remedy}'
        )
    return cameras[0]


def is_compressed(bag: SturdyReader, camera: CameraTopics) -> bool:
    """Return whether the pictures are sensor_msgs/CompressedImage."""
    return bag.topics[camera.image].kind == IMAGES[0]


def frame_id_of(bag: SturdyReader, camera: CameraTopics) -> str:
    """Return the frame of the first picture.

    :raises AssetError: when it cannot be read.
    """
    first = next(iter(bag.messages([camera.image])))
    return str(bag.deserialize(first).header.frame_id)
