"""A file of rerun that is being written: whole in the end, and the same for the same data.

Rows bear the stamp of their message on the timeline `stamp`, and the number of its frame on
`frame`. Nothing of the data depends on when it was written; what rerun calls rows and chunks does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
import warnings

from interwild_ros.bag.export_input import ExportInput
from interwild_ros.bag.piped_file import piped_file, PipedFile
from interwild_ros.bag.rerun_views import blueprint_of, STAMP
from interwild_ros.errors import AssetError
import numpy as np
import rerun as rr
from rerun.chunk import RrdReader

APPLICATION: Final = 'interwild'
FRAME: Final = 'frame'
_MOST_WAITING_BYTES = 32 * 2**20
_NEVER_SEC = 3600.0 * 24 * 365


class Recording:
    """A file that is being written."""

    def __init__(self, stream: rr.RecordingStream, source: ExportInput, file: PipedFile) -> None:
        self._stream, self._source, self._file = stream, source, file
        self._waiting_bytes = 0

    def at(self, stamp_ns: int) -> None:
        """Put what follows at a time.

        :raises AssetError: when the disk does not take what was written before.
        """
        self._file.check()
        self._stream.set_time(STAMP, timestamp=np.datetime64(stamp_ns, 'ns'))
        self._stream.set_time(FRAME, sequence=self._source.frame_of(stamp_ns))

    def log(self, entity: str | list[object], *parts: Any, size_bytes: int = 0) -> None:
        """Write of an entity what it is from this time on.

        :param size_bytes: of what is large; rerun keeps what the disk has not taken yet, however
            much that is, so that it is waited for now and then.
        """
        self._stream.log(entity, *parts, strict=True)
        self._waiting_bytes += size_bytes
        if self._waiting_bytes >= _MOST_WAITING_BYTES:
            self._stream.flush()
            self._waiting_bytes = 0

    def log_static(self, entity: str | list[object], *parts: Any) -> None:
        """Write of an entity what it is at all times."""
        self._stream.log(entity, *parts, static=True, strict=True)


@contextmanager
def recording_file(path: Path, source: ExportInput) -> Iterator[Recording]:
    """Open a file, with what holds at all times already in it.

    :raises AssetError: when it cannot be written.
    """
    stream = rr.RecordingStream(
        APPLICATION,
        recording_id=source.identity[:32],
        send_properties=False,
        batcher_config=rr.ChunkBatcherConfig(flush_tick=_NEVER_SEC),  # chunks end by their size
    )
    # A sink of rerun that cannot write its file may wait for itself for ever.
    with piped_file(path) as file:
        try:
            stream.save(file.pipe, default_blueprint=blueprint_of(source))
            stream.set_log_time_enabled(False)
            stream.set_log_tick_enabled(False)
            stream.send_recording_name(source.name)
            stream.send_recording_start_time_nanos(int(source.stamps_ns[0]))
            recording = Recording(stream, source, file)
            _write_root(recording, source)
            yield recording
        finally:
            stream.disconnect()


def check_whole(path: Path) -> None:
    """See that rerun finds the end of a file, with its table of contents.

    :raises AssetError: when it does not.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            RrdReader(path).store()
    except (RuntimeError, ValueError, OSError, Warning) as error:
        raise AssetError(f'{path.name} was not written to its end: {error}') from error


def _write_root(recording: Recording, source: ExportInput) -> None:
    """Say which way the axes point, and what the camera's frame is called among transforms."""
    recording.log_static('/', rr.ViewCoordinates.RDF)
    if source.frame_id:
        recording.log_static('/', rr.Transform3D(parent_frame=source.frame_id, child_frame='tf#/'))
