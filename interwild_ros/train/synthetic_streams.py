"""The synthetic world as streams: which domains each task learns from, and what it is told.

A sample's number decides its domain, so that streams stay the same however they are batched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from interwild_ros.geometry.spaces import Spaces
from interwild_ros.networks.variants import variant_named
from interwild_ros.train.recipe_sections import SyntheticData
from interwild_ros.train.streams import HandCrops, Stream
from interwild_ros.train.synthetic.crops import CropMaker
from interwild_ros.train.synthetic.domains import STUDIO, WILD
import torch

Batch = TypeVar('Batch', bound=tuple[torch.Tensor, ...])

_STUDIO_PERIOD = 4  # of the mixture of both, every so many samples is of the studio
_PARTS = {'studio': (STUDIO,), 'wild': (WILD,)}


class HandCropStream:
    """Crops for SHNet."""

    def __init__(self, data: SyntheticData, spaces: Spaces, seed: int) -> None:
        self._spaces = spaces
        self._makers = [CropMaker(domain, seed=seed, spaces=spaces) for domain in domains_of(data)]

    def draw(self, indices: Sequence[int]) -> HandCrops:
        """Return the samples of these indices."""
        return mixed([self._of(maker) for maker in self._makers], indices)

    def _of(self, maker: CropMaker) -> Callable[[Sequence[int]], HandCrops]:
        def draw(indices: Sequence[int]) -> HandCrops:
            made, spaces = maker.make(indices), self._spaces
            xy = spaces.volume_from_crop(made.joints_px)
            z = spaces.volume_from_depth_m(made.joints_m[..., 2:])
            return HandCrops(
                pictures=made.pictures,
                joints=torch.cat([xy, z], dim=-1),
                joints_seen=((xy >= 0) & (xy < spaces.volume_cells)).all(-1).float(),
                joints_m=made.joints_m,
                vertices_m=made.vertices_m,
                pose=made.pose,
                betas=made.betas,
                counts=made.counts.float(),
                has_other=made.is_pair.float(),
            )

        return draw


def make_stream(task: str, variant: str, data: SyntheticData, seed: int) -> Stream[Any]:
    """Build a task's stream."""
    spaces = variant_named(variant).spaces
    return {'shnet': HandCropStream}[task](data, spaces, seed)


def domains_of(data: SyntheticData) -> tuple[Any, ...]:
    """Return the domains that are drawn from."""
    return (STUDIO, WILD) if data.domain == 'both' else _PARTS[data.domain]


def mixed(draws: Sequence[Callable[[Sequence[int]], Batch]], indices: Sequence[int]) -> Batch:
    """Draw each sample from its own of one or two sources, and lay them in one batch."""
    if len(draws) == 1:
        return draws[0](indices)
    shares = [
        [i for i in indices if (i % _STUDIO_PERIOD == 0) == is_first] for is_first in (True, False)
    ]
    batches = [draw(share) for draw, share in zip(draws, shares, strict=True) if share]
    return type(batches[0])(*(torch.cat(parts) for parts in zip(*batches, strict=True)))
