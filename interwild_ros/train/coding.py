"""Targets in the units that the losses compare: cells of the detector's heatmap.

Plain tensor arithmetic with any leading dimensions, so that single samples and batches on a GPU
go the same way. Source: NETWORKS.md section 16.
"""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.geometry.spaces import apply_affine, Spaces
import torch
from torch import Tensor


class CodedJoints(NamedTuple):
    """`cells` (..., K, 3): x, y detector cells, z volume cells; `seen` (..., K, 1) inside."""

    cells: Tensor
    seen: Tensor


def code_joints(
    px: Tensor, depths_m: Tensor, valid: Tensor, input_from_image: Tensor, spaces: Spaces
) -> CodedJoints:
    """Code joints, and say which of the valid ones lie inside the detector's volume.

    :param px: (..., K, 2); not finite where no pixel shows the joint, which is not seen then.
    :param depths_m: (..., K) relative to the own wrist; `valid` (..., K).
    :param input_from_image: (..., 2, 3) from these px to input px.
    """
    xy = _cells(px, input_from_image, spaces)
    z = spaces.volume_from_depth_m(depths_m)[..., None]
    cells = torch.cat([xy, z], dim=-1)
    size = cells.new_tensor([*spaces.cells_size, spaces.volume_cells])
    inside = ((cells >= 0) & (cells < size)).all(-1)
    return CodedJoints(torch.nan_to_num(cells, 0.0, 0.0, 0.0), (valid * inside)[..., None])


def code_boxes(boxes: Tensor, input_from_image: Tensor, spaces: Spaces) -> Tensor:
    """Return the upright boxes (..., 4), detector cells, around boxes laid over the input.

    :param boxes: (..., 4) x1 y1 x2 y2 px.
    :param input_from_image: (..., 2, 3) from these px to input px.
    """
    corners = torch.stack([boxes[..., [x, y]] for x in (0, 2) for y in (1, 3)], dim=-2)
    cells = _cells(corners, input_from_image, spaces)
    return torch.cat([cells.amin(-2), cells.amax(-2)], dim=-1)


def _cells(px: Tensor, input_from_image: Tensor, spaces: Spaces) -> Tensor:
    return spaces.cells_from_body(spaces.body_from_input(apply_affine(input_from_image, px)))
