"""What networks said of pictures, in a file that one process writes and another already reads.

Each record stands after its length: its stamp, where they were told to look, and what they said.
A file has no name, so that it is gone as soon as nobody has it open, whoever is killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import pickle
import tempfile
from typing import BinaryIO, cast, NamedTuple

from interwild_ros.bag.shares import Word
from interwild_ros.errors import AssetError

_LENGTH_BYTES = 4


class StampedWord(NamedTuple):
    """What was said of the picture of a stamp."""

    stamp_ns: int
    word: Word


@contextmanager
def nameless_file(folder: Path) -> Iterator[BinaryIO]:
    """Give a file in a folder, without a name.

    :raises AssetError: when the folder cannot be written to.
    """
    try:
        file = cast('BinaryIO', tempfile.TemporaryFile(dir=folder))  # noqa: SIM115
    except OSError as error:
        raise AssetError(f'cannot write to {folder}: {error}') from error
    with file:
        yield file


def append_word(file: BinaryIO, said: StampedWord) -> None:
    """Write a record, which others see at once.

    :raises OSError: when the disk is full.
    """
    data = pickle.dumps(said, pickle.HIGHEST_PROTOCOL)
    file.write(len(data).to_bytes(_LENGTH_BYTES, 'little') + data)
    file.flush()


class WordReader:
    """Reads the records of a file that is still being written, in their order."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin with the first record; where the writer is in the file does not matter."""
        self._file = file
        self._at = 0

    def next(self) -> StampedWord | None:
        """Return the next record, None while it is not there as a whole."""
        descriptor, begin = self._file.fileno(), self._at + _LENGTH_BYTES
        length = int.from_bytes(os.pread(descriptor, _LENGTH_BYTES, self._at), 'little')
        data = os.pread(descriptor, length, begin) if length else b''
        if not length or len(data) < length:
            return None
        self._at = begin + length
        return cast('StampedWord', pickle.loads(data))
