"""Muon: momentum whose matrices are made orthogonal, for the kernels in the middle of networks.

Every direction that a kernel can learn in moves alike, so it learns from fewer samples than with
Adam. Steps are scaled to be as large as AdamW's, so that one learning rate serves both; everything
that is no such kernel is left to AdamW's rule. Sources: Jordan et al. 2024 (Muon), Liu et al. 2025
(the scale).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn, Tensor

_MOMENTUM = 0.95
_BETAS = (0.9, 0.999)
_EPS = 1e-8
_ADAM_RMS = 0.2  # of AdamW's steps, as a rule
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)  # pulls singular values to about 1
_ROUNDS = 5
_COLOURS = 3


class Muon(torch.optim.Optimizer):
    """Muon for spatial kernels of deeper layers, AdamW for the rest."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, *, weight_decay: float = 0.0
    ) -> None:
        """Sort the parameters.

        :param lr: learning rate, as AdamW's.
        :param weight_decay: decoupled, as AdamW's.
        """
        kept = list(parameters)
        kernels = [p for p in kept if _is_deep_kernel(p)]
        others = [p for p in kept if not _is_deep_kernel(p)]
        groups = [
            {'params': params, 'is_orthogonal': is_orthogonal}
            for params, is_orthogonal in ((kernels, True), (others, False))
            if params
        ]
        super().__init__(groups, {'lr': lr, 'weight_decay': weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """Change the weights by their gradients."""
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            move = self._move_kernel if group['is_orthogonal'] else self._move
            for parameter in group['params']:
                if parameter.grad is not None:
                    parameter.mul_(1 - group['lr'] * group['weight_decay'])
                    move(parameter, parameter.grad, group['lr'])
        return loss

    def _move_kernel(self, parameter: Tensor, gradient: Tensor, rate: float) -> None:
        state = self.state[parameter]
        if not state:
            state['momentum'] = torch.zeros_like(gradient)
        momentum: Tensor = state['momentum']
        momentum.lerp_(gradient, 1 - _MOMENTUM)
        ahead = gradient.lerp(momentum, _MOMENTUM)
        matrix = ahead.reshape(len(ahead), -1)
        step = _orthogonal(matrix) * (_ADAM_RMS * max(matrix.shape) ** 0.5)
        parameter.sub_(step.view_as(ahead), alpha=rate)

    def _move(self, parameter: Tensor, gradient: Tensor, rate: float) -> None:
        state = self.state[parameter]
        if not state:
            state['count'] = torch.zeros(())
            state['mean'], state['square'] = (torch.zeros_like(gradient) for _ in range(2))
        state['count'] += 1
        first, second = (1 - beta ** float(state['count']) for beta in _BETAS)
        mean: Tensor = state['mean'].lerp_(gradient, 1 - _BETAS[0])
        square: Tensor = state['square'].mul_(_BETAS[1])
        square.addcmul_(gradient, gradient, value=1 - _BETAS[1])
        parameter.addcdiv_(mean, (square / second).sqrt_().add_(_EPS), value=-rate / first)


def _is_deep_kernel(parameter: Tensor) -> bool:
    """Return whether a parameter is a kernel of more than one cell over features."""
    is_spatial = parameter.dim() == 4 and parameter[0, 0].numel() > 1
    return is_spatial and parameter.shape[1] > _COLOURS


def _orthogonal(matrix: Tensor) -> Tensor:
    """Return about U V^T of a matrix U S V^T, by Newton-Schulz steps in half precision."""
    a, b, c = _POLYNOMIAL
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = wide.bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * (square @ square)) @ x
    out: Tensor = x if matrix.shape[0] <= matrix.shape[1] else x.T
    return out.to(matrix.dtype)
