"""The detector's pictures mirrored, scaled, moved and tinted, with their boxes."""

from __future__ import annotations

from collections.abc import Sequence

from interwild_ros.geometry.spaces import apply_affine, scaling_affine, Spaces
from interwild_ros.train.picture_alteration import altered_pictures, draw_looks
from interwild_ros.train.streams import BodyPictures
from interwild_ros.train.synthetic.draws import Draws
import torch
from torch import Tensor

_SCALE_LOG = 0.25
_SHIFT_SHARE = 0.1  # of each side
_HIDDEN_SHARE = 0.15
_LEAST_LEFT = 0.5  # of a box: with less inside of the picture, a hand is neither there nor absent


class BodyAlteration:
    """Alters pictures; each alteration follows from a seed and an index alone.

    In a mirrored picture the right hand is a left one.
    """

    def __init__(self, spaces: Spaces, seed: int) -> None:
        self._spaces, self._seed = spaces, seed

    def __call__(self, batch: BodyPictures, indices: Sequence[int]) -> BodyPictures:
        """Return altered copies of pictures."""
        draws = Draws(self._seed, indices, 'bodies again')
        mirrored = draws.chance(0.5)
        maps = self._maps(draws, mirrored)
        looks = draw_looks(draws, hidden_share=_HIDDEN_SHARE)
        boxes, is_left_over = self._moved(batch.boxes, maps)
        valid = batch.boxes_valid * is_left_over
        return BodyPictures(
            pictures=altered_pictures(batch.pictures, maps, looks),
            boxes=_exchanged(mirrored, boxes * valid[..., None]),
            boxes_valid=_exchanged(mirrored, valid),
            known_absent=_exchanged(mirrored, batch.known_absent),
        )

    def _maps(self, draws: Draws, mirrored: Tensor) -> Tensor:
        """Return maps (B, 2, 3) between body px that scale about the centre, shift and mirror."""
        size = torch.tensor(self._spaces.body_size, dtype=torch.float32)
        scale = draws.uniform(1, low=-_SCALE_LOG, high=_SCALE_LOG).exp().repeat(1, 2)
        scale[:, 0] *= torch.where(mirrored, -1.0, 1.0)
        centre = (size - 1) / 2
        shift = draws.uniform(2, low=-_SHIFT_SHARE, high=_SHIFT_SHARE) * size
        return scaling_affine(scale, centre - scale * centre + shift)

    def _moved(self, boxes: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Map boxes (B, 2, 4), cells, and cut them; returns whether enough of each is left."""
        corners = self._spaces.body_from_cells(boxes.reshape(len(boxes), -1, 2))
        moved = apply_affine(maps, corners).reshape(-1, 2, 2, 2)
        low, high = moved.amin(2), moved.amax(2)
        size = torch.tensor(self._spaces.body_size, dtype=torch.float32)
        kept_low, kept_high = (
            edges.clamp(min=torch.zeros(2), max=size - 1) for edges in (low, high)
        )
        left = (kept_high - kept_low).prod(-1) / (high - low).prod(-1).clamp(min=1e-6)
        cells = self._spaces.cells_from_body(torch.stack([kept_low, kept_high], 2))
        return cells.flatten(-2), (left >= _LEAST_LEFT).float()


def _exchanged(mirrored: Tensor, rows: Tensor) -> Tensor:
    """Exchange the hands of rows (B, 2, ...) of mirrored pictures."""
    return torch.where(mirrored.view(-1, *[1] * (rows.dim() - 1)), rows.flip(1), rows)
