"""Which image encodings there are: their layout in memory, and what a good message fulfils.

Names and meanings are those of sensor_msgs/image_encodings. The generic ones are taken too: 8UC1
and 16UC1 as grey, 8UC3, 8UC4, 16UC3 and 16UC4 in OpenCV's own order, blue first (so does
cv_bridge's cvtColorForDisplay).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
from interwild_ros.errors import InputError

# 8K video is 7680 px wide; nothing that a hand could be in is wider than twice that.
MAX_SIDE_PX = 16384


@dataclass(frozen=True)
class Packed:
    """An encoding whose pixels lie one after the other.

    `to_rgb` is OpenCV's conversion code, None where it is RGB already. `even_width` says that
    two neighbours share a colour.
    """

    channels: int
    bits: int
    to_rgb: int | None
    even_width: bool = False


def _packed_encodings() -> dict[str, Packed]:
    by_bits = {
        'rgb{}': (3, None),
        'bgr{}': (3, cv2.COLOR_BGR2RGB),
        'rgba{}': (4, cv2.COLOR_RGBA2RGB),
        'bgra{}': (4, cv2.COLOR_BGRA2RGB),
        'mono{}': (1, cv2.COLOR_GRAY2RGB),
        '{}UC1': (1, cv2.COLOR_GRAY2RGB),
        '{}UC3': (3, cv2.COLOR_BGR2RGB),
        '{}UC4': (4, cv2.COLOR_BGRA2RGB),
        # ROS names the colours of the first row's first pixels and the second's; OpenCV's old
        # names begin one row and one column further in.
        'bayer_rggb{}': (1, cv2.COLOR_BayerBG2RGB),
        'bayer_bggr{}': (1, cv2.COLOR_BayerRG2RGB),
        'bayer_gbrg{}': (1, cv2.COLOR_BayerGR2RGB),
        'bayer_grbg{}': (1, cv2.COLOR_BayerGB2RGB),
    }
    found = {
        name.format(bits): Packed(channels, bits, to_rgb)
        for name, (channels, to_rgb) in by_bits.items()
        for bits in (8, 16)
    }
    uyvy = Packed(2, 8, cv2.COLOR_YUV2RGB_UYVY, even_width=True)
    yuyv = Packed(2, 8, cv2.COLOR_YUV2RGB_YUY2, even_width=True)
    return found | {'uyvy': uyvy, 'yuv422': uyvy, 'yuyv': yuyv, 'yuv422_yuy2': yuyv}


PACKED = _packed_encodings()
HALF_PLANES = {'nv12': cv2.COLOR_YUV2RGB_NV12, 'nv21': cv2.COLOR_YUV2RGB_NV21}
FULL_PLANES = ('nv24',)
ENCODINGS = (*PACKED, *HALF_PLANES, *FULL_PLANES)


def check_layout(encoding: str, width: int, height: int, step: int, size: int) -> None:
    """Check that a picture of this size and encoding fits into `size` bytes.

    :raises InputError: `bad_encoding`, `zero_size`, `odd_size`, `too_large`, `bad_step` or
        `short_data`.
    """
    if encoding not in ENCODINGS:
        raise InputError(
            'bad_encoding', f'encoding is {encoding!r}, wanted one of {", ".join(ENCODINGS)}'
        )
    _check_size(encoding, width, height)
    packed = PACKED.get(encoding, Packed(1, 8, None))
    row_bytes = width * packed.channels * packed.bits // 8
    if step < row_bytes:
        raise InputError(
            'bad_step',
            f'step is {step} bytes, wanted at least {row_bytes} for {width} px of {encoding}',
        )
    rows = height * 3 // 2 if encoding in HALF_PLANES else height
    rows = height * 3 if encoding in FULL_PLANES else rows
    if size < step * rows:
        raise InputError(
            'short_data',
            f'data is {size} bytes, wanted {step * rows}: {rows} rows of step {step} for '
            f'{width} x {height} px of {encoding}',
        )


def check_side(width: int, height: int) -> None:
    """Refuse pictures without pixels and pictures that nobody can mean.

    :raises InputError: `zero_size` or `too_large`.
    """
    if width <= 0 or height <= 0:
        raise InputError('zero_size', f'image is {width} x {height} px, wanted positive')
    if max(width, height) > MAX_SIDE_PX:
        raise InputError(
            'too_large',
            f'image is {width} x {height} px, wanted at most {MAX_SIDE_PX} px a side',
        )


def _check_size(encoding: str, width: int, height: int) -> None:
    check_side(width, height)
    packed = PACKED.get(encoding)
    pairs_columns = encoding in HALF_PLANES or (packed is not None and packed.even_width)
    if (pairs_columns and width % 2) or (encoding in HALF_PLANES and height % 2):
        raise InputError(
            'odd_size',
            f'image is {width} x {height} px, wanted even numbers: pixels of {encoding} share '
            'their colours',
        )
