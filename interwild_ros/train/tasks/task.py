"""What is trained: some of the networks, on one kind of batch, for some losses.

The three networks do not share gradients (NETWORKS.md section 15), so each can be trained alone,
on a stream that holds just what it needs; the original's way, all at once, is one more task.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from interwild_ros.networks.interwild import InterWild
from torch import nn, Tensor

Same = TypeVar('Same', bound='Task')


class Task(nn.Module):
    """The networks that are trained, under the names that checkpoints have.

    A subclass says with `forward` what a batch costs: weighted scalar losses by name, whose sum
    is minimised. It may run under autocast.
    """

    # the parts of InterWild that a task trains; the first of them are of the same name in it
    PARTS: tuple[str, ...] = ()

    def __init__(self, networks: InterWild) -> None:
        super().__init__()
        self.spaces = networks.spaces
        for name in self.PARTS:
            self.add_module(name, getattr(networks, name))  # None of variants without it
        self._kept: tuple[nn.Module, ...] = ()

    def keep(self, modules: Iterable[nn.Module]) -> None:
        """Leave some parts as they are: no gradient, and statistics that do not move."""
        self._kept = (*self._kept, *modules)
        for module in self._kept:
            module.requires_grad_(False)
        self.train(self.training)

    def train(self: Same, mode: bool = True) -> Same:
        """Switch to training, all but what is kept."""
        super().train(mode)
        for module in self._kept:
            module.eval()
        return self

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Return the weighted losses of a batch."""
        raise NotImplementedError

    def measure(self, batch: Any) -> Mapping[str, Tensor]:
        """Return measures of validation: (N,) numbers each, whose mean counts."""
        raise NotImplementedError


def as_pictures(pictures: Tensor) -> Tensor:
    """Return RGB pictures 0..1 of bytes, or as they are."""
    return pictures if pictures.is_floating_point() else pictures.float() / 255
