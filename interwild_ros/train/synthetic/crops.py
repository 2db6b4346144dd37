"""Hand crops for SHNet without the picture around them: the fast path of training.

Every crop is what the pipeline would cut out of the scene's picture around a box as a detector
finds it. Left hands come mirrored, as SHNet sees them; so all truth is that of a right hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from interwild_ros.geometry.crops import crop_maps, enlarged, squared
from interwild_ros.geometry.mirror import mirror_axis_angle, mirror_columns, mirror_points
from interwild_ros.geometry.spaces import apply_affine, Spaces
from interwild_ros.networks.variants import COMPACT_SPACES
from interwild_ros.records import Side
from interwild_ros.train.datasets.boxes import HAND_BOX_SCALE
from interwild_ros.train.synthetic.domains import Domain
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.pictures import PictureMaker, Views
from interwild_ros.train.synthetic.scenes import SceneMaker, Scenes
import torch
from torch import Tensor

_HAND_SHARE = 0.5  # of a crop's side: what a hand takes
LEAST_SEEN = 0.35  # of a hand, below which a crop teaches nothing


class CropBatch(NamedTuple):
    """B crops, left hands mirrored into right ones.

    * `pictures` (B, 3, S, S) uint8 RGB
    * `joints_px` (B, 21, 2) crop px; `joints_m` (B, 21, 3), `vertices_m` (B, 778, 3): relative to
      the wrist, camera axes; `wrist_m` (B, 3) in the camera's frame
    * `pose` (B, 48) axis-angle rad, the mean not included; `betas` (B, 10)
    * `focal_px` (B,), `centre_px` (B, 2): the crop's camera
    * `counts` (B,): whether enough of the hand is seen to learn from it
    * `has_3d` (B,): whether depths and `joints_m` are truth, or only the fit's opinion
    * `is_left` (B,): mirrored; `is_pair` (B,): there is another hand; `seen` (B,): the share of
      the hand that nothing hides
    """

    pictures: Tensor
    joints_px: Tensor
    joints_m: Tensor
    vertices_m: Tensor
    wrist_m: Tensor
    pose: Tensor
    betas: Tensor
    focal_px: Tensor
    centre_px: Tensor
    counts: Tensor
    has_3d: Tensor
    is_left: Tensor
    is_pair: Tensor
    seen: Tensor


class BoxJitter(NamedTuple):
    """How far detected boxes are from true ones: standard deviations, in shares of their size."""

    centre: float = 0.045
    size: float = 0.08


DETECTED = BoxJitter()


class CropMaker:
    """Makes crops of a domain, each by its number."""

    def __init__(
        self,
        domain: Domain,
        *,
        seed: int,
        spaces: Spaces = COMPACT_SPACES,
        jitter: BoxJitter = DETECTED,
        holds_both: bool = False,
    ) -> None:
        """Prepare the domain.

        :param spaces: the crop's size, and how much larger than its hand it is.
        :param holds_both: crops hold both hands of a picture with two, as those of methods that
            read both at once; else the crop's own hand alone.
        """
        self._scenes = SceneMaker(domain, seed=seed)
        self._pictures = PictureMaker(self._scenes)
        self._spaces = spaces
        self._jitter = jitter
        self._holds_both = holds_both

    def make(self, indices: Sequence[int]) -> CropBatch:
        """Make these crops."""
        scenes = self._scenes.make(indices)
        draws = self._scenes.draws(indices, 'crops')
        side = _draw_sides(draws, scenes.present)
        rows = torch.arange(len(draws))
        joints_px = scenes.joints_px[rows, side]
        held = _both_where_present(scenes, side) if self._holds_both else joints_px
        crop_from_image = self._draw_maps(draws, held)
        views = crop_views(scenes, crop_from_image, self._spaces.crop_px)
        drawn = self._pictures.draw(indices, scenes, views)
        joints_m, vertices_m = scenes.joints_m[rows, side], scenes.vertices_m[rows, side]
        wrists = joints_m[:, :1]
        seen = drawn.seen[rows, side]
        batch = CropBatch(
            pictures=drawn.images.permute(0, 3, 1, 2),
            joints_px=apply_affine(crop_from_image, joints_px),
            joints_m=joints_m - wrists,
            vertices_m=vertices_m - wrists,
            wrist_m=wrists[:, 0],
            pose=scenes.pose[rows, side],
            betas=scenes.betas,
            focal_px=views.focal_px,
            centre_px=views.centre_px,
            counts=_enough(joints_px, scenes) & (seen >= LEAST_SEEN),
            has_3d=torch.full_like(side, self._scenes.domain.has_3d, dtype=torch.bool),
            is_left=side == Side.LEFT,
            is_pair=scenes.present.all(1),
            seen=seen,
        )
        return _as_right_hands(batch, self._spaces.crop_px)

    def batches(self, batch_size: int, *, first: int = 0) -> Iterator[CropBatch]:
        """Yield batches without end, from sample number `first` on."""
        while True:
            yield self.make(range(first, first + batch_size))
            first += batch_size

    def _draw_maps(self, draws: Draws, joints_px: Tensor) -> Tensor:
        """Return crop_from_image (B, 2, 3) for boxes about joints (B, J, 2) that are not exact."""
        boxes = hand_boxes(joints_px)
        size = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True)
        shift = draws.normal(2, std=self._jitter.centre).clamp(-0.12, 0.12) * size
        grown = draws.normal(1, std=self._jitter.size).clamp(-0.22, 0.22).exp()
        boxes = enlarged(squared(boxes + shift.repeat(1, 2)), self._spaces.crop_box_scale)
        middle = (boxes[:, :2] + boxes[:, 2:]).repeat(1, 2) / 2
        crop_from_image, _ = crop_maps(middle + (boxes - middle) * grown, self._spaces)
        return crop_from_image


def hand_boxes(joints_px: Tensor) -> Tensor:
    """Return the boxes (..., 4) x1 y1 x2 y2 px of hands with joints (..., 21, 2)."""
    return enlarged(torch.cat([joints_px.amin(-2), joints_px.amax(-2)], -1), HAND_BOX_SCALE)


def _draw_sides(draws: Draws, present: Tensor) -> Tensor:
    """Return which hand each crop is about, (B,): one that is there."""
    left = torch.where(present.all(1), draws.chance(0.5), present[:, Side.LEFT])
    return left.long()


def _both_where_present(scenes: Scenes, side: Tensor) -> Tensor:
    """Return the joints (B, 42, 2) of both hands, or those of a hand alone twice."""
    rows = torch.arange(len(side))
    other = torch.where(scenes.present.all(1), 1 - side, side)
    return torch.cat([scenes.joints_px[rows, side], scenes.joints_px[rows, other]], 1)


def crop_views(scenes: Scenes, crop_from_image: Tensor, side_px: int) -> Views:
    """Return what square crops of `side_px`, laid by maps (B, 2, 3), show of scenes."""
    scale, shift = crop_from_image[:, 0, 0], crop_from_image[:, :, 2]
    cameras = scenes.cameras
    far_corner = (cameras.size - 1) * scale[:, None] + shift
    return Views(
        size=(side_px, side_px),
        focal_px=cameras.focal_px * scale,
        centre_px=cameras.centre_px * scale[:, None] + shift,
        bounds=torch.cat([shift, far_corner], 1),
        hand_px=_HAND_SHARE * side_px,
    )


def _enough(joints_px: Tensor, scenes: Scenes) -> Tensor:
    """Return whether most of the hand (B, 21, 2) lies inside the scene's picture."""
    limit = (scenes.cameras.size - 1)[:, None]
    inside = ((joints_px >= 0) & (joints_px <= limit)).all(-1)
    return inside.float().mean(1) > 0.5


def _as_right_hands(batch: CropBatch, side_px: int) -> CropBatch:
    """Mirror left hands, their pictures and all that is true of them."""
    left = batch.is_left
    pictures = batch.pictures
    pictures = torch.where(left[:, None, None, None], pictures.flip(-1), pictures)

    def chosen(mirrored: Tensor, as_it_is: Tensor) -> Tensor:
        return torch.where(left.view(-1, *[1] * (as_it_is.dim() - 1)), mirrored, as_it_is)

    def columns(points: Tensor) -> Tensor:
        x = mirror_columns(points[..., :1], side_px)
        return torch.cat([x, points[..., 1:]], -1)

    pose = mirror_axis_angle(batch.pose.reshape(len(left), -1, 3)).flatten(1)
    return batch._replace(
        pictures=pictures,
        joints_px=chosen(columns(batch.joints_px), batch.joints_px),
        joints_m=chosen(mirror_points(batch.joints_m), batch.joints_m),
        vertices_m=chosen(mirror_points(batch.vertices_m), batch.vertices_m),
        wrist_m=chosen(mirror_points(batch.wrist_m), batch.wrist_m),
        pose=chosen(pose, batch.pose),
        centre_px=chosen(columns(batch.centre_px), batch.centre_px),
    )
