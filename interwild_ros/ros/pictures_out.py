"""Pictures and calibrations as messages, and their publishers."""

from __future__ import annotations

from array import array

import cv2
from interwild_ros.config import CameraSettings
from interwild_ros.errors import AssetError
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.geometry.camera_file import Calibration, calibration_of
from interwild_ros.imaging.sources import Picture
from interwild_ros.records import Image
from interwild_ros.ros.hands_out import header_message, time_message
from interwild_ros.ros.image_input import CAMERA_INFO_TOPIC, image_topic
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

# Reliable: on one host best effort lost 5 of 6 raw 640 x 480 pictures at 30 Hz, because one
# fragment that is late loses the picture. Five deep: a receiver that halts for a moment, or a
# recorder that wants every picture, finds the last five; a live receiver asks for one anyway.
_PICTURE_QOS = QoSProfile(depth=5)
# Latched, so that who comes late knows the camera before the first picture.
_INFO_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class PicturesOut:
    """The publishers of a camera: image, image/compressed or both, camera_info, /clock."""

    def __init__(
        self, node: Node, settings: CameraSettings, calibration: Calibration | None
    ) -> None:
        """Make the publishers.

        :param calibration: None makes one up from the settings' field of view.
        """
        self._settings = settings
        self._calibration = calibration
        self._raw = self._compressed = self._clock = None
        if settings.image_transport in ('raw', 'both'):
            self._raw = _publisher(node, ImageMsg, image_topic(node, is_compressed=False))
        if settings.image_transport in ('compressed', 'both'):
            topic = image_topic(node, is_compressed=True)
            self._compressed = _publisher(node, CompressedImage, topic)
        if settings.publish_clock:
            self._clock = node.create_publisher(Clock, '/clock', QoSProfile(depth=1))
        self._info = _publisher(node, CameraInfo, CAMERA_INFO_TOPIC, _INFO_QOS)

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the resolved names of the image topics."""
        return tuple(publisher.topic_name for publisher in self._images)

    @property
    def listeners(self) -> int:
        """Return how many subscriptions the image topics have."""
        return sum(publisher.get_subscription_count() for publisher in self._images)

    def publish(self, picture: Picture, stamp_ns: int) -> None:
        """Publish a picture with its calibration, and before them the time.

        :raises AssetError: when the calibration is for pictures of another size.
        :raises InputError: when the picture turns out corrupt.
        """
        header = header_message(stamp_ns, self._settings.frame_id)
        calibration = self._calibration_for(picture)
        if self._clock is not None:
            self._clock.publish(Clock(clock=time_message(stamp_ns)))
        self._info.publish(camera_info_message(header, calibration))
        if self._raw is not None:
            self._raw.publish(image_message(header, picture.rgb))
        if self._compressed is not None:
            quality = self._settings.jpeg_quality
            self._compressed.publish(compressed_message(header, picture, jpeg_quality=quality))

    @property
    def is_delivered(self) -> bool:
        """Return whether every receiver has confirmed all that was published."""
        now = Duration(seconds=0)
        return all(publisher.wait_for_all_acked(now) for publisher in (*self._images, self._info))

    @property
    def _images(self) -> tuple[Publisher, ...]:
        return tuple(p for p in (self._raw, self._compressed) if p is not None)

    def _calibration_for(self, picture: Picture) -> Calibration:
        calibration, size = self._calibration, (picture.width, picture.height)
        if calibration is None:
            return calibration_of(camera_from_fov(*size, self._settings.fov_deg))
        if (calibration.width, calibration.height) != size:
            raise AssetError(
                f'{self._settings.camera_info} is for pictures of {calibration.width} x '
                f'{calibration.height} px, the source has one of {size[0]} x {size[1]} px'
            )
        return calibration


def image_message(header: Header, rgb: Image) -> ImageMsg:
    """Return a picture as rgb8."""
    height, width = rgb.shape[:2]
    return ImageMsg(
        header=header,
        height=height,
        width=width,
        encoding='rgb8',
        step=3 * width,
        data=_message_bytes(rgb.data),
    )


def compressed_message(header: Header, picture: Picture, *, jpeg_quality: int) -> CompressedImage:
    """Return a picture as JPEG: a file's own bytes where there are any.

    Their format is plain 'jpeg', since nothing says whether the file is grey.
    """
    if picture.jpeg is not None:
        data = _message_bytes(picture.jpeg)
        return CompressedImage(header=header, format='jpeg', data=data)
    options = (cv2.IMWRITE_JPEG_QUALITY, jpeg_quality)
    _, jpeg = cv2.imencode('.jpg', cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2BGR), options)
    data = _message_bytes(jpeg.data)
    return CompressedImage(header=header, format='rgb8; jpeg compressed bgr8', data=data)


def camera_info_message(header: Header, calibration: Calibration) -> CameraInfo:
    """Return a calibration for full, unbinned pictures."""
    return CameraInfo(
        header=header,
        height=calibration.height,
        width=calibration.width,
        distortion_model=calibration.distortion_model,
        d=calibration.D,
        k=calibration.K,
        r=calibration.R,
        p=calibration.P,
    )


def _publisher(node: Node, kind: type, topic: str, qos: QoSProfile = _PICTURE_QOS) -> Publisher:
    overrides = QoSOverridingOptions.with_default_policies()
    return node.create_publisher(kind, topic, qos, qos_overriding_options=overrides)


def _message_bytes(content: bytes | memoryview) -> array[int]:
    """Return what rclpy takes for uint8[] without looking at each byte."""
    data = array('B')
    data.frombytes(content)
    return data
