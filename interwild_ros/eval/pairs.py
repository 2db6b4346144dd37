"""Both hands of a picture as evaluation compares them: as found, and as they are.

Hands are relative to their own wrist, boxes x1 y1 x2 y2 in px of the picture, right first.
"""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.geometry.spaces import apply_affine, Spaces
from interwild_ros.records import Array, PairEstimate, Side, VERTEX_COUNT
from interwild_ros.train.annotations import Box
from interwild_ros.train.forward import Predictions
import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class FoundPair:
    """What was said of a picture.

    `vertices_m` (2, 778, 3), `joints_m` (42, 3), `left_from_right_m` (3,), `boxes_px` (2, 4).
    """

    vertices_m: Array
    joints_m: Array
    left_from_right_m: Array
    boxes_px: Array


@dataclass(frozen=True, eq=False)
class TruePair:
    """What counts of a picture's truth; None is what does not.

    `vertices_m` (778, 3) of each hand; `left_from_right_m` (3,); `joints_m` (42, 3), of which
    `joint_valid` (42,) count; `is_interacting` says into which of the paper's columns it goes.
    """

    vertices_m: tuple[Array | None, Array | None]
    left_from_right_m: Array | None
    joints_m: Array
    joint_valid: Array
    boxes_px: tuple[Box | None, Box | None]
    is_interacting: bool


def found_pairs(found: Predictions, image_from_input: Tensor, spaces: Spaces) -> list[FoundPair]:
    """Split a batch of predictions into pictures, on the CPU.

    :param image_from_input: (B, 2, 3) of the samples.
    """
    half = found.box_sizes / 2
    corners = torch.stack([found.box_centres - half, found.box_centres + half], dim=2)
    input_px = spaces.input_from_body(spaces.body_from_cells(corners.flatten(1, 2)))
    boxes = apply_affine(image_from_input, input_px).reshape(-1, 2, 4)
    vertices = found.vertices_m.reshape(-1, 2, VERTEX_COUNT, 3)
    columns = (vertices, found.joints_m, found.left_from_right_m, boxes)
    arrays = (column.detach().double().cpu().numpy() for column in columns)
    return [FoundPair(*rows) for rows in zip(*arrays, strict=True)]


def found_pair(pair: PairEstimate) -> FoundPair:
    """Return what the pipeline says of a frame."""
    hands = (pair.right, pair.left)
    return FoundPair(
        vertices_m=np.stack([hand.vertices_m for hand in hands]),
        joints_m=np.concatenate([hand.joints_m for hand in hands]),
        left_from_right_m=pair.left_from_right_m,
        boxes_px=np.array([hand.box.corners for hand in hands]),
    )


def sides_of(hand_type: str) -> tuple[Side, ...]:
    """Return the annotated hands of 'right', 'left' or 'interacting'."""
    return {'right': (Side.RIGHT,), 'left': (Side.LEFT,)}.get(hand_type, tuple(Side))
