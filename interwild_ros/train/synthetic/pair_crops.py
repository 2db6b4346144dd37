"""Crops of both hands of a scene, as the pipeline cuts them once it has seen the hands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from interwild_ros.geometry.crops import enlarged, fit_box
from interwild_ros.geometry.spaces import apply_affine, compose_affine, invert_scaling, Spaces
from interwild_ros.records import Side
from interwild_ros.train.synthetic.crops import (
    crop_views,
    CropShares,
    DETECTED,
    draw_boxes,
    is_mostly_inside,
)
from interwild_ros.train.synthetic.domains import Domain
from interwild_ros.train.synthetic.pictures import PictureMaker
from interwild_ros.train.synthetic.scenes import SceneMaker, Scenes
from interwild_ros.train.synthetic.turning import draw_turns, turnable_px, Turning
import torch
from torch import Tensor

LEAST_SEEN = 0.15  # of a hand, below which what is read of it is another thing


class PairCrops(NamedTuple):
    """Both hands of B scenes, right ones first; left crops come mirrored.

    * `pictures` (B, 2, 3, S, S) uint8 RGB
    * `image_from_crop` (B, 2, 2, 3) of the un-mirrored crops
    * `focal_px` (B,), `centre_px` (B, 2) of the picture's camera
    * `left_from_right_m` (B, 3) left wrist minus right wrist, camera axes
    * `interacting` (B,) 1.0 or 0.0; `counts` (B,): whether enough of both hands is seen
    """

    pictures: Tensor
    image_from_crop: Tensor
    focal_px: Tensor
    centre_px: Tensor
    left_from_right_m: Tensor
    interacting: Tensor
    counts: Tensor


class PairCropMaker:
    """Makes the crops of a domain's scenes with two hands, each by its number."""

    def __init__(self, domain: Domain, *, seed: int, spaces: Spaces, shares: CropShares) -> None:
        """Prepare the domain.

        :param shares: how many crops are `loose`, and how many `turned` upright.
        """
        self._scenes = SceneMaker(domain.of_pairs(), seed=seed)
        self._pictures = PictureMaker(self._scenes)
        self._spaces, self._shares = spaces, shares
        self._drawn_px = turnable_px(spaces.crop_px)

    def draw(self, indices: Sequence[int]) -> PairCrops:
        """Make these pairs."""
        scenes = self._scenes.make(indices)
        hands = [self._seen(indices, scenes, side) for side in Side]
        pictures, maps, counts = (torch.stack(parts, 1) for parts in zip(*hands, strict=True))
        pictures[:, Side.LEFT] = pictures[:, Side.LEFT].flip(-1)
        return PairCrops(
            pictures=pictures,
            image_from_crop=maps,
            focal_px=scenes.cameras.focal_px,
            centre_px=scenes.cameras.centre_px,
            left_from_right_m=scenes.left_from_right_m,
            interacting=scenes.interacting.float(),
            counts=counts.all(1),
        )

    def _seen(
        self, indices: Sequence[int], scenes: Scenes, side: Side
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return a side's pictures (B, 3, S, S), maps (B, 2, 3), and which of them count (B,)."""
        draws = self._scenes.draws(indices, f'pair crops/{side.label}')
        joints_px = scenes.joints_px[:, side]
        boxes = draw_boxes(draws, joints_px, self._spaces, DETECTED, self._shares.loose)
        larger = enlarged(boxes, self._drawn_px / self._spaces.crop_px)
        drawn_from_image = fit_box(larger, self._drawn_px)
        views = crop_views(scenes, drawn_from_image, self._spaces.crop_px, self._drawn_px)
        drawn = self._pictures.draw(indices, scenes, views)
        drawn_px = apply_affine(drawn_from_image, joints_px)
        turns = draw_turns(draws.part('turned'), drawn_px, self._shares.turned)
        turning = Turning(turns, self._drawn_px, self._spaces.crop_px)
        return (
            turning.pictures(drawn.images.permute(0, 3, 1, 2)),
            compose_affine(invert_scaling(drawn_from_image), turning.old_from_new),
            is_mostly_inside(joints_px, scenes) & (drawn.seen[:, side] > LEAST_SEEN),
        )
