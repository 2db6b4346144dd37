"""A device whose tensors have no values: what would have a GPU and the CPU wait shows on it.

PyTorch's `meta` device runs every operation without doing it. Reading a value off it fails, as
nothing else does, and what moves between it and the CPU is seen by `Transfers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

VALUELESS = torch.device('meta')


class Transfers(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes what moves between the CPU and the device: `waiting` on one another, and `async_`."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.waiting: list[str] = []
        self.async_: list[str] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation, and look where its tensors are."""
        options = kwargs or {}
        out = func(*args, **options)
        tensors = [leaf for leaf in tree_leaves((args, options, out)) if torch.is_tensor(leaf)]
        if len({tensor.device.type for tensor in tensors}) > 1:
            kept = self.async_ if options.get('non_blocking') else self.waiting
            kept.append(str(func))
        return out


@contextmanager
def valueless_device() -> Iterator[torch.device]:
    """Let networks run on the device; numbers that Python brings there from the CPU are refused.

    :raises AssertionError: within the block, where a tensor is made there of Python's numbers.
    """
    autocast, new_tensor = torch.autocast, torch.Tensor.new_tensor

    def no_autocast(kind: str, **options: Any) -> Any:
        return nullcontext() if kind == VALUELESS.type else autocast(kind, **options)

    def refusing(like: Tensor, data: Any, **options: Any) -> Tensor:
        if like.device == VALUELESS:
            raise AssertionError(f'{data} goes to the device, which waits for it')
        return new_tensor(like, data, **options)

    quiet, strict = (
        patch.object(torch, 'autocast', no_autocast),
        patch.object(Tensor, 'new_tensor', refusing),
    )
    with quiet, strict:
        yield VALUELESS
