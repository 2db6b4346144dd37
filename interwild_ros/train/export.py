"""From checkpoints of training to weight files that run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
import io
import os
from pathlib import Path
from typing import Any

from interwild_ros.errors import SettingError, TrainingError
from interwild_ros.networks.checkpoint import WRAPPER
from interwild_ros.networks.interwild import InterWild
from interwild_ros.train.snapshots import read_snapshot
from safetensors.torch import save
import torch
from torch import Tensor

SUFFIXES = ('.safetensors', '.pth')


def load_trained(networks: InterWild, snapshots: Iterable[Path]) -> tuple[str, ...]:
    """Put what tasks have learned into networks, in place; returns names of parts without.

    :raises AssetError: when a checkpoint cannot be read.
    """
    learned: dict[str, Tensor] = {}
    for path in snapshots:
        saved = read_snapshot(path)
        learned |= saved['average'] or saved['network']
    missing, extra = networks.load_state_dict(learned, strict=False)
    if extra:
        raise TrainingError(f'{len(extra)} weights are not of these networks: {extra[0]} ...')
    return tuple(sorted({name.split('.')[0] for name in missing}))


def export(networks: InterWild, path: Path, *, halved: bool = False) -> None:
    """Write weights: `.safetensors`, or `.pth` in the layout of the official checkpoints.

    :param halved: in float16, but for biases and what normalises, whose range may be too wide.
    :raises SettingError: for another suffix.
    :raises TrainingError: when the file cannot be written; what stood there before still does.
    """
    state = {name: t.detach().cpu().contiguous() for name, t in networks.state_dict().items()}
    if halved:
        state = {name: _halved(tensor) for name, tensor in state.items()}
    if path.suffix == '.safetensors':
        _write(path, save(state, metadata={'variant': networks.variant.name}))
    elif path.suffix == '.pth':
        _write(path, _official(state))
    else:
        raise SettingError(f'export to {path}: wanted a name with {" or ".join(SUFFIXES)}')


def _official(state: Mapping[str, Tensor]) -> bytes:
    content: dict[str, Any] = {
        'epoch': 0,
        'network': {WRAPPER + name: tensor for name, tensor in state.items()},
        'optimizer': {},
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _halved(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.is_floating_point() and tensor.dim() > 1 else tensor


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f'.{path.name}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TrainingError(f'weights {path}: cannot be written ({error})') from None
