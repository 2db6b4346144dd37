"""Whether two hands interact, by several frames and not by one, and a weight to blend it in.

The official test asks whether the boxes overlap, frame by frame; near its edge it flickers. Here
hands come together when their boxes overlap, and part only when there is a gap between them that
shows (DEMANDS.md, metric placement, F6). The weight follows at a bounded rate in the time of the
stamps, so that what is blended by it does not jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

from interwild_ros.config import Checked, setting
from interwild_ros.errors import InputError
from interwild_ros.geometry.regions import overlap
from interwild_ros.records import NS_PER_SEC


@dataclass(frozen=True)
class InteractingSettings(Checked):
    """When hands come together, when they part, and how fast the weight follows."""

    join_iou: float = setting(
        0.01, 'overlap of the boxes (IoU) above which hands come together', low=0.0, high=1.0
    )
    frames_to_join: int = setting(2, 'such frames in a row that it takes', low=1, high=1000)
    part_gap: float = setting(
        0.3, 'gap between the boxes, in hand sizes, above which hands part', low=0.0, high=100.0
    )
    frames_to_part: int = setting(5, 'such frames in a row that it takes', low=1, high=1000)
    blend_sec: float = setting(
        0.25, 'time in which the weight goes from 0 to 1', unit='s', low=1e-3, high=60.0
    )
    longest_gap_sec: float = setting(
        0.5, 'longest time between two frames of one motion', unit='s', low=1e-3, high=3600.0
    )


@dataclass(frozen=True)
class Nearness:
    """How near two hands are in a picture.

    `iou` is the overlap of their boxes, `gap` the distance between these in sizes of a hand: the
    mean of the longer side of each box. One of both is 0.
    """

    iou: float
    gap: float

    def __post_init__(self) -> None:
        """Refuse what is no measure: boxes that hold NaN, or have no size, give none."""
        for name in ('iou', 'gap'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(
                    'not_finite', f'{name} of two hands is {value}, wanted finite and at least 0'
                )


@dataclass(frozen=True)
class Interaction:
    """Whether two hands interact, and the weight in [0, 1] that follows it."""

    interacting: bool
    weight: float


APART = Interaction(interacting=False, weight=0.0)


class Interacting:
    """Weighs, frame by frame, how near two hands are; frames without both hands are left out."""

    def __init__(self, settings: InteractingSettings | None = None) -> None:
        """Begin with hands that do not interact."""
        self._settings = settings or InteractingSettings()
        self._said = APART
        self._stamp_ns: int | None = None
        self._against = 0

    def __call__(self, nearness: Nearness, stamp_ns: int) -> Interaction:
        """Return what holds after one more frame with both hands.

        From one frame to the next the weight changes by the time between them over `blend_sec` at
        most. When time goes back, and after `longest_gap_sec` without a frame, all begins anew. A
        stamp that was just seen changes nothing, and gives the last result again.
        """
        if stamp_ns == self._stamp_ns:
            return self._said
        elapsed_sec = self._elapsed_sec(stamp_ns)
        if elapsed_sec is None:
            self.reset()
        self._stamp_ns = stamp_ns
        interacting = self._decided(nearness)
        weight = self._moved(elapsed_sec or 0.0, towards=float(interacting))
        self._said = Interaction(interacting, weight)
        return self._said

    def use(self, settings: InteractingSettings) -> None:
        """Go on with other settings."""
        self._settings = settings

    def reset(self) -> None:
        """Forget the hands: they do not interact."""
        self._said = APART
        self._stamp_ns = None
        self._against = 0

    def _elapsed_sec(self, stamp_ns: int) -> float | None:
        """Return the time since the frame before, None where this one begins anew."""
        if self._stamp_ns is None:
            return None
        elapsed_sec = (stamp_ns - self._stamp_ns) / NS_PER_SEC
        return elapsed_sec if 0 < elapsed_sec <= self._settings.longest_gap_sec else None

    def _decided(self, nearness: Nearness) -> bool:
        """Return whether hands interact: as before, or otherwise after enough frames in a row."""
        settings = self._settings
        if self._said.interacting:
            is_against, enough = nearness.gap > settings.part_gap, settings.frames_to_part
        else:
            is_against, enough = nearness.iou > settings.join_iou, settings.frames_to_join
        self._against = self._against + 1 if is_against else 0
        if self._against < enough:
            return self._said.interacting
        self._against = 0
        return not self._said.interacting

    def _moved(self, elapsed_sec: float, *, towards: float) -> float:
        most = elapsed_sec / self._settings.blend_sec
        weight = self._said.weight
        return weight + min(max(towards - weight, -most), most)


def nearness(right: Sequence[float], left: Sequence[float]) -> Nearness:
    """Return how near two boxes (x1, y1, x2, y2; px) are to each other.

    :raises InputError: `not_finite` for boxes that hold NaN or infinity or have no size.
    """
    across = max(right[0], left[0]) - min(right[2], left[2])
    down = max(right[1], left[1]) - min(right[3], left[3])
    gap_px = math.hypot(max(across, 0.0), max(down, 0.0))
    size_px = (_longer_side(right) + _longer_side(left)) / 2
    gap = gap_px / size_px if size_px > 0 else math.nan
    return Nearness(iou=overlap(right, left), gap=gap)


def _longer_side(box: Sequence[float]) -> float:
    return max(box[2] - box[0], box[3] - box[1])
