"""hands.parquet: a row a frame and hand, right before left, in the order of the stamps.

Unit and description of each column stand in the file's own schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from interwild_ros.bag.columns import Column, COLUMNS, Row, SeenFrame
from interwild_ros.errors import AssetError
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TABLE_FORMAT: Final = b'1'
_ROWS_A_GROUP = 2048


def schema() -> Any:
    """Return the Arrow schema, with unit and description of each column."""
    fields = [
        pa.field(
            column.name,
            column.type,
            nullable=False,
            metadata={'unit': column.unit, 'description': column.description},
        )
        for column in COLUMNS
    ]
    return pa.schema(fields, metadata={'interwild_ros.hands': TABLE_FORMAT})


class HandsTable:
    """A table that is being written; made by `write_table`."""

    def __init__(self, writer: Any, path: Path) -> None:
        self._writer, self._path = writer, path
        self._schema = schema()
        self._columns: list[list[Any]] = [[] for _ in COLUMNS]

    def add(self, frame: SeenFrame) -> None:
        """Add both hands of a frame.

        :raises AssetError: when the disk does not take them.
        """
        hands, raw = frame.followed.hands, frame.followed.raw
        self._add(Row(frame, hands, hands.right, raw.right))
        self._add(Row(frame, hands, hands.left, raw.left))
        if len(self._columns[0]) >= _ROWS_A_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what was added since the last time, as a group of rows.

        :raises AssetError: when the disk does not take it.
        """
        if not self._columns[0]:
            return
        arrays = list(map(_array, COLUMNS, self._columns))
        self._columns = [[] for _ in COLUMNS]
        with _disk_as_asset_error(self._path):
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def _add(self, row: Row) -> None:
        """Keep what a row says and not the row, behind which a whole picture stands."""
        for column, values in zip(COLUMNS, self._columns, strict=True):
            values.append(column.value(row))


@contextmanager
def write_table(path: Path) -> Iterator[HandsTable]:
    """Open a new table.

    :raises AssetError: when it cannot be written.
    """
    with _disk_as_asset_error(path):
        writer = pq.ParquetWriter(path, schema(), compression='zstd')
    table = HandsTable(writer, path)
    try:
        yield table
    except BaseException:
        with suppress(OSError):
            writer.close()
        raise
    table.flush()
    with _disk_as_asset_error(path):
        writer.close()


@contextmanager
def _disk_as_asset_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AssetError(f'cannot write {path.name}: {error}') from error


def _array(column: Column, values: list[Any]) -> Any:
    if not pa.types.is_fixed_size_list(column.type):
        return pa.array(values, column.type)
    numbers = np.concatenate([np.asarray(value, np.float32) for value in values])
    return pa.FixedSizeListArray.from_arrays(pa.array(numbers), type=column.type)
