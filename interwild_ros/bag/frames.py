"""From recorded messages to frames: what the node's FrameReader and DepthInput do, without ROS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import time

from interwild_ros.bag.messages import camera_or_nominal, picture_of, with_depth
from interwild_ros.bag.ordered import Recorded
from interwild_ros.bag.sturdy import SturdyReader
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError, InputError
from interwild_ros.geometry.mirror import mirror_frame
from interwild_ros.records import Camera, Frame

UNREADABLE = 'bad_message'


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture as the pipeline takes it, or why it cannot.

    Exactly one of `frame` and `problem` is there. `depth_problem` says why a depth picture could
    not be used. `decode_sec` is how long that took.
    """

    recorded: Recorded
    frame: Frame | None
    problem: InputError | None
    depth_problem: InputError | None
    decode_sec: float


class FrameMaker:
    """Decodes pictures and joins them to their camera and their depth."""

    def __init__(self, bag: SturdyReader, settings: Settings) -> None:
        """Begin with the first picture."""
        self._bag = bag
        self._settings = settings
        self._camera_of: tuple[int, tuple[int, int], Camera] | None = None

    def decoded(self, pictures: Iterable[Recorded]) -> Iterator[Decoded]:
        """Decode one picture after another."""
        for recorded in pictures:
            began = time.perf_counter()
            frame, problem, depth_problem = self._frame(recorded)
            took_sec = time.perf_counter() - began
            yield Decoded(recorded, frame, problem, depth_problem, took_sec)

    def _frame(
        self, recorded: Recorded
    ) -> tuple[Frame | None, InputError | None, InputError | None]:
        try:
            frame = self._plain_frame(recorded)
        except InputError as error:
            return None, error, None
        except AssetError as error:
            return None, InputError(UNREADABLE, str(error)), None
        try:
            return self._with_depth(frame, recorded), None, None
        except InputError as error:
            return frame, None, error
        except AssetError as error:
            return frame, None, InputError(UNREADABLE, str(error))

    def _plain_frame(self, recorded: Recorded) -> Frame:
        message = self._bag.deserialize(recorded.image)
        image = picture_of(message)
        height, width = image.shape[:2]
        frame = Frame(
            image=image,
            camera=self._camera(recorded, (width, height)),
            stamp_ns=recorded.stamp_ns,
            frame_id=str(message.header.frame_id) or self._settings.fallback_frame_id,
        )
        return mirror_frame(frame) if self._settings.mirrored_image else frame

    def _camera(self, recorded: Recorded, size: tuple[int, int]) -> Camera:
        known = self._camera_of
        if known is None or known[:2] != (recorded.info_number, size):
            known = (recorded.info_number, size, self._described(recorded, size))
            self._camera_of = known
        return known[2]

    def _described(self, recorded: Recorded, size: tuple[int, int]) -> Camera:
        info = self._bag.deserialize(recorded.info) if recorded.info else None
        return camera_or_nominal(info, self._settings, image_size=size)

    def _with_depth(self, frame: Frame, recorded: Recorded) -> Frame:
        if recorded.depth is None:
            return frame
        return with_depth(frame, self._bag.deserialize(recorded.depth), self._settings)
