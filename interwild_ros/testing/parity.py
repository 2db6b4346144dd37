"""Our networks against the original's: the same rule-made weights, the same input, every value.

A golden file holds `out/<key>` (NETWORKS.md section 12) and `mid/<name>` (section 18.3); a float64
golden holds the same under `<input>/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
import tempfile
from typing import Any

from interwild_ros.errors import AssetError
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.networks.interwild import InterWild
from interwild_ros.testing.intermediates import blocks
from interwild_ros.testing.parity_hand import write_parity_mano
import numpy as np
import torch
from torch import Tensor

# absolute float32 limits of NETWORKS.md section 18.4, by a part of the key; the first match wins
OUTPUT_LIMITS = (
    ('bbox', 1e-3),
    ('joint_img', 0.1),
    ('_pose', 3e-4),
    ('mano_shape', 1e-4),
    ('mano_', 3e-5),
    ('rel_trans', 1e-4),
    ('root_cam', 3e-6),
    ('render_rfocal', 5e-3),
    ('render_lfocal', 0.1),
    ('render_focal', 1.0),
    ('princpt', 0.1),
    ('img', 0.0),
)
MID_LIMIT = 1e-3  # of the largest value; float32 noise of the original itself reaches 2e-4 of it
F64_LIMIT = 1e-7  # of the largest value


@dataclass(frozen=True)
class Row:
    """One comparison: the largest absolute difference and its limit."""

    name: str
    difference: float
    limit: float

    @property
    def is_ok(self) -> bool:
        """Return whether the difference is within the limit."""
        return self.difference <= self.limit

    @property
    def ratio(self) -> float:
        """Return the difference as a share of the limit."""
        return self.difference / self.limit if self.limit else float(not self.is_ok)


def official_with_rule_weights() -> tuple[InterWild, HandPair]:
    """Build what the goldens were made with: networks by rule, and the MANO look-alike."""
    networks, _ = build_networks('official')
    with tempfile.TemporaryDirectory() as folder:
        write_parity_mano(Path(folder))
        hand_models = HandPair(*find_hand_models(folder))
    return networks, hand_models


def golden_input(golden: Mapping[str, Any]) -> Tensor:
    """Return the picture (1, 3, 512, 384) a golden was made from: its own, or a seeded draw.

    :raises AssetError: when the golden's block means belong to no known picture.
    """
    if 'out/img' in golden:
        return torch.from_numpy(golden['out/img'])
    for seed in (1, 2):
        draw = np.random.default_rng(seed).random((1, 3, 512, 384)).astype(np.float32)
        picture = torch.from_numpy(draw)
        if np.abs(blocks(picture, 32)[0].numpy() - golden['mid/input_16x12']).max() < 1e-5:
            return picture
    raise AssetError('golden: its mid/input_16x12 belongs to no known picture')


def compare(
    values: Mapping[str, Tensor], golden: Mapping[str, Any], *, prefix: str = ''
) -> Iterator[Row]:
    """Compare every golden value that we have; float64 ones relative to the largest value."""
    for name in golden:
        key = name.removeprefix(prefix)
        ours = _select(values, key) if name.startswith(prefix) else None
        if ours is None:
            continue
        theirs = golden[name]
        difference = float(np.abs(ours.double().numpy() - theirs).max())
        yield Row(key, difference, _limit(key, theirs))


def missing_outputs(values: Mapping[str, Tensor], golden: Mapping[str, Any]) -> list[str]:
    """Return the output keys of section 12 that the golden has and we have not."""
    return [name for name in golden if name.startswith('out/') and name not in values]


def _limit(key: str, theirs: Any) -> float:
    largest = float(np.abs(theirs).max())
    if theirs.dtype == np.float64:
        return F64_LIMIT * largest
    if key.startswith('out/') and not key.endswith('conf'):
        return next(limit for part, limit in OUTPUT_LIMITS if part in key)
    return MID_LIMIT * largest


def _select(values: Mapping[str, Tensor], key: str) -> Tensor | None:
    """Return our value for a golden key: whole, its first channels, or a statistic of it."""
    if key in values:
        return values[key]
    name, _, part = key.rpartition('.')
    if name in values and part in ('mean', 'std', 'absmax'):
        value = values[name]
        if part == 'absmax':
            return value.abs().max()
        return value.mean() if part == 'mean' else value.std(correction=0)
    name, _, channels = key.partition('[:,:')
    if name in values and channels:
        return values[name][:, : int(channels.rstrip(']'))]
    return None
