"""Half precision by autocast, and the scaling of gradients that float16 needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from interwild_ros.errors import SettingError
import torch
from torch import nn, Tensor

_TYPES = {'bfloat16': torch.bfloat16, 'float16': torch.float16}


class Precision:
    """How the networks compute on a device."""

    def __init__(self, name: str, device: torch.device) -> None:
        """Choose float32, bfloat16 or float16.

        :raises SettingError: for float16 on a CPU.
        """
        if name == 'float16' and device.type == 'cpu':
            raise SettingError('precision is float16 on a CPU, wanted float32 or bfloat16 there')
        self._type = _TYPES.get(name)
        self._device = device
        self._scaler = torch.amp.GradScaler(device.type, enabled=name == 'float16')

    def autocast(self) -> torch.autocast:
        """Return the context in which the networks run."""
        return torch.autocast(self._device.type, dtype=self._type, enabled=self._type is not None)

    def backward(self, loss: Tensor) -> None:
        """Add gradients of a loss."""
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def clip(
        self, optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], limit: float
    ) -> float:
        """Shorten the gradient to a norm, 0 for none; returns the norm that it had.

        The norm is 0 in float16, whose scaler looks after gradients that are no numbers.
        """
        self._scaler.unscale_(optimizer)
        norm = nn.utils.clip_grad_norm_(parameters, limit or float('inf'))
        return 0.0 if self._scaler.is_enabled() else float(norm)

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Change the weights."""
        self._scaler.step(optimizer)
        self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the scaler's state."""
        return dict(self._scaler.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the scaler's state over."""
        if state:
            self._scaler.load_state_dict(state)
