"""From checkpoints of training to weight files that run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from interwild_ros.errors import SettingError, TrainingError
from interwild_ros.networks.checkpoint import WRAPPER
from interwild_ros.networks.interwild import InterWild
from interwild_ros.train.snapshots import read_snapshot
from interwild_ros.train.whole_file import whole_file
from safetensors.torch import save
import torch
from torch import Tensor

SUFFIXES = ('.safetensors', '.pth')


def load_trained(
    networks: InterWild, snapshots: Iterable[Path], *, kept: float = 0.0
) -> tuple[str, ...]:
    """Put what tasks have learned into networks, in place; returns names of parts without.

    :param kept: share of the networks' own weights in the mean that they become. Between weights
        and what was trained from them there is as a rule no hill, and half of both is often better
        than either where nothing was trained (Wortsman et al. 2022, robust fine-tuning).
    :raises AssetError: when a checkpoint cannot be read.
    :raises TrainingError: when it is of other networks.
    """
    learned: dict[str, Tensor] = {}
    for path in snapshots:
        saved = read_snapshot(path)
        learned |= saved['average'] or saved['network']
    if kept:
        before = networks.state_dict()
        learned = {
            name: torch.lerp(tensor, before[name].to(tensor), kept)
            if tensor.is_floating_point() and name in before
            else tensor
            for name, tensor in learned.items()
        }
    try:
        missing, extra = networks.load_state_dict(learned, strict=False)
    except RuntimeError as error:  # another shape, which it names
        raise TrainingError(f'what was trained is of other networks: {error}') from None
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
    if path.suffix not in SUFFIXES:
        raise SettingError(f'export to {path}: wanted a name with {" or ".join(SUFFIXES)}')
    with whole_file(path, 'weights') as file:
        if path.suffix == '.pth':
            torch.save(_official(state), file)
        else:
            file.write(save(state, metadata={'variant': networks.variant.name}))


def _official(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what the original keeps after an epoch, but for its optimizer's state."""
    network = {WRAPPER + name: tensor for name, tensor in state.items()}
    return {'epoch': 0, 'network': network, 'optimizer': {}}


def _halved(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.is_floating_point() and tensor.dim() > 1 else tensor
