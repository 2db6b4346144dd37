"""Write a rosbag2 folder (mcap) from serialised messages: whole, or not at all.

The bag explains itself: it holds the full text of every message definition, with its comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from interwild_ros.bag.message_types import collected
from interwild_ros.errors import AssetError
from interwild_ros.whole import whole_folder
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

# Version 9 writes QoS profiles in a form that Humble does not read; all later ones read 8.
_METADATA_VERSION: Final = 8
_INFINITE = QosTime(9223372036, 854775807)  # RMW_DURATION_INFINITE
_SEPARATOR = '=' * 80


@dataclass(frozen=True)
class OfferedQos:
    """What a publisher offered, so that a player can offer the same.

    Its depth is known to nobody else: the default is ROS's own.
    """

    reliable: bool = True
    transient_local: bool = False
    depth: int = 10


class BagWriter:
    """A bag that is being written; made by `write_bag`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._connections: dict[str, Any] = {}

    def add_topic(self, topic: str, kind: str, *, offered: Sequence[OfferedQos] = ()) -> None:
        """Announce a topic, once, before its first message.

        :param kind: message type, `package/msg/Name`.
        :param offered: one profile per publisher.
        :raises AssetError: when the type, or one it is made of, is not installed.
        """
        definition, type_hash = _definition_and_hash(kind)
        self._connections[topic] = self._writer.add_connection(
            topic,
            kind,
            msgdef=definition,
            rihs01=type_hash,
            offered_qos_profiles=[_qos(profile) for profile in offered],
        )

    def write(self, topic: str, data: bytes, *, received_ns: int) -> None:
        """Write one message as it came from the wire.

        :param data: CDR bytes with their encapsulation header.
        :param received_ns: when it arrived, nanoseconds since 1970.
        :raises AssetError: when the disk does not take it.
        """
        with _disk_as_asset_error(f'{topic} to the bag'):
            self._writer.write(self._connections[topic], received_ns, data)


@contextmanager
def write_bag(folder: Path, *, is_packed: bool = False) -> Iterator[BagWriter]:
    """Open a new bag; it stands at `folder`, replacing what was there, when nothing was raised.

    :param is_packed: compress its chunks (zstd), for what is not written at camera rate.
    :raises AssetError: when the folder cannot be written to.
    """
    with whole_folder(folder) as new:
        new.rmdir()  # rosbags insists on making it
        writer = Writer(new, version=_METADATA_VERSION, storage_plugin=StoragePlugin.MCAP)
        if is_packed:
            writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        with _disk_as_asset_error(f'the bag {folder}'):
            writer.open()
        try:
            yield BagWriter(writer)
        except BaseException:
            writer.abort()
            raise
        with _disk_as_asset_error(f'the bag {folder}'):
            writer.close()


@contextmanager
def _disk_as_asset_error(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AssetError(f'cannot write {what}: {error}') from error


def _definition_and_hash(kind: str) -> tuple[str, str]:
    """Return the definition with everything it is made of, as rosbag2 has it, and its hash."""
    texts, types = collected(kind)
    store = get_typestore(Stores.EMPTY)
    store.register(types)
    return _joined(texts), store.hash_rihs01(kind)


def _joined(texts: dict[str, str]) -> str:
    main, *parts = texts
    blocks = [texts[main]]
    blocks += [f'{_SEPARATOR}\nMSG: {name.replace("/msg/", "/")}\n{texts[name]}' for name in parts]
    return '\n'.join(blocks)


def _qos(offered: OfferedQos) -> Qos:
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=offered.depth,
        reliability=(QosReliability.RELIABLE if offered.reliable else QosReliability.BEST_EFFORT),
        durability=(
            QosDurability.TRANSIENT_LOCAL if offered.transient_local else QosDurability.VOLATILE
        ),
        deadline=_INFINITE,
        lifespan=_INFINITE,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=_INFINITE,
        avoid_ros_namespace_conventions=False,
    )
