"""A table of network sizes.

`official` is the original's, and its checkpoints fit it. `compact` is our own for machines without
a GPU: the same stages, spaces and outputs with narrow ResNet-18 trunks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from interwild_ros.errors import SettingError
from interwild_ros.geometry.spaces import OFFICIAL_SPACES, Spaces

BlockKind = Literal['basic', 'bottleneck']


@dataclass(frozen=True)
class TrunkSize:
    """A ResNet without its classifier: kind of block, blocks a stage, channels of stage one."""

    block: BlockKind
    depths: tuple[int, int, int, int]
    width: int

    @property
    def outputs(self) -> int:
        """Return the channels of the last stage."""
        return self.width * 8 * (4 if self.block == 'bottleneck' else 1)


@dataclass(frozen=True)
class Variant:
    """Everything that decides the shape of the networks.

    `box_width`: channels of the detector's deconvolutions; `rotation_width`: channels that the
    rotation net reads at the joints; `spaces`: what the coordinates mean.
    """

    name: str
    body: TrunkSize
    box_width: int
    hand: TrunkSize
    rotation_width: int
    trans: TrunkSize
    spaces: Spaces = OFFICIAL_SPACES


_R50 = TrunkSize('bottleneck', (3, 4, 6, 3), 64)
_R18 = TrunkSize('basic', (2, 2, 2, 2), 64)
_R18_NARROW = TrunkSize('basic', (2, 2, 2, 2), 32)
_R18_THIN = TrunkSize('basic', (2, 2, 2, 2), 24)

VARIANTS = {
    v.name: v
    for v in (
        Variant('official', _R50, 256, _R50, 512, _R18),
        Variant('compact', _R18_THIN, 96, _R18_NARROW, 128, _R18_THIN),
    )
}


def variant_named(name: str) -> Variant:
    """Look a variant up.

    :raises SettingError: when there is none of this name.
    """
    if name not in VARIANTS:
        raise SettingError(f'variant is {name!r}, wanted one of {", ".join(VARIANTS)}')
    return VARIANTS[name]
