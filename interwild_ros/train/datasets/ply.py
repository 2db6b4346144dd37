"""Read the vertices of a PLY file: ASCII, and binary little endian.

A reader of our own, for it is small, and the libraries that read PLY are large or unmaintained.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from interwild_ros.errors import AssetError
from interwild_ros.records import Array
from interwild_ros.train.datasets.files import read_bytes
import numpy as np

_END = b'end_header'
_ASCII, _BINARY = 'ascii', 'binary_little_endian'
_TYPES = {
    **dict.fromkeys(('char', 'int8'), 'i1'),
    **dict.fromkeys(('uchar', 'uint8'), 'u1'),
    **dict.fromkeys(('short', 'int16'), '<i2'),
    **dict.fromkeys(('ushort', 'uint16'), '<u2'),
    **dict.fromkeys(('int', 'int32'), '<i4'),
    **dict.fromkeys(('uint', 'uint32'), '<u4'),
    **dict.fromkeys(('float', 'float32'), '<f4'),
    **dict.fromkeys(('double', 'float64'), '<f8'),
}


@dataclass(frozen=True)
class _Header:
    """How the vertices are written; they come first in the body."""

    form: str
    count: int
    properties: tuple[tuple[str, str], ...]

    def record(self) -> np.dtype[np.void]:
        """Return the layout of one vertex."""
        return np.dtype([(name, _TYPES[kind]) for name, kind in self.properties])


def read_ply_vertices(path: Path, *, count: int) -> Array:
    """Return the vertices (count, 3) float64, in the file's unit.

    :param count: how many there have to be.
    :raises AssetError: when the file is missing, cut short, another mesh or no PLY.
    """
    content = read_bytes(path)
    end = content.find(_END)
    if not content.startswith(b'ply') or end < 0:
        raise AssetError(f'{path}: begins with {content[:8]!r}, wanted ply ... end_header')
    header = _parsed(content[:end].decode('latin-1').splitlines(), path)
    if header.count != count:
        raise AssetError(f'{path}: {header.count} vertices, wanted {count}')
    body = content[content.find(b'\n', end) + 1 :]
    read = _read_ascii if header.form == _ASCII else _read_binary
    vertices = read(body, header, path)
    if not np.isfinite(vertices).all():
        raise AssetError(f'{path}: a vertex is not finite')
    return vertices


def _parsed(lines: list[str], path: Path) -> _Header:
    words = [line.split() for line in lines]
    form = next((line[1] for line in words if line[:1] == ['format'] and line[1:]), 'none')
    elements = [place for place, line in enumerate(words) if line[:1] == ['element']]
    if form not in (_ASCII, _BINARY):
        raise AssetError(f'{path}: format {form}, wanted {_ASCII} or {_BINARY}')
    first = words[elements[0]] if elements else ['none']
    if first[1:2] != ['vertex'] or len(first) != 3 or not first[2].isdigit():
        raise AssetError(f'{path}: the first element is {" ".join(first)!r}, wanted vertices')
    stop = elements[1] if len(elements) > 1 else len(words)
    of_vertex = words[elements[0] + 1 : stop]
    properties = tuple((line[2], line[1]) for line in of_vertex if line[:1] == ['property'])
    names = {name for name, _ in properties}
    if not {'x', 'y', 'z'} <= names or any(kind not in _TYPES for _, kind in properties):
        raise AssetError(f'{path}: vertices have {properties}, wanted numbers x, y, z')
    return _Header(form, int(first[2]), properties)


def _read_ascii(body: bytes, header: _Header, path: Path) -> Array:
    width = len(header.properties)
    words = body.split(None, header.count * width)[: header.count * width]
    try:
        table = np.array([float(word) for word in words]).reshape(header.count, width)
    except ValueError:
        raise AssetError(
            f'{path}: cut short or no numbers: {len(words)} values, '
            f'wanted {header.count * width} for {header.count} vertices'
        ) from None
    names = [name for name, _ in header.properties]
    return table[:, [names.index(axis) for axis in 'xyz']]


def _read_binary(body: bytes, header: _Header, path: Path) -> Array:
    record = header.record()
    size = header.count * record.itemsize
    if len(body) < size:
        raise AssetError(f'{path}: cut short: {len(body)} bytes of vertices, wanted {size}')
    table = np.frombuffer(body, record, header.count)
    return np.stack([table[axis].astype(np.float64) for axis in 'xyz'], axis=1)
