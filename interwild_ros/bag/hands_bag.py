"""hands.mcap: what the node would have published, one rosbag2 file by itself.

Every message is filed under the stamp of its picture: a player then shows hands and pictures of
one time together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import shutil
from typing import Any, Final

from interwild_ros.bag import outgoing
from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.columns import SeenFrame
from interwild_ros.bag.markers import MARKERS, Markers
from interwild_ros.bag.message_types import MessageTypes
from interwild_ros.bag.ordered import Recorded
from interwild_ros.bag.read import CAMERA_INFO, RAW
from interwild_ros.bag.transforms import TF_MESSAGE, TransformMessages
from interwild_ros.bag.write import BagWriter, OfferedQos, write_bag
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError
from interwild_ros.records import ModelCard, Topology

NODE: Final = '/hands_node'
HANDS_TOPIC: Final = f'{NODE}/two_hands'
_TOPOLOGY = f'{NODE}/topology'
_MARKERS, _TF = f'{NODE}/markers', '/tf'
_LATCHED = OfferedQos(transient_local=True, depth=1)


class HandsBag:
    """A bag of hands that is being written; made by `write_hands_bag`."""

    def __init__(
        self,
        bag: BagWriter,
        camera: CameraTopics,
        settings: Settings,
        topology: Topology,
        card: ModelCard,
        *,
        image_kind: str = '',
    ) -> None:
        """Announce the topics.

        :param image_kind: message type of the pictures, where they are written too.
        """
        self._bag, self._camera, self._settings = bag, camera, settings
        self._types = MessageTypes([outgoing.TWO_HANDS, outgoing.TOPOLOGY, MARKERS, TF_MESSAGE])
        self._topology = outgoing.topology_message(self._types.new, topology, card)
        made_by: Any = {
            'new': self._types.new,
            'serialize': self._types.serialize,
            'on_fallback': _refuse,
        }
        self._two_hands = outgoing.TwoHandsMessages(**made_by)
        self._transforms = TransformMessages(**made_by)
        self._markers = Markers(topology, **made_by)
        self._has_images = bool(image_kind)
        self._info_number: int | None = None
        self._is_begun = False
        self._announce(image_kind)

    def add(self, recorded: Recorded, frame: SeenFrame) -> None:
        """Add what was seen in a picture.

        :raises AssetError: when the disk does not take it.
        """
        hands, stamp_ns = frame.followed.hands, recorded.stamp_ns
        if not self._is_begun:
            self._is_begun = True
            self._write(_TOPOLOGY, self._types.serialize(self._topology), stamp_ns)
        self._add_input(recorded)
        self._write(HANDS_TOPIC, self._two_hands.message(hands), stamp_ns)
        raw = self._two_hands.message(frame.followed.raw)
        self._write(f'{HANDS_TOPIC}{RAW}', raw, stamp_ns)
        settings = self._settings
        frames = self._transforms.message(
            hands, prefix=settings.tf_prefix, with_joints=settings.joint_frames
        )
        if frames is not None:
            self._write(_TF, frames, stamp_ns)
        markers = self._markers.message(hands, lifetime_sec=settings.marker_lifetime_sec)
        if markers is not None:
            self._write(_MARKERS, markers, stamp_ns)

    def _announce(self, image_kind: str) -> None:
        if self._camera.info:
            self._bag.add_topic(self._camera.info, CAMERA_INFO, offered=[_LATCHED])
        if image_kind:
            self._bag.add_topic(self._camera.image, image_kind, offered=[OfferedQos(depth=5)])
        for topic in (HANDS_TOPIC, f'{HANDS_TOPIC}{RAW}'):
            self._bag.add_topic(topic, outgoing.TWO_HANDS, offered=[OfferedQos()])
        self._bag.add_topic(_TOPOLOGY, outgoing.TOPOLOGY, offered=[_LATCHED])
        self._bag.add_topic(_MARKERS, MARKERS, offered=[OfferedQos(depth=4)])
        self._bag.add_topic(_TF, TF_MESSAGE, offered=[OfferedQos(depth=100)])

    def _add_input(self, recorded: Recorded) -> None:
        """Pass on the picture, where that is wanted, and its CameraInfo when it is another one."""
        if recorded.info is not None and recorded.info_number != self._info_number:
            self._info_number = recorded.info_number
            self._write(self._camera.info, recorded.info.data, recorded.stamp_ns)
        if self._has_images:
            self._write(self._camera.image, recorded.image.data, recorded.stamp_ns)

    def _write(self, topic: str, data: bytes, stamp_ns: int) -> None:
        self._bag.write(topic, data, received_ns=stamp_ns)


@contextmanager
def hands_file(path: Path) -> Iterator[BagWriter]:
    """Open a new bag that will be this one file, without a folder around it.

    An mcap file explains itself: `ros2 bag play` and rosbags take it alone.

    :raises AssetError: when it cannot be written.
    """
    folder = path.with_suffix('')
    with write_bag(folder, is_packed=True) as bag:
        yield bag
    (folder / f'{folder.name}.mcap').rename(path)
    shutil.rmtree(folder)


def _refuse(problem: str) -> None:
    raise AssetError(problem)  # the layout is that of rosbags alone
