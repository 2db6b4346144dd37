"""How far a placed hand must move to lie where a depth picture shows it (DEMANDS.md, F3 and F4).

The vertices that turn to the camera are looked up in the depth picture. Each reading says how far
off the hand is; most of them agree, and those that show something else (another hand, a thing in
the hand, the wall behind) do not agree with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.errors import InputError
from interwild_ros.geometry.camera import project
from interwild_ros.geometry.placement import MIN_DEPTH_M
from interwild_ros.records import Array, Camera
import numpy as np

MIN_READINGS = 20
MAX_SHARE = 0.35  # of the distance: farther off it is no hand, for none is so large or so small
MAX_FROM_MEDIAN_M = 0.2
CLUSTER_M = 0.05
_MIN_COSINE = 0.35  # readings at a more grazing angle mix the hand with what is behind it
_CELL_M = 0.012  # somewhat more than the usual distance between two vertices
_BEHIND_M = 0.015  # a vertex that far behind another one in its cell is hidden
_WINDOW_PX = 9  # readings within the window of a stereo camera share their error
_COMMON_STD_M = 0.002  # all readings share it: the sensor's own error, the model's skin
_STD_OF_MEDIAN = 1.2533  # of the mean's
_STD_OF_MAD = 1.4826


@dataclass(frozen=True, eq=False)
class DepthShift:
    """What a depth picture says of a placed hand.

    `shift_m` (3,) moves the hand, along the ray through its middle; `readings` is the number of
    vertices that agree on it; `std_m` the standard deviation of its z.
    """

    shift_m: Array
    readings: int
    std_m: float


def shift_to_depth(
    vertices_m: Array,
    triangles: Array,
    camera: Camera,
    depth_m: Array,
    *,
    other_vertices_m: Array | None = None,
) -> DepthShift | None:
    """Return the shift that lays a placed hand on its readings, None where too few agree.

    :param vertices_m: (V, 3) in the camera's frame, where the picture put the hand.
    :param triangles: (F, 3) vertex indices, outward by the right-hand rule.
    :param depth_m: (height, width) depth of what each pixel of the camera's picture shows; what
        is not above 0 and finite is no reading.
    :param other_vertices_m: (W, 3) of the other hand, wherever that is placed: readings where it
        stands before this one or touches it belong to it.
    :raises InputError: `depth_size` for a depth picture of another size than the camera's.
    """
    _check_size(depth_m, camera)
    vertices = np.asarray(vertices_m, np.float64)
    with np.errstate(all='ignore'):  # numbers that no camera gives: they are no readings
        middle_m = _middle_m(vertices)
        if middle_m is None:
            return None
        seen = _seen(camera, vertices[_faces_camera(vertices, triangles)], middle_m[2])
        surface = np.concatenate([vertices, vertices[triangles].mean(axis=1)])
        nearest_m = _nearest_m(_seen(camera, surface, middle_m[2]))
        seen = seen[_depths_m(seen) < nearest_m[seen.cells] + _BEHIND_M]
        if other_vertices_m is not None:
            other = _seen(camera, np.asarray(other_vertices_m, np.float64), middle_m[2])
            seen = seen[_depths_m(seen) < _around(_nearest_m(other))[seen.cells] - _BEHIND_M]
        offsets_m = _offsets_m(seen, depth_m)
        agreeing = _agreeing(offsets_m, MAX_SHARE * middle_m[2])
        return _shift(middle_m, offsets_m[agreeing], seen.pixels[agreeing])


@dataclass(frozen=True, eq=False)
class _Seen:
    """Points (N, 3) in front of the camera, their pixels (N, 2), and the cells of a coarse grid.

    `shape` is the number of rows and columns of cells.
    """

    points_m: Array
    pixels: Array
    side_px: float
    shape: tuple[int, int]

    def __getitem__(self, part: Array) -> _Seen:
        return _Seen(self.points_m[part], self.pixels[part], self.side_px, self.shape)

    @property
    def cells(self) -> tuple[Array, Array]:
        """Return row and column of each point's cell."""
        columns, rows = (self.pixels / self.side_px).astype(np.int64).T
        return rows, columns


def _check_size(depth_m: Array, camera: Camera) -> None:
    if depth_m.shape != (camera.height, camera.width):
        raise InputError(
            'depth_size',
            f'depth picture has shape {depth_m.shape}, '
            f'wanted {(camera.height, camera.width)}, that of its camera',
        )


def _in_front(points: Array) -> Array:
    shown: Array = np.isfinite(points).all(axis=1) & (points[:, 2] >= MIN_DEPTH_M)
    return shown


def _middle_m(vertices: Array) -> Array | None:
    """Return the mean (3,) of what is in front of the camera."""
    shown = vertices[_in_front(vertices)]
    middle: Array = shown.mean(axis=0) if len(shown) else np.full(3, np.nan)
    return middle if np.isfinite(middle).all() else None


def _faces_camera(vertices: Array, triangles: Array) -> Array:
    """Say which vertices turn to the camera, by the mean normal of the faces around each."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    of_faces = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], of_faces)
    towards = -(normals * vertices).sum(axis=1)
    lengths = np.linalg.norm(normals, axis=1) * np.linalg.norm(vertices, axis=1)
    facing: Array = towards > _MIN_COSINE * lengths
    return facing


def _seen(camera: Camera, points: Array, depth_m: float) -> _Seen:
    """Return the points that lie within the picture, on a grid for a hand at this depth."""
    points = points[_in_front(points)]
    px = np.rint(project(camera, points))
    inside = ((px >= 0) & (px < (camera.width, camera.height))).all(axis=1)
    side_px = max(1.0, _CELL_M * float(np.sqrt(camera.fx * camera.fy)) / depth_m)
    shape = (int(camera.height / side_px) + 1, int(camera.width / side_px) + 1)
    return _Seen(points[inside], px[inside].astype(np.int64), side_px, shape)


def _depths_m(seen: _Seen) -> Array:
    depths: Array = seen.points_m[:, 2]
    return depths


def _nearest_m(seen: _Seen) -> Array:
    """Return the least depth in each cell, infinity where there is no point."""
    nearest = np.full(seen.shape, np.inf)
    np.minimum.at(nearest, seen.cells, _depths_m(seen))
    return nearest


def _around(nearest_m: Array) -> Array:
    """Return the least depth in each cell and the eight around it."""
    padded = np.pad(nearest_m, 1, constant_values=np.inf)
    rows = np.minimum.reduce([padded[:-2], padded[1:-1], padded[2:]])
    around: Array = np.minimum.reduce([rows[:, :-2], rows[:, 1:-1], rows[:, 2:]])
    return around


def _offsets_m(seen: _Seen, depth_m: Array) -> Array:
    """Return by how much the picture shows each point farther away than it is; NaN for holes."""
    columns, rows = seen.pixels.T
    read = np.asarray(depth_m[rows, columns], np.float64)
    return np.where(read > 0, read, np.nan) - _depths_m(seen)


def _agreeing(offsets_m: Array, most_m: float) -> Array:
    """Return the indices of the largest cluster near the median.

    Offsets are compared, not depths: a hand that points at the camera is deeper than a cluster.
    """
    (kept,) = (np.abs(offsets_m) <= most_m).nonzero()
    if not len(kept):
        return kept
    kept = kept[np.abs(offsets_m[kept] - np.median(offsets_m[kept])) < MAX_FROM_MEDIAN_M]
    kept = kept[offsets_m[kept].argsort(kind='stable')]
    ordered = offsets_m[kept]
    ends = np.searchsorted(ordered, ordered + CLUSTER_M, side='right')
    first = int((ends - np.arange(len(ends))).argmax())
    middle = np.median(ordered[first : ends[first]])
    agreeing: Array = kept[np.abs(ordered - middle) <= CLUSTER_M / 2]
    return agreeing


def _shift(middle_m: Array, offsets_m: Array, pixels: Array) -> DepthShift | None:
    """Return the median of the readings, along the ray through the hand's middle."""
    if len(offsets_m) < MIN_READINGS:
        return None
    farther_m = float(np.median(offsets_m))
    spread_m = _STD_OF_MAD * float(np.median(np.abs(offsets_m - farther_m)))
    independent = len(np.unique(pixels // _WINDOW_PX, axis=0))
    std_m = float(np.hypot(_STD_OF_MEDIAN * spread_m / np.sqrt(independent), _COMMON_STD_M))
    return DepthShift(farther_m * middle_m / middle_m[2], len(offsets_m), std_m)
