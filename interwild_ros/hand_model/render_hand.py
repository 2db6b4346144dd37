"""The stand-in hand as pictures want it: finer, with a forearm, relief and tints.

Everything is made from the 778 posed vertices, so that whatever poses them poses this too. The
forearm hangs on the vertices that move with the wrist alone; it can be bent at the wrist.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from interwild_ros.hand_model.mano_file import HandModelFile, read_stand_in
from interwild_ros.hand_model.surface import border_loop, LinearMap, Normals, subdivide, Triangles
from interwild_ros.records import Array, Side
import numpy as np
import scipy.sparse
import torch
from torch import nn, Tensor

SKIN_FILE = Path(__file__).parent / 'assets' / 'stand_in_skin.npz'
TINTS = ('palm', 'nail', 'crease', 'flush', 'arm')
FINE_ROUNDS = 2  # of subdivision; what the skin file is made for
_BEND_RINGS = 3  # the forearm's bend is spread over so many rings


class RenderMesh(nn.Module):
    """A smooth fine mesh of D vertices over a hand of 778 and its forearm."""

    bends: Tensor

    def __init__(
        self,
        v_template: Array,
        weights: Array,
        triangles: Triangles,
        rings: Array,
        *,
        rounds: int = FINE_ROUNDS,
    ) -> None:
        """Join the forearm to the hand's open border.

        :param rings: (R, L, 3) m at rest, L as many as the border has, in `ring_order`.
        :param rounds: how often the mesh is subdivided.
        """
        super().__init__()
        ring_count, self._ring_length, _ = rings.shape
        points = rings.reshape(-1, 3)
        self.coarse_count = len(v_template) + len(points)
        tube = _tube(triangles, ring_count, first=len(v_template))
        fine = subdivide(np.concatenate([triangles, tube]), self.coarse_count, rounds=rounds)
        self.forearm = LinearMap(_rigid_extension(v_template, weights[:, 0], points))
        self.fine = LinearMap(fine.matrix)
        self.normals = Normals(fine.triangles, fine.matrix.shape[0])
        bends = np.minimum(np.arange(1, ring_count + 1) / _BEND_RINGS, 1).repeat(self._ring_length)
        self.register_buffer('bends', torch.from_numpy(bends.astype(np.float32)), persistent=False)

    def smooth(self, posed: Tensor, forearm_turn: Tensor | None = None) -> Tensor:
        """Return the fine vertices (B, D, 3) of posed vertices (B, 778, 3).

        :param forearm_turn: (B, 3) axis-angle rad in the axes of `posed`; none keeps the forearm
            as it is at rest.
        """
        forearm: Tensor = self.forearm(posed)
        if forearm_turn is not None:
            forearm = self._bent(forearm, forearm_turn)
        fine: Tensor = self.fine(torch.cat([posed, forearm], 1))
        return fine

    def _bent(self, forearm: Tensor, turn: Tensor) -> Tensor:
        """Turn the forearm about the middle of its first ring, more from ring to ring."""
        pivot = forearm[:, : self._ring_length].mean(1, keepdim=True)
        turns = turn[:, None] * self.bends.to(turn)[:, None]  # B, N, 3
        angle = turns.norm(dim=-1, keepdim=True)
        axis = turns / angle.clamp(min=1e-9)
        arm = forearm - pivot
        along = (axis * arm).sum(-1, keepdim=True) * axis
        turned = (arm - along) * angle.cos() + torch.linalg.cross(axis, arm) * angle.sin()
        bent: Tensor = pivot + along + turned
        return bent


class RenderHand(nn.Module):
    """One stand-in hand for pictures.

    `triangles` (F, 3), outward; `tints` (D, 5) in the order of TINTS, 0 to 1: how much of the
    palm, of a nail, of a crease, how flushed, and how far up the forearm (0 on the hand).
    """

    tints: Tensor
    relief_m: Tensor

    def __init__(self, side: Side, *, rounds: int = FINE_ROUNDS) -> None:
        """Read the stand-in.

        :param rounds: of subdivision, at most FINE_ROUNDS: fewer for small pictures.
        """
        super().__init__()
        model: HandModelFile = read_stand_in(side)
        with np.load(SKIN_FILE) as skin:
            mirror = np.array([1.0, 1, 1] if side is Side.RIGHT else [-1.0, 1, 1])
            self.mesh = RenderMesh(
                *(model.v_template, model.weights, model.triangles, skin['forearm_m'] * mirror),
                rounds=rounds,
            )
            count = self.mesh.normals.fans.shape[0]  # coarser vertices come first among finer ones
            tints = np.stack([skin[name] for name in TINTS], 1)[:count].astype(np.float32) / 255
            self.register_buffer('tints', torch.from_numpy(tints), persistent=False)
            relief = torch.from_numpy(skin['relief_m'][:count].astype(np.float32))
            self.register_buffer('relief_m', relief, persistent=False)

    @property
    def triangles(self) -> Tensor:
        """Return the fine triangles (F, 3)."""
        return self.mesh.normals.triangles

    def forward(
        self,
        posed: Tensor,
        forearm_turn: Tensor | None = None,
        thickness_m: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return vertices and unit normals, (B, D, 3) each, of posed vertices (B, 778, 3).

        :param forearm_turn: (B, 3) axis-angle rad, bends the forearm at the wrist.
        :param thickness_m: (D,) more on top of the skin, such as a sleeve.
        """
        smooth = self.mesh.smooth(posed, forearm_turn)
        raised = self.relief_m if thickness_m is None else self.relief_m + thickness_m
        vertices = smooth + raised[:, None].to(smooth) * self.mesh.normals(smooth)
        return vertices, self.mesh.normals(vertices)


def ring_order(triangles: Triangles) -> Array:
    """Return the border's vertices in an order that does not ask which way triangles turn."""
    loop = border_loop(triangles)
    return loop if _runs_along(loop) else np.roll(loop[::-1], 1)


def _runs_along(loop: Array) -> bool:
    return bool(loop[1] < loop[-1])


def _tube(triangles: Triangles, ring_count: int, *, first: int) -> Triangles:
    """Return the triangles between the border and the rings, numbered from `first` on."""
    border = ring_order(triangles)
    length = len(border)
    rings = [border, *(first + length * k + np.arange(length) for k in range(ring_count))]
    pieces = []
    for inner, outer in pairwise(rings):
        inner_next, outer_next = np.roll(inner, -1), np.roll(outer, -1)
        pieces.append(np.stack([inner_next, inner, outer], 1))
        pieces.append(np.stack([inner_next, outer, outer_next], 1))
    tube = np.concatenate(pieces)
    # an edge runs one way in one of its triangles, and the other way in the other
    return tube if _runs_along(border_loop(triangles)) else tube[:, ::-1]


def _rigid_extension(
    v_template: Array, root_weights: Array, targets: Array
) -> scipy.sparse.csr_matrix:
    """Return the weighted sums of vertices that give points (N, 3) fixed to the wrist's bone.

    Only vertices that follow this bone alone take part; affine sums of them move as it does.
    """
    rigid = np.flatnonzero(root_weights > 0.999)
    system = np.concatenate([v_template[rigid].T, np.ones((1, len(rigid)))])
    wanted = np.concatenate([targets.T, np.ones((1, len(targets)))])
    sums = system.T @ np.linalg.solve(system @ system.T, wanted)  # rigid, N
    matrix = np.zeros((len(targets), len(v_template)))
    matrix[:, rigid] = sums.T
    return scipy.sparse.csr_matrix(matrix)
