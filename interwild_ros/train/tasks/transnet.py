"""TransNet on pairs of 2.5D joints, without pixels."""

from __future__ import annotations

from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.transnet import TransNet
from interwild_ros.train.recipe_sections import TransnetWeights
from interwild_ros.train.streams import JointPairs
from interwild_ros.train.tasks.task import Task
import torch
from torch import Tensor

_MM_PER_M = 1000.0


class TransnetTask(Task):
    """Where the left wrist is, seen from the right one."""

    PARTS = ('hand_trans_net',)
    hand_trans_net: TransNet

    def __init__(self, networks: InterWild, weights: TransnetWeights) -> None:
        super().__init__(networks)
        self._weights = weights

    def forward(self, batch: JointPairs) -> dict[str, Tensor]:
        """Return the loss of a batch."""
        off = (self.relate(batch) - batch.left_from_right_m).abs().mean()
        return {'left_from_right_m': self._weights.left_from_right_m * off}

    def relate(self, batch: JointPairs) -> Tensor:
        """Run TransNet: (B, 3) metres."""
        joints, maps = batch.joints.transpose(0, 1), batch.input_from_crop.transpose(0, 1)
        found: Tensor = self.hand_trans_net(joints, maps)
        return found.float()

    @torch.no_grad()
    def measure(self, batch: JointPairs) -> dict[str, Tensor]:
        """Return how far the left wrist is off, in mm."""
        off = _MM_PER_M * (self.relate(batch) - batch.left_from_right_m).norm(dim=-1)
        interacting = batch.interacting > 0.5
        return {
            'mrrpe_mm': off,
            'mrrpe_interacting_mm': off[interacting],
            'mrrpe_apart_mm': off[~interacting],
        }
