"""Draw triangle meshes: a batched z-buffer in plain torch, for CPU and CUDA.

Faces are cut into rows and rows into pixels, so that a face of any size costs the pixels that it
covers and none is cut short. The nearest face wins by one scatter of packed (nearness, face) keys,
which makes the picture the same on every run. Pixel centres are at integer coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

_PIXELS_AT_ONCE = 1 << 23  # bounds the memory of one pass
_LAST_FACE = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class Raster:
    """What the covered pixels of a batch of pictures see. P is their number.

    `pixels` (P,) index the flattened (batch, height, width); `face_ids` (P,); `barycentrics`
    (P, 3) on the face in space, not in the picture; `depths_m` (P,); `corners` (P, 3) index the
    flattened (batch, vertices). Gradients flow through attributes, not through positions.
    """

    batch: int
    height: int
    width: int
    pixels: Tensor
    face_ids: Tensor
    barycentrics: Tensor
    depths_m: Tensor
    corners: Tensor

    def interpolate(self, attributes: Tensor) -> Tensor:
        """Return the attributes of the covered pixels, (P, C).

        :param attributes: (B, V, C), one row a vertex.
        """
        rows = attributes.flatten(0, 1)
        of_corners = [rows[self.corners[:, i]] * self.barycentrics[:, i, None] for i in range(3)]
        return of_corners[0] + of_corners[1] + of_corners[2]

    def paint(self, values: Tensor, background: Tensor) -> Tensor:
        """Return the background (B, H, W, C) with the covered pixels replaced by values (P, C)."""
        painted = background.flatten(0, 2).clone()
        painted[self.pixels] = values
        return painted.view_as(background)

    def face_map(self) -> Tensor:
        """Return the face that each pixel sees, (B, H, W); -1 where there is none."""
        return self._map(self.face_ids, -1)

    def depth_map_m(self) -> Tensor:
        """Return the depth of each pixel, (B, H, W) m; infinity where there is no face."""
        return self._map(self.depths_m, torch.inf)

    def _map(self, values: Tensor, elsewhere: float) -> Tensor:
        shape = (self.batch, self.height, self.width)
        filled = values.new_full((self.batch * self.height * self.width,), elsewhere)
        filled[self.pixels] = values
        return filled.view(shape)


@dataclass(frozen=True, eq=False)
class _Faces:
    """The faces that may be seen, N of them.

    `points_px` (N, 3, 2); `nearness` (N, 3) is 1 / depth, which is linear in the picture;
    `y_low`, `y_high` the rows they reach in the picture; `pixel_bound` the size of their box.
    """

    batch_ids: Tensor
    face_ids: Tensor
    points_px: Tensor
    nearness: Tensor
    y_low: Tensor
    y_high: Tensor
    pixel_bound: Tensor

    def __getitem__(self, part: slice) -> _Faces:
        return _Faces(**{name: values[part] for name, values in vars(self).items()})


def rasterize(
    points_px: Tensor,
    depths_m: Tensor,
    triangles: Tensor,
    *,
    width: int,
    height: int,
    sides: Literal['both', 'front'] = 'both',
    near_m: float = 0.01,
) -> Raster:
    """Find what each pixel sees of a batch of meshes with common triangles.

    Faces with a corner nearer than `near_m`, or with a corner that is not finite, are left out.

    :param points_px: (B, V, 2) projected vertices.
    :param depths_m: (B, V) depth along the optical axis.
    :param triangles: (F, 3) vertex indices, outward by the right-hand rule.
    :param sides: `front` leaves out faces that turn away from the camera.
    """
    batch = len(depths_m)
    with torch.no_grad():
        faces = _visible_faces(points_px, depths_m, triangles, width, height, sides, near_m)
        keys = torch.full((batch * height * width,), -1, device=points_px.device)
        for part in _parts(faces):
            _draw(part, keys, width, height)
        return _resolve(keys, points_px, depths_m, triangles, batch, width, height)


def _visible_faces(
    points_px: Tensor,
    depths_m: Tensor,
    triangles: Tensor,
    width: int,
    height: int,
    sides: str,
    near_m: float,
) -> _Faces:
    points = points_px[:, triangles].float()  # B, F, 3, 2
    depths = depths_m[:, triangles].float()  # B, F, 3
    low, high = points.amin(2), points.amax(2)
    size = torch.tensor([width, height], device=points.device)
    first = low.ceil().clamp(min=0)
    last = torch.minimum(high.floor(), size - 1)
    area = _doubled_area(points)
    # comparisons with NaN are false, and infinite corners make no finite area
    seen = (last >= first).all(-1) & (depths > near_m).all(-1) & area.isfinite()
    # y points down: a face that turns to the camera has its corners in the negative sense
    seen &= area < 0 if sides == 'front' else area != 0
    batch_ids, face_ids = seen.nonzero(as_tuple=True)
    first, last = first[seen].long(), last[seen].long()
    return _Faces(
        batch_ids=batch_ids,
        face_ids=face_ids,
        points_px=points[seen],
        nearness=1 / depths[seen],
        y_low=first[:, 1],
        y_high=last[:, 1],
        pixel_bound=(last - first + 1).prod(-1),
    )


def _doubled_area(points: Tensor) -> Tensor:
    a, b, c = points.unbind(-2)
    (ux, uy), (vx, vy) = (b - a).unbind(-1), (c - a).unbind(-1)
    return ux * vy - vx * uy


def _parts(faces: _Faces) -> Iterator[_Faces]:
    """Split the faces so that the pixels of a part fit into memory."""
    ends = faces.pixel_bound.cumsum(0)
    start, done = 0, 0
    while start < len(ends):
        limit = torch.tensor(done + _PIXELS_AT_ONCE, device=ends.device)
        end = max(start + 1, int(torch.searchsorted(ends, limit, right=True)))
        yield faces[start:end]
        start, done = end, int(ends[end - 1])


def _draw(faces: _Faces, keys: Tensor, width: int, height: int) -> None:
    """Put the keys of all pixels of these faces where they are the largest so far."""
    row_face, y = _spread(faces.y_low, faces.y_high)
    x_span, nearness_span = _row_spans(faces.points_px[row_face], faces.nearness[row_face], y)
    # the crossings may be far outside the picture
    x_low = x_span[:, 0].ceil().clamp(0, width).long()
    x_high = x_span[:, 1].floor().clamp(-1, width - 1).long()
    row, x = _spread(x_low, x_high)
    slope = (nearness_span[:, 1] - nearness_span[:, 0]) / (x_span[:, 1] - x_span[:, 0])
    slope = slope.nan_to_num(0, 0, 0)  # a row through a corner is one point wide
    nearness = nearness_span[:, 0][row] + (x - x_span[:, 0][row]) * slope[row]
    face_keys = _LAST_FACE - faces.face_ids
    found = (nearness.view(torch.int32).long() << 32) | face_keys[row_face][row]
    row_start = (faces.batch_ids[row_face] * height + y) * width
    keys.scatter_reduce_(0, row_start[row] + x, found, 'amax')


def _spread(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """List every integer of every range low..high, inclusive: (which range, which integer)."""
    counts = (high - low + 1).clamp(min=0)
    which = torch.repeat_interleave(counts)
    starts = counts.cumsum(0) - counts
    place = torch.arange(len(which), device=low.device)
    return which, place + (low - starts)[which]


def _row_spans(points: Tensor, nearness: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return where rows enter and leave their faces: x (R, 2), and 1 / depth there (R, 2).

    An edge is walked from its upper end whichever face asks, so that neighbours agree to the
    last bit and leave no gap.
    """
    ends, near_ends = points.roll(-1, 1), nearness.roll(-1, 1)
    swapped = points[:, :, 1] > ends[:, :, 1]
    upper = torch.where(swapped[..., None], ends, points)
    lower = torch.where(swapped[..., None], points, ends)
    near_upper = torch.where(swapped, near_ends, nearness)
    near_lower = torch.where(swapped, nearness, near_ends)
    (ux, uy), (lx, ly) = upper.unbind(-1), lower.unbind(-1)
    y = y[:, None]
    crossed = (uy <= y) & (y <= ly) & (uy < ly)
    along = (y - uy) / (ly - uy)
    x = ux + along * (lx - ux)
    crossing_nearness = near_upper + along * (near_lower - near_upper)
    left = torch.where(crossed, x, torch.inf).min(1)
    right = torch.where(crossed, x, -torch.inf).max(1)
    sides = torch.stack([left.indices, right.indices], 1)
    return torch.stack([left.values, right.values], 1), crossing_nearness.gather(1, sides)


def _resolve(
    keys: Tensor,
    points_px: Tensor,
    depths_m: Tensor,
    triangles: Tensor,
    batch: int,
    width: int,
    height: int,
) -> Raster:
    pixels = (keys >= 0).nonzero()[:, 0]
    face_ids = _LAST_FACE - (keys[pixels] & _LAST_FACE)
    batch_ids = pixels // (width * height)
    corners = triangles[face_ids] + (batch_ids * depths_m.shape[1])[:, None]
    points = points_px.flatten(0, 1)[corners]  # P, 3, 2
    at = torch.stack([pixels % width, pixels // width % height], -1)
    weights = _picture_weights(points, at) / depths_m.flatten()[corners]
    nearness = weights.sum(-1, keepdim=True)
    return Raster(
        batch=batch,
        height=height,
        width=width,
        pixels=pixels,
        face_ids=face_ids,
        barycentrics=weights / nearness,
        depths_m=1 / nearness[:, 0],
        corners=corners,
    )


def _picture_weights(points: Tensor, at: Tensor) -> Tensor:
    """Return barycentric weights in the picture, none below zero, summing to one."""
    x, y = (points - at[:, None]).unbind(-1)  # P, 3
    areas = x.roll(-1, 1) * y.roll(-2, 1) - x.roll(-2, 1) * y.roll(-1, 1)
    weights = (areas / areas.sum(-1, keepdim=True)).clamp(min=0)
    return weights / weights.sum(-1, keepdim=True)
