"""Pictures with hands for the camera of a benchmark: a moment of the demo clip, there and back."""

from __future__ import annotations

import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
from interwild_ros.imaging.demo_clip import demo_clip
from interwild_ros.records import Camera
from interwild_ros.ros.cdr import Numbers, PatchedMessage, Slot
import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

FRAME_ID = 'bench_camera'
DRAWN = 4  # of which six make a motion that never jumps
JPEG_QUALITY = 90
STAMP = 'stamp'


@dataclass(frozen=True)
class Take:
    """Serialised messages that the camera sends again and again, but for their stamps.

    `kind` is the type of the pictures, which are in the order in which they are sent.
    """

    kind: type[Any]
    pictures: tuple[PatchedMessage, ...]
    info: PatchedMessage


def draw(size: tuple[int, int]) -> tuple[list[Any], Camera]:
    """Draw a moment of the demo clip: BGR pictures in which both hands are seen."""
    frames = list(demo_clip(frames=DRAWN, size=size))
    return [np.ascontiguousarray(frame.image[..., ::-1]) for frame in frames], frames[0].camera


def take_of(pictures: list[Any], camera: Camera, *, is_compressed: bool) -> Take:
    """Serialise pictures and camera_info once: a camera in C++ has no more to do either."""
    make = _compressed if is_compressed else _raw
    messages = [_patched(make(picture)) for picture in pictures]
    there_and_back = (*messages, *messages[-2:0:-1])
    kind = CompressedImage if is_compressed else Image
    return Take(kind, there_and_back, _patched(_camera_info(camera)))


def _patched(message: Any) -> PatchedMessage:
    def build(numbers: Numbers) -> Any:
        sec, nanosec = map(int, numbers[STAMP])
        message.header.frame_id = FRAME_ID
        message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
        return message

    return PatchedMessage(build, {STAMP: Slot('i4', 2)})


def _raw(picture: Any) -> Image:
    height, width = picture.shape[:2]
    message = Image(height=height, width=width, step=3 * width, encoding='bgr8')
    message.data = array.array('B', picture.tobytes())
    return message


def _compressed(picture: Any) -> CompressedImage:
    _, data = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return CompressedImage(format='jpeg', data=array.array('B', data.tobytes()))


def _camera_info(camera: Camera) -> CameraInfo:
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    return CameraInfo(
        width=camera.width,
        height=camera.height,
        distortion_model='plumb_bob',
        d=[0.1, -0.05, 0.0, 0.0, 0.0],
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def endless(take: Take) -> Iterator[PatchedMessage]:
    """Yield the pictures for ever."""
    while True:
        yield from take.pictures
