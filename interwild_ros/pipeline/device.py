"""The choice of the device that the networks run on."""

from __future__ import annotations

from interwild_ros.errors import DeviceError, SettingError
import torch


def choose_device(wanted: str, *, require_gpu: bool) -> tuple[torch.device, tuple[str, ...]]:
    """Return the device to use, and a warning when it is not the one that was wanted.

    :param wanted: auto, cpu, cuda or cuda:N.
    :raises SettingError: for another word.
    :raises DeviceError: when `require_gpu` and there is no such GPU.
    """
    kind, _, index = wanted.partition(':')
    if kind not in ('auto', 'cpu', 'cuda') or (index and not (kind == 'cuda' and index.isdigit())):
        raise SettingError(f'device is {wanted!r}, wanted auto, cpu, cuda or cuda:N')
    count = torch.cuda.device_count()
    if kind != 'cpu' and count > int(index or 0):
        return torch.device('cuda', int(index or 0)), ()
    if require_gpu:
        raise DeviceError(f'require_gpu is set and device is {wanted}, but {count} GPUs are here')
    if kind != 'cuda':
        return torch.device('cpu'), ()
    return torch.device('cpu'), (
        f'device {wanted} was asked for, {count} GPUs are here: CPU used',
    )
