"""Both hands in one pass: linear blend skinning of two hand models that share nothing but shape.

smplx poses one model at a time, in some two hundred small steps; on a CPU these cost more than
the arithmetic, and a followed hand is posed three times a frame. This is the same arithmetic
(Loper et al., SMPL, 2015; Romero et al., MANO, 2017), with a leading axis for the side and one
step for every generation of joints. Tests hold it against smplx.
"""

from __future__ import annotations

from interwild_ros.hand_model.joints import MANO_PARENTS
import numpy as np
import torch
from torch import nn, Tensor

_JOINTS = len(MANO_PARENTS)
_TINY = 1e-8  # smplx's guard against turning by nothing; it shifts results, so it stays


class PairSkinning(nn.Module):
    """Poses right and left hands with the constants of their two smplx layers."""

    template: Tensor
    blends: Tensor
    joints: Tensor
    joint_blends: Tensor
    weights: Tensor
    mean_pose: Tensor

    def __init__(self, right: nn.Module, left: nn.Module) -> None:
        """Take the constants over, in float32 and out of the state."""
        super().__init__()
        layers = (right, left)
        constants = {
            'template': _stacked(layers, 'v_template'),  # 2, V, 3
            'weights': _stacked(layers, 'lbs_weights'),  # 2, V, 16
            'mean_pose': _stacked(layers, 'pose_mean'),  # 2, 48
        }
        shapes, poses = _stacked(layers, 'shapedirs').flatten(1, 2), _stacked(layers, 'posedirs')
        constants['blends'] = torch.cat([shapes.mT, poses], dim=1)  # 2, 10 + 135, 3V
        regressors = _stacked(layers, 'J_regressor')  # 2, 16, V
        constants['joints'] = regressors @ constants['template']  # 2, 16, 3
        by_shape = torch.einsum('sjv,svcb->sbjc', regressors, _stacked(layers, 'shapedirs'))
        constants['joint_blends'] = by_shape.flatten(2)  # 2, 10, 48
        for name, constant in constants.items():
            self.register_buffer(name, constant.contiguous(), persistent=False)
        self._generations = _generations()

    def forward(self, pose: Tensor, betas: Tensor) -> Tensor:
        """Return vertices (2B, V, 3): B right hands, then B left ones; as `HandPair.forward`."""
        pose, betas = pose.view(2, -1, pose.shape[1]), betas.view(2, -1, betas.shape[1])
        turns = _rotations((pose + self.mean_pose[:, None]).view(2, -1, _JOINTS, 3))
        bends = (turns[:, :, 1:] - torch.eye(3).to(turns)).flatten(2)
        offsets = torch.cat([betas, bends], dim=2) @ self.blends
        vertices = self.template[:, None] + offsets.view(2, -1, self.template.shape[1], 3)
        joints = self.joints[:, None] + (betas @ self.joint_blends).view(2, -1, _JOINTS, 3)
        moved = _skinned(vertices, self.weights, *self._chain(turns, joints))
        return moved.flatten(0, 1)

    def _chain(self, turns: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
        """Return rotation (2, B, 16, 3, 3) and shift (2, B, 16, 3) of what hangs on each joint."""
        parents = list(MANO_PARENTS)
        bones = joints - joints[:, :, [0, *parents[1:]]]
        rotations, places = torch.empty_like(turns), torch.empty_like(joints)
        rotations[:, :, 0], places[:, :, 0] = turns[:, :, 0], joints[:, :, 0]
        for generation, before in self._generations:
            of_parent = rotations[:, :, before]
            rotations[:, :, generation] = of_parent @ turns[:, :, generation]
            bone = (of_parent @ bones[:, :, generation, :, None])[..., 0]
            places[:, :, generation] = places[:, :, before] + bone
        return rotations, places - (rotations @ joints[..., None])[..., 0]


def _skinned(vertices: Tensor, weights: Tensor, rotations: Tensor, shifts: Tensor) -> Tensor:
    """Move vertices (2, B, V, 3) by the mean of what their joints do."""
    moves = torch.cat([rotations.flatten(3), shifts], dim=3)  # 2, B, 16, 9 + 3
    of_vertex = weights[:, None] @ moves  # 2, B, V, 12
    turned = of_vertex[..., :9].view(2, -1, vertices.shape[2], 3, 3) * vertices[..., None, :]
    moved: Tensor = turned.sum(-1) + of_vertex[..., 9:]
    return moved


def _rotations(axis_angle: Tensor) -> Tensor:
    """Return the matrices (2, B, 16, 3, 3) of axis angles (2, B, 16, 3), by Rodrigues' formula."""
    angle = torch.linalg.vector_norm(axis_angle + _TINY, dim=-1, keepdim=True)
    x, y, z = (axis_angle / angle).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1)
    cross = cross.view(2, -1, _JOINTS, 3, 3)
    angle = angle[..., None]
    turns: Tensor = angle.sin() * cross + (1 - angle.cos()) * (cross @ cross)
    return torch.eye(3).to(turns) + turns


def _stacked(layers: tuple[nn.Module, nn.Module], name: str) -> Tensor:
    return torch.stack([getattr(layer, name).float() for layer in layers])


def _generations() -> list[tuple[list[int], list[int]]]:
    """Return joints and their parents, those first whose parents have none."""
    depth = np.zeros(len(MANO_PARENTS), int)
    for joint, parent in enumerate(MANO_PARENTS[1:], 1):
        depth[joint] = depth[parent] + 1
    of_depth = [np.flatnonzero(depth == d).tolist() for d in range(1, depth.max() + 1)]
    return [(joints, [MANO_PARENTS[joint] for joint in joints]) for joints in of_depth]
