"""One camera of the node: what it sends, the memory of its hands, and what is published of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import threading
import time

from interwild_ros.config import Settings
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.ros.camera_names import CameraNames
from interwild_ros.ros.complaints import Complaints
from interwild_ros.ros.depth_in import DepthInput
from interwild_ros.ros.diagnostics import InputState
from interwild_ros.ros.frame_in import FrameReader
from interwild_ros.ros.image_input import ImageInput
from interwild_ros.ros.inference import Inference, Sinks, Sources
from interwild_ros.ros.meter import Meter
from interwild_ros.ros.outputs import Outputs
from interwild_ros.ros.overlay_out import OverlayOut
from interwild_ros.ros.worker import Mailbox
from interwild_ros.tracking.hand_size import Measured, NotMeasured
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

COMPLAINT_PERIOD_SEC = 5.0
_CALIBRATION_PATIENCE_SEC = 1.0

Job = Callable[[], None]
"""Work on one image, to be done in the worker's thread."""


class ServedCamera:
    """A camera's subscriptions, follower, publishers and figures, wired.

    Images become jobs in a mailbox, whose worker may serve other cameras too. All methods belong
    to the executor's thread.
    """

    def __init__(
        self,
        node: Node,
        names: CameraNames,
        pipeline: Pipeline,
        mailbox: Mailbox[Job],
        meter: Meter,
    ) -> None:
        """Make the publishers, and start the thread of the overlay.

        :param pipeline: of the node's settings; it shares its networks with other cameras.
        :param mailbox: where jobs wait for the worker.
        """
        self._node = node
        self._names = names
        self._settings = names.settings(pipeline.settings)
        self._mailbox = mailbox
        self._meter = meter
        self._complaints = Complaints(self._warn, period_sec=COMPLAINT_PERIOD_SEC)
        self._reader = FrameReader(self._settings)
        self._depth = DepthInput()
        self._outputs = Outputs(node, pipeline.topology, pipeline.card, names)
        self._overlay = OverlayOut(
            node,
            pipeline.topology,
            names,
            notes=pipeline.card.warnings,
            every_frame=self._settings.every_frame,
        )
        self._inference = Inference(
            pipeline.with_settings(self._settings),
            Sources(self._reader, self._depth),
            Sinks(self._outputs, self._overlay, meter, self._complaints),
            now_ns=lambda: node.get_clock().now().nanoseconds,
        )
        self._input = ImageInput(
            node,
            names,
            self._settings,
            on_image=self._take_image,
            on_camera_info=self._take_camera_info,
            on_depth=self._depth.put,
            has_room=lambda: mailbox.has_room,
        )
        self._silence: str | None = None
        self._listening_since_sec = 0.0
        self._calibrated = threading.Event()
        self._has_awaited_calibration = False
        self._is_open = False

    def open(self) -> None:
        """Listen for images and publish what is seen."""
        self._meter.forget_recent()
        self._inference.open()
        self._is_open = True
        self._listening_since_sec = time.monotonic()
        self._input.follow()

    def close(self) -> None:
        """Stop listening and publishing, at once."""
        self._is_open = False
        self._silence = None
        self._input.close()
        self._mailbox.clear()
        self._inference.close()
        self._overlay.clear()

    def destroy(self) -> None:
        """Take the publishers away, once it is closed and the worker has stopped."""
        self._overlay.destroy()
        self._outputs.destroy()

    def apply(self, settings: Settings) -> None:
        """Go on with other settings of the node."""
        self._settings = self._names.settings(settings)
        self._inference.apply(self._settings)

    def reset(self) -> None:
        """Forget what earlier frames said."""
        self._inference.reset()

    def measure_palm(self) -> Measured | NotMeasured:
        """Return the operator's size, by the last frames with a known distance."""
        return self._inference.measure_palm()

    def tick(self) -> None:
        """Follow the publishers, and notice silence; called a few times a second.

        :raises Exception: what ended the thread of the overlay.
        """
        self._overlay.check()
        if self._is_open:
            if self._input.follow():
                self._listening_since_sec = time.monotonic()
            self._notice_silence()

    def input_state(self) -> InputState:
        """Return what diagnostics tell of the input."""
        image = self._input.image
        return InputState(
            topic=image.topic,
            publishers=image.offers,
            incompatible_events=image.incompatible_events,
            calibration=self._reader.camera_state,
            silence=self._silence,
        )

    def _warn(self, text: str) -> None:
        self._node.get_logger().warning(f'{self._names}{text}')

    def _take_image(self, data: bytes) -> None:
        self._meter.count_arrival()
        self._meter.count_dropped(self._mailbox.put(partial(self._work, data)))

    def _take_camera_info(self, message: CameraInfo) -> None:
        self._reader.camera_info(message)
        self._calibrated.set()

    def _work(self, data: bytes) -> None:
        """Work on a serialised image, in the worker's thread."""
        executor = self._node.executor
        if self._settings.every_frame and executor is not None:
            executor.wake()  # there is room for an image that the gate held back
        self._await_calibration()
        self._inference.work(data)

    def _await_calibration(self) -> None:
        """Give the first camera_info, which comes on a topic of its own, time to arrive."""
        if self._input.camera_info.offers and not self._has_awaited_calibration:
            self._calibrated.wait(_CALIBRATION_PATIENCE_SEC)
        self._has_awaited_calibration = True

    def _notice_silence(self) -> None:
        listening_sec = time.monotonic() - self._listening_since_sec
        silent_sec = min(self._meter.figures().silent_sec, listening_sec)
        # While every frame counts and the queue is full, it is we who keep the camera waiting.
        if silent_sec < self._settings.silence_sec or not self._mailbox.has_room:
            self._silence = None
            return
        self._silence = self._input.explain_silence()
        self._complaints.remind('silence', f'no image for {silent_sec:.1f} s: {self._silence}')
