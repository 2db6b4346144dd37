"""The choice of what runs the networks: the same calls, the same numbers, at different speeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from interwild_ros.errors import SettingError
from interwild_ros.networks.folding import folded
from interwild_ros.networks.in_bfloat16 import has_quick_bfloat16, in_bfloat16
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.on_cuda_graphs import RecordedNetworks
from interwild_ros.networks.on_openvino import has_openvino, on_openvino
import torch


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Have PyTorch use so many threads within the block, None as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True, eq=False)
class Engine:
    """Networks that are ready to run, what runs them, and what has to be said of the choice.

    `threads` are those of PyTorch for what is done between the networks, None as many as it has.
    """

    networks: InterWild
    name: str
    warnings: tuple[str, ...] = ()
    threads: int | None = None


def choose_engine(
    networks: InterWild, device: torch.device, wanted: str = 'auto', precision: str = 'float32'
) -> Engine:
    """Return the networks as the quickest engine that is here runs them on a device.

    :param networks: in evaluation mode; they stay as they are.
    :param wanted: auto, torch, openvino or cuda_graphs; `precision`: float32 or bfloat16, see
        Settings.
    :raises SettingError: for OpenVINO where it is not installed, or on a GPU, and for CUDA graphs
        without one.
    """
    is_cpu = device.type == 'cpu'
    if wanted == 'openvino' and not is_cpu:
        raise SettingError(f'engine is openvino, which runs on the CPU, but device is {device}')
    if wanted == 'cuda_graphs' and device.type != 'cuda':
        raise SettingError(f'engine is cuda_graphs, which runs on a GPU, but device is {device}')
    warnings: tuple[str, ...] = ()
    if precision == 'bfloat16' and is_cpu and not has_quick_bfloat16():
        precision = 'float32'
        warnings = ('precision is bfloat16, which this CPU lacks: float32 used',)
    ready, is_half = folded(networks).to(device), precision == 'bfloat16'
    if wanted == 'openvino' or (wanted == 'auto' and is_cpu and has_openvino()):
        compiled = on_openvino(ready, trunks='bfloat16' if is_half else 'float32')
        # where OpenVINO does the work, only so little is left that sharing it costs more than it
        return Engine(compiled, f'openvino {precision}', warnings, threads=1)
    eager = in_bfloat16(ready) if is_half else ready
    if wanted == 'cuda_graphs':
        return Engine(RecordedNetworks(eager), f'cuda_graphs {precision}', warnings)
    return Engine(eager, f'torch {precision}', warnings)
