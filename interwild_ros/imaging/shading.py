"""Light meshes: a wrapped Lambert term, a highlight, darker edges."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Light:
    """One lamp and the light of the room, in the camera's axes.

    `towards` points from the scene to the lamp. `wrap` lets the lamp reach round the edge, as it
    does on skin; `edge` darkens what is seen at a grazing angle.
    """

    towards: tuple[float, float, float] = (-0.35, -0.75, -0.56)
    strength: float = 0.62
    ambient: float = 0.46
    wrap: float = 0.35
    highlight: float = 0.10
    shininess: float = 18.0
    edge: float = 0.25


def shade(colours: Tensor, normals: Tensor, points_m: Tensor, light: Light) -> Tensor:
    """Return lit colours, all of shape (..., 3); colours are linear, 0 to 1 and beyond.

    :param normals: unit, camera axes. :param points_m: the same places in the camera's frame.
    """
    lamp = torch.nn.functional.normalize(points_m.new_tensor(light.towards), dim=0)
    view = torch.nn.functional.normalize(-points_m, dim=-1)
    half = torch.nn.functional.normalize(lamp + view, dim=-1)
    lambert = ((normals @ lamp + light.wrap) / (1 + light.wrap)).clamp(min=0)
    room = light.ambient * (0.8 - 0.2 * normals[..., 1])  # brighter from above
    grazing = 1 - (normals * view).sum(-1).clamp(0, 1)
    diffuse = (room + light.strength * lambert) * (1 - light.edge * grazing**2)
    gloss = light.highlight * (normals * half).sum(-1).clamp(min=0) ** light.shininess
    return colours * diffuse[..., None] + gloss[..., None]
