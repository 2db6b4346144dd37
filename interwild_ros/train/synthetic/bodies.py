"""Whole pictures for the detector, laid over its input at once: the fast path of training.

As in the pipeline, a region of the picture fills the input as well as its shape allows, and the
rest is black.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from interwild_ros.geometry.crops import enlarged
from interwild_ros.geometry.regions import HAND_BOX_SCALE
from interwild_ros.geometry.spaces import scaling_affine
from interwild_ros.train.synthetic.domains import Domain
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.pictures import PictureMaker, Views
from interwild_ros.train.synthetic.scenes import SceneMaker, Scenes
import torch
from torch import Tensor

_LEAST_JOINTS = 4  # of a hand inside of the input, for it to have a box
_LEAST_SEEN = 0.12
_HAND_SHARE = 0.15  # of a picture's longer side: what a hand takes, as a rule


class BodyBatch(NamedTuple):
    """B pictures, right hands first.

    * `pictures` (B, 3, H, W) uint8 RGB
    * `boxes` (B, 2, 4) x1 y1 x2 y2 px of the input, zeros where `has_box` (B, 2) is false
    * `joints_px` (B, 2, 21, 2) px of the input; `joints_m` (B, 2, 21, 3) the camera's frame
    * `present` (B, 2): the scene has this hand, be it inside of the picture or not
    * `seen` (B, 2): the share of each hand that nothing hides
    * `left_from_right_m` (B, 3), and `has_left_from_right` (B,): whether it may be learned from
    * `input_from_image` (B, 2, 3); `focal_px` (B,), `centre_px` (B, 2): the input's camera
    """

    pictures: Tensor
    boxes: Tensor
    has_box: Tensor
    joints_px: Tensor
    joints_m: Tensor
    present: Tensor
    seen: Tensor
    left_from_right_m: Tensor
    has_left_from_right: Tensor
    input_from_image: Tensor
    focal_px: Tensor
    centre_px: Tensor


class BodyMaker:
    """Makes pictures of a domain, each by its number."""

    def __init__(self, domain: Domain, *, seed: int, size: tuple[int, int] = (192, 256)) -> None:
        """Prepare the domain.

        :param size: width and height of the input, px.
        """
        self._scenes = SceneMaker(domain, seed=seed)
        self._pictures = PictureMaker(self._scenes)
        self._size = size

    def make(self, indices: Sequence[int]) -> BodyBatch:
        """Make these pictures."""
        scenes = self._scenes.make(indices)
        maps = _draw_maps(self._scenes.draws(indices, 'bodies'), scenes, self._size)
        views = _views(scenes, maps, self._size)
        drawn = self._pictures.draw(indices, scenes, views)
        joints_px = (
            views.focal_px[:, None, None, None]
            * (scenes.joints_m[..., :2] / scenes.joints_m[..., 2:].clamp(min=1e-6))
            + views.centre_px[:, None, None]
        )
        boxes, has_box = _boxes(joints_px, views, self._size)
        has_box &= scenes.present & (drawn.seen > _LEAST_SEEN)
        has_3d = torch.tensor(self._scenes.domain.has_3d)
        return BodyBatch(
            pictures=drawn.images.permute(0, 3, 1, 2),
            boxes=boxes * has_box[..., None],
            has_box=has_box,
            joints_px=joints_px,
            joints_m=scenes.joints_m,
            present=scenes.present,
            seen=drawn.seen,
            left_from_right_m=scenes.left_from_right_m * has_3d,
            has_left_from_right=scenes.present.all(1) & has_3d,
            input_from_image=maps,
            focal_px=views.focal_px,
            centre_px=views.centre_px,
        )

    def batches(self, batch_size: int, *, first: int = 0) -> Iterator[BodyBatch]:
        """Yield batches without end, from picture number `first` on."""
        while True:
            yield self.make(range(first, first + batch_size))
            first += batch_size


def _draw_maps(draws: Draws, scenes: Scenes, size: tuple[int, int]) -> Tensor:
    """Return input_from_image (B, 2, 3): all of the picture, or a part that holds the hands."""
    target = torch.tensor(size, dtype=torch.float32)
    image = scenes.cameras.size.float()
    whole = (target / image).amin(1, keepdim=True)
    zoom = draws.uniform(1, low=0.8, high=1.0)
    nearer = draws.uniform(1, low=1.0, high=2.3)
    near = draws.chance(0.6, 1)
    scale = whole * torch.where(near, nearer, zoom)
    hands = scenes.joints_px
    there = scenes.present[:, :, None, None]
    low = torch.where(there, hands, torch.inf).flatten(1, 2).amin(1)
    high = torch.where(there, hands, -torch.inf).flatten(1, 2).amax(1)
    middle = torch.minimum(torch.maximum((low + high) / 2, torch.zeros(2)), image)
    focus = torch.where(near, 0.4 * image / 2 + 0.6 * middle, image / 2)
    focus = focus + draws.normal(2, std=0.03) * image
    return scaling_affine(scale.expand(-1, 2), target / 2 - scale * focus)


def _views(scenes: Scenes, maps: Tensor, size: tuple[int, int]) -> Views:
    scale, shift = maps[:, 0, 0], maps[:, :, 2]
    cameras = scenes.cameras
    far_corner = (cameras.size - 1) * scale[:, None] + shift
    return Views(
        size=size,
        focal_px=cameras.focal_px * scale,
        centre_px=cameras.centre_px * scale[:, None] + shift,
        bounds=torch.cat([shift, far_corner], 1),
        hand_px=_HAND_SHARE * max(size),
    )


def _boxes(joints_px: Tensor, views: Views, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return boxes (B, 2, 4) around the joints that are inside, widened and cut, and which are."""
    edges = torch.tensor([0.0, 0.0, size[0] - 1, size[1] - 1])
    first = torch.maximum(views.bounds[:, :2], edges[:2])[:, None, None]
    last = torch.minimum(views.bounds[:, 2:], edges[2:])[:, None, None]
    inside = ((joints_px >= first) & (joints_px <= last)).all(-1, keepdim=True)
    low = torch.where(inside, joints_px, torch.inf).amin(2)
    high = torch.where(inside, joints_px, -torch.inf).amax(2)
    has_box = inside.sum((2, 3)) >= _LEAST_JOINTS
    boxes = torch.where(has_box[..., None], torch.cat([low, high], -1), torch.zeros(()))
    boxes = enlarged(boxes, HAND_BOX_SCALE)
    lows = torch.maximum(boxes[..., :2], first[:, :, 0])
    highs = torch.minimum(boxes[..., 2:], last[:, :, 0])
    return torch.cat([lows, highs], -1), has_box
