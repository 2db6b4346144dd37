"""Recordings of cameras for tests, as rosbag2 would leave them: made without ROS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import get_types_from_msg, get_typestore, Stores
import yaml

WIDTH, HEIGHT, FRAME_ID = 160, 120, 'eye'
IMAGE, INFO, DEPTH = '/cam/image', '/cam/camera_info', '/cam/depth'
FIRST_NS, STEP_NS = 5_000_000_000, 33_000_000
RECEIVED_LATER_NS = 4_000_000

STORE = get_typestore(Stores.LATEST)
_T = STORE.types


def stamps(count: int, *, first_ns: int = FIRST_NS, step_ns: int = STEP_NS) -> list[int]:
    return [first_ns + step_ns * index for index in range(count)]


def header(stamp_ns: int) -> Any:
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    time = _T['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
    return _T['std_msgs/msg/Header'](stamp=time, frame_id=FRAME_ID)


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def picture(stamp_ns: int, seed: int, *, encoding: str = 'rgb8') -> Any:
    return _T['sensor_msgs/msg/Image'](
        header=header(stamp_ns),
        height=HEIGHT,
        width=WIDTH,
        encoding=encoding,
        is_bigendian=0,
        step=3 * WIDTH,
        data=pixels(seed).ravel(),
    )


def compressed(stamp_ns: int, seed: int) -> Any:
    """Return the same picture, without loss."""
    png = cv2.imencode('.png', cv2.cvtColor(pixels(seed), cv2.COLOR_RGB2BGR))[1]
    return _T['sensor_msgs/msg/CompressedImage'](
        header=header(stamp_ns), format='rgb8; png compressed bgr8', data=png.ravel()
    )


def depth(stamp_ns: int, metres: float) -> Any:
    millimetres = np.full((HEIGHT, WIDTH), round(1000 * metres), np.uint16)
    return _T['sensor_msgs/msg/Image'](
        header=header(stamp_ns),
        height=HEIGHT,
        width=WIDTH,
        encoding='16UC1',
        is_bigendian=0,
        step=2 * WIDTH,
        data=millimetres.view(np.uint8).ravel(),
    )


def info(stamp_ns: int, *, focal_px: float = 150.0) -> Any:
    cx, cy = (WIDTH - 1) / 2, (HEIGHT - 1) / 2
    roi = _T['sensor_msgs/msg/RegionOfInterest'](
        x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
    )
    return _T['sensor_msgs/msg/CameraInfo'](
        header=header(stamp_ns),
        height=HEIGHT,
        width=WIDTH,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=np.array([focal_px, 0, cx, 0, focal_px, cy, 0, 0, 1]),
        r=np.eye(3).ravel(),
        p=np.array([focal_px, 0, cx, 0, 0, focal_px, cy, 0, 0, 0, 1, 0]),
        binning_x=0,
        binning_y=0,
        roi=roi,
    )


class CameraBag:
    """A bag that is being written."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._connections: dict[str, Any] = {}

    def add(self, topic: str, message: Any, received_ns: int) -> None:
        """Write a message; the topic is announced by its first one."""
        kind = message.__msgtype__
        self.add_bytes(topic, kind, bytes(STORE.serialize_cdr(message, kind)), received_ns)

    def add_bytes(self, topic: str, kind: str, data: bytes, received_ns: int) -> None:
        if topic not in self._connections:
            new = self._writer.add_connection(topic, kind, typestore=STORE)
            self._connections[topic] = new
        self._writer.write(self._connections[topic], received_ns, data)

    def add_unknown(self, topic: str, kind: str, definition: str, received_ns: int) -> None:
        """Write a message of a type with this definition."""
        self._connections[topic] = self._writer.add_connection(
            topic, kind, msgdef=definition, rihs01='RIHS01_0'
        )
        self._writer.write(self._connections[topic], received_ns, b'\0\1\0\0\7')


@contextmanager
def camera_bag(
    folder: Path,
    *,
    storage: StoragePlugin = StoragePlugin.MCAP,
    compression: CompressionMode = CompressionMode.NONE,
) -> Iterator[CameraBag]:
    writer = Writer(folder, version=8, storage_plugin=storage)
    writer.set_compression(compression, CompressionFormat.ZSTD)
    with writer:
        yield CameraBag(writer)


def add_frames(
    bag: CameraBag,
    stamps_ns: Iterable[int],
    *,
    image: str = IMAGE,
    info_topic: str = INFO,
    is_compressed: bool = False,
    first_seed: int = 0,
    received_ns: Sequence[int] = (),
) -> None:
    """Write pictures of noise, each after its camera_info unless `info_topic` is empty."""
    for index, stamp_ns in enumerate(stamps_ns):
        arrival_ns = received_ns[index] if received_ns else stamp_ns + RECEIVED_LATER_NS
        if info_topic:
            bag.add(info_topic, info(stamp_ns), arrival_ns)
        make = compressed if is_compressed else picture
        bag.add(image, make(stamp_ns, first_seed + index), arrival_ns)


def write_camera_bag(folder: Path, count: int = 6, **options: Any) -> Path:
    """Write a bag of one camera."""
    with camera_bag(folder, **options) as bag:
        add_frames(bag, stamps(count))
    return folder


def write_split_bag(folder: Path, counts: Sequence[int] = (2, 3), **options: Any) -> Path:
    """Write a bag of several files: rosbag2 begins a new one when one is full."""
    folder.mkdir()
    whole: dict[str, Any] = {}
    for number, count in enumerate(counts):
        part = folder / f'part_{number}'
        begun = sum(counts[:number])
        with camera_bag(part, **options) as bag:
            add_frames(bag, stamps(sum(counts))[begun : begun + count], first_seed=begun)
        (stored,) = (p for p in part.iterdir() if p.name != 'metadata.yaml')
        told = yaml.safe_load((part / 'metadata.yaml').read_text())
        _join(whole, told['rosbag2_bagfile_information'])
        stored.rename(folder / stored.name)
        (part / 'metadata.yaml').unlink()
        part.rmdir()
    text = yaml.safe_dump({'rosbag2_bagfile_information': whole})
    (folder / 'metadata.yaml').write_text(text)
    return folder


def _join(whole: dict[str, Any], part: dict[str, Any]) -> None:
    if not whole:
        whole.update(part)
        return
    whole['relative_file_paths'] += part['relative_file_paths']
    whole['message_count'] += part['message_count']
    for topic, more in zip(
        whole['topics_with_message_count'], part['topics_with_message_count'], strict=True
    ):
        topic['message_count'] += more['message_count']


def unknown_type(name: str) -> dict[str, Any]:
    return get_types_from_msg('int32 number', name)
