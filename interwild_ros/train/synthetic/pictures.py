"""Pictures of scenes: dressed and lit hands and things, painted over backgrounds, as cameras see.

A view is any part of a scene's picture at any size: all of it, or one hand's crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from interwild_ros.geometry.mirror import mirror_axis_angle, mirror_points
from interwild_ros.hand_model.render_hand import RenderHand
from interwild_ros.records import Side
from interwild_ros.train.synthetic.backgrounds import BACKGROUNDS, draw_background
from interwild_ros.train.synthetic.contact import beads
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.lamps import draw_lamps, Lamps, lit, shade_of_beads
from interwild_ros.train.synthetic.painting import Layer, mesh_normals, paint
from interwild_ros.train.synthetic.rooms import Scenery
from interwild_ros.train.synthetic.scenes import SceneMaker, Scenes
from interwild_ros.train.synthetic.sensors import developed
from interwild_ros.train.synthetic.skins import Skin, SkinMaker
from interwild_ros.train.synthetic.things import ThingMaker
import numpy as np
import torch
from torch import Tensor

_NEAREST_M = 0.04
_HEAD_M = 0.23
_THING = 2  # the mark of what is no hand


class Views(NamedTuple):
    """What is seen of B scenes: `size` (width, height) px; `focal_px` (B,); `centre_px` (B, 2).

    `bounds` (B, 4): where the scene's picture lies in the view, x1 y1 x2 y2 px; the rest is black.
    `hand_px`: how large hands are, about; cameras blur in proportion.
    """

    size: tuple[int, int]
    focal_px: Tensor
    centre_px: Tensor
    bounds: Tensor
    hand_px: float


class Pictures(NamedTuple):
    """`images` (B, H, W, 3) uint8 RGB; `seen` (B, 2): the share of each hand not hidden."""

    images: Tensor
    seen: Tensor


class PictureMaker:
    """Draws the scenes of one maker."""

    def __init__(self, scenes: SceneMaker) -> None:
        self._scenes = scenes
        self._hand = RenderHand(Side.RIGHT, rounds=1)
        self._triangles = self._hand.triangles
        self._skins = SkinMaker(self._hand)
        self._things = ThingMaker()

    def draw(self, indices: Sequence[int], scenes: Scenes, views: Views) -> Pictures:
        """Draw what the views show of these scenes."""
        domain = self._scenes.domain
        draws = self._scenes.draws(indices, 'looks')
        skin = self._skins.draw(draws.part('skin'), domain.looks)
        lamps = draw_lamps(draws.part('lamps'), domain.light)
        with torch.no_grad():
            layers = [
                self._hands_layer(scenes, skin, lamps, views),
                self._things_layer(draws, scenes, skin, lamps, views),
            ]
        painted = paint(layers, self._backgrounds(draws.part('background'), scenes, skin, views))
        sensors = draws.part('sensor').generators()
        images = [
            developed(picture, domain.sensor, rng, hand_px=views.hand_px)
            for picture, rng in zip(painted.pictures.numpy(), sensors, strict=True)
        ]
        return Pictures(_bounded(torch.from_numpy(np.stack(images)), views), painted.shares[:, :2])

    def _backgrounds(self, draws: Draws, scenes: Scenes, skin: Skin, views: Views) -> Tensor:
        kinds = draws.choice(self._scenes.domain.looks.rooms).tolist()
        heads = _heads_px(draws, scenes, views).tolist()
        drawn = [
            draw_background(BACKGROUNDS[kind], Scenery(views.size, tone, (x, y), height), rng)
            for kind, tone, (x, y, height), rng in zip(
                kinds, skin.base.numpy(), heads, draws.generators(), strict=True
            )
        ]
        return torch.from_numpy(np.stack(drawn))

    def _hands_layer(self, scenes: Scenes, skin: Skin, lamps: Lamps, views: Views) -> Layer:
        sample, side = scenes.present.nonzero(as_tuple=True)
        is_left = side == Side.LEFT
        posed = _mirrored_where(is_left, scenes.vertices_m[sample, side])
        turns = scenes.forearm_turns[sample, side]
        turns = torch.where(is_left[:, None], mirror_axis_angle(turns), turns)
        fine = self._hand.mesh.smooth(posed, turns)
        normals = mesh_normals(fine, self._triangles)
        fine = fine + skin.thickness_m[sample][..., None] * normals
        fine, normals = (_mirrored_where(is_left, points) for points in (fine, normals))
        of_row = Lamps(*(part[sample] for part in lamps))
        shade = self._shade(scenes, fine, sample, of_row)
        colours = lit(skin.colours[sample], normals, fine, of_row, shade)
        return Layer(_seen(fine, sample, views), colours, self._triangles, is_left, sample, side)

    def _shade(self, scenes: Scenes, fine: Tensor, sample: Tensor, lamps: Lamps) -> Tensor:
        """Return the shade (N, D) of all hands of a scene on one of them."""
        far = torch.where(scenes.present, 0.0, 1e3)[..., None, None]
        strings = [beads(scenes.joints_m[:, s] + far[:, s], scenes.forearms[:, s]) for s in Side]
        all_beads = torch.cat(strings, 1)
        coarse = fine[:, : self._hand.mesh.coarse_count]
        shade = shade_of_beads(coarse, all_beads[sample], lamps.towards[:, 0])
        mapped: Tensor = self._hand.mesh.fine(shade[..., None].expand(-1, -1, 3).contiguous())
        return mapped[..., 0]

    def _things_layer(
        self, draws: Draws, scenes: Scenes, skin: Skin, lamps: Lamps, views: Views
    ) -> Layer:
        looks = self._scenes.domain.looks
        things = self._things.make(draws.part('things'), scenes, skin, looks)
        sample = things.sample
        of_row = Lamps(*(part[sample] for part in lamps))
        shade = torch.zeros(things.vertices_m.shape[:2])
        colours = lit(things.colours, things.normals, things.vertices_m, of_row, shade)
        nobody = torch.zeros(len(sample), dtype=torch.bool)
        points = _seen(things.vertices_m, sample, views)
        marks = torch.full((len(sample),), _THING)
        return Layer(points, colours, self._things.triangles, nobody, sample, marks)


def _heads_px(draws: Draws, scenes: Scenes, views: Views) -> Tensor:
    """Return where the person's head may be seen and how high it is: (B, 3) x, y, height px."""
    wrists = scenes.joints_m[:, :, 0]
    weights = scenes.present / scenes.present.sum(1, keepdim=True)
    hands = (wrists * weights[..., None]).sum(1)
    depth = hands[:, 2:] + draws.uniform(1, low=0.05, high=0.6)
    aside = torch.stack([draws.normal(std=0.2), -draws.uniform(low=-0.2, high=0.5)], 1)
    scale = views.focal_px[:, None] / depth
    place = (hands[:, :2] + aside) * scale + views.centre_px
    return torch.cat([place, _HEAD_M * draws.uniform(1, low=0.85, high=1.2) * scale], 1)


def _mirrored_where(chosen: Tensor, points: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None], mirror_points(points), points)


def _seen(points_m: Tensor, sample: Tensor, views: Views) -> Tensor:
    """Return points (N, V, 3) as x px, y px and nearness."""
    depth = points_m[..., 2:]
    nearness = torch.where(depth > _NEAREST_M, 1 / depth.clamp(min=_NEAREST_M), 0)
    px = points_m[..., :2] * nearness * views.focal_px[sample, None, None]
    return torch.cat([px + views.centre_px[sample, None], nearness], -1)


def _bounded(images: Tensor, views: Views) -> Tensor:
    width, height = views.size
    x, y = torch.arange(width), torch.arange(height)
    left, top, right, bottom = views.bounds[..., None].unbind(1)
    inside_x = (x >= left - 0.5) & (x <= right + 0.5)
    inside_y = (y >= top - 0.5) & (y <= bottom + 0.5)
    return images * (inside_y[:, :, None] & inside_x[:, None])[..., None]
