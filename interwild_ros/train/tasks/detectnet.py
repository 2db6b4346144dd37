"""DetectNet on whole pictures."""

from __future__ import annotations

from interwild_ros.networks.detectnet import BoxNet, Detections
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.layers import at_least_single
from interwild_ros.networks.resnet import Trunk
from interwild_ros.train.recipe_sections import DetectnetWeights
from interwild_ros.train.streams import BodyPictures
from interwild_ros.train.tasks.task import as_pictures, Task
import torch
from torch import Tensor
import torch.nn.functional as F

_CENTRE_SIGMA = 1.0  # cells
_SMALLEST_SIDE = 2.0  # cells: smaller boxes are not held to finer errors
_FOUND_OVERLAP = 0.5


class DetectnetTask(Task):
    """Where each hand is, and how surely.

    The centre maps learn by cross-entropy: towards a peak at a hand that is there, towards no
    peak at all where there is none. So the peak's height says whether a hand is there. Sizes are
    learned at true centres: what stands at a wrong one, such as the other hand, teaches nothing.
    """

    PARTS = ('body_backbone', 'body_box_net')
    body_backbone: Trunk
    body_box_net: BoxNet

    def __init__(self, networks: InterWild, weights: DetectnetWeights) -> None:
        super().__init__(networks)
        self._weights = weights

    def forward(self, batch: BodyPictures) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        fine, logits = self._maps(batch.pictures)
        weights, valid = self._weights, batch.boxes_valid
        centre, size = _centres_and_sizes(batch.boxes)
        found = self._boxes(fine, logits)
        found_size = at_least_single(self.body_box_net.sizes(fine, centre))
        with torch.autocast(valid.device.type, enabled=False):
            side = size.amax(-1, keepdim=True).clamp(min=_SMALLEST_SIDE)
            present = valid[..., None] / side
            maps = _map_cross_entropy(logits, centre, valid)
            return {
                'centre_map': weights.centre_map * (maps * valid).mean(),
                'absent_map': weights.absent_map * (maps * batch.known_absent).mean(),
                'centre': weights.centre * ((found.centre - centre).abs() * present).mean(),
                'size': weights.size * ((found_size - size).abs() * present).mean(),
            }

    def detect(self, pictures: Tensor) -> Detections:
        """Run DetectNet."""
        return self._boxes(*self._maps(pictures))

    def _maps(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return fine features and the logits of the centre maps (B, 2, H, W)."""
        laid = as_pictures(pictures).contiguous(memory_format=torch.channels_last)
        fine, logits = self.body_box_net.centre_logits(self.body_backbone.stages(laid))
        return fine, at_least_single(logits)

    def _boxes(self, fine: Tensor, logits: Tensor) -> Detections:
        found = self.body_box_net.boxes(fine, logits)
        return Detections(*(at_least_single(part) for part in found))

    @torch.no_grad()
    def measure(self, batch: BodyPictures) -> dict[str, Tensor]:
        """Return recall and overlap of boxes, scores with and without hand, and exchanges."""
        found = self.detect(batch.pictures)
        present = batch.boxes_valid > 0.5
        half = found.size / 2
        overlaps = _overlaps(
            torch.cat([found.centre - half, found.centre + half], dim=-1), batch.boxes
        )[present]
        both = present.all(1)
        return {
            'box_recall': (overlaps > _FOUND_OVERLAP).float(),
            'box_iou': overlaps,
            'exchanged': _exchanged(found.centre, batch.boxes)[both].float(),
            'score_present': found.score[present],
            'score_absent': found.score[batch.known_absent > 0.5],
        }


def _centres_and_sizes(boxes: Tensor) -> tuple[Tensor, Tensor]:
    low, high = boxes[..., :2], boxes[..., 2:]
    return (low + high) / 2, high - low


def _map_cross_entropy(logits: Tensor, centre: Tensor, valid: Tensor) -> Tensor:
    """Return the cross-entropy (B, 2) with a Gaussian about the centre, or with a flat map."""
    height, width = logits.shape[-2:]
    wanted = (
        _gaussian(centre[..., 1], height)[..., None]
        * _gaussian(centre[..., 0], width)[..., None, :]
    )
    flat = torch.full_like(wanted, 1 / (height * width))
    wanted = torch.where(valid[..., None, None] > 0.5, wanted, flat).flatten(2)
    return -(wanted * F.log_softmax(logits.flatten(2), dim=-1)).sum(-1)


def _gaussian(centre: Tensor, count: int) -> Tensor:
    """Return weights (..., count) that sum to 1."""
    cells = torch.arange(count, device=centre.device, dtype=centre.dtype)
    return torch.softmax(-(((cells - centre[..., None]) / _CENTRE_SIGMA) ** 2) / 2, dim=-1)


def _overlaps(boxes: Tensor, others: Tensor) -> Tensor:
    """Return intersection over union of boxes (..., 4)."""
    low = torch.maximum(boxes[..., :2], others[..., :2])
    high = torch.minimum(boxes[..., 2:], others[..., 2:])
    common = (high - low).clamp(min=0).prod(-1)
    areas = [(b[..., 2:] - b[..., :2]).clamp(min=0).prod(-1) for b in (boxes, others)]
    return common / (areas[0] + areas[1] - common).clamp(min=1e-6)


def _exchanged(centres: Tensor, boxes: Tensor) -> Tensor:
    """Return (B,) whether both centres lie nearer to the other hand."""
    true, _ = _centres_and_sizes(boxes)
    own = (centres - true).norm(dim=-1)
    other = (centres - true.flip(1)).norm(dim=-1)
    exchanged: Tensor = (other < own).all(1)
    return exchanged
