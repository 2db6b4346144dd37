"""From image and camera_info messages to a Frame."""

from __future__ import annotations

from typing import Any

from interwild_ros.bag.message_types import MessageTypes
from interwild_ros.bag.messages import camera_or_nominal, picture_of, stamp_ns
from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.geometry.mirror import mirror_frame
from interwild_ros.records import Camera, Frame, Image
from interwild_ros.ros.bridge import load_bridge, suits_bridge
from sensor_msgs.msg import CameraInfo

_KINDS = {'raw': 'sensor_msgs/msg/Image', 'compressed': 'sensor_msgs/msg/CompressedImage'}


class FrameReader:
    """Turns image messages into frames, with the camera that the latest camera_info describes.

    `camera_info` and `frame` may be called from different threads.
    """

    def __init__(self, settings: Settings) -> None:
        """Read with these settings until `use` brings others."""
        self._settings = settings
        self._kind = _KINDS[settings.image_transport]
        self._types = MessageTypes([self._kind])
        self._info: CameraInfo | None = None
        self._camera_state = 'nominal'
        self._bridge = load_bridge()

    @property
    def camera_state(self) -> str:
        """Return what is known of the camera, for diagnostics.

        'calibrated', 'nominal' (no camera_info, or one of an uncalibrated camera) or
        'bad: <reason>'.
        """
        return self._camera_state

    @property
    def decoder(self) -> str:
        """Return what decodes raw images: 'cv_bridge' or 'opencv'."""
        return 'opencv' if self._bridge is None else 'cv_bridge'

    def use(self, settings: Settings) -> None:
        """Read the next frames with these settings."""
        self._settings = settings

    def camera_info(self, message: CameraInfo) -> None:
        """Keep the message: it holds for the frames that follow."""
        self._info = message

    def message(self, data: bytes) -> Any:
        """Return the image message that was serialised, with a view of its pixels, not a copy."""
        return self._types.deserialize(data, self._kind)

    def frame(self, message: Any) -> Frame:
        """Decode a picture and join it to its camera.

        :param message: a sensor_msgs/Image or CompressedImage, of `message` or of rclpy.
        :raises InputError: when the picture or the camera cannot be used; its `cause` is the
            word to count the skipped frame under.
        """
        image = self._decode(message)
        height, width = image.shape[:2]
        frame = Frame(
            image=image,
            camera=self._camera(width, height),
            stamp_ns=stamp_ns(message.header.stamp),
            frame_id=message.header.frame_id or self._settings.fallback_frame_id,
        )
        # turned back here, so that everything after lives in the real camera's space
        return mirror_frame(frame) if self._settings.mirrored_image else frame

    def _decode(self, message: Any) -> Image:
        is_raw = hasattr(message, 'encoding')
        if self._bridge is not None and is_raw and suits_bridge(message):
            return self._bridge(message)
        return picture_of(message)

    def _camera(self, width: int, height: int) -> Camera:
        try:
            camera = camera_or_nominal(self._info, self._settings, image_size=(width, height))
        except InputError as error:
            self._camera_state = f'bad: {error}'
            raise
        self._camera_state = 'nominal' if camera.nominal else 'calibrated'
        return camera
