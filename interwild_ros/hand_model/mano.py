"""From pose and shape to a mesh, by smplx's MANO layers: differentiable, on any device."""

from __future__ import annotations

from typing import Any, cast

from interwild_ros.hand_model.joints import (
    JOINT_NAMES,
    JOINT_PARENTS,
    joint_regressor_21,
    MANO_PARENTS,
)
from interwild_ros.hand_model.mano_file import BETA_COUNT, HandModelFile
from interwild_ros.records import Side, Topology
import numpy as np
import smplx
from smplx.utils import Struct
import torch
from torch import nn, Tensor


class HandPair(nn.Module):
    """The right and the left hand model as one module without trained state.

    Its constants are float32, as the original's, whatever type the module is turned into later.
    They are no part of its state_dict: a checkpoint must never carry MANO's licensed numbers.
    """

    joint_regressor: Tensor

    def __init__(self, right: HandModelFile, left: HandModelFile) -> None:
        super().__init__()
        self.right = _smplx_layer(right)
        self.left = _smplx_layer(left)
        # the right model's, for both hands: the original does so
        regressor = torch.tensor(joint_regressor_21(right.j_regressor), dtype=torch.float32)
        self.register_buffer('joint_regressor', regressor, persistent=False)
        self._topology = _topology(right, left)

    def forward(self, pose: Tensor, betas: Tensor) -> tuple[Tensor, Tensor]:
        """Return vertices (2B, 778, 3) and joints (2B, 21, 3), metres in model space.

        The rows are B right hands, then B left hands. Joints are regressed from the posed
        vertices; neither output is relative to the wrist.

        :param pose: (2B, 48) axis-angle rad, root then 15 joints, the mean pose not included.
        :param betas: (2B, 10) shape coefficients.
        """
        hands = zip((self.right, self.left), pose.chunk(2), betas.chunk(2), strict=True)
        vertices = torch.cat([_posed(layer, *of_one_side) for layer, *of_one_side in hands])
        return vertices, self.joint_regressor @ vertices

    def one_side(self, side: Side, pose: Tensor, betas: Tensor) -> tuple[Tensor, Tensor]:
        """Return vertices (N, 778, 3) and joints (N, 21, 3) of hands that are all of one side."""
        vertices = _posed((self.right, self.left)[side], pose, betas)
        return vertices, self.joint_regressor @ vertices

    def topology(self) -> Topology:
        """Return the triangles and joints that go with the outputs."""
        return self._topology


def _posed(layer: nn.Module, pose: Tensor, betas: Tensor) -> Tensor:
    found = layer(betas=betas, global_orient=pose[:, :3], hand_pose=pose[:, 3:])
    vertices: Tensor = found.vertices  # B, 778, 3
    return vertices


def _smplx_layer(model: HandModelFile) -> nn.Module:
    data = Struct(
        v_template=model.v_template,
        f=model.triangles,
        weights=model.weights,
        J_regressor=model.j_regressor,
        shapedirs=model.shapedirs,
        posedirs=model.posedirs,
        hands_mean=model.hands_mean,
        hands_components=np.eye(model.hands_mean.size),
        kintree_table=np.array([MANO_PARENTS, range(len(MANO_PARENTS))]),
    )
    creates = ('global_orient', 'body_pose', 'hand_pose', 'betas', 'transl')
    # A shape space of this size is all there is in MANO; smplx would print a warning about it.
    kind = type('MANO', (smplx.MANO,), {'SHAPE_SPACE_DIM': BETA_COUNT})
    layer: Any = kind(
        model_path='',
        data_struct=data,
        is_rhand=model.side is Side.RIGHT,
        use_pca=False,
        flat_hand_mean=False,
        num_betas=BETA_COUNT,
        **{f'create_{name}': False for name in creates},
    )
    _take_out_of_state(layer)
    # As a tensor each parent would be fetched from the device while the chain is walked.
    del layer.parents
    layer.parents = np.array(MANO_PARENTS)
    return cast(nn.Module, layer)


def _take_out_of_state(module: nn.Module) -> None:
    for owner in module.modules():
        for name, buffer in list(owner.named_buffers(recurse=False)):
            delattr(owner, name)
            owner.register_buffer(name, buffer, persistent=False)


def _topology(right: HandModelFile, left: HandModelFile) -> Topology:
    return Topology(
        hand_model=right.name,
        is_stand_in=right.is_stand_in,
        joint_names=JOINT_NAMES,
        joint_parents=JOINT_PARENTS,
        right_triangles=right.triangles,
        left_triangles=left.triangles,
    )
