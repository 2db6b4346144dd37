"""Bytes of a picture to numbers of a crop, on a CPU, compiled.

The same as averaging blocks and sampling these bilinearly with PyTorch, in less time. The way to
each pixel is computed in double precision.
"""

from __future__ import annotations

import math

from interwild_ros.compiled import compiled
from interwild_ros.records import Array
import numpy as np

_WHITE = 255.0

Region = tuple[int, int, int, int]  # left, top, right, bottom


def sample_bytes(
    pixels: Array, region: Region, factor: int, block_from_out: Array, size: tuple[int, int]
) -> Array:
    """Return (3, height, width) float32, 0 to 1: bilinear samples of block means, black outside.

    :param pixels: (H, W, 3) bytes.
    :param region: of the pixels, which its blocks begin at; those at its right and lower edge
        may be cut off, and are averaged over what they have.
    :param factor: px, side of a block.
    :param block_from_out: (2, 3) from output px to blocks of the region.
    :param size: (width, height).
    """
    left, top, right, bottom = region
    part = np.ascontiguousarray(pixels[top:bottom, left:right])
    found = np.empty((3, size[1], size[0]), np.float32)
    way = np.ascontiguousarray(block_from_out, np.float64)
    if factor == 1:
        _sample(part, _WHITE, way, found)
        return found
    columns, rows = math.ceil((right - left) / factor), math.ceil((bottom - top) / factor)
    means = np.empty((rows, columns, 3), np.float32)
    _average(part, factor, means)
    _sample(means, 1.0, way, found)
    return found


@compiled
def _average(pixels: Array, factor: int, means: Array) -> None:
    """Write the means of blocks of pixels (H, W, 3), 0 to 1."""
    height, width = pixels.shape[:2]
    sums = np.empty(3 * width, np.int32)  # over the rows of a block
    for row in range(means.shape[0]):
        first_row, last_row = row * factor, min((row + 1) * factor, height)
        sums[:] = 0
        for y in range(first_row, last_row):
            of_row = pixels[y].reshape(3 * width)
            for i in range(3 * width):
                sums[i] += of_row[i]
        for column in range(means.shape[1]):
            first, last = column * factor, min((column + 1) * factor, width)
            whole = np.float32(_WHITE * (last_row - first_row) * (last - first))
            for channel in range(3):
                total = np.int32(0)
                for x in range(first, last):
                    total += sums[3 * x + channel]
                means[row, column, channel] = np.float32(total) / whole


@compiled
def _sample(blocks: Array, white: float, block_from_out: Array, found: Array) -> None:
    """Write bilinear samples of blocks (H, W, 3), 0 to `white`, to (3, h, w), 0 to 1."""
    height, width = blocks.shape[:2]
    for v in range(found.shape[1]):
        for u in range(found.shape[2]):
            x = block_from_out[0, 0] * u + block_from_out[0, 1] * v + block_from_out[0, 2]
            y = block_from_out[1, 0] * u + block_from_out[1, 1] * v + block_from_out[1, 2]
            column, row = math.floor(x), math.floor(y)
            right, down = np.float32(x - column), np.float32(y - row)
            left, up = np.float32(1) - right, np.float32(1) - down
            is_inside = 0 <= column < width - 1 and 0 <= row < height - 1
            for channel in range(3):
                total = np.float32(0)
                if is_inside:
                    above = left * np.float32(blocks[row, column, channel])
                    above += right * np.float32(blocks[row, column + 1, channel])
                    below = left * np.float32(blocks[row + 1, column, channel])
                    below += right * np.float32(blocks[row + 1, column + 1, channel])
                    total = up * above + down * below
                else:
                    for i in range(2):
                        for j in range(2):
                            if 0 <= row + i < height and 0 <= column + j < width:
                                weight = (down if i else up) * (right if j else left)
                                total += weight * np.float32(blocks[row + i, column + j, channel])
                found[channel, v, u] = total / white
