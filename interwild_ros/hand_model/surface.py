"""Surfaces of triangles: smooth normals, and subdivision as a fixed linear map of the vertices."""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.records import Array
import numpy as np
from numpy.typing import NDArray
import scipy.sparse
import torch
from torch import nn, Tensor

Triangles = NDArray[np.integer]


class Normals(nn.Module):
    """Smooth normals of a mesh.

    They are gathered along the fan of triangles around each vertex: scattering would add in
    another order on every run of a GPU.
    """

    triangles: Tensor
    fans: Tensor

    def __init__(self, triangles: Triangles, vertex_count: int) -> None:
        super().__init__()
        faces = torch.from_numpy(np.asarray(triangles, np.int64))
        self.register_buffer('triangles', faces, persistent=False)
        self.register_buffer('fans', _fans(faces, vertex_count), persistent=False)

    def forward(self, vertices: Tensor) -> Tensor:
        """Return unit normals (B, V, 3) of vertices (B, V, 3); larger triangles count more."""
        a, b, c = (vertices[:, self.triangles[:, i]] for i in range(3))
        of_faces = torch.linalg.cross(b - a, c - a)
        padded = nn.functional.pad(of_faces, (0, 0, 0, 1))
        return nn.functional.normalize(padded[:, self.fans].sum(2), dim=-1)


class LinearMap(nn.Module):
    """A sparse matrix that makes D vertices from V: each row is a weighted sum of a few."""

    columns: Tensor
    weights: Tensor
    row_starts: Tensor

    def __init__(self, matrix: scipy.sparse.csr_matrix) -> None:
        super().__init__()
        buffers = {'columns': matrix.indices, 'row_starts': matrix.indptr[:-1]}
        for name, values in buffers.items():
            self.register_buffer(name, torch.from_numpy(values.astype(np.int64)), persistent=False)
        weights = torch.from_numpy(matrix.data.astype(np.float32))
        self.register_buffer('weights', weights, persistent=False)

    def forward(self, vertices: Tensor) -> Tensor:
        """Return (B, D, 3) from (B, V, 3)."""
        batch, count, _ = vertices.shape
        table = vertices.transpose(0, 1).reshape(count, 3 * batch)
        mapped = nn.functional.embedding_bag(
            self.columns,
            table,
            self.row_starts,
            per_sample_weights=self.weights.to(table.dtype),
            mode='sum',
        )
        return mapped.view(-1, batch, 3).transpose(0, 1)


@dataclass(frozen=True, eq=False)
class Subdivision:
    """A finer mesh: `matrix` (D, V) makes its vertices, `triangles` joins them."""

    matrix: scipy.sparse.csr_matrix
    triangles: Triangles


def subdivide(triangles: Triangles, vertex_count: int, *, rounds: int) -> Subdivision:
    """Return Loop's subdivision: a mesh four times as fine each round, and smooth.

    The old vertices come first, moved. Turning all triangles round changes no vertex.
    """
    result = Subdivision(scipy.sparse.identity(vertex_count, format='csr'), triangles)
    for _ in range(rounds):
        finer = _subdivide_once(result.triangles, result.matrix.shape[0])
        result = Subdivision((finer.matrix @ result.matrix).tocsr(), finer.triangles)
    return result


def border_loop(triangles: Triangles) -> NDArray[np.int64]:
    """Return the vertices of the one open border in order, as the triangles run along it."""
    directed = np.asarray(triangles)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).tolist()
    present = set(map(tuple, directed))
    following = {a: b for a, b in directed if (b, a) not in present}
    loop = [min(following)]
    while following[loop[-1]] != loop[0]:
        loop.append(following[loop[-1]])
    return np.array(loop)


def _fans(triangles: Tensor, vertex_count: int) -> Tensor:
    """Return the triangles around each vertex, (V, K), padded with their number."""
    owner = triangles.flatten()
    order = owner.argsort(stable=True)
    counts = torch.bincount(owner, minlength=vertex_count)
    place = torch.arange(len(order)) - (counts.cumsum(0) - counts)[owner[order]]
    fans = torch.full((vertex_count, int(counts.max())), len(triangles))
    fans[owner[order], place] = order // 3
    return fans


def _subdivide_once(triangles: Triangles, count: int) -> Subdivision:
    sides = np.asarray(triangles)[:, [[0, 1], [1, 2], [2, 0]]]  # F, 3, 2
    pairs = np.sort(sides.reshape(-1, 2), 1)
    edges, edge_of_side, sharers = np.unique(
        pairs, axis=0, return_inverse=True, return_counts=True
    )
    opposite = np.asarray(triangles)[:, [2, 0, 1]].reshape(-1)
    edge_of_side = edge_of_side.reshape(-1)
    matrix = scipy.sparse.vstack(
        [
            _moved_vertices(edges, sharers == 1, count),
            _new_vertices(edges, sharers == 1, edge_of_side, opposite, count),
        ]
    )
    a, b, c = np.asarray(triangles).T
    ab, bc, ca = edge_of_side.reshape(-1, 3).T + count
    corners = ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
    return Subdivision(matrix.tocsr(), np.concatenate([np.stack(three, 1) for three in corners]))


def _moved_vertices(edges: Array, on_border: Array, count: int) -> scipy.sparse.csr_matrix:
    """Return Loop's rule for old vertices, with Warren's weights; the border is a cubic spline."""
    border_vertex = np.zeros(count, bool)
    border_vertex[edges[on_border]] = True
    ends, others = np.concatenate([edges, edges[:, ::-1]]).T
    used = ~border_vertex[ends] | np.tile(on_border, 2)
    ends, others = ends[used], others[used]
    valence = np.bincount(ends, minlength=count)
    weight = np.where(valence == 3, 3 / 16, 3 / (8 * np.maximum(valence, 1)))
    weight[border_vertex] = 1 / 8
    around = _sparse(weight[ends], ends, others, (count, count))
    return around + scipy.sparse.diags(1 - valence * weight)


def _new_vertices(
    edges: Array, on_border: Array, edge_of_side: Array, opposite: Array, count: int
) -> scipy.sparse.csr_matrix:
    """Return Loop's rule for the middles of edges."""
    numbers = np.arange(len(edges))
    own = np.where(on_border, 1 / 2, 3 / 8)
    across = np.where(on_border, 0, 1 / 8)[edge_of_side]
    weights = np.concatenate([own, own, across])
    rows = np.concatenate([numbers, numbers, edge_of_side])
    columns = np.concatenate([edges[:, 0], edges[:, 1], opposite])
    return _sparse(weights, rows, columns, (len(edges), count))


def _sparse(
    weights: Array, rows: Array, columns: Array, shape: tuple[int, int]
) -> scipy.sparse.csr_matrix:
    matrix = scipy.sparse.coo_matrix((weights, (rows, columns)), shape=shape).tocsr()
    matrix.eliminate_zeros()
    return matrix
