"""Publish the overlay: drawn in a thread of its own, behind the hands, while somebody looks."""

from __future__ import annotations

import array
from dataclasses import dataclass

import cv2
from interwild_ros.imaging.overlay import draw_overlay
from interwild_ros.records import Frame, Image, Topology, TwoHands
from interwild_ros.ros.hands_out import header_message
from interwild_ros.ros.outputs import is_heard, make_publisher
from interwild_ros.ros.worker import Mailbox, Worker
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

_DEPTH = 2


@dataclass(frozen=True)
class Scene:
    """What the overlay of one frame needs."""

    frame: Frame
    two_hands: TwoHands
    jpeg_quality: int


class OverlayOut:
    """The publishers of the overlay and the thread that draws it.

    A new frame waits for the last overlay in replay; live, it takes the place of one not drawn.
    """

    def __init__(
        self, node: Node, topology: Topology, *, notes: tuple[str, ...], every_frame: bool
    ) -> None:
        """Make the publishers and start the thread.

        :param notes: sentences to write into the picture.
        """
        self._node = node
        self._topology = topology
        self._notes = notes
        self._raw = make_publisher(node, ImageMsg, '~/overlay', _DEPTH)
        self._jpeg = make_publisher(node, CompressedImage, '~/overlay/compressed', _DEPTH)
        mailbox: Mailbox[Scene] = Mailbox(capacity=1, waits=every_frame)
        self._worker = Worker('overlay', self._publish, mailbox)

    def offer(self, frame: Frame, two_hands: TwoHands, *, jpeg_quality: int) -> None:
        """Have the overlay of a frame drawn if anybody looks."""
        if is_heard(self._raw) or is_heard(self._jpeg):
            self._worker.mailbox.put(Scene(frame, two_hands, jpeg_quality))

    def check(self) -> None:
        """Raise what ended the drawing thread, if anything did."""
        self._worker.check()

    def clear(self) -> None:
        """Forget a frame that waits to be drawn."""
        self._worker.mailbox.clear()

    def destroy(self) -> None:
        """End the thread and take the publishers away."""
        self._worker.stop()
        self._node.destroy_publisher(self._raw)
        self._node.destroy_publisher(self._jpeg)

    def _publish(self, scene: Scene) -> None:
        frame = scene.frame
        picture = draw_overlay(
            frame.image, scene.two_hands, self._topology, frame.camera, notes=self._notes
        )
        header = header_message(frame.stamp_ns, frame.frame_id)
        if is_heard(self._raw):
            self._raw.publish(raw_message(header, picture))
        if is_heard(self._jpeg):
            self._jpeg.publish(jpeg_message(header, picture, scene.jpeg_quality))


def raw_message(header: Header, picture: Image) -> ImageMsg:
    """Return an RGB picture as an Image message."""
    height, width = picture.shape[:2]
    message = ImageMsg(header=header, height=height, width=width, encoding='rgb8')
    message.step = 3 * width
    message.data = array.array('B', picture.tobytes())
    return message


def jpeg_message(header: Header, picture: Image, quality: int) -> CompressedImage:
    """Return an RGB picture as a JPEG message."""
    _, data = cv2.imencode('.jpg', picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    message = CompressedImage(header=header, format='rgb8; jpeg compressed bgr8')
    message.data = array.array('B', data.tobytes())
    return message
