"""DetectNet on whole pictures."""

from __future__ import annotations

from interwild_ros.geometry.crops import corners_from_centre
from interwild_ros.networks.detectnet import BoxNet, Detections, PLACES
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.layers import at_least_single
from interwild_ros.networks.resnet import Trunk
from interwild_ros.networks.roi_net import HandsInPlaces, RoiNet
from interwild_ros.train.recipe_sections import DetectnetWeights
from interwild_ros.train.streams import BodyPictures
from interwild_ros.train.tasks.task import as_pictures, Task
import torch
from torch import Tensor
import torch.nn.functional as F

_CENTRE_SIGMA = 1.0  # cells
_SMALLEST_SIDE = 2.0  # cells: smaller boxes are not held to finer errors
_FOUND_OVERLAP = 0.5
_TINY_AREA = 1e-6  # keeps boxes without area from dividing by zero
_OWN_PLACES = 2  # of the detector's own, to be looked at again
_PLACE_SHIFT, _PLACE_SCALE = 0.25, 0.3  # of made-up ones: standard deviations in sides, logarithm
_IN_PLACE = 0.25  # overlap of a hand with a place that it is in,
_MOSTLY_IN_PLACE = 0.6  # or what part of it the place covers
_USUAL_SIDE = 12.0  # cells, of places where there is no hand


class DetectnetTask(Task):
    """Where each hand is, and how surely.

    The centre maps learn by cross-entropy: towards a peak at a hand that is there, towards no
    peak at all where there is none. So the peak's height says whether a hand is there. Sizes are
    learned at true centres: what stands at a wrong one, such as the other hand, teaches nothing.
    """

    PARTS = ('body_backbone', 'body_box_net', 'body_roi_net')
    body_backbone: Trunk
    body_box_net: BoxNet
    body_roi_net: RoiNet | None

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
            losses = {
                'centre_map': weights.centre_map * (maps * valid).mean(),
                'absent_map': weights.absent_map * (maps * batch.known_absent).mean(),
                'centre': weights.centre * ((found.centre - centre).abs() * present).mean(),
                'size': weights.size * ((found_size - size).abs() * present).mean(),
            }
        if self.body_roi_net is not None:
            hands, places = self._looked_at(self.body_roi_net, fine, logits, batch)
            with torch.autocast(valid.device.type, enabled=False):
                losses['roi_boxes'] = weights.roi_boxes * _cost_of_hands(hands, places, batch)
        return losses

    def _looked_at(
        self, roi_net: RoiNet, fine: Tensor, logits: Tensor, batch: BodyPictures
    ) -> tuple[HandsInPlaces, Tensor]:
        """Look at the detector's own places and at some about the true boxes (B, K, 4)."""
        with torch.no_grad():
            own = self.body_box_net.candidates(fine, logits, _OWN_PLACES)
            made_up = _places_about(batch)
            centre, size = (
                torch.cat([at_least_single(a), b], dim=1)
                for a, b in zip(own[:2], _centres_and_sizes(made_up), strict=True)
            )
            size = size.abs()
        return roi_net(fine, centre, size), corners_from_centre(centre, size)

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
        fine, logits = self._maps(batch.pictures)
        found = self._boxes(fine, logits)
        present = batch.boxes_valid > 0.5
        overlaps = _overlaps(corners_from_centre(found.centre, found.size), batch.boxes)[present]
        both = present.all(1)
        return {
            'box_recall': (overlaps > _FOUND_OVERLAP).float(),
            'box_iou': overlaps,
            'exchanged': _exchanged(found.centre, batch.boxes)[both].float(),
            'score_present': found.score[present],
            'score_absent': found.score[batch.known_absent > 0.5],
            **self._measure_places(fine, logits, batch),
        }

    def _measure_places(
        self, fine: Tensor, logits: Tensor, batch: BodyPictures
    ) -> dict[str, Tensor]:
        """Return how well the best of the first two places and of all lie on each hand."""
        if self.body_roi_net is None:
            return {}
        places = self.body_roi_net.looked_at(
            fine, self.body_box_net.candidates(fine, logits, PLACES)
        )
        boxes = corners_from_centre(places.centre, places.size)
        overlaps = _overlaps(boxes[:, :, None], batch.boxes[:, None])  # B x K x 2
        present = batch.boxes_valid > 0.5
        first_two, best = overlaps[:, :2].amax(1)[present], overlaps.amax(1)[present]
        return {
            'first_two_places': (first_two > _FOUND_OVERLAP).float(),
            'places_recall': (best > _FOUND_OVERLAP).float(),
            'places_iou': best,
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
    common = _common_area(boxes, others)
    return common / (_area(boxes) + _area(others) - common).clamp(min=_TINY_AREA)


def _common_area(boxes: Tensor, others: Tensor) -> Tensor:
    low = torch.maximum(boxes[..., :2], others[..., :2])
    high = torch.minimum(boxes[..., 2:], others[..., 2:])
    return (high - low).clamp(min=0).prod(-1)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def _places_about(batch: BodyPictures) -> Tensor:
    """Return places (B, 2, 4) about true boxes, as far off as the detector's are.

    Where one hand is not there both are about the other one; where none is, in a corner. How far
    off they are follows from the pictures, so that a run that is resumed has the same places.
    """
    boxes, known = batch.boxes, batch.boxes_valid[..., None] > 0.5
    dice = torch.Generator().manual_seed(int(batch.pictures[:, :, ::16, ::16].sum()))
    noise = torch.randn(2, *boxes.shape[:2], 2, generator=dice).to(boxes.device)
    boxes = torch.where(known, boxes, boxes.flip(1) * known.flip(1))
    centre, size = _centres_and_sizes(boxes)
    size = torch.where(size.amax(-1, keepdim=True) > 0, size, _USUAL_SIDE)
    centre = centre + _PLACE_SHIFT * size * noise[0]
    return corners_from_centre(centre, size * (_PLACE_SCALE * noise[1]).exp())


def _cost_of_hands(found: HandsInPlaces, places: Tensor, batch: BodyPictures) -> Tensor:
    """Return what hands of places (B, K, 4) cost, in the cheaper order of the two."""
    true = batch.boxes[:, None]  # B x 1 x 2 x 4
    is_in = (_are_in(true, places[:, :, None]) & (batch.boxes_valid[:, None] > 0.5)).float()
    known = ((batch.boxes_valid + batch.known_absent) > 0.5).all(1)[:, None]  # B x 1
    centre, size = _centres_and_sizes(true)
    side = size.amax(-1).clamp(min=_SMALLEST_SIDE)
    is_right = torch.tensor([1.0, 0.0], device=true.device).expand_as(is_in)

    def cost(order: list[int]) -> Tensor:
        off = (found.centre[:, :, order] - centre).abs() + (found.size[:, :, order] - size).abs()
        boxes = off.sum(-1) / side
        hand = _binary(found.is_hand[:, :, order], is_in) * known[..., None]
        return (is_in * (boxes + _binary(found.is_right[:, :, order], is_right)) + hand).sum(-1)

    return torch.minimum(cost([0, 1]), cost([1, 0])).mean()


def _binary(logits: Tensor, wanted: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, wanted, reduction='none')


def _are_in(boxes: Tensor, places: Tensor) -> Tensor:
    """Return whether hands' boxes (..., 4) are in places (..., 4)."""
    share = _common_area(boxes, places) / _area(boxes).clamp(min=_TINY_AREA)
    return (_overlaps(boxes, places) > _IN_PLACE) | (share > _MOSTLY_IN_PLACE)


def _exchanged(centres: Tensor, boxes: Tensor) -> Tensor:
    """Return (B,) whether both centres lie nearer to the other hand."""
    true, _ = _centres_and_sizes(boxes)
    own = (centres - true).norm(dim=-1)
    other = (centres - true.flip(1)).norm(dim=-1)
    exchanged: Tensor = (other < own).all(1)
    return exchanged
