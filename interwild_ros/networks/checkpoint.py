"""From a checkpoint file to networks: strict, and never running what a pickle may hold.

Source: NETWORKS.md sections 3 and 14.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
import hashlib
from pathlib import Path
import pickle
from typing import Any
import zipfile

from interwild_ros.errors import AssetError
from interwild_ros.geometry.rotations import AxisAngle
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.rule_weights import fill_by_rule, RULE_NAME
from interwild_ros.networks.variants import variant_named, VARIANTS
from safetensors import SafetensorError
from safetensors.torch import load_file
import torch
from torch import nn, Tensor

WRAPPER = 'module.'  # DataParallel writes it before every name
SHIPPED = Path(__file__).parent / 'assets' / 'compact.safetensors'
OPTIONAL_PARTS = ('hand_kind_net', 'body_roi_net')  # weights may be older than these
SHIPPED_NAME = 'compact (shipped)'
_IGNORED = 'mano_layer'  # buffers of the hand model: licensed, removed from checkpoints, not ours
_TELLING = 'hand_roi_net.backbone.conv1.weight'
_LISTED = 8


@dataclass(frozen=True)
class Weights:
    """Where weights came from. `meaningful` is False for rule-made ones; `sha256` is then ''."""

    name: str
    meaningful: bool
    sha256: str = ''


def build_networks(
    variant: str, weights: str = '', *, axis_angle: AxisAngle | None = None
) -> tuple[InterWild, Weights]:
    """Build networks in evaluation mode, on the CPU.

    :param variant: 'official', 'compact', or 'auto': that of the weights file, compact without.
    :param weights: checkpoint file (.pth, .pt or .safetensors); empty takes those that ship with
        the package for the compact variant, and where there are none fills them by rule, as
        RULE_NAME does for every variant.
    :param axis_angle: None takes what the variant was trained with.
    :raises AssetError: when the file cannot be read or holds another network.
    """
    is_file = weights not in ('', RULE_NAME)
    if variant == 'auto':
        variant = variant_of(Path(weights)) if is_file else 'compact'
    networks = InterWild(variant_named(variant), axis_angle=axis_angle).eval()
    is_shipped = not weights and variant == 'compact' and SHIPPED.is_file()
    if not is_file and not is_shipped:
        fill_by_rule(networks)
        leave_out(networks, OPTIONAL_PARTS)  # the rule is for the original's parts
        return networks, Weights(RULE_NAME, meaningful=False)
    path = SHIPPED if is_shipped else Path(weights)
    leave_out(networks, load_checkpoint(networks, path, optional=OPTIONAL_PARTS))
    name = SHIPPED_NAME if is_shipped else path.name
    return networks, Weights(name, meaningful=True, sha256=file_sha256(path))


def load_checkpoint(
    networks: nn.Module, path: Path, *, optional: Collection[str] = ()
) -> tuple[str, ...]:
    """Load a checkpoint into networks, every name and shape exactly.

    The file is the original's training snapshot, a plain state_dict, or safetensors; names may
    begin with `module.`; `mano_layer.*` is ignored. Half precision becomes the networks' own.

    :param optional: parts that the file may lack, whole: they stay as they are.
    :returns: which of them it lacks.
    :raises AssetError: naming what is missing, extra or of another shape.
    """
    state = _official_names(_read_state(path), path)
    wanted = networks.state_dict()
    has = {part_of(name) for name in state}
    lacking = tuple(p for p in optional if p not in has and p in {part_of(n) for n in wanted})
    kept = {name: tensor for name, tensor in wanted.items() if part_of(name) in lacking}
    state |= kept
    _compare(state, wanted, path)
    networks.load_state_dict(state)
    return lacking


def leave_out(networks: InterWild, parts: Iterable[str]) -> None:
    """Take away parts that the networks do without, as those do whose weights are older.

    Weights without the kind net were trained all at once, as the original's are, and speak of the
    camera's axes as these do.
    """
    for part in parts:
        setattr(networks, part, None)
    if networks.hand_kind_net is None:
        networks.spaces = replace(networks.spaces, along_sight=False, upright=False)


def variant_of(path: Path) -> str:
    """Return the variant that a checkpoint is most likely of, by its hand trunk.

    :raises AssetError: when the file cannot be read.
    """
    stem = _official_names(_read_state(path), path).get(_TELLING)
    width = 0 if stem is None else stem.shape[0]
    named = (name for name, variant in VARIANTS.items() if variant.hand.width == width)
    return next(named, 'official')


def part_of(name: str) -> str:
    """Return which of the networks' parts a tensor of this name belongs to."""
    return name.split('.')[0]


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read_state(path: Path) -> Mapping[Any, Any]:
    if not path.is_file():
        raise AssetError(f'weights {path}: no such file')
    try:
        if path.suffix == '.safetensors':
            return load_file(path)
        content = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError as error:
        raise AssetError(
            f'weights {path}: refused, not plain tensors and numbers ({_first_line(error)})'
        ) from None
    except (RuntimeError, EOFError, ValueError, KeyError, SafetensorError) as error:
        raise AssetError(f'weights {path}: damaged or truncated ({_first_line(error)})') from None
    except (OSError, zipfile.BadZipFile) as error:
        raise AssetError(f'weights {path}: cannot be read ({_first_line(error)})') from None
    if isinstance(content, Mapping) and isinstance(content.get('network'), Mapping):
        content = content['network']
    if not isinstance(content, Mapping):
        raise AssetError(
            f'weights {path}: holds a {type(content).__name__}, wanted a dictionary of tensors'
        )
    return content


def _official_names(state: Mapping[Any, Any], path: Path) -> dict[str, Tensor]:
    named: dict[str, Tensor] = {}
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise AssetError(
                f'weights {path}: {name!r} is a {type(value).__name__}, wanted a tensor by name'
            )
        if _IGNORED not in name:
            named[name.removeprefix(WRAPPER)] = value
    return named


def _compare(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> None:
    wrong = [
        f'{name} is {tuple(found[name].shape)}, wanted {tuple(tensor.shape)}'
        for name, tensor in wanted.items()
        if name in found and found[name].shape != tensor.shape
    ]
    groups = (
        ('missing', [n for n in wanted if n not in found]),
        ('not of this network', [n for n in found if n not in wanted]),
        ('of another shape', wrong),
    )
    problems = [f'{len(names)} {what}: {_shortened(names)}' for what, names in groups if names]
    if problems:
        raise AssetError(
            f'weights {path}: holds {len(found)} tensors, wanted {len(wanted)}; '
            + '; '.join(problems)
        )


def _shortened(names: Iterable[str]) -> str:
    names = list(names)
    rest = len(names) - _LISTED
    return ', '.join(names[:_LISTED]) + (f' and {rest} more' if rest > 0 else '')


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
