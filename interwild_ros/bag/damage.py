"""What is left of a damaged storage file, and what is not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

# how rosbags calls the ways in which definitions are written: how storage files call them
ENCODINGS: Final = {'MSG': 'ros2msg', 'IDL': 'ros2idl'}


@dataclass(frozen=True)
class Damage:
    """What could not be read: the file's name, where in it, and why."""

    file: str
    where: str
    reason: str

    def __str__(self) -> str:
        return f'{self.file}, {self.where}: {self.reason}'


@dataclass(frozen=True)
class Channel:
    """A topic in a storage file.

    `kind` is `package/msg/Name`; `definition` its text, and `encoding` how that is written:
    `ros2msg`, `ros2idl`, or empty where the file holds none.
    """

    topic: str
    kind: str
    encoding: str = ''
    definition: str = ''


class Stored(NamedTuple):
    """A message as it was recorded."""

    topic: str
    received_ns: int
    data: bytes


class Remains(Protocol):
    """A storage file that is read as far as it can be."""

    channels: list[Channel]
    damage: list[Damage]

    def messages(self, topics: Collection[str]) -> Iterator[Stored]:
        """Return every message that can be read, always in the same order."""

    def close(self) -> None:
        """Close the file."""
