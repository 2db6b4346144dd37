"""Whether a hand is there, by the evidence of several frames and not of one.

The networks always report two hands, and their score is no probability: it is weighed together
with how well the hand fits its picture, how large it is and how hand-like its bones are. Source:
DEMANDS.md, teleoperation.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, fields, replace
import math

from interwild_ros.compiled import compiled
from interwild_ros.config import Checked, setting
from interwild_ros.errors import InputError, SettingError
from interwild_ros.hand_model.joints import JOINT_PARENTS
from interwild_ros.records import Array
import numpy as np

_PARENTS = np.array(JOINT_PARENTS[1:])  # of each joint but the wrist


@dataclass(frozen=True)
class Evidence:
    """What one frame says for and against a hand.

    `score` is the networks'; `misfit` the root mean square distance of the placed joints from the
    seen ones, in longer sides of the hand's box; `box_px` that side; `bone_spread` as
    `bone_spread` gives it.
    """

    score: float
    misfit: float
    box_px: float
    bone_spread: float

    def __post_init__(self) -> None:
        """Refuse what is no number: a hand without these has no solution."""
        for name in _MEASURES:
            if math.isnan(getattr(self, name)):
                raise InputError('not_finite', f'{name} of a hand is NaN, wanted a number')


@dataclass(frozen=True)
class Range:
    """The values from `low` to `high`, both allowed."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse a range that holds nothing."""
        if not self.low <= self.high:
            raise SettingError(f'range is {self.low} to {self.high}, wanted low at most high')

    def holds(self, value: float) -> bool:
        """Return whether a value is allowed."""
        return self.low <= value <= self.high

    def contains(self, other: Range) -> bool:
        """Return whether all of another range is allowed here."""
        return self.low <= other.low and other.high <= self.high


@dataclass(frozen=True)
class EvidenceLimits:
    """The range of each measure in which a frame is good."""

    score: Range
    misfit: Range
    box_px: Range
    bone_spread: Range

    def broken_by(self, evidence: Evidence) -> str | None:
        """Return the first measure that is out of its range, None when the frame is good."""
        for name in _MEASURES:
            if not getattr(self, name).holds(getattr(evidence, name)):
                return name
        return None


_MEASURES = tuple(f.name for f in fields(EvidenceLimits))


@dataclass(frozen=True)
class FrameCounts(Checked):
    """How many frames decide."""

    frames: int = setting(3, 'last frames that are looked at', low=1, high=1000)
    good_to_appear: int = setting(2, 'good ones among them that make a hand', low=1, high=1000)
    bad_to_vanish: int = setting(3, 'bad ones among them that unmake it', low=1, high=1000)

    def __post_init__(self) -> None:
        """Check each number, and that neither is more than there are frames."""
        super().__post_init__()
        for name in ('good_to_appear', 'bad_to_vanish'):
            if getattr(self, name) > self.frames:
                raise SettingError(
                    f'{name} is {getattr(self, name)}, wanted at most frames, {self.frames}'
                )


@dataclass(frozen=True)
class PresenceSettings:
    """When a hand appears and when it vanishes.

    A hand that is there may be worse (`stay`) than one that is to appear (`appear`).
    """

    appear: EvidenceLimits = field(
        default=EvidenceLimits(
            score=Range(0.03, 1.0),
            misfit=Range(0.0, 0.12),
            box_px=Range(16.0, 8192.0),
            bone_spread=Range(0.0, 0.4),
        )
    )
    stay: EvidenceLimits = field(
        default=EvidenceLimits(
            score=Range(0.01, 1.0),
            misfit=Range(0.0, 0.16),
            box_px=Range(12.0, 8192.0),
            bone_spread=Range(0.0, 0.55),
        )
    )
    counts: FrameCounts = field(default=FrameCounts())

    def __post_init__(self) -> None:
        """Refuse limits under which a hand could appear and not stay."""
        for name in _MEASURES:
            appear, stay = getattr(self.appear, name), getattr(self.stay, name)
            if not stay.contains(appear):
                raise SettingError(f'{name} to stay is {stay}, wanted to contain {appear}')


@dataclass(frozen=True)
class Verdict:
    """Whether the hand is there.

    `reason` is a short word about the last frame: `good`, `no_solution`, the measure that was out
    of its range, or `gathering` for a good frame that is not yet enough. `may_be` says that the
    hand is there, or will be if the next frames are good.
    """

    present: bool
    reason: str
    may_be: bool


class Presence:
    """Weighs one hand's evidence, frame by frame."""

    def __init__(self, settings: PresenceSettings | None = None) -> None:
        """Begin without a hand."""
        self._settings = settings or PresenceSettings()
        self._present = False
        self._good: deque[bool] = deque(maxlen=self._settings.counts.frames)

    def __call__(self, evidence: Evidence | None) -> Verdict:
        """Return whether the hand is there after one more frame.

        :param evidence: None says that there is no solution: the hand is gone at once.
        """
        if evidence is None:
            self.reset()
            return Verdict(False, 'no_solution', may_be=False)
        broken = self._limits.broken_by(evidence)
        self._good.append(broken is None)
        if self._is_decided():
            self._turn(present=not self._present)
        reason = broken or ('good' if self._present else 'gathering')
        return Verdict(self._present, reason, may_be=self._present or True in self._good)

    def use(self, limits: PresenceSettings) -> None:
        """Go on with other limits, counted over as many frames as before."""
        self._settings = replace(limits, counts=self._settings.counts)

    def reset(self) -> None:
        """Forget the hand and its evidence."""
        self._turn(present=False)

    @property
    def _limits(self) -> EvidenceLimits:
        return self._settings.stay if self._present else self._settings.appear

    def _is_decided(self) -> bool:
        """Return whether the frames since the last turn suffice for the next."""
        counts = self._settings.counts
        if self._present:
            return self._good.count(False) >= counts.bad_to_vanish
        return self._good.count(True) >= counts.good_to_appear

    def _turn(self, *, present: bool) -> None:
        self._present = present
        self._good.clear()


def bone_lengths_m(joints_m: Array) -> Array:
    """Return the lengths (20,) of the bones that end in each joint (21, 3) but the wrist."""
    lengths = np.empty(len(_PARENTS))
    _write_lengths(np.ascontiguousarray(joints_m, np.float64), lengths)
    return lengths


def bone_spread(lengths_m: Array, usual_m: Array) -> float:
    """Return how unlike a hand's bones are to a usual hand's, its size aside.

    The standard deviation of the logarithm of each bone's length over the usual one: 0 for a usual
    hand of any size, 0.1 for bones about 10 % off; infinite for a bone without length.

    :param lengths_m: (20,) as `bone_lengths_m` gives them; `usual_m` likewise, each above 0.
    """
    return _spread(
        np.ascontiguousarray(lengths_m, np.float64), np.ascontiguousarray(usual_m, np.float64)
    )


@compiled
def _write_lengths(joints_m: Array, lengths: Array) -> None:
    for bone in range(len(lengths)):
        total = 0.0
        for axis in range(3):
            total += (joints_m[bone + 1, axis] - joints_m[_PARENTS[bone], axis]) ** 2
        lengths[bone] = math.sqrt(total)


@compiled
def _spread(lengths: Array, usual: Array) -> float:
    middle = total = 0.0
    for bone in range(len(lengths)):
        if not lengths[bone] > 0:  # which NaN is not
            return math.inf
        middle += math.log(lengths[bone] / usual[bone]) / len(lengths)
    for bone in range(len(lengths)):
        total += (math.log(lengths[bone] / usual[bone]) - middle) ** 2
    return math.sqrt(total / len(lengths))
