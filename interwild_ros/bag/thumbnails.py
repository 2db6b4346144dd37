"""Small pictures of single frames with the hands drawn over them, for the report."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.frames import FrameMaker
from interwild_ros.bag.messages import two_hands_of
from interwild_ros.bag.ordered import in_order
from interwild_ros.bag.plan import header_stamp_ns, Plan
from interwild_ros.bag.sturdy import open_sturdy, SturdyReader
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError
from interwild_ros.imaging.overlay import draw_overlay
from interwild_ros.records import Image, Topology, TwoHands
import numpy as np

_WIDTH = 480
_JPEG_QUALITY = 80


class Thumbnails:
    """Draws frames of one camera again."""

    def __init__(
        self,
        bag: SturdyReader,
        camera: CameraTopics,
        plan: Plan,
        settings: Settings,
        topology: Topology,
    ) -> None:
        """Keep where the pictures come from."""
        self._bag, self._camera, self._plan = bag, camera, plan
        self._settings, self._topology = settings, topology

    def draw(
        self, stamps_ns: Sequence[int], hands_file: Path, topic: str
    ) -> Iterator[tuple[int, bytes]]:
        """Yield the stamp and a JPEG file of each of these frames, in the order given.

        :param hands_file: bag with what was seen, on this topic, each message filed under the
            stamp of its picture.
        :raises AssetError: when the bag or that file cannot be read any more.
        """
        if not stamps_ns:
            return
        hands = _hands_of(hands_file, topic, stamps_ns)
        drawn = {stamp: self._jpeg(image) for stamp, image in self._overlays(hands)}
        yield from ((stamp, drawn[stamp]) for stamp in stamps_ns if stamp in drawn)

    def _overlays(self, hands: dict[int, TwoHands]) -> Iterator[tuple[int, Image]]:
        rows = np.flatnonzero(np.isin(self._plan.stamps_ns, list(hands)))
        maker = FrameMaker(self._bag, self._settings)
        pictures = in_order(self._bag, self._camera, _rows(self._plan, rows))
        done: set[int] = set()
        for decoded in maker.decoded(pictures):
            stamp_ns, frame = decoded.recorded.stamp_ns, decoded.frame
            if frame is not None and stamp_ns not in done:  # of several with a stamp the first
                done.add(stamp_ns)
                seen = hands[stamp_ns]
                yield stamp_ns, draw_overlay(frame.image, seen, self._topology, frame.camera, ())

    def _jpeg(self, image: Image) -> bytes:
        height, width = image.shape[:2]
        if width > _WIDTH:
            size = (_WIDTH, round(height * _WIDTH / width))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        is_fine, data = cv2.imencode('.jpg', bgr, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
        if not is_fine:
            raise AssetError('OpenCV could not encode a JPEG')
        return data.tobytes()


def _rows(plan: Plan, rows: Collection[int]) -> Plan:
    names = ('images', 'infos', 'depths', 'stamps_ns', 'received_ns')
    return replace(plan, **{name: getattr(plan, name)[rows] for name in names})


def _hands_of(file: Path, topic: str, stamps_ns: Collection[int]) -> dict[int, TwoHands]:
    """Return what was seen in pictures, of a file that files it under the pictures' stamps."""
    found: dict[int, TwoHands] = {}
    with open_sturdy(file) as bag:
        for stamp_ns in stamps_ns:
            message = next(bag.messages([topic], stamp_ns), None)
            if message is not None and header_stamp_ns(message.data) == stamp_ns:
                found[stamp_ns] = two_hands_of(bag.deserialize(message))
    return found
