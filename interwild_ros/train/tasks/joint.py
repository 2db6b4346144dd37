"""The original's way: all networks at once, on mixed batches of samples."""

from __future__ import annotations

from interwild_ros.hand_model.mano import HandPair
from interwild_ros.networks.interwild import InterWild
from interwild_ros.records import VERTEX_COUNT
from interwild_ros.train.forward import predict, Predictions
from interwild_ros.train.losses import compute_losses, means
from interwild_ros.train.samples import Sample
from interwild_ros.train.tasks.task import Task
import torch
from torch import Tensor

_MM_PER_M = 1000.0


class JointTask(Task):
    """Everything, every sample feeding every network; masks decide."""

    PARTS = (
        'body_backbone',
        'body_box_net',
        'hand_roi_net',
        'hand_position_net',
        'hand_rotation_net',
        'hand_trans_net',
    )

    def __init__(self, networks: InterWild, hand_models: HandPair) -> None:
        super().__init__(networks)
        self._networks = (networks,)
        self._hand_models = (hand_models,)

    def forward(self, batch: Sample) -> dict[str, Tensor]:
        """Return the original's losses of a batch."""
        found = self._predict(batch)
        return means(compute_losses(found, batch.targets, batch.validity, self.spaces))

    @torch.no_grad()
    def measure(self, batch: Sample) -> dict[str, Tensor]:
        """Return errors of meshes and of the relative translation, where there is truth."""
        found = self._predict(batch)
        targets, valid = batch.targets, batch.validity
        off_m = (found.vertices_m - targets.vertices_m).norm(dim=-1)
        hands = off_m.reshape(-1, VERTEX_COUNT).mean(1)
        there = valid.vertices.reshape(-1, VERTEX_COUNT)[:, 0] > 0.5
        apart = (found.left_from_right_m - targets.left_from_right_m).norm(dim=-1)
        return {
            'mpvpe_mm': _MM_PER_M * hands[there],
            'mrrpe_mm': _MM_PER_M * apart[valid.left_from_right[:, 0] > 0.5],
        }

    def _predict(self, batch: Sample) -> Predictions:
        return predict(self._networks[0], self._hand_models[0], batch.picture)
