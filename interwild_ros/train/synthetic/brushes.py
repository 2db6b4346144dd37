"""Draw with OpenCV on float pictures of 0 to 1; colours are clipped, corners may be anywhere."""

from __future__ import annotations

import cv2
from interwild_ros.records import Array
import numpy as np

Point = tuple[float, float] | Array
_FARTHEST_PX = 8000  # OpenCV's fixed-point numbers end somewhere


def rectangle(picture: Array, corner: Point, size: Point, colour: Array) -> None:
    """Fill a rectangle, given its upper left corner and its width and height."""
    first, last = _pixel(corner), _pixel(np.add(corner, size))
    cv2.rectangle(picture, first, last, _shade(colour), -1)


def ellipse(
    picture: Array,
    centre: Point,
    radii: Point,
    colour: Array,
    *,
    angle_deg: float = 0.0,
) -> None:
    """Fill an ellipse."""
    where, size = _pixel(centre), _pixel(np.maximum(radii, 1))
    cv2.ellipse(picture, where, size, angle_deg, 0, 360, _shade(colour), -1, cv2.LINE_AA)


def bar(picture: Array, start: Point, end: Point, width: float, colour: Array) -> None:
    """Draw a thick line with round ends."""
    thick = int(np.clip(width, 1, 32000))
    cv2.line(picture, _pixel(start), _pixel(end), _shade(colour), thick, cv2.LINE_AA)


def polygon(picture: Array, corners: Array, colour: Array) -> None:
    """Fill the convex hull of points (N, 2)."""
    hull = cv2.convexHull(np.array([_pixel(corner) for corner in corners], np.int32))
    cv2.fillConvexPoly(picture, hull, _shade(colour), cv2.LINE_AA)


def scribble(picture: Array, corners: Array, width: int, colour: Array) -> None:
    """Draw a line through points (N, 2)."""
    points = np.array([_pixel(corner) for corner in corners], np.int32)
    cv2.polylines(picture, [points], False, _shade(colour), width, cv2.LINE_AA)


def blurred(picture: Array, sigma_px: float) -> Array:
    """Blur, unless it would not be seen."""
    if sigma_px < 0.3:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE))


def _pixel(point: Point) -> list[int]:
    return [int(v) for v in np.clip(point, -_FARTHEST_PX, _FARTHEST_PX)]


def _shade(colour: Array) -> list[float]:
    return [min(max(float(v), 0.0), 1.0) for v in colour]
