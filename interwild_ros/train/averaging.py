"""A running average of weights: smoother than any one step's, and better at the end."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Network = TypeVar('Network', bound=nn.Module)

_EARLY_STEPS = 20


class RunningAverage(Generic[Network]):
    """Keeps the average of a network as a network of its own, in evaluation mode.

    With decay 0 the network itself, as it is, stands for its average.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self._decay = decay
        self.network = network
        if decay:
            self.network = copy.deepcopy(network).requires_grad_(False).eval()

    def update(self, network: Network, step: int) -> None:
        """Take the weights after a step in; the first steps count for more."""
        if not self._decay:
            return
        share = 1 - min(self._decay, (step + 1) / (step + 1 + _EARLY_STEPS))
        with torch.no_grad():
            mine, theirs = self.network.state_dict(), network.state_dict()
            numbers = [name for name, tensor in mine.items() if tensor.is_floating_point()]
            torch._foreach_lerp_([mine[n] for n in numbers], [theirs[n] for n in numbers], share)
            for name in mine.keys() - set(numbers):
                mine[name].copy_(theirs[name])
