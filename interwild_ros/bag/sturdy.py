"""Read messages from a rosbag2 in whatever state it is: whole, cut off, damaged, incomplete.

A whole bag is read by rosbags alone. Where that fails, each of its files is read as far as it can
be, and what could not is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, ExitStack
from pathlib import Path
import re
import shutil
from tempfile import TemporaryDirectory
from typing import Any

from interwild_ros.bag.damage import Channel, Damage, ENCODINGS, Remains, Stored
from interwild_ros.bag.damaged_mcap import McapRemains
from interwild_ros.bag.damaged_sqlite import SqliteRemains
from interwild_ros.bag.definitions import read_definition
from interwild_ros.bag.message_types import parts_of
from interwild_ros.bag.outgoing import HAND, TOPOLOGY, TWO_HANDS
from interwild_ros.bag.read import TopicInfo
from interwild_ros.errors import AssetError
import pyarrow as pa
from rosbags.interfaces import Connection, QosDurability
from rosbags.rosbag2 import Reader
from rosbags.typesys import (
    get_types_from_idl,
    get_types_from_msg,
    get_typestore,
    Stores,
    TypesysError,
)
import yaml

_METADATA = 'metadata.yaml'
_PACKED = '.zstd'
_KINDS: dict[str, type[McapRemains] | type[SqliteRemains]] = {
    '.mcap': McapRemains,
    '.db3': SqliteRemains,
}
_ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'
_UNCLEAR = (TypesysError, ValueError, KeyError, TypeError, IndexError, AttributeError)
_IDL_SEPARATOR = '=' * 80 + '\n'


class DamagedBagError(AssetError):
    """A bag that rosbags cannot read to its end: `SturdyReader.salvage` goes on with it."""


class SturdyReader:
    """An open bag; made by `open_sturdy`.

    `topics` by name; `damage` what cannot be read; `unknown` the message types whose definition is
    not understood, with the reason; `latched` the topics that were recorded as transient local,
    as far as the bag says it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: list[Damage] = []
        self.topics: dict[str, TopicInfo] = {}
        self.unknown: dict[str, str] = {}
        self.latched: frozenset[str] = frozenset()
        self._whole: Reader | None = None
        self._remains: list[Remains] = []
        self._stack = ExitStack()
        self._store: Any = None

    @property
    def is_whole(self) -> bool:
        """Return whether nothing damaged was met so far."""
        return self._whole is not None

    @property
    def compression(self) -> str:
        """Return what of the bag is compressed beyond its storage: file, message, or nothing."""
        if any(file.suffix == _PACKED for file in storage_files(self.path)):
            return 'file'
        return '' if self._whole is None else self._whole.compression_mode or ''

    def open(self) -> None:
        """Open the bag, or what is left of it.

        :raises AssetError: when there is nothing that could be a bag.
        """
        if not self.path.exists():
            raise AssetError(f'the bag {self.path} does not exist')
        if not storage_files(self.path):
            raise AssetError(
                f'{self.path} is no rosbag2: wanted a folder with .mcap or .db3 files, or one of '
                'these'
            )
        try:
            self._open_whole()
        except DamagedBagError as error:
            self.salvage(str(error))

    def close(self) -> None:
        """Close all files."""
        self._stack.close()
        self._whole, self._remains = None, []

    def salvage(self, reason: str) -> None:
        """Begin anew with what can be read.

        :param reason: why that is needed.
        :raises AssetError: when nothing can be read.
        """
        self.close()
        self._stack = ExitStack()
        self.damage = [Damage(self.path.name, 'as a whole', reason)]
        for file in storage_files(self.path):
            self._open_remains(file)
        self._note_missing_files()
        channels = [channel for remains in self._remains for channel in remains.channels]
        if not channels:
            raise AssetError(f'cannot read the bag {self.path}: {self._all_damage()}')
        self._learn(channels)
        counts = dict.fromkeys(self.topics, 0)
        for message in self.messages(self.topics):
            counts[message.topic] += 1
        self.topics = {
            topic: TopicInfo(info.kind, counts[topic]) for topic, info in self.topics.items()
        }
        self.damage += [damage for remains in self._remains for damage in remains.damage]

    def messages(self, topics: Collection[str], begin_ns: int | None = None) -> Iterator[Stored]:
        """Return the messages of some topics, always in the same order.

        :param begin_ns: without those that arrived before; without a search through these, if the
            bag is whole.
        :raises DamagedBagError: when a whole bag turns out damaged.
        """
        if not topics:
            return
        if self._whole is None:
            for remains in self._remains:
                for message in remains.messages(topics):
                    if begin_ns is None or message.received_ns >= begin_ns:
                        yield message._replace(data=_unpacked(message.data))
            return
        chosen = [c for c in self._whole.connections if c.topic in topics]
        stored = self._whole.messages(connections=chosen, start=begin_ns)
        while chosen:
            with self._as_damage():
                found = next(stored, None)
            if found is None:
                return
            yield Stored(found[0].topic, found[1], bytes(found[2]))

    def check_all_came(self, counts: Mapping[str, int]) -> None:
        """See that a whole bag gave what it announced.

        :param counts: how many messages came, by topic.
        :raises DamagedBagError: naming a topic that fell short.
        """
        for topic in sorted(counts):
            announced = self.topics[topic].count
            if self.is_whole and counts[topic] < announced:
                raise DamagedBagError(f'{topic} has {counts[topic]} messages of {announced}')

    def deserialize(self, message: Stored) -> Any:
        """Return what a message says, as rosbags makes it.

        :raises AssetError: when its type is unknown, or its bytes are not of that type.
        """
        kind = self.topics[message.topic].kind
        if kind in self.unknown:
            raise AssetError(f'{message.topic} is of the unknown type {kind}')
        try:
            return self._store.deserialize_cdr(message.data, kind)
        except Exception as error:  # rosbags meets whatever Python says of wrong bytes
            raise AssetError(f'a message on {message.topic} is no {kind}: {error}') from error

    def _open_whole(self) -> None:
        with self._as_damage():
            reader = self._stack.enter_context(Reader(self.path))
        self._whole = reader
        self._learn(
            [
                Channel(c.topic, c.msgtype, ENCODINGS.get(c.msgdef.format.name, ''), c.msgdef.data)
                for c in reader.connections
            ]
        )
        self.latched = frozenset(filter(None, map(_latched_topic, reader.connections)))
        for connection in reader.connections:
            info = self.topics[connection.topic]
            count = info.count + connection.msgcount
            self.topics[connection.topic] = TopicInfo(info.kind, count)

    def _open_remains(self, file: Path) -> None:
        kind = _KINDS[file.with_suffix('').suffix if file.suffix == _PACKED else file.suffix]
        try:
            readable = self._unpacked_file(file) if file.suffix == _PACKED else file
            remains = kind(readable)
        except OSError as error:
            self.damage.append(Damage(file.name, 'the whole file', str(error)))
            return
        self._stack.callback(remains.close)
        self._remains.append(remains)

    def _unpacked_file(self, file: Path) -> Path:
        """Unpack a file that was compressed as a whole, as far as that goes."""
        folder = self._stack.enter_context(TemporaryDirectory())
        unpacked = Path(folder) / file.stem
        with unpacked.open('wb') as to, pa.input_stream(str(file), compression='zstd') as stream:
            try:
                shutil.copyfileobj(stream, to)
            except OSError as error:
                self.damage.append(Damage(file.name, f'after {to.tell()} bytes', str(error)))
        return unpacked

    def _note_missing_files(self) -> None:
        there = {file.name for file in storage_files(self.path)}
        for name in _files_by_metadata(self.path):
            if name not in there:
                self.damage.append(Damage(name, 'the whole file', 'it is not there'))

    def _learn(self, channels: Collection[Channel]) -> None:
        """Take in topics and types."""
        self.topics = {c.topic: TopicInfo(c.kind, 0) for c in channels}
        types, self.unknown = _understood(channels)
        self._store = get_typestore(Stores.EMPTY)
        self._store.register(types)

    def _all_damage(self) -> str:
        damage = [*self.damage, *(d for remains in self._remains for d in remains.damage)]
        return '; '.join(map(str, damage))

    @contextmanager
    def _as_damage(self) -> Iterator[None]:
        """Tell whatever rosbags and its decompressors say of damaged files as one error."""
        try:
            yield
        except Exception as error:
            text = (str(error).splitlines() or [type(error).__name__])[0]
            raise DamagedBagError(text) from error


@contextmanager
def open_sturdy(path: Path) -> Iterator[SturdyReader]:
    """Open a bag for reading: a rosbag2 folder, or one of its files by itself.

    :raises AssetError: when there is none, or nothing of it can be read.
    """
    reader = SturdyReader(path)
    try:
        reader.open()
        yield reader
    finally:
        reader.close()


def _latched_topic(connection: Connection) -> str:
    """Return the topic of a connection whose publishers were all latched, or nothing."""
    profiles = getattr(connection.ext, 'offered_qos_profiles', [])
    durabilities = {profile.durability for profile in profiles}
    return connection.topic if durabilities == {QosDurability.TRANSIENT_LOCAL} else ''


def storage_files(path: Path) -> list[Path]:
    """Return the files that hold a bag's messages, in order: bag_2 before bag_10."""
    if path.is_file():
        return [path] if _is_storage(path) else []
    named = [path / name for name in _files_by_metadata(path)]
    found = [file for file in named if file.is_file()]
    return found or sorted(filter(_is_storage, path.iterdir()), key=_numbered)


def _is_storage(file: Path) -> bool:
    name = file.with_suffix('') if file.suffix == _PACKED else file
    return name.suffix in _KINDS


def _numbered(file: Path) -> list[tuple[int, str]]:
    """Return the name so that numbers in it sort as numbers."""
    return [(int(part or 0), text) for text, part in re.findall(r'(\D*)(\d*)', file.name)]


def _files_by_metadata(path: Path) -> list[str]:
    """Return the names of a bag's files by its metadata; none where these cannot be read."""
    try:
        metadata = yaml.safe_load((path / _METADATA).read_text(encoding='utf-8'))
        names = metadata['rosbag2_bagfile_information']['relative_file_paths']
        return [Path(name).name for name in names]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return []


def _understood(channels: Collection[Channel]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the types that are needed, as the bag defines them, and why others are unknown."""
    known: dict[str, Any] = dict(get_typestore(Stores.LATEST).fielddefs)
    for kind in (TWO_HANDS, TOPOLOGY, HAND):
        known.update(get_types_from_msg(read_definition(kind), kind))
    unknown: dict[str, str] = {}
    for channel in {c.kind: c for c in channels if c.definition}.values():
        try:
            known.update(_types_of(channel))
        except _UNCLEAR as error:
            unknown[channel.kind] = (str(error).splitlines() or [type(error).__name__])[0]
    types: dict[str, Any] = {}
    for kind in sorted({c.kind for c in channels} - unknown.keys()):
        try:
            types.update(_with_parts(kind, known))
        except KeyError as error:
            unknown[kind] = f'nobody defines {error.args[0]}'
    return types, unknown


def _types_of(channel: Channel) -> dict[str, Any]:
    if channel.encoding != 'ros2idl':
        return dict(get_types_from_msg(channel.definition, channel.kind))
    types: dict[str, Any] = {}
    parts = channel.definition.split(_IDL_SEPARATOR)
    for part in parts[1:] or parts:
        types.update(get_types_from_idl(part.partition('\n')[2] if parts[1:] else part))
    return types


def _with_parts(kind: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return a type and all that it is made of.

    :raises KeyError: for one that is not known.
    """
    types: dict[str, Any] = {}
    waiting = [kind]
    while waiting:
        name = waiting.pop()
        types[name] = known[name]
        waiting += [part for part in parts_of(known[name]) if part not in types]
    return types


def _unpacked(data: bytes) -> bytes:
    """Return a message that was compressed by itself as it was before."""
    if not data.startswith(_ZSTD_MAGIC):
        return data
    try:
        return bytes(pa.CompressedInputStream(pa.BufferReader(data), 'zstd').read())
    except OSError:
        return b''  # counted as a message that cannot be read
