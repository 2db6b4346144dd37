"""Pictures as messages carry them, to RGB: every encoding, row padding and byte order.

Pixels come out as cv_bridge makes them: the same OpenCV conversions, and 16 bits become 8 by
255/65535, rounded.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TypeAlias

import cv2
from interwild_ros.errors import InputError
from interwild_ros.imaging.containers import check_jpeg, check_png, JPEG_MAGIC, PNG_MAGIC
from interwild_ros.imaging.encodings import (
    check_layout,
    check_side,
    FULL_PLANES,
    HALF_PLANES,
    PACKED,
    Packed,
)
from interwild_ros.records import Array, Image
import numpy as np

Bytes: TypeAlias = 'bytes | bytearray | memoryview | array[int] | Array'


_OF_RGB: int | None = getattr(cv2, 'IMREAD_COLOR_RGB', None)  # since OpenCV 4.11
_PNG_BITS = len(PNG_MAGIC) + 16  # where the first chunk, IHDR, says the bits of a sample


@dataclass(frozen=True)
class PictureFile:
    """What a whole JPEG or PNG file says of itself: its media type, and its size in px."""

    media_type: str
    width: int
    height: int


def decode_image(
    encoding: str, width: int, height: int, step: int, is_bigendian: bool, data: Bytes
) -> Image:
    """Return the RGB picture (height, width, 3) uint8, contiguous and writable.

    Where the data is writable RGB without padding, the picture is a view of it, not a copy.

    :param encoding: one of `encodings.ENCODINGS`.
    :param step: bytes from one row to the next; for nv12, nv21 and nv24 those of the first plane.
    :raises InputError: `bad_encoding`, `zero_size`, `odd_size`, `too_large`, `bad_step` or
        `short_data`.
    """
    flat = np.frombuffer(data, dtype=np.uint8)
    check_layout(encoding, width, height, step, flat.size)
    if encoding in HALF_PLANES:
        return _decode_half_planes(HALF_PLANES[encoding], width, height, step, flat)
    if encoding in FULL_PLANES:
        return _decode_nv24(width, height, step, flat)
    packed = PACKED[encoding]
    pixels = _pixels(packed, width, height, step, bool(is_bigendian), flat)
    return _picture(_to_rgb(packed, pixels))


def decode_compressed(format: str, data: Bytes) -> Image:
    """Return the RGB picture (height, width, 3) uint8 of a JPEG or PNG file.

    EXIF orientation is ignored, as by image_transport, so that pixels stay those of the camera.
    16 bits become 8 and an alpha channel is dropped, as in `decode_image`.

    Truncated files and files whose structure is damaged are refused. (Damage inside JPEG's
    entropy-coded data that leaves its structure whole cannot be seen: JPEG has no checksum.)

    :param format: what CompressedImage says, such as 'jpeg', 'png' or
        'rgb8; jpeg compressed bgr8'.
    :raises InputError: `bad_encoding`, `corrupt_image` or `too_large`.
    """
    _check_format(format)
    content = np.frombuffer(data, dtype=np.uint8)
    if _check_container(format, content.tobytes()).media_type == 'image/jpeg':
        return _picture(_rgb_from_jpeg(format, content))
    return _picture(_rgb_from_png(format, _read(format, content, cv2.IMREAD_UNCHANGED)))


def picture_file(format: str, data: Bytes) -> PictureFile | None:
    """Return what a file of CompressedImage is, None where its own colours are not the picture's.

    A viewer that knows nothing of ROS shows the picture of `decode_compressed` but where channels
    are swapped, a mosaic was compressed as it is, or a sample has 16 bits.

    :raises InputError: `bad_encoding`, `corrupt_image` or `too_large`, as `decode_compressed`.
    """
    _check_format(format)
    content = np.frombuffer(data, dtype=np.uint8).tobytes()
    found = _check_container(format, content)
    is_deep = found.media_type == 'image/png' and content[_PNG_BITS] > 8
    return None if is_deep or _is_mosaic(format) or _is_swapped(format) else found


def _read(format: str, content: Array, mode: int) -> Array:
    """Let OpenCV read a file."""
    problem = 'the decoder gives no reason'
    try:
        decoded = cv2.imdecode(content, mode)
    except cv2.error as error:
        decoded, problem = None, str(error.err)
    if decoded is None:
        raise InputError(
            'corrupt_image', f'{content.size} bytes of {format!r} cannot be decoded: {problem}'
        )
    return np.asarray(decoded)


def _to_rgb(packed: Packed, pixels: Array) -> Array:
    """Return RGB (H, W, 3) of the same depth."""
    return pixels if packed.to_rgb is None else np.asarray(cv2.cvtColor(pixels, packed.to_rgb))


def _picture(rgb: Array) -> Image:
    """Return RGB as 8 bits, contiguous, writable (torch warns of what is not)."""
    if rgb.dtype == np.uint16:
        rows = np.ascontiguousarray(rgb).reshape(rgb.shape[0], -1)
        rgb = cv2.convertScaleAbs(rows, alpha=255 / 65535).reshape(rgb.shape)
    return np.require(rgb, np.uint8, ('C', 'W'))


def _pixels(
    packed: Packed, width: int, height: int, step: int, is_bigendian: bool, flat: Array
) -> Array:
    """Return a view of the pixels, or a copy in the machine's byte order."""
    size = packed.bits // 8
    dtype = np.dtype(f'{">" if is_bigendian else "<"}u{size}')
    shape, strides = (height, width, packed.channels), (step, size * packed.channels, size)
    pixels: Array = np.ndarray(shape, dtype, flat, 0, strides)
    if dtype.isnative and step % size == 0:
        return pixels
    return pixels.astype(dtype.newbyteorder('='))  # OpenCV takes no odd strides either


def _rows(count: int, step: int, width: int, flat: Array) -> Array:
    """Return the first `width` bytes of each row (count, width)."""
    rows: Array = flat[: count * step].reshape(count, step)[:, :width]
    return rows


def _decode_half_planes(code: int, width: int, height: int, step: int, flat: Array) -> Image:
    """Decode a plane of brightness, then one of colour pairs with half the rows."""
    planes = np.ascontiguousarray(_rows(height * 3 // 2, step, width, flat))
    return np.asarray(cv2.cvtColor(planes, code), dtype=np.uint8)


def _decode_nv24(width: int, height: int, step: int, flat: Array) -> Image:
    """Decode a plane of brightness, then one of colour pairs with as many, twice as long rows.

    OpenCV has no code for it. Every pixel written twice is YUYV, which has the same matrix.
    """
    brightness = _rows(height, step, width, flat)
    colours = _rows(height, 2 * step, 2 * width, flat[height * step :]).reshape(height, width, 2)
    doubled = np.empty((height, width, 2, 2), np.uint8)
    doubled[..., 0] = brightness[..., None]
    doubled[..., 1] = colours
    rgb = cv2.cvtColor(doubled.reshape(height, 2 * width, 2), cv2.COLOR_YUV2RGB_YUY2)
    return np.ascontiguousarray(rgb[:, ::2], dtype=np.uint8)


def _check_format(format: str) -> None:
    if 'compressedDepth' in format:
        raise InputError(
            'bad_encoding', f'format is {format!r}: depth, wanted a jpeg or png colour picture'
        )


def _check_container(format: str, content: bytes) -> PictureFile:
    """Check what the bytes are and that they are all there; publishers misname formats freely."""
    if content.startswith(JPEG_MAGIC):
        found = PictureFile('image/jpeg', *check_jpeg(content))
    elif content.startswith(PNG_MAGIC):
        found = PictureFile('image/png', *check_png(content))
    elif any(name in format.lower() for name in ('jpeg', 'jpg', 'png')):
        raise InputError(
            'corrupt_image',
            f'{len(content)} bytes of {format!r} begin with {content[:4].hex(" ")!r}, which is '
            'neither jpeg nor png',
        )
    else:
        raise InputError('bad_encoding', f'format is {format!r}, wanted jpeg or png')
    check_side(found.width, found.height)
    return found


def _rgb_from_jpeg(format: str, content: Array) -> Array:
    if not _is_swapped(format) and _OF_RGB is not None:
        return _read(format, content, _OF_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    bgr = _read(format, content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return bgr if _is_swapped(format) else np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def _rgb_from_png(format: str, decoded: Array) -> Array:
    """Return RGB (H, W, 3), of the same depth, of what OpenCV read from a PNG as it is.

    That is grey, BGR or BGRA, of 8 or 16 bits. A bayer picture stays one in it.
    """
    channels = 1 if decoded.ndim == 2 else decoded.shape[2]
    if channels == 1:
        encoding = format.partition(';')[0]
        return _to_rgb(PACKED[encoding if _is_mosaic(format) else 'mono8'], decoded)
    if _is_swapped(format):
        return decoded[..., :3]
    code = cv2.COLOR_BGRA2RGB if channels == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(decoded, code))


def _is_mosaic(format: str) -> bool:
    """Return whether the one channel of a file is a bayer picture as the sensor made it."""
    encoding, _, compression = format.partition(';')
    return encoding.startswith('bayer_') and encoding in PACKED and 'png' in compression


def _is_swapped(format: str) -> bool:
    """Return whether the channels of a coloured file are in the order of its message.

    image_transport writes 'rgb8; jpeg compressed bgr8': the encoding it was given, and that of the
    file. Its subscriber knows that where a colour picture was compressed, but not as bgr, an RGB
    array was written as if it were BGR.
    """
    encoding, _, compression = format.partition(';')
    is_other = 'compressed' in compression and 'compressed bgr' not in compression
    return is_other and encoding.startswith(('rgb', 'bgr'))
