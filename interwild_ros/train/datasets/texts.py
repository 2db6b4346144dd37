"""A million file names as two arrays: Python strings would take several times the memory."""

from __future__ import annotations

from collections.abc import Iterable

from interwild_ros.records import Array
import numpy as np


def pack_texts(texts: Iterable[str]) -> tuple[Array, Array]:
    """Return all texts behind each other as bytes, and where each of them ends."""
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    return np.frombuffer(b''.join(encoded), np.uint8), ends


def text_at(packed: Array, ends: Array, index: int) -> str:
    """Return one of the texts; `index` counts from 0."""
    start = ends[index - 1] if index else 0
    return bytes(packed[start : ends[index]]).decode()
