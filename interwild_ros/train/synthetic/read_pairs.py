"""Pairs of 2.5D joints that a trained SHNet has read, of pictures that were drawn.

What TransNet is given at work: SHNet is wrong about both hands of a pair together, and most where
one hides the other. Reading takes time, so pairs are read before the first step and come again and
again, turned and mirrored: TransNet sees no picture and cannot tell such pairs from others. Where
the left hand is is known of drawn pictures of the wild, too; of photographs it would not be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from interwild_ros.geometry.mirror import mirror_left_from_right, mirror_volume_joints
from interwild_ros.geometry.rotations import about_viewing_axis
from interwild_ros.geometry.spaces import apply_affine, compose_affine
from interwild_ros.geometry.upright import turn_matrices
from interwild_ros.networks.interwild import InterWild
from interwild_ros.records import Side
from interwild_ros.train.streams import JointPairs
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.pair_crops import PairCrops
from interwild_ros.train.synthetic.pairs import left_from_right_along_sight
from interwild_ros.train.synthetic.shnet_reading import read_until, said_joints
import torch
from torch import Tensor
import torch.nn.functional as F

DrawPairs = Callable[[Sequence[int]], PairCrops]

_TURNED_STD = 0.35  # rad


class ReadPairs:
    """A stream of pairs that were read, altered each time by what their number draws."""

    def __init__(self, pairs: JointPairs, seed: int) -> None:
        self._pairs, self._seed = pairs, seed

    def draw(self, indices: Sequence[int]) -> JointPairs:
        """Return the pairs of these indices."""
        draws, count = Draws(self._seed, indices, 'read pairs'), len(self._pairs.joints)
        rows = (draws.uniform() * count).long().clamp(max=count - 1)
        pairs = JointPairs(*(part[rows] for part in self._pairs))
        turned = _turned(pairs, _TURNED_STD * draws.normal())
        return _mirrored(turned, draws.chance(0.5))


def read_pairs(networks: InterWild, draw: DrawPairs, count: int) -> JointPairs:
    """Ask a trained SHNet about both hands of drawn scenes until `count` pairs are read."""
    return JointPairs(*read_until(networks, draw, partial(_read, networks), count))


def _read(networks: InterWild, crops: PairCrops) -> JointPairs:
    """Return what SHNet says of those pairs of which enough is seen, on the CPU."""
    spaces, maps = networks.spaces, crops.image_from_crop
    said = said_joints(networks, crops.pictures.flatten(0, 1))
    right, left = said.view(-1, len(Side), *said.shape[1:]).unbind(1)
    joints = torch.stack([right, mirror_volume_joints(left, spaces)], 1)
    left_from_right_m = crops.left_from_right_m
    if spaces.along_sight:
        said_px = apply_affine(maps, spaces.crop_from_volume(joints[..., :2]))
        left_from_right_m = left_from_right_along_sight(
            left_from_right_m, said_px, crops.focal_px, crops.centre_px
        )
    pairs = JointPairs(joints, maps, left_from_right_m, crops.interacting)
    return JointPairs(*(part[crops.counts] for part in pairs))


def _turned(pairs: JointPairs, turns: Tensor) -> JointPairs:
    """Turn pairs by (B,) rad about the line of sight."""
    linear = F.pad(turn_matrices(turns), (0, 1))[:, None]  # B x 1 x 2 x 3
    moved = about_viewing_axis(turns) @ pairs.left_from_right_m[..., None]
    return pairs._replace(
        input_from_crop=compose_affine(linear, pairs.input_from_crop),
        left_from_right_m=moved[..., 0],
    )


def _mirrored(pairs: JointPairs, chosen: Tensor) -> JointPairs:
    """Mirror some pairs (B,): each hand becomes the other one."""
    flip = torch.tensor([[-1.0, 0, 0], [0, 1, 0]])
    maps = compose_affine(flip, pairs.input_from_crop.flip(1))
    hands, rows = chosen[:, None, None, None], chosen[:, None]
    return pairs._replace(
        joints=torch.where(hands, pairs.joints.flip(1), pairs.joints),
        input_from_crop=torch.where(hands, maps, pairs.input_from_crop),
        left_from_right_m=torch.where(
            rows, mirror_left_from_right(pairs.left_from_right_m), pairs.left_from_right_m
        ),
    )
