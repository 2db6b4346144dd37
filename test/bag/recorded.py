"""A small recording for tests, from messages as the node makes them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from interwild_ros.bag.write import OfferedQos, write_bag
from interwild_ros.records import Side, TwoHands
from interwild_ros.ros.hands_out import time_message, topology_message, two_hands_message
from interwild_ros.testing.some_hands import some_card, some_topology, some_two_hands
import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage
from std_msgs.msg import Header

PICTURES = '/image/compressed'
CAMERA_INFO = '/camera_info'
HANDS = '/hands_node/two_hands'
RAW = '/hands_node/two_hands_raw'
TOPOLOGY = '/hands_node/topology'
DIAGNOSTICS = '/diagnostics'

WIDTH, HEIGHT, FRAME_ID = 64, 48, 'eye'
STAMPS_NS = [1_000_000_000 + 100_000_000 * index for index in range(5)]
LATENCY_NS = 20_000_000
TRACKED = {0: (Side.RIGHT,), 2: (Side.RIGHT, Side.LEFT), 4: ()}  # by index of the picture
OFFERED = OfferedQos(reliable=True, transient_local=True, depth=3)


def hands_of(index: int) -> TwoHands:
    """Return what the node said of a picture."""
    return some_two_hands(
        *TRACKED[index], stamp_ns=STAMPS_NS[index], frame_id=FRAME_ID, seed=index
    )


def raw_hands_of(index: int) -> TwoHands:
    """Return what the node said of a picture by itself."""
    return some_two_hands(
        *TRACKED[index], stamp_ns=STAMPS_NS[index], frame_id=FRAME_ID, seed=100 + index
    )


def picture_message(index: int) -> CompressedImage:
    """Return a lossless picture whose grey says which one it is."""
    picture = np.full((HEIGHT, WIDTH, 3), 40 * index, np.uint8)
    data = cv2.imencode('.png', picture)[1].tobytes()
    return CompressedImage(header=_header(index), format='bgr8; png compressed bgr8', data=data)


def camera_message(index: int) -> CameraInfo:
    """Return a pinhole camera."""
    return CameraInfo(
        header=_header(index),
        width=WIDTH,
        height=HEIGHT,
        distortion_model='plumb_bob',
        d=[0.1, 0.0, 0.0, 0.0, 0.0],
        k=[60.0, 0.0, 31.0, 0.0, 61.0, 23.0, 0.0, 0.0, 1.0],
        p=[60.0, 0.0, 31.0, 0.0, 0.0, 61.0, 23.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def diagnostics_message(**values: str) -> DiagnosticArray:
    """Return what a node says of itself."""
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    return DiagnosticArray(status=[DiagnosticStatus(name='hands_node', values=pairs)])


def write_small_bag(
    folder: Path,
    diagnostics: DiagnosticArray | None = None,
    *,
    answered: Collection[int] = tuple(TRACKED),
) -> Path:
    """Write five pictures, three answers, and what the node says of itself."""
    with write_bag(folder) as bag:
        for topic, message_class in _topics().items():
            package = message_class.__module__.partition('.')[0]
            bag.add_topic(topic, f'{package}/msg/{message_class.__name__}', offered=[OFFERED])
        said = topology_message(some_topology(), some_card())
        bag.write(TOPOLOGY, serialize_message(said), received_ns=STAMPS_NS[0])
        for index, stamp_ns in enumerate(STAMPS_NS):
            _write_picture(bag, index, stamp_ns)
            if index in answered:
                for topic, hands in ((HANDS, hands_of(index)), (RAW, raw_hands_of(index))):
                    data = serialize_message(two_hands_message(hands))
                    bag.write(topic, data, received_ns=stamp_ns + LATENCY_NS)
        status = diagnostics or diagnostics_message(device='cpu')
        bag.write(DIAGNOSTICS, serialize_message(status), received_ns=STAMPS_NS[-1])
    return folder


def _write_picture(bag: Any, index: int, stamp_ns: int) -> None:
    bag.write(CAMERA_INFO, serialize_message(camera_message(index)), received_ns=stamp_ns)
    bag.write(PICTURES, serialize_message(picture_message(index)), received_ns=stamp_ns)


def _topics() -> dict[str, Any]:
    from interwild_ros.msg import HandTopology
    from interwild_ros.msg import TwoHands as TwoHandsMessage

    return {
        PICTURES: CompressedImage,
        CAMERA_INFO: CameraInfo,
        HANDS: TwoHandsMessage,
        RAW: TwoHandsMessage,
        TOPOLOGY: HandTopology,
        DIAGNOSTICS: DiagnosticArray,
    }


def _header(index: int) -> Header:
    return Header(stamp=time_message(STAMPS_NS[index]), frame_id=FRAME_ID)
