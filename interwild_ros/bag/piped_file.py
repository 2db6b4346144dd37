"""Write a file for a library that writes files by itself, but does not say when it could not.

It gets the name of a pipe, and what comes out of that is written here: so a full disk is an error,
early, and the library never meets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
from tempfile import TemporaryDirectory
import threading

from interwild_ros.errors import AssetError

_BLOCK_BYTES = 2**20


class PipedFile:
    """A file that is written through a pipe; made by `piped_file`."""

    def __init__(self, path: Path, pipe: Path) -> None:
        self.pipe = pipe
        self._path = path
        self._failure: OSError | None = None

    def check(self) -> None:
        """Raise what the disk said.

        :raises AssetError: when the file could not be written.
        """
        if self._failure is not None:
            raise AssetError(f'cannot write {self._path.name}: {self._failure}')

    def copy(self, reading: int) -> None:
        """Write what comes out of the pipe until its last writer closes it.

        After a failure the rest is taken and forgotten: who writes must not wait for ever.
        """
        try:
            with self._path.open('wb') as file:
                while block := os.read(reading, _BLOCK_BYTES):
                    file.write(block)
        except OSError as error:
            self._failure = error
            while os.read(reading, _BLOCK_BYTES):
                pass


@contextmanager
def piped_file(path: Path) -> Iterator[PipedFile]:
    """Give a file whose `pipe` is to be written to; on leaving the block it is all written.

    Whoever writes to the pipe must have closed it by then.

    :raises AssetError: when the file cannot be written.
    """
    with TemporaryDirectory(prefix='interwild-') as folder:
        pipe = Path(folder) / path.name
        os.mkfifo(pipe)
        file = PipedFile(path, pipe)
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # waits for nobody who writes
        writing = os.open(pipe, os.O_WRONLY)  # until it is closed the pipe has no end
        os.set_blocking(reading, True)
        thread = threading.Thread(target=file.copy, args=(reading,), daemon=True)
        thread.start()
        try:
            yield file
        finally:
            os.close(writing)
            thread.join()
            os.close(reading)
    file.check()
