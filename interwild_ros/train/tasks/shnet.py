"""SHNet on crops of right hands."""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.geometry.weak_perspective import volume_from_virtual
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.layers import expected_cells, softmax_marginals
from interwild_ros.networks.shnet import HandPose, HandRoiNet, PositionNet, RotationNet
from interwild_ros.records import Side
from interwild_ros.train.recipe_sections import ShnetWeights
from interwild_ros.train.streams import HandCrops
from interwild_ros.train.tasks.task import as_pictures, Task
import torch
from torch import Tensor

_MARGINAL_SIGMA = 0.8  # cells
_MM_PER_M = 1000.0


class Readings(NamedTuple):
    """What SHNet says of B right hands, all in float32; `marginals` of the volume, x, y, z."""

    joints: Tensor
    marginals: tuple[Tensor, Tensor, Tensor]
    pose: HandPose


class ShnetTask(Task):
    """Joints, rotations, shape and mesh of one hand from its crop."""

    PARTS = ('hand_roi_net', 'hand_position_net', 'hand_rotation_net')
    hand_roi_net: HandRoiNet
    hand_position_net: PositionNet
    hand_rotation_net: RotationNet

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
        return Readings(joints, marginals, HandPose(*(rows.float() for rows in pose)))

    @torch.no_grad()
    def measure(self, batch: HandCrops) -> dict[str, Tensor]:
        """Return errors of the mesh, the joints in 2D (in sides of the hand's box) and depth."""
        found = self.read(batch.pictures)
        vertices, _ = self._posed(found.pose.root, found.pose.fingers, found.pose.betas)
        true_vertices, _ = self._posed_truth(batch)
        mpvpe = _MM_PER_M * (vertices - true_vertices).norm(dim=-1).mean(1)
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
        }

    def _losses(self, found: Readings, batch: HandCrops) -> dict[str, Tensor]:
        weights, seen = self._weights, batch.joints_seen[..., None]
        vertices, joints_m = self._posed(found.pose.root, found.pose.fingers, found.pose.betas)
        with torch.no_grad():
            true_vertices, true_joints_m = self._posed_truth(batch)
        off = (found.joints - batch.joints).abs()
        placed = joints_m + found.pose.virtual_wrist_m[:, None]
        projected = volume_from_virtual(placed, self.spaces)
        return {
            'joints_xy': weights.joints_xy * (off[..., :2] * seen).mean(),
            'joints_z': weights.joints_z * off[..., 2].mean(),
            'marginals': weights.marginals * self._marginal_loss(found.marginals, batch),
            'rotations': weights.rotations * self._rotation_loss(found.pose, batch),
            'joints_m': weights.joints_m * (joints_m - true_joints_m).abs().mean(),
            'vertices_m': weights.vertices_m * (vertices - true_vertices).abs().mean(),
            'projected': weights.projected
            * ((projected - batch.joints[..., :2]).abs() * seen).mean(),
            'shape': weights.shape * (found.pose.betas - batch.betas).abs().mean(),
        }

    def _posed(self, root: Tensor, fingers: Tensor, betas: Tensor) -> tuple[Tensor, Tensor]:
        """Return vertices and joints of right hands, relative to the wrist."""
        pose = torch.cat([root, fingers], dim=1)
        vertices, joints = self._hand_models[0].one_side(Side.RIGHT, pose, betas)
        return vertices - joints[:, :1], joints - joints[:, :1]

    def _posed_truth(self, batch: HandCrops) -> tuple[Tensor, Tensor]:
        return self._posed(batch.pose[:, :3], batch.pose[:, 3:], batch.betas)

    @staticmethod
    def _rotation_loss(pose: HandPose, batch: HandCrops) -> Tensor:
        found = torch.cat([pose.root, pose.fingers], dim=1).reshape(-1, 16, 3)
        true = matrix_from_axis_angle(batch.pose.reshape(-1, 16, 3))
        return (matrix_from_axis_angle(found) - true).abs().mean()

    @staticmethod
    def _marginal_loss(marginals: tuple[Tensor, Tensor, Tensor], batch: HandCrops) -> Tensor:
        """Return the mean cross-entropy with a Gaussian about each coordinate."""
        losses = [
            _cross_entropy(marginal, batch.joints[..., axis])
            for axis, marginal in enumerate(marginals)
        ]
        seen = batch.joints_seen
        return torch.stack([losses[0] * seen, losses[1] * seen, losses[2]]).mean()


def _cross_entropy(marginal: Tensor, coordinates: Tensor) -> Tensor:
    """Compare softmax sums (B, J, C) with Gaussians about coordinates (B, J): (B, J)."""
    cells = torch.arange(marginal.shape[-1], device=marginal.device, dtype=marginal.dtype)
    distances = (coordinates[..., None] - cells) / _MARGINAL_SIGMA
    wanted = torch.softmax(-(distances**2) / 2, dim=-1)
    return -(wanted * torch.log(marginal + 1e-6)).sum(-1)
