"""What a JPEG or PNG file says of itself, checked before anything is decoded.

OpenCV 4 fills the rest of a truncated picture with grey and returns it as good, OpenCV 5 refuses
it: the check here is the same for both. It also finds the size before memory is taken for it.
"""

from __future__ import annotations

import zlib

from interwild_ros.errors import InputError
import numpy as np

JPEG_MAGIC = b'\xff\xd8\xff'
PNG_MAGIC = b'\x89PNG\r\n\x1a\n'

_SCAN = 0xDA
# Start-of-frame markers carry the size; C4, C8 and CC between them are something else.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_END = b'\xff\xd9'
_IN_SCANS = np.zeros(256, dtype=bool)
# After FF in and between scans: a stuffed 00, restarts, tables, the next scan, its line count,
# the end, comments, application data, fill bytes.
_IN_SCANS[[0x00, *range(0xD0, 0xD8), 0xC4, 0xCC, 0xD9, *range(0xDA, 0xDE), 0xFE, 0xFF]] = True
_IN_SCANS[0xE0:0xF0] = True


def check_jpeg(content: bytes) -> tuple[int, int]:
    """Return width and height of a JPEG file whose structure is whole.

    :raises InputError: `corrupt_image` where a segment, the picture's data or its end is missing.
    """
    size, scan = _jpeg_headers(content)
    end = content.rfind(_END, scan)
    if end < 0:
        raise _corrupt(f'jpeg of {len(content)} bytes has no end marker: it is truncated')
    coded = np.frombuffer(content, np.uint8)[scan:end]
    following = coded[1:][coded[:-1] == 0xFF]
    if not _IN_SCANS[following].all():
        wrong = following[~_IN_SCANS[following]][0]
        raise _corrupt(f'jpeg holds the marker ff {wrong:02x} inside its picture data')
    return size


def _jpeg_headers(content: bytes) -> tuple[tuple[int, int], int]:
    """Walk the segments: return the size, and where the first scan's data begins."""
    size, place = None, 2
    while place + 4 <= len(content):
        if content[place] != 0xFF:
            raise _corrupt(f'jpeg has byte {content[place]:02x} at {place}, wanted a marker')
        marker = content[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        length = int.from_bytes(content[place + 2 : place + 4], 'big')
        if marker in _FRAMES and place + 9 <= len(content):
            height, width = (
                int.from_bytes(content[place + at : place + at + 2], 'big') for at in (5, 7)
            )
            size = width, height
        place += 2 + length
        if marker == _SCAN and size is not None:
            return size, place
    raise _corrupt(f'jpeg of {len(content)} bytes ends before its picture: it is truncated')


def check_png(content: bytes) -> tuple[int, int]:
    """Return width and height of a PNG file whose chunks are whole.

    :raises InputError: `corrupt_image` where a checksum is wrong or the last chunk is missing.
    """
    place = len(PNG_MAGIC)
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], 'big')
        kind, end = content[place + 4 : place + 8], place + 8 + length
        checksum = int.from_bytes(content[end : end + 4], 'big')
        if end + 4 > len(content):
            break
        if zlib.crc32(memoryview(content)[place + 4 : end]) != checksum:
            raise _corrupt(f'png has a wrong checksum in its chunk {kind!r} at byte {place}')
        if kind == b'IEND':
            return _png_size(content)
        place = end + 4
    raise _corrupt(f'png of {len(content)} bytes has no end: it is truncated')


def _png_size(content: bytes) -> tuple[int, int]:
    if content[12:16] != b'IHDR':
        raise _corrupt(f'png begins with the chunk {content[12:16]!r}, wanted IHDR')
    return int.from_bytes(content[16:20], 'big'), int.from_bytes(content[20:24], 'big')


def _corrupt(message: str) -> InputError:
    return InputError('corrupt_image', message)
