"""A z-buffer, normals and shadows for the CPU, compiled by numba: several times as fast as torch.

Points are x px, y px of the fine canvas, and nearness 1 / m, which is linear in the picture.
"""

from __future__ import annotations

from typing import Any

from interwild_ros.compiled import compiled_with
from interwild_ros.records import Array
import numpy as np

_compiled = compiled_with(fastmath=True)
_FAR = np.float32(0)  # the nearness of nothing
_EDGE = np.float32(-1e-4)  # so that neighbours leave no gap between them


@_compiled
def draw(
    meshes: Array,
    colours: Array,
    triangles: Array,
    flips: Array,
    marks: Array,
    first: int,
    last: int,
    nearness: Array,
    canvas: Array,
    owners: Array,
    stamps: Array,
    stamp: int,
    alone: Array,
) -> int:
    """Draw meshes first to last - 1 (N, V, 3) where they are nearest; return the last stamp.

    `nearness`, `owners`, `stamps` (H, W) and `canvas` (H, W, 3) are written; `alone` counts the
    samples that each mark would cover by itself.
    """
    for row in range(first, last):
        stamp += 1
        alone[marks[row]] += _draw_one(
            meshes[row],
            colours[row],
            triangles,
            flips[row],
            marks[row],
            nearness,
            canvas,
            owners,
            stamps,
            stamp,
        )
    return stamp


@_compiled
def _draw_one(
    points: Array,
    colours: Array,
    triangles: Array,
    flip: Any,
    mark: Any,
    nearness: Array,
    canvas: Array,
    owners: Array,
    stamps: Array,
    stamp: int,
) -> int:
    height, width = nearness.shape
    covered = 0
    for face in range(triangles.shape[0]):
        a, b, c = triangles[face, 0], triangles[face, 1], triangles[face, 2]
        if flip:
            b, c = c, b
        na, nb, nc = points[a, 2], points[b, 2], points[c, 2]
        if na <= _FAR or nb <= _FAR or nc <= _FAR:
            continue  # behind the camera, or too near to it
        ax, ay = points[a, 0], points[a, 1]
        bx, by = points[b, 0], points[b, 1]
        cx, cy = points[c, 0], points[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if area >= 0:
            continue  # y points down: faces towards the camera turn the negative way
        x_first = max(0, int(np.ceil(min(ax, bx, cx))))
        x_last = min(width - 1, int(np.floor(max(ax, bx, cx))))
        y_first = max(0, int(np.ceil(min(ay, by, cy))))
        y_last = min(height - 1, int(np.floor(max(ay, by, cy))))
        scale = np.float32(1) / area
        # the shares of b and c, and the nearness, are planes over the picture
        wb_x, wb_y = (cy - ay) * scale, (ax - cx) * scale
        wc_x, wc_y = (ay - by) * scale, (bx - ax) * scale
        for y in range(y_first, y_last + 1):
            down = np.float32(y) - ay
            wb_row, wc_row = down * wb_y, down * wc_y
            for x in range(x_first, x_last + 1):
                aside = np.float32(x) - ax
                wb, wc = wb_row + aside * wb_x, wc_row + aside * wc_x
                wa = np.float32(1) - wb - wc
                if wa < _EDGE or wb < _EDGE or wc < _EDGE:
                    continue
                if stamps[y, x] != stamp:
                    stamps[y, x] = stamp
                    covered += 1
                near = wa * na + wb * nb + wc * nc
                if near > nearness[y, x]:
                    nearness[y, x] = near
                    owners[y, x] = mark
                    for k in range(3):
                        canvas[y, x, k] = (
                            wa * colours[a, k] + wb * colours[b, k] + wc * colours[c, k]
                        )
    return covered


@_compiled
def merge(
    nearness: Array, canvas: Array, owners: Array, fine: int, picture: Array, seen: Array
) -> None:
    """Lay a fine canvas over a picture (H, W, 3), and count what each mark shows in `seen`."""
    part = np.float32(1) / (fine * fine)
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            covered = 0
            red, green, blue = np.float32(0), np.float32(0), np.float32(0)
            for j in range(y * fine, (y + 1) * fine):
                for i in range(x * fine, (x + 1) * fine):
                    if nearness[j, i] > _FAR:
                        covered += 1
                        seen[owners[j, i]] += 1
                        red += canvas[j, i, 0]
                        green += canvas[j, i, 1]
                        blue += canvas[j, i, 2]
            if covered:
                free = np.float32(1) - covered * part
                picture[y, x, 0] = picture[y, x, 0] * free + red * part
                picture[y, x, 1] = picture[y, x, 1] * free + green * part
                picture[y, x, 2] = picture[y, x, 2] * free + blue * part


@_compiled
def vertex_normals(meshes: Array, triangles: Array) -> Array:
    """Return unit normals (N, V, 3) of meshes (N, V, 3); larger triangles count more."""
    normals = np.zeros_like(meshes)
    for row in range(meshes.shape[0]):
        points, sums = meshes[row], normals[row]
        for face in range(triangles.shape[0]):
            a, b, c = triangles[face, 0], triangles[face, 1], triangles[face, 2]
            ux, uy, uz = (
                points[b, 0] - points[a, 0],
                points[b, 1] - points[a, 1],
                points[b, 2] - points[a, 2],
            )
            vx, vy, vz = (
                points[c, 0] - points[a, 0],
                points[c, 1] - points[a, 1],
                points[c, 2] - points[a, 2],
            )
            x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            for corner in (a, b, c):
                sums[corner, 0] += x
                sums[corner, 1] += y
                sums[corner, 2] += z
        for vertex in range(points.shape[0]):
            x, y, z = sums[vertex, 0], sums[vertex, 1], sums[vertex, 2]
            scale = np.float32(1) / (np.sqrt(x * x + y * y + z * z) + np.float32(1e-20))
            sums[vertex, 0] *= scale
            sums[vertex, 1] *= scale
            sums[vertex, 2] *= scale
    return normals


@_compiled
def shade(points: Array, beads: Array, radii: Array, towards: Array, soft: np.float32) -> Array:
    """Return how far beads (N, P, 3) hide a lamp from points (N, V, 3): see lamps."""
    shades = np.zeros(points.shape[:2], np.float32)
    ends = np.zeros(beads.shape[1], np.float32)
    for row in range(points.shape[0]):
        lx, ly, lz = towards[row, 0], towards[row, 1], towards[row, 2]
        string = beads[row]
        for bead in range(len(ends)):
            ends[bead] = string[bead, 0] * lx + string[bead, 1] * ly + string[bead, 2] * lz
        for vertex in range(points.shape[1]):
            x, y, z = points[row, vertex, 0], points[row, vertex, 1], points[row, vertex, 2]
            here = x * lx + y * ly + z * lz
            darkest = np.float32(0)
            for bead in range(len(ends)):
                radius, ahead = radii[bead], ends[bead] - here
                apart = ahead / radius - np.float32(1.2)
                if apart <= darkest:
                    continue
                dx, dy, dz = string[bead, 0] - x, string[bead, 1] - y, string[bead, 2] - z
                square = dx * dx + dy * dy + dz * dz - ahead * ahead
                reach = radius * (1 + soft / 2)
                if square >= reach * reach:
                    continue
                hidden = (reach - np.sqrt(max(square, np.float32(0)))) / (soft * radius)
                darkest = max(darkest, min(hidden, np.float32(1)) * min(apart, np.float32(1)))
            shades[row, vertex] = darkest
    return shades


@_compiled
def light(
    colours: Array,
    normals: Array,
    points: Array,
    shades: Array,
    towards: Array,
    up: Array,
    strength: Array,
    room: Array,
    scalars: Array,
) -> Array:
    """Return colours (N, V, 3) in the light of lamps (N, 2, 3): see lamps.

    `scalars` (N, 5): wrap, highlight, shininess, edge, shadow.
    """
    lit = np.empty_like(colours)
    one = np.float32(1)
    for row in range(colours.shape[0]):
        wrap, highlight, shininess, edge, shadow = scalars[row]
        first, second, ceiling = towards[row, 0], towards[row, 1], up[row]
        for vertex in range(colours.shape[1]):
            x, y, z = points[row, vertex]
            nx, ny, nz = normals[row, vertex]
            far = one / np.sqrt(x * x + y * y + z * z + np.float32(1e-20))
            vx, vy, vz = -x * far, -y * far, -z * far
            hidden = shadow * shades[row, vertex]
            key = nx * first[0] + ny * first[1] + nz * first[2]
            fill = nx * second[0] + ny * second[1] + nz * second[2]
            key = max((key + wrap) / (one + wrap), np.float32(0)) * (one - hidden)
            fill = max((fill + wrap) / (one + wrap), np.float32(0))
            above = nx * ceiling[0] + ny * ceiling[1] + nz * ceiling[2]
            around = (np.float32(0.8) + np.float32(0.2) * above) * (
                one - np.float32(0.25) * hidden
            )
            grazing = one - min(max(nx * vx + ny * vy + nz * vz, np.float32(0)), one)
            dim = one - edge * grazing * grazing
            gloss = np.float32(0)
            if highlight > 0:
                hx, hy, hz = vx + first[0], vy + first[1], vz + first[2]
                half = one / np.sqrt(hx * hx + hy * hy + hz * hz + np.float32(1e-20))
                glance = (nx * hx + ny * hy + nz * hz) * half
                if glance > np.float32(0.5):  # the rest is too dark to be seen
                    gloss = highlight * glance**shininess * (one - hidden)
            for k in range(3):
                arriving = room[row, k] * around + (
                    key * strength[row, 0, k] + fill * strength[row, 1, k]
                )
                lit[row, vertex, k] = colours[row, vertex, k] * arriving * dim + gloss
    return lit
