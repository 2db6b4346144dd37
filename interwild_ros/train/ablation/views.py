"""Both hands in one crop, with their 2.5D joints beside it: what rivals of TransNet may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import NamedTuple

from interwild_ros.geometry.crops import crop_maps, enlarged, squared
from interwild_ros.geometry.regions import HAND_BOX_SCALE
from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.geometry.spaces import Spaces
from interwild_ros.records import JOINT_COUNT, Side
from interwild_ros.train.synthetic.crops import crop_views
from interwild_ros.train.synthetic.domains import Domain
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.pairs import observe
from interwild_ros.train.synthetic.pictures import PictureMaker
from interwild_ros.train.synthetic.residuals import extents, Residuals
from interwild_ros.train.synthetic.scenes import SceneMaker
import torch
from torch import Tensor


class PairViews(NamedTuple):
    """B pairs of hands, right ones first.

    * `pictures` (B, 3, S, S) uint8 RGB: a crop around both hands
    * `joints` (B, 2, 21, 3) volume cells as SHNet says them, un-mirrored; `input_from_crop`
      (B, 2, 2, 3) of the un-mirrored crops
    * `left_from_right_m` (B, 3): truth, whether or not it may be learned from
    * `has_3d` (B,): 1.0 where it may, else 0.0
    * `own_joints_m` (B, 2, 21, 3) relative to the own wrist, as fits to each hand say;
      `joints_px` (B, 2, 21, 2) px of the networks' input, as people annotate them
    """

    pictures: Tensor
    joints: Tensor
    input_from_crop: Tensor
    left_from_right_m: Tensor
    has_3d: Tensor
    own_joints_m: Tensor
    joints_px: Tensor


@dataclass(frozen=True)
class Annotating:
    """How wrong the annotations of pictures without truth in 3D are, as standard deviations.

    `joints`: of every 2D joint, in sides of the hand's box, along x and y; `turned_rad`: of the
    turn by which the fit to each hand is off, about each axis.
    """

    joints: float = 0.0
    turned_rad: float = 0.0


EXACT = Annotating()
# Joints: the mean of the deviations by which COCO-WholeBody's evaluation weighs joints of hands
# (Jin et al. 2020; its sigmas). Fits to single pictures: assumed to be off by 16 degrees in all.
NOISY = Annotating(joints=0.026, turned_rad=math.radians(10))


class PairViewMaker:
    """Makes pairs of a domain, each by its number; every picture has two hands."""

    def __init__(
        self,
        domain: Domain,
        *,
        seed: int,
        spaces: Spaces,
        residuals: Residuals,
        annotating: Annotating = EXACT,
    ) -> None:
        self._annotating = EXACT if domain.has_3d else annotating
        self._domain = domain.of_pairs()
        self._scenes = SceneMaker(self._domain, seed=seed)
        self._pictures = PictureMaker(self._scenes)
        self._spaces, self._residuals = spaces, residuals

    def draw(self, indices: Sequence[int]) -> PairViews:
        """Make these pairs."""
        scenes = self._scenes.make(indices)
        points = scenes.joints_px.flatten(1, 2)
        boxes = enlarged(torch.cat([points.amin(1), points.amax(1)], -1), HAND_BOX_SCALE)
        crop_from_image, _ = crop_maps(squared(boxes), self._spaces)
        views = crop_views(scenes, crop_from_image, self._spaces.crop_px)
        drawn = self._pictures.draw(indices, scenes, views)
        seen = observe(
            self._scenes.draws(indices, 'observed'),
            scenes.joints_m,
            scenes.cameras,
            scenes.interacting,
            spaces=self._spaces,
            residuals=self._residuals,
        )
        in_input = seen.focal_px[:, None, None, None] * (
            scenes.joints_m[..., :2] / scenes.joints_m[..., 2:]
        )
        own_joints_m = scenes.joints_m - scenes.joints_m[:, :, :1]
        joints_px = in_input + seen.centre_px[:, None, None]
        own_joints_m, joints_px = self._annotated(
            self._scenes.draws(indices, 'annotated'), own_joints_m, joints_px
        )
        return PairViews(
            pictures=drawn.images.permute(0, 3, 1, 2).contiguous(),
            joints=seen.joints.transpose(0, 1),
            input_from_crop=seen.input_from_crop.transpose(0, 1),
            left_from_right_m=seen.left_from_right_m,
            has_3d=torch.full((len(indices),), float(self._domain.has_3d)),
            own_joints_m=own_joints_m,
            joints_px=joints_px,
        )

    def _annotated(
        self, draws: Draws, own_joints_m: Tensor, joints_px: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return joints (B, 2, 21, 3) and (B, 2, 21, 2) as fits and people would say them."""
        wrong = self._annotating
        turns = matrix_from_axis_angle(draws.normal(len(Side), 3, std=wrong.turned_rad))
        sides = extents(joints_px)[..., None, None]
        off = sides * draws.normal(len(Side), JOINT_COUNT, 2, std=wrong.joints)
        return own_joints_m @ turns.transpose(-1, -2), joints_px + off


def weak_distance_m(views: PairViews, left_from_right_m: Tensor) -> Tensor:
    """Return how far (B,) hands placed so are from their 2D joints, metres at the hands.

    What a picture without truth in 3D can say of the relative translation: both hands' own joints,
    put together, are laid over the 2D joints by the scale and shift that fit best (weak
    perspective), and what is left over is measured.
    """
    left = views.own_joints_m[:, Side.LEFT, :, :2] + left_from_right_m[:, None, :2]
    placed = torch.cat([views.own_joints_m[:, Side.RIGHT, :, :2], left], 1)
    wanted = views.joints_px.flatten(1, 2)
    placed_mean, wanted_mean = placed.mean(1, keepdim=True), wanted.mean(1, keepdim=True)
    placed_off, wanted_off = placed - placed_mean, wanted - wanted_mean
    spread = placed_off.square().sum((1, 2)).clamp(min=1e-6)
    scale = ((placed_off * wanted_off).sum((1, 2)) / spread).clamp(min=1.0)
    rest = placed_off - wanted_off / scale[:, None, None]
    return rest.abs().mean((1, 2))
