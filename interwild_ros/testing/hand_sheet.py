"""Draw a flat hand and triangulate it: the mesh that the made-up hand models start from.

Lengths are metres in the plane (x, z) of the hand at rest: x runs from the fingers to the wrist,
z to the thumb. The counts are MANO's: two such sheets, glued along the free outline, have 778
vertices, 1538 triangles and one loop of 16 open edges at the wrist.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from interwild_ros.records import Array
import numpy as np
from scipy.spatial import Delaunay

# MANO's joint order: wrist, index 1-3, middle 1-3, pinky 1-3, ring 1-3, thumb 1-3
JOINTS_M = np.array(
    [
        [0.090, 0, 0.000],
        *([0.004, 0, 0.026], [-0.030, 0, 0.030], [-0.052, 0, 0.032]),
        *([0.000, 0, 0.004], [-0.034, 0, 0.005], [-0.059, 0, 0.006]),
        *([0.019, 0, -0.036], [-0.003, 0, -0.043], [-0.019, 0, -0.048]),
        *([0.008, 0, -0.018], [-0.024, 0, -0.021], [-0.047, 0, -0.024]),
        *([0.066, 0, 0.034], [0.038, 0, 0.055], [0.016, 0, 0.068]),
    ]
)
TIPS_M = {  # by the first joint of the finger
    1: np.array([-0.073, 0, 0.034]),
    4: np.array([-0.083, 0, 0.007]),
    7: np.array([-0.036, 0, -0.053]),
    10: np.array([-0.070, 0, -0.027]),
    13: np.array([-0.008, 0, 0.080]),
}
WRIST_X_M = 0.092
WRIST_VERTEX_COUNT = 7  # of one sheet, between the corners

_OUTLINE_COUNT = 181
_INNER_COUNT = (771 - _OUTLINE_COUNT) // 2
_FINGER_RADII_M = {1: 0.0092, 4: 0.0094, 7: 0.0078, 10: 0.0088, 13: 0.0112}
_PALM_RADII_M = {1: 0.014, 4: 0.014, 7: 0.013, 10: 0.013, 13: 0.014}
_NEIGHBOURS = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]
_SMOOTHING = 15


@dataclass(frozen=True, eq=False)
class Sheet:
    """A triangulated silhouette.

    `points` (N, 2) m, the outline first; `triangles` counter-clockwise in (x, z);
    `edge_distances` (N,) m from the outline; `outline_count` of the points lie on it, the last
    WRIST_VERTEX_COUNT of them on the wrist line.
    """

    points: Array
    triangles: Array
    edge_distances: Array
    outline_count: int


def hand_sheet(rng: np.random.Generator) -> Sheet:
    """Return the silhouette of an open right hand, evenly triangulated."""
    outline = _closed_outline()
    points = np.concatenate([outline, _inner_points(rng, outline)])
    triangles = _triangulated(points, outline)
    return Sheet(points, triangles, _edge_distance(points, outline), _OUTLINE_COUNT)


def segment_distance(points: Array, start: Array, end: Array) -> Array:
    """Return each point's distance from a segment."""
    along, offset = end - start, points - start
    t = np.clip((offset @ along) / (along @ along), 0, 1)
    distance: Array = np.linalg.norm(offset - t[:, None] * along, axis=1)
    return distance


def _silhouette_distance(points: Array) -> Array:
    """Return something like a signed distance from the silhouette; negative inside."""
    distance = np.full(len(points), np.inf)
    for start, end, radius in _bones():
        distance = np.minimum(distance, segment_distance(points, start, end) - radius)
    return np.asarray(np.maximum(distance, points[:, 0] - WRIST_X_M))


def _bones() -> list[tuple[Array, Array, float]]:
    bones = []
    for first, radius in _FINGER_RADII_M.items():
        chain = [joint[[0, 2]] for joint in (*JOINTS_M[first : first + 3], TIPS_M[first])]
        last = chain[-1] - chain[-2]
        chain[-1] = chain[-1] - last / np.linalg.norm(last) * radius
        bones += [(a, b, radius) for a, b in pairwise(chain)]
    for first, radius in _PALM_RADII_M.items():
        knuckle = JOINTS_M[first][[0, 2]] * [1, 0.93]
        bones += [(np.array([WRIST_X_M, side]), knuckle, radius) for side in (-0.012, 0, 0.012)]
    return bones


def _closed_outline() -> Array:
    free = _free_outline(_OUTLINE_COUNT - WRIST_VERTEX_COUNT)
    wrist = np.linspace(free[-1], free[0], WRIST_VERTEX_COUNT + 2)[1:-1]
    wrist[:, 0] = WRIST_X_M
    return np.concatenate([free, wrist])


def _free_outline(count: int) -> Array:
    """Return evenly spaced points from one wrist corner round the fingers to the other."""
    border = _smoothed(_traced_border())
    at_wrist = border[:, 0] > WRIST_X_M - 0.0025
    last = np.flatnonzero(at_wrist & ~np.roll(at_wrist, -1))[0]
    border = np.roll(border, -last, 0)
    end = np.flatnonzero(border[1:, 0] > WRIST_X_M - 0.0025)[0] + 2
    free = border[:end].copy()
    free[0, 0] = free[-1, 0] = WRIST_X_M
    steps = np.linalg.norm(np.diff(free, axis=0), axis=1)
    lengths = np.concatenate([[0], np.cumsum(steps)])
    wanted = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(wanted, lengths, free[:, axis]) for axis in (0, 1)], 1)


def _traced_border() -> Array:
    """Walk the border of the silhouette on a fine grid (Moore's neighbour tracing)."""
    xs, zs = np.arange(-0.11, 0.11, 0.0004), np.arange(-0.09, 0.11, 0.0004)
    grid = np.stack(np.meshgrid(xs, zs, indexing='ij'), -1)
    inside = _silhouette_distance(grid.reshape(-1, 2)).reshape(grid.shape[:2]) < 0
    start = np.array([np.searchsorted(xs, WRIST_X_M) - 2, np.searchsorted(zs, 0)])
    while inside[start[0], start[1]]:
        start[1] -= 1
    start[1] += 1
    here, back, path = tuple(start), 6, [tuple(start)]
    while len(path) == 1 or here != path[0]:
        here, back = _next_inside(inside, here, back)
        path.append(here)
    return np.array([[xs[i], zs[j]] for i, j in path[:-1]])


def _next_inside(inside: Array, here: tuple[int, ...], back: int) -> tuple[tuple[int, ...], int]:
    for turn in range(1, 9):
        direction = (back + turn) % 8
        step = _NEIGHBOURS[direction]
        there = (here[0] + step[0], here[1] + step[1])
        if inside[there]:
            return there, (direction + 4) % 8
    raise ValueError('the silhouette is a single cell')


def _smoothed(border: Array) -> Array:
    """Take the grid's staircase out of a closed line."""
    k = _SMOOTHING
    wrapped = np.concatenate([border[-k:], border, border[:k]])
    kernel = np.ones(k) / k
    return np.stack([np.convolve(wrapped[:, axis], kernel, 'same')[k:-k] for axis in (0, 1)], 1)


def _inner_points(rng: np.random.Generator, outline: Array) -> Array:
    """Return evenly spread points inside the outline (farthest-point sampling)."""
    low, high = outline.min(0), outline.max(0)
    candidates = low + rng.random((12000, 2)) * (high - low)
    candidates = candidates[_is_inside(candidates, outline)]
    candidates = candidates[_edge_distance(candidates, outline) > 0.0026]
    chosen = [candidates[0]]
    far = np.linalg.norm(candidates - chosen[0], axis=1)
    far = np.minimum(far, _edge_distance(candidates, outline) * 1.4)
    while len(chosen) < _INNER_COUNT:
        chosen.append(candidates[far.argmax()])
        far = np.minimum(far, np.linalg.norm(candidates - chosen[-1], axis=1))
    return np.array(chosen)


def _triangulated(points: Array, outline: Array) -> Array:
    triangles = Delaunay(points).simplices
    triangles = triangles[_is_inside(points[triangles].mean(1), outline)]
    a, b, c = points[triangles].transpose(1, 0, 2)
    clockwise = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0
    triangles[clockwise] = triangles[clockwise][:, ::-1]
    return np.asarray(triangles)


def _edge_distance(points: Array, outline: Array) -> Array:
    edges = zip(outline, np.roll(outline, -1, 0), strict=True)
    return np.asarray(np.min([segment_distance(points, a, b) for a, b in edges], axis=0))


def _is_inside(points: Array, outline: Array) -> Array:
    x, z = points[:, :1], points[:, 1:]
    a, b = outline, np.roll(outline, -1, 0)
    spans = (a[:, 1] > z) != (b[:, 1] > z)
    crossing = (b[:, 0] - a[:, 0]) * (z - a[:, 1]) / (b[:, 1] - a[:, 1] + 1e-18) + a[:, 0]
    return np.asarray((spans & (x < crossing)).sum(1) % 2 == 1)
