"""Write text into pictures so that it can be read over anything."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
from interwild_ros.records import Array, Image
import numpy as np

Rgb = tuple[int, int, int]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE: Rgb = (245, 245, 245)
_BACKING = 0.30  # how much of the picture is left behind the text


def text_scale(picture: Image) -> float:
    """Return a font size that reads alike in pictures of any size."""
    return max(0.38, 0.45 * float(picture.shape[1]) / 640)


def caption(picture: Image, text: str, *, above: Array, colour: Rgb, scale: float) -> None:
    """Write one line over a point (x, y) px, kept inside the picture where it fits."""
    (width, height), base = _size(text, scale)
    pad = max(2, round(6 * scale))
    box_width, box_height = width + 2 * pad, height + base + 2 * pad
    x = int(np.clip(above[0], 0, max(0, picture.shape[1] - box_width)))
    y = int(np.clip(above[1] - box_height, 0, max(0, picture.shape[0] - box_height)))
    _darken(picture, x, y, box_width, box_height)
    _write(picture, text, (x + pad, y + pad + height), scale, colour)


def write_notes(picture: Image, notes: Sequence[str]) -> None:
    """Write lines into the upper left corner, broken where the picture ends."""
    scale = text_scale(picture)
    lines = [line for note in notes for line in _broken(note, picture.shape[1] - 16, scale)]
    if not lines:
        return
    (_, height), base = _size('Ag', scale)
    step, pad = round(1.25 * (height + base)), max(3, round(10 * scale))
    width = max(_size(line, scale)[0][0] for line in lines)
    _darken(picture, 0, 0, width + 2 * pad, step * len(lines) + 2 * pad)
    for number, line in enumerate(lines):
        at = (pad, pad + number * step + height + (step - height) // 2)
        _write(picture, line, at, scale, _WHITE)


def _broken(text: str, width_px: int, scale: float) -> list[str]:
    """Break a line between words so that each part fits."""
    lines: list[str] = []
    for word in text.split():
        longer = f'{lines[-1]} {word}' if lines else word
        if lines and _size(longer, scale)[0][0] <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _size(text: str, scale: float) -> tuple[tuple[int, int], int]:
    (width, height), base = cv2.getTextSize(text, _FONT, scale, _thickness(scale))
    return (width, height), base


def _write(picture: Image, text: str, at: tuple[int, int], scale: float, colour: Rgb) -> None:
    cv2.putText(picture, text, at, _FONT, scale, colour, _thickness(scale), cv2.LINE_AA)


def _thickness(scale: float) -> int:
    return max(1, round(1.6 * scale))


def _darken(picture: Image, x: int, y: int, width: int, height: int) -> None:
    part = picture[y : y + height, x : x + width]
    part[:] = (part * _BACKING).astype(np.uint8)
