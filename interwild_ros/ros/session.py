"""Everything that exists between configure and cleanup: networks, cameras, threads."""

from __future__ import annotations

from collections.abc import Mapping

from interwild_ros.config import Settings
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.ros.camera_names import CameraNames
from interwild_ros.ros.diagnostics import InputState
from interwild_ros.ros.meter import Meter
from interwild_ros.ros.served_camera import Job, ServedCamera
from interwild_ros.ros.worker import Turns, Worker
from interwild_ros.tracking.hand_size import Measured, NotMeasured
from rclpy.node import Node

_REPLAY_QUEUE = 4


class Session:
    """A configured node's cameras, and the one worker that sees their images in turn.

    All cameras share the pipeline's networks. All methods belong to the executor's thread.
    """

    def __init__(
        self, node: Node, pipeline: Pipeline, meters: Mapping[CameraNames, Meter]
    ) -> None:
        """Make the publishers and start the threads.

        :param pipeline: of the node's settings.
        :param meters: count the frames of each camera that is to be served.
        """
        self.card = pipeline.card
        capacity = _REPLAY_QUEUE if pipeline.settings.every_frame else 1
        turns: Turns[Job] = Turns(len(meters), capacity=capacity)
        self._cameras = {
            names: ServedCamera(node, names, pipeline, mailbox, meter)
            for (names, meter), mailbox in zip(meters.items(), turns.mailboxes, strict=True)
        }
        self._worker = Worker('inference', _do, turns)

    def open(self) -> None:
        """Listen for images and publish what is seen."""
        for camera in self._cameras.values():
            camera.open()

    def close(self) -> None:
        """Stop listening and publishing, at once."""
        for camera in self._cameras.values():
            camera.close()

    def destroy(self) -> None:
        """End the threads, when the frame in work is done, and take the publishers away."""
        self.close()
        self._worker.stop()
        for camera in self._cameras.values():
            camera.destroy()

    def apply(self, settings: Settings) -> None:
        """Go on with other settings."""
        for camera in self._cameras.values():
            camera.apply(settings)

    def reset(self) -> None:
        """Forget what earlier frames said, of every camera."""
        for camera in self._cameras.values():
            camera.reset()

    def measure_palm(self, names: CameraNames) -> Measured | NotMeasured:
        """Return the operator's size, by the last frames of a camera with a known distance."""
        return self._cameras[names].measure_palm()

    def tick(self) -> None:
        """Follow the publishers, and notice silence and dead threads; called a few times a second.

        :raises Exception: what ended a thread.
        """
        self._worker.check()
        for camera in self._cameras.values():
            camera.tick()

    def input_state(self, names: CameraNames) -> InputState:
        """Return what diagnostics tell of a camera's input."""
        return self._cameras[names].input_state()


def _do(job: Job) -> None:
    job()
