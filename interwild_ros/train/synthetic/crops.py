"""Hand crops for SHNet without the picture around them: the fast path of training.

Every crop is what the pipeline would cut out of the scene's picture around a box as a detector
finds it. Left hands come mirrored, as SHNet sees them; so all truth is that of a right hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from interwild_ros.geometry.crops import about_joints, enlarged, fit_box, middles, squared
from interwild_ros.geometry.mirror import mirror_axis_angle, mirror_columns, mirror_points
from interwild_ros.geometry.rotations import with_turned_wrist
from interwild_ros.geometry.sight import camera_from_sight
from interwild_ros.geometry.spaces import apply_affine, Spaces
from interwild_ros.networks.variants import COMPACT_SPACES
from interwild_ros.records import Side
from interwild_ros.train.streams import LEFT_KIND, NO_KIND, RIGHT_KIND, UNKNOWN
from interwild_ros.train.synthetic.domains import Domain
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.pictures import PictureMaker, Views
from interwild_ros.train.synthetic.scenes import SceneMaker, Scenes
from interwild_ros.train.synthetic.turning import draw_turns, turnable_px, Turning
import torch
from torch import Tensor

_HAND_SHARE = 0.5  # of a crop's side: what a hand takes
LEAST_SEEN = 0.35  # of a hand, below which a crop teaches nothing
_LOOSE = 2.5
_STRAY = (0.65, 2.0)  # how far strays are from their hand, in its sizes
_STRAY_SIZE_STD = 0.35  # of the logarithm
_NO_HAND = 0.65  # of a crop's hand size: how far from any hand's middle a crop shows none
_COARSEST = 1.8  # crops about neighbours, of those about their own hand
_NEAR = 0.5  # of a crop's hand size: how far from a hand's middle a crop shows it as well


class CropBatch(NamedTuple):
    """B crops, left hands mirrored into right ones.

    * `pictures` (B, 3, S, S) uint8 RGB
    * `joints_px` (B, 21, 2) crop px; `joints_m` (B, 21, 3), `vertices_m` (B, 778, 3): relative to
      the wrist; `wrist_m` (B, 3) from the camera
    * `pose` (B, 48) axis-angle rad, the mean not included; `betas` (B, 10)
    * `focal_px` (B,), `centre_px` (B, 2): the crop's camera
    * `counts` (B,): whether enough of the hand is seen to learn from it
    * `has_3d` (B,): whether depths and `joints_m` are truth, or only the fit's opinion
    * `kinds` (B,) int64 as in `train.streams.HandCrops`
    * `is_left` (B,): mirrored; `is_pair` (B,): there is another hand; `seen` (B,): the share of
      the hand that nothing hides

    Joints, vertices, wrists and poses are in the camera's axes, until `along_sight` turns them to
    those of the crop.
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
    kinds: Tensor
    is_left: Tensor
    is_pair: Tensor
    seen: Tensor


class BoxJitter(NamedTuple):
    """How far detected boxes are from true ones: standard deviations, in shares of their size."""

    centre: float = 0.045
    size: float = 0.08


DETECTED = BoxJitter()


class CropShares(NamedTuple):
    """Shares of crops that are not as they should be.

    `mirrored`: with a hand of the wrong side; `strays`: beside the hands; `loose`: about boxes
    that are off `_LOOSE` times as far as others; `neighbours`: of hands with another one near,
    about the other's box, or that of both, as a detector finds hands that touch; `turned`: until
    the fingers point up, about.
    """

    mirrored: float = 0.0
    strays: float = 0.0
    loose: float = 0.0
    neighbours: float = 0.0
    turned: float = 0.0


AS_THEY_SHOULD_BE = CropShares()


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
        shares: CropShares = AS_THEY_SHOULD_BE,
    ) -> None:
        """Prepare the domain.

        :param spaces: the crop's size, and how much larger than its hand it is.
        :param holds_both: crops hold both hands of a picture with two, as those of methods that
            read both at once; else the crop's own hand alone.
        :param shares: of crops that are not as they should be.
        """
        self._scenes = SceneMaker(domain, seed=seed)
        self._pictures = PictureMaker(self._scenes)
        self._spaces = spaces
        self._jitter = jitter
        self._holds_both = holds_both
        self._shares = shares
        side = spaces.crop_px
        self._drawn_px = turnable_px(side) if shares.turned else side

    def make(self, indices: Sequence[int]) -> CropBatch:
        """Make these crops."""
        scenes = self._scenes.make(indices)
        draws = self._scenes.draws(indices, 'crops')
        side = _draw_sides(draws, scenes.present)
        rows = torch.arange(len(draws))
        joints_px = scenes.joints_px[rows, side]
        held = _both_where_present(scenes, side) if self._holds_both else joints_px
        boxes = self._draw_boxes(draws, held)
        boxes = self._about_neighbours(
            self._scenes.draws(indices, 'neighbours'), scenes, side, boxes
        )
        boxes, is_stray = self._strayed(
            self._scenes.draws(indices, 'strays'), boxes, scenes.cameras.size - 1
        )
        drawn_share = self._drawn_px / self._spaces.crop_px
        crop_from_image = fit_box(enlarged(boxes, drawn_share), self._drawn_px)
        views = crop_views(scenes, crop_from_image, self._spaces.crop_px, self._drawn_px)
        drawn = self._pictures.draw(indices, scenes, views)
        joints_m, vertices_m = scenes.joints_m[rows, side], scenes.vertices_m[rows, side]
        wrists = joints_m[:, :1]
        seen = drawn.seen[rows, side]
        counts = is_mostly_inside(joints_px, scenes) & (seen >= LEAST_SEEN) & ~is_stray
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
            counts=counts,
            has_3d=torch.full_like(side, self._scenes.domain.has_3d, dtype=torch.bool),
            kinds=self._kinds(boxes, scenes, counts, is_stray),
            is_left=side == Side.LEFT,
            is_pair=scenes.present.all(1),
            seen=seen,
        )
        if self._shares.turned:
            batch = self._turned(self._scenes.draws(indices, 'turned'), batch)
        batch = _as_right_hands(batch, self._spaces.crop_px)
        mirrored = self._scenes.draws(indices, 'mirrored').chance(self._shares.mirrored)
        other_is_near = scenes.present.all(1) & (self._off(boxes, scenes)[rows, 1 - side] <= _NEAR)
        return _of_wrong_side(batch, mirrored, other_is_near)

    def batches(self, batch_size: int, *, first: int = 0) -> Iterator[CropBatch]:
        """Yield batches without end, from sample number `first` on."""
        while True:
            yield self.make(range(first, first + batch_size))
            first += batch_size

    def _turned(self, draws: Draws, batch: CropBatch) -> CropBatch:
        """Turn some crops, and cut all to their size."""
        turns = draw_turns(draws, batch.joints_px, self._shares.turned)
        turning = Turning(turns, self._drawn_px, self._spaces.crop_px)
        return batch._replace(
            pictures=turning.pictures(batch.pictures),
            joints_px=turning.points_px(batch.joints_px),
            joints_m=turning.points_m(batch.joints_m),
            vertices_m=turning.points_m(batch.vertices_m),
            wrist_m=turning.points_m(batch.wrist_m[:, None])[:, 0],
            pose=turning.pose(batch.pose),
            centre_px=turning.points_px(batch.centre_px[:, None])[:, 0],
        )

    def _draw_boxes(self, draws: Draws, joints_px: Tensor) -> Tensor:
        return draw_boxes(draws, joints_px, self._spaces, self._jitter, self._shares.loose)

    def _about_neighbours(
        self, draws: Draws, scenes: Scenes, side: Tensor, boxes: Tensor
    ) -> Tensor:
        """Move some crops (B, 4) to the other hand, or to both, where theirs is seen there too."""
        rows = torch.arange(len(side))
        about_other = self._draw_boxes(draws.part('other'), scenes.joints_px[rows, 1 - side])
        about_both = self._draw_boxes(draws.part('both'), _both_where_present(scenes, side))
        moved = torch.where(draws.chance(0.5, 1), about_other, about_both)
        is_near = self._off(moved, scenes)[rows, side] <= _NEAR
        is_large = _sides(moved) <= _COARSEST * _sides(boxes)
        moves = draws.chance(self._shares.neighbours) & scenes.present.all(1) & is_near & is_large
        return torch.where(moves[:, None], moved, boxes)

    def _off(self, boxes: Tensor, scenes: Scenes) -> Tensor:
        """Return how far hands are from crops' middles, (B, 2), in the crops' hand sizes."""
        sizes = (boxes[:, 2:] - boxes[:, :2]) / self._spaces.crop_box_scale
        hands = middles(about_joints(scenes.joints_px))  # B x 2 x 2
        return ((hands - middles(boxes)[:, None]).abs() / sizes[:, None]).amax(-1)

    def _strayed(self, draws: Draws, boxes: Tensor, corner_px: Tensor) -> tuple[Tensor, Tensor]:
        """Move some crops (B, 4) beside their hands; returns all, and which (B,) they are.

        Their middles stay in the picture, whose last pixel is `corner_px` (B, 2).
        """
        is_stray = draws.chance(self._shares.strays)
        middle, half = middles(boxes), (boxes[:, 2:] - boxes[:, :2]) / 2
        size = 2 * half / self._spaces.crop_box_scale
        angle = draws.uniform(1, high=6.2832)
        far = draws.uniform(1, low=_STRAY[0], high=_STRAY[1])
        middle = middle + size * far * torch.cat([angle.cos(), angle.sin()], 1)
        middle = middle.clamp(min=0).minimum(corner_px)
        half = half * draws.normal(1, std=_STRAY_SIZE_STD).exp()
        strays = torch.cat([middle - half, middle + half], 1)
        return torch.where(is_stray[:, None], strays, boxes), is_stray

    def _kinds(self, boxes: Tensor, scenes: Scenes, counts: Tensor, is_stray: Tensor) -> Tensor:
        """Return what crops (B, 4) show, before any is mirrored."""
        is_far = ((self._off(boxes, scenes) > _NO_HAND) | ~scenes.present).all(1)
        kinds = torch.where(counts, RIGHT_KIND, UNKNOWN)
        return torch.where(is_stray & is_far, NO_KIND, kinds)


def draw_boxes(
    draws: Draws, joints_px: Tensor, spaces: Spaces, jitter: BoxJitter, loose: float
) -> Tensor:
    """Return the squares (B, 4) of crops about joints (B, J, 2) that are not exact.

    :param loose: share of crops about boxes that are far from exact.
    """
    boxes = about_joints(joints_px)
    size = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True)
    shift = draws.normal(2, std=jitter.centre).clamp(-0.12, 0.12) * size
    grown = draws.normal(1, std=jitter.size).clamp(-0.22, 0.22)
    is_loose = draws.part('loose').chance(loose, 1)
    farther = 1 + (_LOOSE - 1) * is_loose
    shift, grown = shift * farther, (grown * farther).exp()
    boxes = enlarged(squared(boxes + shift.repeat(1, 2)), spaces.crop_box_scale)
    middle = (boxes[:, :2] + boxes[:, 2:]).repeat(1, 2) / 2
    return middle + (boxes - middle) * grown


def along_sight(batch: CropBatch, spaces: Spaces) -> CropBatch:
    """Turn all that is true of hands to the axes about their crops' lines of sight."""
    middle = spaces.crop_centre_px
    turn = camera_from_sight((middle - batch.centre_px) / batch.focal_px[:, None])
    return batch._replace(
        joints_m=batch.joints_m @ turn,
        vertices_m=batch.vertices_m @ turn,
        wrist_m=(batch.wrist_m[:, None] @ turn)[:, 0],
        pose=with_turned_wrist(batch.pose, turn.transpose(1, 2)),
    )


def _sides(boxes: Tensor) -> Tensor:
    """Return the widths (B,) of squares (B, 4)."""
    return boxes[:, 2] - boxes[:, 0]


def _draw_sides(draws: Draws, present: Tensor) -> Tensor:
    """Return which hand each crop is about, (B,): one that is there."""
    left = torch.where(present.all(1), draws.chance(0.5), present[:, Side.LEFT])
    return left.long()


def _both_where_present(scenes: Scenes, side: Tensor) -> Tensor:
    """Return the joints (B, 42, 2) of both hands, or those of a hand alone twice."""
    rows = torch.arange(len(side))
    other = torch.where(scenes.present.all(1), 1 - side, side)
    return torch.cat([scenes.joints_px[rows, side], scenes.joints_px[rows, other]], 1)


def crop_views(
    scenes: Scenes, crop_from_image: Tensor, side_px: int, drawn_px: int | None = None
) -> Views:
    """Return what square crops of `side_px`, laid by maps (B, 2, 3), show of scenes.

    :param drawn_px: the side of larger squares that they are cut out of.
    """
    scale, shift = crop_from_image[:, 0, 0], crop_from_image[:, :, 2]
    cameras, drawn_px = scenes.cameras, drawn_px or side_px
    far_corner = (cameras.size - 1) * scale[:, None] + shift
    return Views(
        size=(drawn_px, drawn_px),
        focal_px=cameras.focal_px * scale,
        centre_px=cameras.centre_px * scale[:, None] + shift,
        bounds=torch.cat([shift, far_corner], 1),
        hand_px=_HAND_SHARE * side_px,
    )


def is_mostly_inside(joints_px: Tensor, scenes: Scenes) -> Tensor:
    """Return whether most of the hand (B, 21, 2) lies inside the scene's picture."""
    limit = (scenes.cameras.size - 1)[:, None]
    inside = ((joints_px >= 0) & (joints_px <= limit)).all(-1)
    return inside.float().mean(1) > 0.5


def _of_wrong_side(batch: CropBatch, mirrored: Tensor, other_is_near: Tensor) -> CropBatch:
    """Mirror pictures (B,), so that they show left hands: of these nothing else counts.

    Where the other hand is near, a mirrored picture shows a right hand as well.
    """
    of_left = torch.where(other_is_near, UNKNOWN, LEFT_KIND)
    kinds = torch.where(mirrored & (batch.kinds == RIGHT_KIND), of_left, batch.kinds)
    pictures = torch.where(mirrored[:, None, None, None], batch.pictures.flip(-1), batch.pictures)
    return batch._replace(pictures=pictures, kinds=kinds, counts=batch.counts & ~mirrored)


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
