"""The processes that train together, as torchrun starts them; one alone is a world, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
import os

from interwild_ros.errors import DeviceError
from interwild_ros.pipeline.device import choose_device
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class World:
    """This process's place: `rank` of `size`, and the device that it trains on."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Return whether this process writes files and logs."""
        return self.rank == 0

    def highest(self, values: Sequence[float]) -> list[float]:
        """Return the highest of each value over all processes."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX)
        found: list[float] = tensor.tolist()
        return found

    def together(self, network: nn.Module) -> nn.Module:
        """Return a network whose gradients are means over all processes."""
        if self.size == 1:
            return network
        devices = [self.device] if self.device.type == 'cuda' else None
        return DistributedDataParallel(network, device_ids=devices)


@contextmanager
def joined_world(device: str) -> Iterator[World]:
    """Join the other processes, if torchrun started this one.

    :param device: auto, cpu, cuda or cuda:N; on GPUs each process of a machine takes its own.
    :raises DeviceError: when there are fewer GPUs than processes.
    """
    size = int(os.environ.get('WORLD_SIZE', '1'))
    if size == 1:
        yield World(_alone(device))
        return
    chosen = _of_process(device, int(os.environ.get('LOCAL_RANK', '0')))
    distributed.init_process_group('nccl' if chosen.type == 'cuda' else 'gloo')
    try:
        yield World(chosen, distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


def _alone(device: str) -> torch.device:
    chosen, _ = choose_device(device, require_gpu=device.startswith('cuda'))
    return chosen


def _of_process(device: str, local_rank: int) -> torch.device:
    count = torch.cuda.device_count()
    if device == 'cpu' or (device == 'auto' and count == 0):
        return torch.device('cpu')
    if local_rank >= count:
        raise DeviceError(f'process {local_rank} of this machine has no GPU: {count} are here')
    torch.cuda.set_device(local_rank)
    return torch.device('cuda', local_rank)
