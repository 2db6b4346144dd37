"""Recorded pictures as a viewer takes them: files as they are, or pixels, each with its camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
from interwild_ros.bag.export_input import Stream
from interwild_ros.bag.frames import UNREADABLE
from interwild_ros.bag.messages import camera_of, picture_of
from interwild_ros.bag.ordered import in_order, Recorded
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError, InputError
from interwild_ros.geometry.mirror import mirror_camera
from interwild_ros.imaging.decode import picture_file
from interwild_ros.records import Camera, Image
import numpy as np

DEFAULT_QUALITY: Final = 85


@dataclass(frozen=True)
class EncodedPicture:
    """A picture as a file."""

    data: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class ShownPicture:
    """One recorded picture: a file, or RGB pixels where they are wanted without loss.

    `picture` is None where it cannot be used, and `problem` says why. `camera` is None where
    nothing describes it, or, as `camera_problem` says, nothing usable does.
    """

    stamp_ns: int
    picture: EncodedPicture | Image | None = None
    camera: Camera | None = None
    problem: InputError | None = None
    camera_problem: InputError | None = None


class PictureMaker:
    """Makes what is shown of a camera."""

    def __init__(self, stream: Stream, settings: Settings, *, quality: int | None) -> None:
        """Keep how.

        :param quality: of JPEG files that are made of pixels, 1 to 100; None keeps these.
        """
        self._stream, self._settings, self._quality = stream, settings, quality
        self._lens = CameraReader(stream, settings)

    def pictures(self) -> Iterator[ShownPicture]:
        """Yield every picture in the order of the stamps."""
        for recorded in in_order(self._stream.bag, self._stream.topics, self._stream.plan):
            yield self._shown(recorded)

    def _shown(self, recorded: Recorded) -> ShownPicture:
        try:
            picture = self._picture(self._stream.bag.deserialize(recorded.image))
        except InputError as problem:
            return ShownPicture(recorded.stamp_ns, problem=problem)
        except AssetError as error:
            return ShownPicture(recorded.stamp_ns, problem=InputError(UNREADABLE, str(error)))
        try:
            camera = self._lens.camera(recorded, _size_of(picture))
        except InputError as problem:
            return ShownPicture(recorded.stamp_ns, picture, camera_problem=problem)
        return ShownPicture(recorded.stamp_ns, picture, camera)

    def _picture(self, message: Any) -> EncodedPicture | Image:
        is_mirrored = self._settings.mirrored_image
        if hasattr(message, 'format') and not is_mirrored:
            file = picture_file(str(message.format), message.data)
            if file is not None:
                data = bytes(message.data)
                return EncodedPicture(data, file.media_type, file.width, file.height)
        image = picture_of(message)
        if is_mirrored:
            image = np.ascontiguousarray(image[:, ::-1])
        return image if self._quality is None else jpeg_of(image, self._quality)


class CameraReader:
    """Reads the cameras that CameraInfo describes; what repeats is read once."""

    def __init__(self, stream: Stream, settings: Settings) -> None:
        """Begin with the first message."""
        self._stream, self._settings = stream, settings
        self._known: tuple[int, tuple[int, int], Camera | None] | None = None

    def camera(self, recorded: Recorded, size: tuple[int, int]) -> Camera | None:
        """Return the camera of a picture; None where nobody calibrated it.

        :param size: width and height of the picture, px.
        :raises InputError: for numbers that no camera has, or the size of another picture.
        """
        if recorded.info is None:
            return None
        if self._known is None or self._known[:2] != (recorded.info_number, size):
            self._known = (recorded.info_number, size, None)  # stays where it is of no use
            camera = self._described(self._message(recorded), size)
            self._known = (recorded.info_number, size, camera)
        return self._known[2]

    def cameras(self) -> Iterator[tuple[int, Camera]]:
        """Yield stamp and camera of every message of a stream of CameraInfo that is calibrated."""
        for recorded in in_order(self._stream.bag, self._stream.topics, self._stream.plan):
            try:
                message = self._stream.bag.deserialize(recorded.image)
                camera = self._described(message, _size_of_info(message))
            except (InputError, AssetError):
                continue
            if camera is not None:
                yield recorded.stamp_ns, camera

    def _message(self, recorded: Recorded) -> Any:
        if recorded.info is None:
            return None
        try:
            return self._stream.bag.deserialize(recorded.info)
        except AssetError as error:
            raise InputError(UNREADABLE, str(error)) from error

    def _described(self, message: Any, size: tuple[int, int]) -> Camera | None:
        if message is None or not np.any(message.k):
            return None
        camera = camera_of(message, image_size=size, rectified=self._settings.image_is_rectified)
        return mirror_camera(camera) if self._settings.mirrored_image else camera


def jpeg_of(image: Image, quality: int) -> EncodedPicture:
    """Return an RGB picture as a JPEG file.

    :raises AssetError: when OpenCV cannot.
    """
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    is_fine, data = cv2.imencode('.jpg', bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not is_fine:
        raise AssetError('OpenCV could not encode a JPEG')
    height, width = image.shape[:2]
    return EncodedPicture(data.tobytes(), 'image/jpeg', width, height)


def _size_of(picture: EncodedPicture | Image) -> tuple[int, int]:
    """Return width and height, px."""
    if isinstance(picture, EncodedPicture):
        return picture.width, picture.height
    height, width = picture.shape[:2]
    return width, height


def _size_of_info(message: Any) -> tuple[int, int]:
    """Return the size of the pictures that a sensor_msgs/CameraInfo describes, px."""
    roi = message.roi
    width, height = int(roi.width) or int(message.width), int(roi.height) or int(message.height)
    return width // max(1, int(message.binning_x)), height // max(1, int(message.binning_y))
