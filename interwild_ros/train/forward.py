"""The forward pass of training: the original's flow, and what the losses compare, pair by pair."""

from __future__ import annotations

from typing import NamedTuple

from interwild_ros.hand_model.mano import HandPair
from interwild_ros.networks.interwild import InterWild
from interwild_ros.pipeline.official import forward_pass
import torch
from torch import Tensor


class Predictions(NamedTuple):
    """What the networks say of B pictures. Right hands come first.

    * `box_centres`, `box_sizes` (B, 2, 2) detector cells; `box_scores` (B, 2)
    * `crop_from_input` (B, 2, 2, 3): the predicted crops, un-mirrored, without gradient
    * `joints` (B, 42, 3) volume cells, un-mirrored
    * `projected` (B, 42, 2): the posed joints in volume cells
    * `joints_m` (B, 42, 3), `vertices_m` (B, 1556, 3): relative to the own wrist, camera axes
    * `pose` (B, 96) axis-angle rad, `betas` (B, 20)
    * `left_from_right_m` (B, 3)
    """

    box_centres: Tensor
    box_sizes: Tensor
    box_scores: Tensor
    crop_from_input: Tensor
    joints: Tensor
    projected: Tensor
    joints_m: Tensor
    vertices_m: Tensor
    pose: Tensor
    betas: Tensor
    left_from_right_m: Tensor


def predict(networks: InterWild, hand_models: HandPair, pictures: Tensor) -> Predictions:
    """Run everything on pictures (B, 3, 512, 384), RGB 0..1.

    Under autocast the networks run in half precision, the hand models and what comes of them in
    float32. The gradient stops are the networks' own (NETWORKS.md section 15).
    """
    passed = forward_pass(networks, hand_models, pictures)
    pose, posed = passed.readings.pose, passed.posed
    return Predictions(
        box_centres=passed.detections.centre,
        box_sizes=passed.detections.size,
        box_scores=passed.detections.score,
        crop_from_input=torch.stack(passed.crop_from_input.chunk(2), dim=1),
        joints=_pairs(passed.readings.joints),
        projected=_pairs(posed.projected),
        joints_m=_pairs(posed.joints),
        vertices_m=_pairs(posed.vertices),
        pose=_pairs(torch.cat([pose.root, pose.fingers], dim=1)),
        betas=_pairs(pose.betas),
        left_from_right_m=passed.left_from_right_m,
    )


def _pairs(hands: Tensor) -> Tensor:
    """Lay the rows of 2B hands (2B, K, ...), right ones first, out as pairs (B, 2K, ...)."""
    return torch.cat(hands.chunk(2), dim=1)
