"""Read what is left of an mcap file: cut off, without index, or with bytes that changed.

The file is walked from its beginning, record by record, as the specification describes them
(mcap.dev/spec). A chunk whose sum does not agree is left out, since nobody knows which of its
bytes are wrong; where the walk loses its way it goes on at the next chunk that the index names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
import struct
from typing import BinaryIO, NamedTuple

from interwild_ros.bag.damage import Channel, Damage, ENCODINGS, Stored
from rosbags.rosbag2 import ReaderError
from rosbags.rosbag2.storage_mcap import decompress, McapReader

_MAGIC = b'\x89MCAP0\r\n'
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 0x03, 0x04, 0x05, 0x06, 0x0F
_HEAD = struct.Struct('<BQ')
_MESSAGE_HEAD = struct.Struct('<HIQQ')
_CHUNK_HEAD = struct.Struct('<QQQI')
# rosbags meets Python's own errors where it reads what is not there
_NO_INDEX = (ReaderError, struct.error, ValueError, TypeError, KeyError, IndexError, OSError)


class _Record(NamedTuple):
    code: int
    content: bytes
    is_whole: bool
    offset: int


class McapRemains:
    """An mcap file that is read as far as it can be."""

    def __init__(self, path: Path) -> None:
        """Walk through the file once.

        :raises OSError: when it cannot be opened.
        """
        self.damage: list[Damage] = []
        self.channels: list[Channel] = []
        self._path = path
        self._file: BinaryIO = path.open('rb')
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self._topics: dict[int, str] = {}
        self._is_known = False
        self._chunk_offsets: list[int] = []
        self._learn_index()
        if self._file.read(len(_MAGIC)) != _MAGIC:
            self._note('the beginning', 'not that of an mcap file')
            return
        for record in self._records():
            self._learn(record)
        self._is_known = True

    def messages(self, topics: Collection[str]) -> Iterator[Stored]:
        """Return every message that can be read, in the order of the file."""
        for record in self._records():
            if record.code == _MESSAGE:
                channel, _, received_ns, _ = _MESSAGE_HEAD.unpack_from(record.content)
                topic = self._topics.get(channel)
                if topic in topics:
                    yield Stored(str(topic), received_ns, record.content[_MESSAGE_HEAD.size :])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _records(self) -> Iterator[_Record]:
        """Yield the whole records of the file and of its chunks."""
        for record in self._outer_records():
            if record.code == _CHUNK:
                yield from self._records_of_chunk(record)
            elif record.is_whole:
                yield record

    def _outer_records(self) -> Iterator[_Record]:
        size = self._path.stat().st_size
        offset: int | None = len(_MAGIC)
        while offset is not None and offset + _HEAD.size <= size:
            self._file.seek(offset)
            code, length = _HEAD.unpack(self._file.read(_HEAD.size))
            end = offset + _HEAD.size + length
            if code == _DATA_END:
                return  # what follows is the index
            if not 0 < code < 0x80 or (end > size and code != _CHUNK):
                offset = self._after_loss(offset, size)
                continue
            if end > size and self._after(offset) is not None:
                offset = self._after_loss(offset, size)
                continue
            if end > size:
                self._note(f'{size - offset} bytes from {offset}', f'the file ends before {end}')
            content = self._file.read(min(length, size - offset - _HEAD.size))
            yield _Record(code, content, is_whole=end <= size, offset=offset)
            offset = end
        if offset is not None:
            self._note(f'the end, at {size} bytes', 'there is no index: the file was cut off')

    def _after_loss(self, offset: int, size: int) -> int | None:
        """Note that there is no record here, and return where there is one again."""
        found = self._after(offset)
        self._note(f'{(found or size) - offset} bytes from {offset}', 'no record of an mcap file')
        return found

    def _after(self, offset: int) -> int | None:
        return next((chunk for chunk in self._chunk_offsets if chunk > offset), None)

    def _records_of_chunk(self, chunk: _Record) -> Iterator[_Record]:
        try:
            records = _unpacked(chunk)
        except _ChunkError as error:
            self._note(f'{len(chunk.content)} bytes from {chunk.offset}', str(error))
            return
        at = 0
        while at + _HEAD.size <= len(records):
            code, length = _HEAD.unpack_from(records, at)
            content = records[at + _HEAD.size : at + _HEAD.size + length]
            at += _HEAD.size + length
            if at <= len(records):
                yield _Record(code, content, is_whole=True, offset=chunk.offset)

    def _learn_index(self) -> None:
        """Take in where chunks begin and which topics there are, if the file's end says it."""
        reader = McapReader(self._path)
        try:
            reader.open()
        except _NO_INDEX:
            return
        self._chunk_offsets = sorted(chunk.chunk_start_offset for chunk in reader.chunks)
        for found in reader.connections:
            encoding = ENCODINGS.get(found.msgdef.format.name, '')
            self._topics[found.id] = found.topic
            self.channels.append(Channel(found.topic, found.msgtype, encoding, found.msgdef.data))
        reader.close()

    def _learn(self, record: _Record) -> None:
        """Take in schemas and channels."""
        try:
            if record.code == _SCHEMA:
                (key,) = struct.unpack_from('<H', record.content)
                name, encoding, definition = _texts(record.content[2:], 3)
                self._schemas[key] = (name, encoding, definition)
            elif record.code == _CHANNEL:
                self._learn_channel(record.content)
        except (struct.error, UnicodeDecodeError) as error:
            self._note(f'a topic at {record.offset}', _first_line(error))

    def _learn_channel(self, content: bytes) -> None:
        key, schema = struct.unpack_from('<HH', content)
        (topic,) = _texts(content[4:], 1)
        if key not in self._topics:
            self._topics[key] = topic
            self.channels.append(Channel(topic, *self._schemas.get(schema, ('', '', ''))))

    def _note(self, where: str, reason: str) -> None:
        if not self._is_known:  # later walks find the same
            self.damage.append(Damage(self._path.name, where, reason))


class _ChunkError(Exception):
    """A chunk whose bytes changed."""


def _unpacked(chunk: _Record) -> bytes:
    """Return the records of a chunk; what is there of one that was cut off, if it is not packed.

    :raises _ChunkError: when the sum or the size does not agree, or it cannot be unpacked.
    """
    try:
        _, _, size, crc = _CHUNK_HEAD.unpack_from(chunk.content)
        (packing,) = _texts(chunk.content[_CHUNK_HEAD.size :], 1)
        data = chunk.content[_CHUNK_HEAD.size + 4 + len(packing) + 8 :]
        if not chunk.is_whole and not packing:
            return data
        return decompress(data, packing, size, crc)
    except Exception as error:  # each packing has errors of its own
        raise _ChunkError(_first_line(error)) from error


def _texts(content: bytes, count: int) -> list[str]:
    texts, at = [], 0
    for _ in range(count):
        (length,) = struct.unpack_from('<I', content, at)
        texts.append(content[at + 4 : at + 4 + length].decode())
        at += 4 + length
    return texts


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
