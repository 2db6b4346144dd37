"""SHNet on crops of right hands."""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.geometry.weak_perspective import volume_from_virtual
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.layers import at_least_single, expected_cells, softmax_marginals
from interwild_ros.networks.shnet import HandPose, HandRoiNet, KindNet, PositionNet, RotationNet
from interwild_ros.records import Side
from interwild_ros.train.recipe_sections import ShnetWeights
from interwild_ros.train.streams import HandCrops, UNKNOWN
from interwild_ros.train.tasks.task import as_pictures, Task
import torch
from torch import Tensor
import torch.nn.functional as F

_MARGINAL_SIGMA = 0.8  # cells
_MM_PER_M = 1000.0


class Readings(NamedTuple):
    """What SHNet says of B right hands, all in float32; `marginals` of the volume, x, y, z.

    `kinds` (B, KINDS) logits, None of networks that do not say it.
    """

    joints: Tensor
    marginals: tuple[Tensor, Tensor, Tensor]
    pose: HandPose
    kinds: Tensor | None


class ShnetTask(Task):
    """Joints, rotations, shape and mesh of one hand from its crop."""

    PARTS = ('hand_roi_net', 'hand_position_net', 'hand_rotation_net', 'hand_kind_net')
    hand_roi_net: HandRoiNet
    hand_position_net: PositionNet
    hand_rotation_net: RotationNet
    hand_kind_net: KindNet | None

    def __init__(self, networks: InterWild, hand_models: HandPair, weights: ShnetWeights) -> None:
        """Keep the parts; the hand models are on the device that trains."""
        super().__init__(networks)
        self._hand_models = (hand_models,)  # no part of what is trained, copied or saved
        self._weights = weights

    def forward(self, batch: HandCrops) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        found = self.read(batch.pictures)
        with torch.autocast(batch.pose.device.type, enabled=False):
            return self._losses(found, batch)

    def read(self, pictures: Tensor) -> Readings:
        """Run SHNet; nothing is un-mirrored."""
        crops = as_pictures(pictures).contiguous(memory_format=torch.channels_last)
        features = self.hand_roi_net(crops)
        marginals = softmax_marginals(self.hand_position_net.volumes(features))
        joints = expected_cells(marginals)
        pose = self.hand_rotation_net(features, joints.detach())
        kinds = (
            None if self.hand_kind_net is None else self.hand_kind_net(features, joints.detach())
        )
        return Readings(joints, marginals, HandPose(*(rows.float() for rows in pose)), kinds)

    @torch.no_grad()
    def measure(self, batch: HandCrops) -> dict[str, Tensor]:
        """Return errors of the mesh, the joints in 2D (in sides of the hand's box) and depth."""
        of_kinds = self._measure_kinds(batch)
        batch = HandCrops(*(rows[batch.counts > 0.5] for rows in batch))
        found = self.read(batch.pictures)
        vertices, _ = self._posed(found.pose)
        mpvpe = _MM_PER_M * (vertices - batch.vertices_m).norm(dim=-1).mean(1)
        xy = batch.joints[..., :2]
        sides = (xy.amax(1) - xy.amin(1)).amax(1)
        depth_mm = _MM_PER_M * self.spaces.depth_range_m / self.spaces.volume_cells
        alone = batch.has_other < 0.5
        return {
            'mpvpe_mm': mpvpe,
            'mpvpe_single_mm': mpvpe[alone],
            'mpvpe_two_mm': mpvpe[~alone],
            'error_2d': (found.joints[..., :2] - xy).norm(dim=-1).mean(1) / sides,
            'depth_mm': depth_mm * (found.joints - batch.joints)[..., 2].abs().mean(1),
            **of_kinds,
        }

    def _measure_kinds(self, batch: HandCrops) -> dict[str, Tensor]:
        """Return the share of crops told rightly, of each kind."""
        found = self.read(batch.pictures).kinds
        if found is None:
            return {}
        is_right = (found.argmax(1) == batch.kinds).float()
        names = ('right', 'left', 'none')
        return {f'told_{name}': is_right[batch.kinds == kind] for kind, name in enumerate(names)}

    def _losses(self, found: Readings, batch: HandCrops) -> dict[str, Tensor]:
        weights, counts = self._weights, batch.counts[:, None, None]
        seen = counts * batch.joints_seen[..., None]
        vertices, joints_m = self._posed(found.pose)
        off = (found.joints - batch.joints).abs()
        placed = joints_m + found.pose.virtual_wrist_m[:, None]
        projected = volume_from_virtual(placed, self.spaces)
        losses = {}
        if found.kinds is not None:
            losses['kind'] = weights.kind * _kind_loss(found.kinds, batch.kinds)
        return losses | {
            'joints_xy': weights.joints_xy * (off[..., :2] * seen).mean(),
            'joints_z': weights.joints_z * (off[..., 2:] * counts).mean(),
            'marginals': weights.marginals * _marginal_loss(found.marginals, batch),
            'rotations': weights.rotations * _rotation_loss(found.pose, batch),
            'joints_m': weights.joints_m * ((joints_m - batch.joints_m).abs() * counts).mean(),
            'vertices_m': weights.vertices_m
            * ((vertices - batch.vertices_m).abs() * counts).mean(),
            'projected': weights.projected
            * ((projected - batch.joints[..., :2]).abs() * seen).mean(),
            'shape': weights.shape
            * ((found.pose.betas - batch.betas).abs() * batch.counts[:, None]).mean(),
        }

    def _posed(self, pose: HandPose) -> tuple[Tensor, Tensor]:
        """Return vertices and joints of right hands, relative to the wrist."""
        angles = torch.cat([pose.root, pose.fingers], dim=1)
        vertices, joints = self._hand_models[0].one_side(Side.RIGHT, angles, pose.betas)
        return vertices - joints[:, :1], joints - joints[:, :1]


def _kind_loss(logits: Tensor, kinds: Tensor) -> Tensor:
    """Return the cross-entropy of logits (B, KINDS), the mean of each kind's mean.

    So all kinds weigh the same however often they come, and the probabilities are those of crops
    of which nothing is known before. Crops of an UNKNOWN kind are left out.
    """
    known = kinds != UNKNOWN
    losses = F.cross_entropy(at_least_single(logits), kinds.clamp(min=0), reduction='none')
    of_kind = F.one_hot(kinds.clamp(min=0), logits.shape[1]) * known[:, None]
    counts = of_kind.sum(0)
    means = (losses[:, None] * of_kind).sum(0) / counts.clamp(min=1)
    return means.sum() / (counts > 0).sum().clamp(min=1)


def _rotation_loss(pose: HandPose, batch: HandCrops) -> Tensor:
    angles = torch.cat([pose.root, pose.fingers], dim=1)
    found, true = (matrix_from_axis_angle(a.reshape(-1, 16, 3)) for a in (angles, batch.pose))
    return ((found - true).abs() * batch.counts[:, None, None, None]).mean()


def _marginal_loss(marginals: tuple[Tensor, Tensor, Tensor], batch: HandCrops) -> Tensor:
    """Return the mean cross-entropy with a Gaussian about each coordinate."""
    x, y, z = (
        _cross_entropy(marginal, batch.joints[..., axis])
        for axis, marginal in enumerate(marginals)
    )
    seen, counts = batch.joints_seen, batch.counts[:, None]
    return (torch.stack([x * seen, y * seen, z]) * counts).mean()


def _cross_entropy(marginal: Tensor, coordinates: Tensor) -> Tensor:
    """Compare softmax sums (B, J, C) with Gaussians about coordinates (B, J): (B, J)."""
    cells = torch.arange(marginal.shape[-1], device=marginal.device, dtype=marginal.dtype)
    distances = (coordinates[..., None] - cells) / _MARGINAL_SIGMA
    wanted = torch.softmax(-(distances**2) / 2, dim=-1)
    return -(wanted * torch.log(marginal + 1e-6)).sum(-1)
