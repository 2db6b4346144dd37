"""What the compact variant's three tasks are trained on: endless streams of drawn samples.

A sample follows from the stream's seed and its own index alone, so that batches of any size, any
number of workers and a resumed run all see the same samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

from torch import Tensor

Batch_co = TypeVar('Batch_co', covariant=True)

RIGHT_KIND, LEFT_KIND, NO_KIND, UNKNOWN = 0, 1, 2, -1  # of what a crop shows
HELD_OUT_SEED = 1_000_003  # is added to the recipe's, for samples that are never trained on


class Stream(Protocol[Batch_co]):
    """Draws batches of samples by their indices."""

    def draw(self, indices: Sequence[int]) -> Batch_co:
        """Return the samples of these indices as one batch."""


class HandCrops(NamedTuple):
    """Crops as SHNet sees them, all right hands (left ones mirrored): task `shnet`.

    * `pictures` (B, 3, S, S) RGB uint8
    * `joints` (B, 21, 3) volume cells, depths relative to the wrist
    * `joints_seen` (B, 21) 1.0 where a joint lies inside the crop, else 0.0
    * `joints_m` (B, 21, 3), `vertices_m` (B, 778, 3): relative to the wrist, in the axes that the
      networks speak of, see `Spaces.along_sight`; so are depths, and the first of `pose`
    * `pose` (B, 48) axis-angle rad of the right model, the mean pose not included; `betas` (B, 10)
    * `counts` (B,) 1.0 where enough of the hand is seen to learn from it, else 0.0
    * `has_other` (B,) 1.0 where there is another hand in the picture: for validation
    * `kinds` (B,) int64: a right hand, a left one that is not mirrored, or none in the middle;
      UNKNOWN where too little is seen to tell
    """

    pictures: Tensor
    joints: Tensor
    joints_seen: Tensor
    joints_m: Tensor
    vertices_m: Tensor
    pose: Tensor
    betas: Tensor
    counts: Tensor
    has_other: Tensor
    kinds: Tensor


class BodyPictures(NamedTuple):
    """Pictures as DetectNet sees them: task `detectnet`. Right hands come first.

    * `pictures` (B, 3, H, W) RGB uint8, of `Spaces.body_size`
    * `boxes` (B, 2, 4) x1 y1 x2 y2 detector cells
    * `boxes_valid` (B, 2) 1.0 where the hand is there, else 0.0
    * `known_absent` (B, 2) 1.0 where no part of the hand is in the picture; a hand that is hardly
      seen is neither valid nor absent
    """

    pictures: Tensor
    boxes: Tensor
    boxes_valid: Tensor
    known_absent: Tensor


class JointPairs(NamedTuple):
    """Both hands' 2.5D joints as SHNet would read them, with its errors: task `transnet`.

    * `joints` (B, 2, 21, 3) volume cells, right hands first, un-mirrored
    * `input_from_crop` (B, 2, 2, 3) of the un-mirrored crops
    * `left_from_right_m` (B, 3) left wrist minus right wrist
    * `interacting` (B,) 1.0 or 0.0: for validation
    """

    joints: Tensor
    input_from_crop: Tensor
    left_from_right_m: Tensor
    interacting: Tensor
