"""Draw fine stand-in hands into pictures: skinned, lit, supersampled."""

from __future__ import annotations

from collections.abc import Sequence

from interwild_ros.hand_model.render_hand import RenderHand
from interwild_ros.imaging.render import rasterize
from interwild_ros.imaging.shading import Light, shade
from interwild_ros.records import Camera
import torch
from torch import nn, Tensor


class HandScene(nn.Module):
    """Several hands as one mesh before a pinhole camera without distortion.

    It draws batches: every picture of a batch shows the same hands in poses of its own.
    """

    triangles: Tensor

    def __init__(self, hands: Sequence[RenderHand], camera: Camera, *, supersampling: int = 2):
        """Join the meshes of the hands.

        :param supersampling: samples per pixel and axis.
        """
        super().__init__()
        self.hands = nn.ModuleList(hands)
        self._camera = camera
        self._supersampling = supersampling
        counts = [len(hand.tints) for hand in hands]
        starts = [sum(counts[:i]) for i in range(len(counts))]
        parts = [hand.triangles + start for hand, start in zip(hands, starts, strict=True)]
        self.register_buffer('triangles', torch.cat(parts), persistent=False)

    def forward(
        self,
        posed: Sequence[Tensor],
        colours: Sequence[Tensor],
        light: Light,
        *,
        forearm_turns: Sequence[Tensor | None] | None = None,
        thicknesses_m: Sequence[Tensor | None] | None = None,
    ) -> Tensor:
        """Return pictures (B, H, W, 4): colour times coverage, then coverage, 0 to 1.

        Per hand: `posed` (B, 778, 3) in the camera's frame, m; `colours` (D, 3);
        `forearm_turns` (B, 3); `thicknesses_m` (D,).
        """
        nothing = [None] * len(posed)
        meshes = [
            hand(*arguments)
            for hand, *arguments in zip(
                self.hands, posed, forearm_turns or nothing, thicknesses_m or nothing, strict=True
            )
        ]
        vertices, normals = (torch.cat(parts, 1) for parts in zip(*meshes, strict=True))
        return self._drawn(vertices, shade(torch.cat(list(colours)), normals, vertices, light))

    def _drawn(self, vertices: Tensor, lit: Tensor) -> Tensor:
        fine, camera = self._supersampling, self._camera
        focal = vertices.new_tensor([camera.fx, camera.fy])
        centre = vertices.new_tensor([camera.cx, camera.cy])
        points_px = vertices[..., :2] / vertices[..., 2:].clamp(min=1e-6) * focal + centre
        raster = rasterize(
            # the middle of a pixel's samples is the pixel's centre
            points_px * fine + (fine - 1) / 2,
            vertices[..., 2],
            self.triangles,
            width=camera.width * fine,
            height=camera.height * fine,
            sides='front',
        )
        samples = lit.new_zeros(raster.batch, raster.height, raster.width, 4)
        seen = raster.interpolate(lit).clamp(0, 1)
        flat = samples.view(-1, 4)
        flat[raster.pixels] = nn.functional.pad(seen, (0, 1), value=1.0)
        channels_first = nn.functional.avg_pool2d(samples.permute(0, 3, 1, 2), fine)
        return channels_first.permute(0, 2, 3, 1)
