"""What the sets that keep their annotations as arrays have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, Protocol, TypeVar

from interwild_ros.records import Array
from interwild_ros.train.datasets.texts import text_at


class PictureColumns(Protocol):
    """Arrays of N annotations: their `ids`, and their file names packed into one text."""

    @property
    def ids(self) -> Array:
        """Return the annotations' ids (N,)."""

    @property
    def file_names(self) -> Array:
        """Return all file names, one after the other."""

    @property
    def file_name_ends(self) -> Array:
        """Return where each file name ends (N,)."""


Columns = TypeVar('Columns', bound=PictureColumns)


class PackedSet(Generic[Columns]):
    """The annotations of one split, kept as arrays."""

    def __init__(self, name: str, pictures: Path, columns: Columns) -> None:
        """Keep the arrays.

        :param pictures: the folder that file names are relative to.
        """
        self.name = name
        self._pictures = pictures
        self._columns = columns

    def __len__(self) -> int:
        """Return how many annotations there are."""
        return len(self._columns.ids)

    def picture_path(self, index: int) -> Path:
        """Return the picture's file without making the annotation."""
        packed, ends = self._columns.file_names, self._columns.file_name_ends
        return self._pictures / text_at(packed, ends, range(len(self))[index])
