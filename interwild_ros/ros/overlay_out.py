"""Publish the overlay: drawn in a thread of its own, behind the hands, while somebody looks."""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.imaging.overlay import draw_overlay
from interwild_ros.imaging.sources import Picture
from interwild_ros.records import Frame, Topology, TwoHands
from interwild_ros.ros.camera_names import CameraNames
from interwild_ros.ros.hands_out import header_message
from interwild_ros.ros.outputs import is_heard, make_publisher
from interwild_ros.ros.pictures_out import compressed_message, image_message
from interwild_ros.ros.worker import Mailbox, Worker
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

_DEPTH = 2


@dataclass(frozen=True)
class Scene:
    """What the overlay of one frame needs."""

    frame: Frame
    two_hands: TwoHands
    jpeg_quality: int


class OverlayOut:
    """The publishers of one camera's overlay and the thread that draws it.

    A new frame waits for the last overlay in replay; live, it takes the place of one not drawn.
    """

    def __init__(
        self,
        node: Node,
        topology: Topology,
        names: CameraNames | None = None,
        *,
        notes: tuple[str, ...],
        every_frame: bool,
    ) -> None:
        """Make the publishers and start the thread.

        :param names: what the topics are called; those of an only camera if not given.
        :param notes: sentences to write into the picture.
        """
        own = (names or CameraNames()).own
        self._node = node
        self._topology = topology
        self._notes = notes
        self._raw = make_publisher(node, Image, own('overlay'), _DEPTH)
        self._jpeg = make_publisher(node, CompressedImage, own('overlay/compressed'), _DEPTH)
        self._mailbox: Mailbox[Scene] = Mailbox(capacity=1, waits=every_frame)
        self._worker = Worker('overlay', self._publish, self._mailbox)

    def offer(self, frame: Frame, two_hands: TwoHands, *, jpeg_quality: int) -> None:
        """Have the overlay of a frame drawn if anybody looks."""
        if is_heard(self._raw) or is_heard(self._jpeg):
            self._mailbox.put(Scene(frame, two_hands, jpeg_quality))

    def check(self) -> None:
        """Raise what ended the drawing thread, if anything did."""
        self._worker.check()

    def clear(self) -> None:
        """Forget a frame that waits to be drawn."""
        self._mailbox.clear()

    def destroy(self) -> None:
        """End the thread and take the publishers away."""
        self._worker.stop()
        self._node.destroy_publisher(self._raw)
        self._node.destroy_publisher(self._jpeg)

    def _publish(self, scene: Scene) -> None:
        frame = scene.frame
        pixels = draw_overlay(
            frame.image, scene.two_hands, self._topology, frame.camera, notes=self._notes
        )
        header = header_message(frame.stamp_ns, frame.frame_id)
        if is_heard(self._raw):
            self._raw.publish(image_message(header, pixels))
        if is_heard(self._jpeg):
            height, width = pixels.shape[:2]
            picture = Picture(width, height, time_ns=0, pixels=pixels)
            quality = scene.jpeg_quality
            self._jpeg.publish(compressed_message(header, picture, jpeg_quality=quality))
