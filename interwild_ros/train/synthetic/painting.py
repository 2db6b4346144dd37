"""Paint lit meshes over backgrounds: numba's z-buffer on the CPU, torch's on a GPU.

Meshes are rows of layers; all rows of a layer have the same triangles. Points are x px, y px and
nearness, 1 / m: 0 for what the camera cannot see. A pixel has FINE samples a side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from interwild_ros.imaging.render import rasterize
from interwild_ros.train.synthetic import zbuffer
import numpy as np
import torch
from torch import Tensor
import torch.nn.functional as F

FINE = 2
_COMPILED_ON = 'cpu'
MARKS = 3  # the right hand, the left hand, and everything else


class Layer(NamedTuple):
    """N meshes. `sample` (N,) says in whose picture each is, in rising order.

    `points` (N, V, 3); `colours` (N, V, 3) lit; `triangles` (F, 3), outward, or inward where
    `is_mirrored` (N,); `mark` (N,), below MARKS.
    """

    points: Tensor
    colours: Tensor
    triangles: Tensor
    is_mirrored: Tensor
    sample: Tensor
    mark: Tensor


class Painted(NamedTuple):
    """`pictures` (B, H, W, 3), 0 to 1; `shares` (B, MARKS): how much of what is there is seen.

    What the picture's edge cuts off counts neither way; a share of nothing is 0.
    """

    pictures: Tensor
    shares: Tensor


def paint(layers: Sequence[Layer], backgrounds: Tensor) -> Painted:
    """Paint over backgrounds (B, H, W, 3), 0 to 1."""
    if is_compiled_for(backgrounds):
        return _paint_compiled(layers, backgrounds)
    return _paint_in_torch(layers, backgrounds)


def is_compiled_for(values: Tensor) -> bool:
    """Return whether compiled code is there for where these values are."""
    return values.device.type == _COMPILED_ON


def mesh_normals(meshes: Tensor, triangles: Tensor) -> Tensor:
    """Return unit normals (N, V, 3) of meshes (N, V, 3) with triangles (F, 3)."""
    if is_compiled_for(meshes):
        found = zbuffer.vertex_normals(meshes.contiguous().numpy(), triangles.numpy())
        return torch.from_numpy(found)
    a, b, c = (meshes[:, triangles[:, corner]] for corner in range(3))
    of_faces = torch.linalg.cross(b - a, c - a)
    sums = torch.zeros_like(meshes)
    for corner in range(3):
        sums.index_add_(1, triangles[:, corner], of_faces)
    return F.normalize(sums, dim=-1)


def _paint_compiled(layers: Sequence[Layer], backgrounds: Tensor) -> Painted:
    batch, height, width, _ = backgrounds.shape
    size = (height * FINE, width * FINE)
    pictures = backgrounds.contiguous().numpy().copy()
    counts = np.zeros((2, batch, MARKS), np.int64)
    canvas = np.zeros((*size, 3), np.float32)
    nearness, owners = np.zeros(size, np.float32), np.zeros(size, np.uint8)
    stamps, stamp = np.zeros(size, np.int32), 0
    arrays = [_arrays(layer) for layer in layers]
    starts = [np.searchsorted(layer.sample.numpy(), np.arange(batch + 1)) for layer in layers]
    for row in range(batch):
        nearness.fill(0)
        for (points, colours, triangles, flips, marks), begins in zip(arrays, starts, strict=True):
            stamp = zbuffer.draw(
                points,
                colours,
                triangles,
                flips,
                marks,
                int(begins[row]),
                int(begins[row + 1]),
                nearness,
                canvas,
                owners,
                stamps,
                stamp,
                counts[1, row],
            )
        zbuffer.merge(nearness, canvas, owners, FINE, pictures[row], counts[0, row])
    return Painted(torch.from_numpy(pictures), _shares(*torch.from_numpy(counts)))


def _arrays(layer: Layer) -> list[np.ndarray]:
    points = _on_fine_canvas(layer.points)
    parts = (points, layer.colours, layer.triangles, layer.is_mirrored, layer.mark)
    return [part.contiguous().numpy() for part in parts]


def _on_fine_canvas(points: Tensor) -> Tensor:
    """Map points so that the middle of a pixel's samples is the pixel's centre."""
    fine = points * points.new_tensor([FINE, FINE, 1])
    return fine + points.new_tensor([(FINE - 1) / 2, (FINE - 1) / 2, 0])


def _paint_in_torch(layers: Sequence[Layer], backgrounds: Tensor) -> Painted:
    batch, height, width, _ = backgrounds.shape
    size = (batch, height * FINE, width * FINE)
    canvas = backgrounds.new_zeros(*size, 4)
    nearness = backgrounds.new_zeros(size)
    owners = torch.full(size, MARKS, device=backgrounds.device)
    alone = backgrounds.new_zeros(batch, MARKS)
    for layer in layers:
        near, colours = _drawn_rows(layer, *size[1:])
        alone.index_put_((layer.sample, layer.mark), (near > 0).flatten(1).sum(1).to(alone), True)
        for row, sample in enumerate(layer.sample.tolist()):
            wins = near[row] > nearness[sample]
            nearness[sample][wins] = near[row][wins]
            canvas[sample][wins] = colours[row][wins]
            owners[sample][wins] = layer.mark[row]
    seen = F.one_hot(owners, MARKS + 1).flatten(1, 2).sum(1)[:, :MARKS]
    drawn = F.avg_pool2d(canvas.permute(0, 3, 1, 2), FINE).permute(0, 2, 3, 1)
    return Painted(backgrounds * (1 - drawn[..., 3:]) + drawn[..., :3], _shares(seen, alone))


def _drawn_rows(layer: Layer, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Draw every mesh by itself: nearness (N, H, W), 0 for nothing, and colours (N, H, W, 4)."""
    points = _on_fine_canvas(layer.points)
    nearness = points[..., 2]
    depths = torch.where(nearness > 0, 1 / nearness.clamp(min=1e-9), 0)
    maps, colours = [], []
    for triangles in (layer.triangles, layer.triangles.flip(1)):
        raster = rasterize(
            points[..., :2], depths, triangles.long(), width=width, height=height, sides='front'
        )
        drawn = nearness.new_zeros(*raster.depth_map_m().shape, 4)
        seen = F.pad(raster.interpolate(layer.colours), (0, 1), value=1.0)
        drawn.view(-1, 4)[raster.pixels] = seen
        maps.append(1 / raster.depth_map_m())
        colours.append(drawn)
    mirrored = layer.is_mirrored[:, None, None]
    return (
        torch.where(mirrored, maps[1], maps[0]),
        torch.where(mirrored[..., None], colours[1], colours[0]),
    )


def _shares(seen: Tensor, alone: Tensor) -> Tensor:
    return seen.float() / alone.float().clamp(min=1)
