"""A table of network sizes.

`official` is the original's, and its checkpoints fit it. `compact` is our own for machines without
a GPU: the same stages and outputs with narrow ResNet-18 trunks on smaller crops. What a smaller
crop loses in its last features, a neck over the trunk's stages brings back; the detector has such
a neck in place of the deconvolutions, which finds small hands with far less training, and a trunk
of the hands' kind, one stage shorter, so that it can begin with what SHNet has learned. Which hand
of the two it is, and whether it is one at all, is told from its crop, where it is large enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from interwild_ros.errors import SettingError
from interwild_ros.geometry.rotations import AxisAngle
from interwild_ros.geometry.spaces import OFFICIAL_SPACES, Spaces

BlockKind = Literal['basic', 'bottleneck']


@dataclass(frozen=True)
class TrunkSize:
    """A ResNet without its classifier: kind of block, blocks a stage, channels of stage one."""

    block: BlockKind
    depths: tuple[int, ...]
    width: int

    @property
    def outputs(self) -> int:
        """Return the channels of the last stage."""
        return self.stage_outputs(len(self.depths) - 1)

    def stage_outputs(self, stage: int) -> int:
        """Return the channels of a stage, counted from 0."""
        return (self.width << stage) * (4 if self.block == 'bottleneck' else 1)


@dataclass(frozen=True)
class Variant:
    """Everything that decides the shape of the networks.

    `box_width`: channels of the detector's fine features, which come out of deconvolutions, or
    with `has_box_neck` out of a neck over all stages of its trunk; `peak_radius`: cells of a
    centre map that count, about its peak, 0 for all; `rotation_width`: channels that the rotation
    net reads at the joints; `spaces`: what the coordinates mean; `neck_width`:
    channels of the hand trunk's fused features at stride 8, 0 for its last features alone;
    `rotation_hidden`: width of a hidden layer before the pose, 0 for none; `kind_hidden`: of the
    layer before what tells right hands from left ones and from none, 0 without it, as the original
    is; `roi_hidden`: of the layers that look at the detector's places again, likewise;
    `axis_angle`: what its weights were trained with, see `rotations.axis_angle_from_matrix`
    (NETWORKS.md Q3).
    """

    name: str
    body: TrunkSize
    box_width: int
    hand: TrunkSize
    rotation_width: int
    trans: TrunkSize
    spaces: Spaces = OFFICIAL_SPACES
    has_box_neck: bool = False
    peak_radius: int = 0
    neck_width: int = 0
    rotation_hidden: int = 0
    kind_hidden: int = 0
    roi_hidden: int = 0
    axis_angle: AxisAngle = 'legacy'

    @property
    def hand_features(self) -> int:
        """Return the channels that the hand heads see."""
        return self.neck_width or self.hand.outputs


_R50 = TrunkSize('bottleneck', (3, 4, 6, 3), 64)
_R18 = TrunkSize('basic', (2, 2, 2, 2), 64)
_R18_NARROW = TrunkSize('basic', (2, 2, 2, 2), 32)
_R18_NARROW_AND_SHORT = TrunkSize('basic', (2, 2, 2), 32)
_R18_THINNEST = TrunkSize('basic', (2, 2, 2, 1), 16)

COMPACT_SPACES = Spaces(
    input_size=(640, 480),
    body_size=(320, 240),
    cells_size=(80, 60),
    crop_px=128,
    volume_cells=16,
    pair_cells=32,
    crop_box_scale=1.6,
    along_sight=True,
    whole_px=False,
    halved=False,
    upright=True,
)

VARIANTS = {
    v.name: v
    for v in (
        Variant('official', _R50, 256, _R50, 512, _R18),
        Variant(
            'compact',
            _R18_NARROW_AND_SHORT,
            64,
            _R18_NARROW,
            64,
            _R18_THINNEST,
            spaces=COMPACT_SPACES,
            has_box_neck=True,
            peak_radius=4,
            neck_width=128,
            rotation_hidden=320,
            kind_hidden=128,
            roi_hidden=192,
            axis_angle='canonical',
        ),
    )
}


def variant_named(name: str) -> Variant:
    """Look a variant up.

    :raises SettingError: when there is none of this name.
    """
    if name not in VARIANTS:
        raise SettingError(f'variant is {name!r}, wanted one of {", ".join(VARIANTS)}')
    return VARIANTS[name]
