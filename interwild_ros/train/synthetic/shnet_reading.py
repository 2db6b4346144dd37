"""What a trained SHNet says of drawn hands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from interwild_ros.networks.interwild import InterWild
from interwild_ros.train.tasks.task import as_pictures
import torch
from torch import Tensor

_READ_AT_ONCE = 64


def read_until(
    networks: InterWild,
    draw: Callable[[Sequence[int]], Any],
    read: Callable[[Any], tuple[Tensor, ...]],
    count: int,
) -> list[Tensor]:
    """Read samples from the first one on until `count` are read, and return what they say.

    :param read: makes rows of a drawn batch, of those samples that count; the networks evaluate.
    """
    parts: list[tuple[Tensor, ...]] = []
    start, was_training = 0, networks.training
    networks.eval()
    while (missing := count - sum(len(part[0]) for part in parts)) > 0:
        numbers = range(start, start + min(missing, _READ_AT_ONCE))
        parts.append(read(draw(numbers)))
        start = numbers.stop
    networks.train(was_training)
    return [torch.cat(rows) for rows in zip(*parts, strict=True)]


@torch.no_grad()
def said_joints(networks: InterWild, pictures: Tensor) -> Tensor:
    """Return the joints (N, 21, 3), volume cells, that SHNet finds in crops, on the CPU."""
    device = next(networks.parameters()).device
    features = networks.hand_roi_net(as_pictures(pictures.to(device)))
    found: Tensor = networks.hand_position_net(features)
    return found.cpu()
