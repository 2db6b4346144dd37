"""Pairs of 2.5D joints for TransNet, which never sees a pixel: thousands a second.

Each pair is what SHNet would have said of two hands, wrong as SHNet is wrong. The hands are the
scenes' hands without their skin; their finger poses come from a pool, and are varied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import math
from typing import NamedTuple

from interwild_ros.geometry.crops import (
    about_both,
    crop_maps,
    enlarged,
    middles,
    squared,
)
from interwild_ros.geometry.mirror import mirror_points
from interwild_ros.geometry.regions import HAND_BOX_SCALE
from interwild_ros.geometry.sight import camera_from_sight
from interwild_ros.geometry.spaces import apply_affine, scaling_affine, Spaces
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.networks.variants import COMPACT_SPACES
from interwild_ros.records import Side
from interwild_ros.train.synthetic.cameras import draw_cameras, SceneCameras
from interwild_ros.train.synthetic.domains import Domain
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.orientations import draw_forearms, draw_roots
from interwild_ros.train.synthetic.placing import moves_together, shift_before_camera
from interwild_ros.train.synthetic.poses import draw_shapes, PoseMaker
from interwild_ros.train.synthetic.residuals import NO_BETTER_KNOWN, Residuals
from interwild_ros.train.synthetic.skeleton import Skeleton
import torch
from torch import Tensor

_POOL = 4096
_VARIED_RAD = math.radians(4)
_INTERACTING_SHARE = 0.5


class PairBatch(NamedTuple):
    """B pairs, right hands first.

    * `joints` (2, B, 21, 3) volume cells, as TransNet takes them, un-mirrored
    * `input_from_crop` (2, B, 2, 3) of the un-mirrored crops
    * `left_from_right_m` (B, 3), about the line of sight where the spaces have it so, as depths
      are; `interacting` (B,)
    * `joints_m` (2, B, 21, 3) true, the camera's frame; `focal_px` (B,), `centre_px` (B, 2) of the
      networks' input
    """

    joints: Tensor
    input_from_crop: Tensor
    left_from_right_m: Tensor
    interacting: Tensor
    joints_m: Tensor
    focal_px: Tensor
    centre_px: Tensor


class PairMaker:
    """Makes pairs of a domain's hands, each by its number."""

    def __init__(
        self,
        domain: Domain,
        *,
        seed: int,
        spaces: Spaces = COMPACT_SPACES,
        residuals: Residuals = NO_BETTER_KNOWN,
    ) -> None:
        """Draw the pool of finger poses.

        :param residuals: how wrong the joints are; measure them on a trained SHNet.
        """
        self._domain = domain
        self._seed = seed
        self._spaces = spaces
        self._residuals = residuals
        self._skeleton = Skeleton(read_stand_in(Side.RIGHT))
        pool = Draws(seed, range(_POOL), f'{domain.name}/pool')
        self._pool = PoseMaker().draw(pool, domain.hands).rotations

    def make(self, indices: Sequence[int]) -> PairBatch:
        """Make these pairs."""
        domain, draws = self._domain, Draws(self._seed, indices, f'{self._domain.name}/pairs')
        cameras = draw_cameras(draws.part('camera'), domain.cameras)
        roots = cameras.cam_from_person[:, None] @ draw_roots(draws.part('root'), domain.hands)
        joints = self._posed(draws.part('fingers'), roots)
        _, forearms = draw_forearms(draws.part('wrist'), roots)
        interacting = draws.chance(_INTERACTING_SHARE)
        joints = joints + moves_together(
            draws.part('place'), joints, forearms, interacting, cameras
        )
        both = torch.ones(len(draws), 2, dtype=torch.bool)
        joints = joints + shift_before_camera(
            draws.part('distance'), joints, both, cameras, domain.cameras
        )
        return observe(
            draws.part('observed'),
            joints,
            cameras,
            interacting,
            spaces=self._spaces,
            residuals=self._residuals,
        )

    def batches(self, batch_size: int, *, first: int = 0) -> Iterator[PairBatch]:
        """Yield batches without end, from pair number `first` on."""
        while True:
            yield self.make(range(first, first + batch_size))
            first += batch_size

    def _posed(self, draws: Draws, roots: Tensor) -> Tensor:
        """Return joints (B, 2, 21, 3) relative to the own wrist."""
        betas = draw_shapes(draws)
        right, left = ((draws.uniform() * len(self._pool)).long() for _ in Side)
        left = torch.where(draws.chance(self._domain.hands.alike), right, left)
        hands = []
        for rows in (right, left):
            fingers = self._pool[rows] + draws.normal(15, 3, std=_VARIED_RAD)
            joints = self._skeleton.joints(fingers, betas)
            hands.append(joints - joints[:, :1])
        pair = torch.stack([hands[Side.RIGHT], mirror_points(hands[Side.LEFT])], 1)
        return pair @ roots.transpose(-1, -2)


def observe(
    draws: Draws,
    joints_m: Tensor,
    cameras: SceneCameras,
    interacting: Tensor,
    *,
    spaces: Spaces,
    residuals: Residuals,
) -> PairBatch:
    """Return what SHNet would have said of hands with joints (B, 2, 21, 3), the camera's frame."""
    input_from_image = _letterbox(cameras, spaces)
    scale, shift = input_from_image[:, 0, 0], input_from_image[:, :, 2]
    true_px = apply_affine(input_from_image[:, None], cameras.project(joints_m))
    focal_px, centre_px = cameras.focal_px * scale, cameras.centre_px * scale[:, None] + shift
    own_m = joints_m - joints_m[:, :, :1]
    left_from_right_m = joints_m[:, Side.LEFT, 0] - joints_m[:, Side.RIGHT, 0]
    boxes = torch.cat([true_px.amin(2), true_px.amax(2)], -1)
    if spaces.along_sight:
        own_m = own_m @ _turn_to(middles(boxes), focal_px, centre_px)
    joints_px, depths_m = residuals.draw_wrong(draws, true_px, own_m[..., 2:])
    crop_from_input, input_from_crop = crop_maps(
        enlarged(squared(boxes), HAND_BOX_SCALE * spaces.crop_box_scale), spaces
    )
    xy = spaces.volume_from_crop(apply_affine(crop_from_input, joints_px))
    cells = torch.cat([xy, spaces.volume_from_depth_m(depths_m)], -1)
    cells = cells.clamp(0, spaces.volume_cells - 1)  # SHNet can say no more
    if spaces.along_sight:
        said_px = apply_affine(input_from_crop, spaces.crop_from_volume(cells[..., :2]))
        left_from_right_m = left_from_right_along_sight(
            left_from_right_m, said_px, focal_px, centre_px
        )
    return PairBatch(
        joints=cells.transpose(0, 1),
        input_from_crop=input_from_crop.transpose(0, 1),
        left_from_right_m=left_from_right_m,
        interacting=interacting,
        joints_m=joints_m.transpose(0, 1),
        focal_px=focal_px,
        centre_px=centre_px,
    )


def left_from_right_along_sight(
    left_from_right_m: Tensor, said_px: Tensor, focal_px: Tensor, centre_px: Tensor
) -> Tensor:
    """Turn the way between wrists (B, 3) from the camera's axes to those of the pair.

    :param said_px: joints (B, 2, 21, 2) as SHNet says them, about whose middle the axes are.
    """
    middle = middles(about_both(said_px.transpose(0, 1)))
    turn = _turn_to(middle[:, None], focal_px, centre_px)[:, 0]
    return (left_from_right_m[:, None] @ turn)[:, 0]


def _turn_to(points_px: Tensor, focal_px: Tensor, centre_px: Tensor) -> Tensor:
    """Return camera_from_sight (B, N, 3, 3) of points (B, N, 2) that cameras show."""
    return camera_from_sight((points_px - centre_px[:, None]) / focal_px[:, None, None])


def _letterbox(cameras: SceneCameras, spaces: Spaces) -> Tensor:
    """Return input_from_image (B, 2, 3) that lays whole pictures over the networks' input."""
    target = torch.tensor(spaces.input_size, dtype=torch.float32)
    scale = (target / cameras.size).amin(1, keepdim=True)
    return scaling_affine(scale.expand(-1, 2), target / 2 - scale * cameras.size / 2)
