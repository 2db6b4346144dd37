"""Everything solid that is no hand: held objects, what is in the way, arms and faces of others.

All are superquadrics, which are boxes, cylinders, spheres and what lies between, so that all have
the same triangles.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.records import Side
from interwild_ros.train.synthetic.domains import Looks
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.gestures import GESTURES
from interwild_ros.train.synthetic.painting import mesh_normals
from interwild_ros.train.synthetic.scenes import Scenes
from interwild_ros.train.synthetic.skins import draw_cloth, draw_tones, Skin
import torch
from torch import Tensor
import torch.nn.functional as F

_RINGS, _SEGMENTS = 9, 20
_FOREARM_M = 0.205
_ARM_RADIUS_M = 0.037
_ARM_LEAST_DEPTH = 0.75  # of the wrist's: arms do not come between the hand and the camera
_KNUCKLES = [5, 9, 13, 17]
_HELD_GESTURES = ('grasp', 'pinch', 'claw', 'relaxed', 'fist')


class Things(NamedTuple):
    """N meshes in camera space: `vertices_m`, `normals`, `colours` (N, V, 3); `sample` (N,)."""

    vertices_m: Tensor
    normals: Tensor
    colours: Tensor
    sample: Tensor


class _Solids(NamedTuple):
    """B superquadrics: `there` (B,); `places_m` (B, 3); `axes` (B, 3, 3), columns in the camera.

    `half_m` (B, 3) sizes; `roundness` (B, 2): 1 round, 0 square, seen from the side, from above;
    `taper` (B,): how much thinner the upper end is; `colours` (B, 3).
    """

    there: Tensor
    places_m: Tensor
    axes: Tensor
    half_m: Tensor
    roundness: Tensor
    taper: Tensor
    colours: Tensor


class ThingMaker:
    """Puts things into scenes."""

    def __init__(self) -> None:
        polar = torch.linspace(-math.pi / 2, math.pi / 2, _RINGS)
        around = torch.arange(_SEGMENTS) * (2 * math.pi / _SEGMENTS)
        self._polar = polar[:, None].expand(-1, _SEGMENTS).flatten()
        self._around = around.expand(_RINGS, -1).flatten()
        self.triangles = _triangles()

    def make(self, draws: Draws, scenes: Scenes, skin: Skin, looks: Looks) -> Things:
        """Draw what else is in each scene."""
        kinds = [
            *(_held(draws.part(side.label), scenes, side, looks) for side in Side),
            *(_upper_arm(draws.part(f'{side.label} arm'), scenes, side, skin) for side in Side),
            _in_the_way(draws.part('in the way'), scenes, looks),
            _strange_head(draws.part('head'), scenes, looks),
            _strange_arm(draws.part('arm'), scenes, looks),
        ]
        solids = _Solids(
            *(torch.stack(parts, 1).flatten(0, 1) for parts in zip(*kinds, strict=True))
        )
        sample = torch.arange(len(draws)).repeat_interleave(len(kinds))
        there = solids.there.nonzero()[:, 0]
        solids = _Solids(*(part[there] for part in solids))
        vertices = self._vertices(solids)
        ripples = torch.sin(vertices @ torch.tensor([[190.0, 70.0], [40.0, 230.0], [110.0, 90.0]]))
        colours = solids.colours[:, None] * (1 + 0.08 * ripples.sum(-1, keepdim=True))
        return Things(
            vertices_m=vertices,
            normals=mesh_normals(vertices, self.triangles),
            colours=colours.clamp(0.01, 1),
            sample=sample[there],
        )

    def _vertices(self, solids: _Solids) -> Tensor:
        side, above = (solids.roundness[:, i, None] for i in range(2))
        out = _power(self._polar.cos(), side)
        x = out * _power(self._around.cos(), above)
        z = out * _power(self._around.sin(), above)
        y = _power(self._polar.sin(), side)
        thinner = 1 - solids.taper[:, None] * (y + 1) / 2
        local = torch.stack([x * thinner, y, z * thinner], -1) * solids.half_m[:, None]
        return local @ solids.axes.transpose(1, 2) + solids.places_m[:, None]


def _power(values: Tensor, exponent: Tensor) -> Tensor:
    return values.sign() * values.abs().clamp(min=1e-9) ** exponent


def _triangles() -> Tensor:
    """Return the triangles between neighbouring rings, outward."""
    ring = torch.arange(_RINGS - 1)[:, None] * _SEGMENTS
    here = torch.arange(_SEGMENTS)
    following = (here + 1) % _SEGMENTS
    a, b = ring + here, ring + following
    c, d = a + _SEGMENTS, b + _SEGMENTS
    return torch.cat([torch.stack([a, c, b], -1), torch.stack([b, c, d], -1)]).flatten(0, 1)


def _held(draws: Draws, scenes: Scenes, side: Side, looks: Looks) -> _Solids:
    """Return a bar, a ball or a box in the palm, or a pen between the fingertips."""
    joints = scenes.joints_m[:, side]
    gestures = torch.tensor([GESTURES.index(name) for name in _HELD_GESTURES])
    fits = (scenes.gestures[:, side, None] == gestures).any(1)
    wanted = draws.chance(min(1.0, 2.2 * looks.held))
    by_tips = (scenes.gestures[:, side] == GESTURES.index('pinch')) | draws.chance(0.15)
    kind = draws.uniform(1)
    radius = draws.uniform(1, low=0.012, high=0.036)
    bar = torch.cat([radius, draws.uniform(1, low=0.04, high=0.16), radius], 1)
    ball = radius.expand(-1, 3) * 1.1
    box = torch.cat([radius * 1.3, draws.uniform(1, low=0.04, high=0.09), radius * 0.6], 1)
    half = torch.where(kind < 0.5, bar, torch.where(kind < 0.7, ball, box))
    pen = torch.tensor([0.004, 0.07, 0.004]).expand_as(half)
    half = torch.where(by_tips[:, None], pen, half)
    square = torch.tensor([0.15, 0.15])
    round_above = torch.tensor([0.15, 1.0])
    roundness = torch.where(
        kind < 0.5, round_above, torch.where(kind < 0.7, torch.ones(2), square)
    )
    axes, palmward = _palm_axes(joints, side)
    palm = 0.35 * joints[:, 0] + 0.65 * joints[:, _KNUCKLES].mean(1)
    in_palm = palm + palmward * (0.014 + half[:, [0, 2]].amax(1, keepdim=True))
    at_tips = joints[:, [4, 8]].mean(1)
    wobble = matrix_from_axis_angle(draws.normal(3, std=0.3))
    return _Solids(
        there=scenes.present[:, side] & fits & wanted,
        places_m=torch.where(by_tips[:, None], at_tips, in_palm),
        axes=wobble @ axes,
        half_m=half,
        roundness=torch.where(by_tips[:, None], round_above, roundness),
        taper=draws.uniform(high=0.35),
        colours=draw_cloth(draws),
    )


def _palm_axes(joints: Tensor, side: Side) -> tuple[Tensor, Tensor]:
    """Return axes (B, 3, 3) whose y lies across the palm, and where the palm looks (B, 3)."""
    across = F.normalize(joints[:, 17] - joints[:, 5], dim=1)
    fingers = F.normalize(joints[:, 9] - joints[:, 0], dim=1)
    normal = F.normalize(torch.linalg.cross(fingers, across), dim=1)
    along = torch.linalg.cross(across, normal)
    palmward = normal if side is Side.LEFT else -normal
    return torch.stack([along, across, normal], 2), palmward


def _upper_arm(draws: Draws, scenes: Scenes, side: Side, skin: Skin) -> _Solids:
    """Return what goes on where the forearm ends."""
    forearm = scenes.forearms[:, side]
    elbow = scenes.joints_m[:, side, 0] + _FOREARM_M * forearm
    direction = F.normalize(forearm + 0.6 * draws.normal(3), dim=1)
    length = draws.uniform(1, low=0.12, high=0.32)
    across = F.normalize(torch.linalg.cross(direction, draws.normal(3)), dim=1)
    thick = _ARM_RADIUS_M + skin.elbow_thickness_m[:, None]
    depth = scenes.joints_m[:, side, 0, 2]
    end_depth = (elbow + direction * length)[:, 2]
    return _Solids(
        there=scenes.present[:, side] & (end_depth > _ARM_LEAST_DEPTH * depth),
        places_m=elbow + direction * (length / 2 - 0.01),
        axes=torch.stack([across, direction, torch.linalg.cross(across, direction)], 2),
        half_m=torch.cat([thick, length / 2 + thick, thick], 1),
        roundness=torch.tensor([0.75, 1.0]).expand(len(draws), 2),
        taper=draws.uniform(low=-0.1, high=0.1),
        colours=skin.elbow,
    )


def _in_the_way(draws: Draws, scenes: Scenes, looks: Looks) -> _Solids:
    """Return a bar or box between a hand and the camera, that hides a part of the hand."""
    rows = torch.arange(len(draws))
    side = torch.where(scenes.present[:, 0] & (draws.chance(0.5) | ~scenes.present[:, 1]), 0, 1)
    joint = (draws.uniform() * scenes.joints_m.shape[2]).long()
    nearness = draws.uniform(1, low=0.55, high=0.92)
    half = draws.uniform(3, low=0.008, high=0.035)
    half = half * torch.cat(
        [torch.ones(len(draws), 1), draws.uniform(1, low=1, high=6), torch.ones(len(draws), 1)], 1
    )
    return _Solids(
        there=draws.chance(looks.occluders),
        places_m=(scenes.joints_m[rows, side, joint] + draws.normal(3, std=0.02)) * nearness,
        axes=draws.rotations(),
        half_m=half * nearness,
        roundness=draws.uniform(2, low=0.1, high=1.0),
        taper=draws.uniform(high=0.4),
        colours=draw_cloth(draws),
    )


def _strange_head(draws: Draws, scenes: Scenes, looks: Looks) -> _Solids:
    """Return something of a head's size and colour behind the hands."""
    behind = scenes.joints_m[..., 2].amax((1, 2)) + draws.uniform(low=0.12, high=0.7)
    sideways = draws.normal(2, std=0.28) + scenes.joints_m[:, :, 0, :2].mean(1)
    return _Solids(
        there=draws.chance(looks.strangers),
        places_m=torch.cat([sideways, behind[:, None]], 1),
        axes=matrix_from_axis_angle(draws.normal(3, std=0.35)),
        half_m=torch.tensor([0.075, 0.115, 0.09]) * draws.uniform(1, low=0.85, high=1.15),
        roundness=draws.uniform(2, low=0.8, high=1.1),
        taper=draws.uniform(low=-0.15, high=0.2),
        colours=draw_tones(draws),
    )


def _strange_arm(draws: Draws, scenes: Scenes, looks: Looks) -> _Solids:
    """Return something of an arm's size and colour, behind or beside the hands."""
    mid = scenes.joints_m[:, :, 0].mean(1)
    aside = torch.cat([draws.normal(2, std=0.25), draws.uniform(1, low=0.03, high=0.5)], 1)
    skin, cloth = draw_tones(draws), draw_cloth(draws)
    return _Solids(
        there=draws.chance(looks.strangers),
        places_m=mid + aside,
        axes=draws.rotations(),
        half_m=torch.tensor([0.04, 0.2, 0.036]) * draws.uniform(1, low=0.8, high=1.3),
        roundness=draws.uniform(2, low=0.5, high=1.0),
        taper=draws.uniform(low=0.1, high=0.45),
        colours=torch.where(draws.chance(0.7, 1), skin, cloth),
    )
