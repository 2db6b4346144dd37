"""Draw lit meshes half-transparent into a picture, compiled: for a few hands, as a viewer wants.

A pixel has SAMPLES a side. The nearest face wins each sample, whichever way it faces; a pixel is
covered as much as its samples are. For batches, for GPUs and for what else a pixel sees there is
`imaging.render`.
"""

from __future__ import annotations

import math

from interwild_ros.compiled import compiled
from interwild_ros.records import Array, Image
import numpy as np

SAMPLES = 2
_NEAR_M = 0.01  # faces with a nearer corner are left out
_EDGE = -1e-9  # of a face: so that neighbours leave no gap between them


def paint_meshes(
    picture: Image,
    points_px: Array,
    depths_m: Array,
    colours: Array,
    triangles: Array,
    *,
    opacity: float,
) -> None:
    """Draw into a picture (height, width, 3) uint8.

    :param points_px: (V, 2) where vertices are shown, pixel centres at integers; faces with NaN
        or infinity are left out. `depths_m` (V,) along the optical axis.
    :param colours: (V, 3) 0 to 255.
    :param triangles: (F, 3) vertex indices.
    """
    window = _window(points_px, picture)
    if window is None:
        return
    left, top, width, height = window
    shape = (height * SAMPLES, width * SAMPLES)
    nearness, canvas = np.zeros(shape), np.zeros((*shape, 3))
    # the middle of a pixel's samples is the pixel's centre
    samples = (points_px - (left, top)) * SAMPLES + (SAMPLES - 1) / 2
    _draw(
        np.ascontiguousarray(samples, np.float64),
        np.ascontiguousarray(depths_m, np.float64),
        np.ascontiguousarray(colours, np.float64),
        np.ascontiguousarray(triangles, np.int64),
        nearness,
        canvas,
    )
    _blend(nearness, canvas, opacity, picture[top : top + height, left : left + width])


def _window(points_px: Array, picture: Image) -> tuple[int, int, int, int] | None:
    """Return x, y, width and height of the part that the meshes reach, None for none."""
    points_px = points_px[np.isfinite(points_px).all(1)]
    if not len(points_px):
        return None
    height, width = picture.shape[:2]
    low = np.clip(np.floor(points_px.min(0)) - 1, 0, [width, height]).astype(int)
    high = np.clip(np.ceil(points_px.max(0)) + 2, 0, [width, height]).astype(int)
    size = high - low
    return (*low.tolist(), *size.tolist()) if size.all() else None


@compiled
def _draw(
    points: Array,
    depths_m: Array,
    colours: Array,
    triangles: Array,
    nearness: Array,
    canvas: Array,
) -> None:
    """Draw faces where they are nearest; `nearness` (H, W) is 1 / m, which is linear here."""
    for face in range(len(triangles)):
        a, b, c = triangles[face]
        (ax, ay), (bx, by), (cx, cy) = points[a], points[b], points[c]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        is_seen = min(depths_m[a], depths_m[b], depths_m[c]) > _NEAR_M
        if not (is_seen and math.isfinite(area) and area != 0):  # nor is NaN
            continue
        near_a, near_b, near_c = 1 / depths_m[a], 1 / depths_m[b], 1 / depths_m[c]
        first_x = max(math.ceil(min(ax, bx, cx)), 0)
        last_x = min(math.floor(max(ax, bx, cx)), nearness.shape[1] - 1)
        first_y = max(math.ceil(min(ay, by, cy)), 0)
        last_y = min(math.floor(max(ay, by, cy)), nearness.shape[0] - 1)
        for y in range(first_y, last_y + 1):
            for x in range(first_x, last_x + 1):
                of_a = ((bx - x) * (cy - y) - (cx - x) * (by - y)) / area
                of_b = ((cx - x) * (ay - y) - (ax - x) * (cy - y)) / area
                of_c = 1 - of_a - of_b
                if of_a < _EDGE or of_b < _EDGE or of_c < _EDGE:
                    continue
                near = of_a * near_a + of_b * near_b + of_c * near_c
                if near > nearness[y, x]:
                    nearness[y, x] = near
                    for channel in range(3):
                        sum_a = of_a * near_a * colours[a, channel]
                        sum_b = of_b * near_b * colours[b, channel]
                        sum_c = of_c * near_c * colours[c, channel]
                        canvas[y, x, channel] = (sum_a + sum_b + sum_c) / near


@compiled
def _blend(nearness: Array, canvas: Array, opacity: float, picture: Array) -> None:
    """Mix the samples into the picture (H / SAMPLES, W / SAMPLES, 3)."""
    weight = opacity / (SAMPLES * SAMPLES)
    mixed = np.empty(3)
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            share = 0.0
            mixed.fill(0)
            for sample in range(SAMPLES * SAMPLES):
                y = row * SAMPLES + sample // SAMPLES
                x = column * SAMPLES + sample % SAMPLES
                if nearness[y, x] > 0:
                    share += weight
                    for channel in range(3):
                        mixed[channel] += weight * canvas[y, x, channel]
            if share > 0:
                for channel in range(3):
                    value = picture[row, column, channel] * (1 - share) + mixed[channel]
                    picture[row, column, channel] = np.uint8(min(max(value, 0.0), 255.0))
