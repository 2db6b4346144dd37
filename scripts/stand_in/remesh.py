"""Spread a mesh evenly over a solid without changing its counts: flips, smoothing, projection."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def edges_of(triangles: Indices) -> Indices:
    """Return the undirected edges (E, 2), each once, the smaller number first."""
    pairs = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), 1)
    return np.unique(pairs, axis=0)


def spread(
    vertices: Array,
    triangles: Indices,
    *,
    project: Callable[[Array], Array],
    normals: Callable[[Array], Array],
    fixed: Indices,
    rounds: int,
) -> tuple[Array, Indices]:
    """Alternate flips, smoothing along the surface and projection until triangles are alike."""
    free = np.setdiff1d(np.arange(len(vertices)), fixed)
    for _ in range(rounds):
        triangles = flipped(vertices, triangles)
        step = 0.7 * (_fan_centres(vertices, triangles) - vertices)
        outward = normals(vertices)
        step -= (step * outward).sum(1, keepdims=True) * outward
        vertices = vertices.copy()
        vertices[free] += step[free]
        vertices = project(vertices)
    return vertices, triangles


def _fan_centres(vertices: Array, triangles: Indices) -> Array:
    """Return the centre of area of the triangles around each vertex."""
    corners = vertices[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    weights = np.repeat(np.linalg.norm(normals, axis=1), 3)
    owners = triangles.reshape(-1)
    centres = np.repeat(corners.mean(1), 3, axis=0)
    total = np.bincount(owners, weights, len(vertices))
    sums = [np.bincount(owners, weights * centres[:, i], len(vertices)) for i in range(3)]
    return np.asarray(np.stack(sums, 1) / total[:, None])


def flipped(vertices: Array, triangles: Indices) -> Indices:
    """Flip edges whose opposite angles sum to more than a half turn (Delaunay, on the surface)."""
    triangles = triangles.copy()
    edges = {tuple(sorted(edge)) for edge in edges_of(triangles).tolist()}
    for _ in range(6):
        changed = _flip_once(vertices, triangles, edges)
        if not changed:
            break
    return triangles


def _flip_once(vertices: Array, triangles: Indices, edges: set[tuple[int, ...]]) -> int:
    owner = {}
    for number, (a, b, c) in enumerate(triangles.tolist()):
        owner.update({(a, b): (number, c), (b, c): (number, a), (c, a): (number, b)})
    touched: set[int] = set()
    changed = 0
    for (a, b), (one, c) in owner.items():
        if a > b or (b, a) not in owner:
            continue
        other, d = owner[b, a]
        new_edge = (min(c, d), max(c, d))
        if {one, other} & touched or new_edge in edges or not _should_flip(vertices, a, b, c, d):
            continue
        triangles[one], triangles[other] = (c, a, d), (d, b, c)
        edges.discard((min(a, b), max(a, b)))
        edges.add(new_edge)
        touched |= {one, other}
        changed += 1
    return changed


def _should_flip(vertices: Array, a: int, b: int, c: int, d: int) -> bool:
    pa, pb, pc, pd = vertices[[a, b, c, d]]
    if _angle(pc, pa, pb) + _angle(pd, pa, pb) <= np.pi + 1e-3:
        return False
    before = np.cross(pb - pa, pc - pa) + np.cross(pa - pb, pd - pb)
    after = np.cross(pa - pc, pd - pc), np.cross(pb - pd, pc - pd)
    return all(before @ normal > 0 for normal in after)


def _angle(at: Array, p: Array, q: Array) -> float:
    u, v = p - at, q - at
    return float(np.arctan2(np.linalg.norm(np.cross(u, v)), u @ v))


def neighbour_matrix(count: int, triangles: Indices) -> Array:
    """Return the matrix that averages over each vertex's neighbours."""
    edges = edges_of(triangles)
    matrix = np.zeros((count, count))
    matrix[edges[:, 0], edges[:, 1]] = matrix[edges[:, 1], edges[:, 0]] = 1
    return matrix / matrix.sum(1, keepdims=True)
