"""One hand followed over time: where it was last seen, and where it will be.

A hand's box is the one around its joints, HAND_BOX_SCALE times as wide and as high, and not made
square: that is what the networks enlarge and square themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
import math

from interwild_ros.errors import InputError
from interwild_ros.geometry.regions import HAND_BOX_SCALE, overlap
from interwild_ros.geometry.upright import turn_to_upright
from interwild_ros.records import Array, Box, JOINT_COUNT, NS_PER_SEC
from interwild_ros.tracking.boxes import (
    centre,
    enlarged,
    FARTHEST_PX,
    longer_side,
    shifted,
)
import numpy as np

ONE_HAND = 0.25  # of the joints' extent: joints nearer than that to each other are of one hand

_ONE_HAND_OVERLAP = 0.7
_LEAST_SIDE_PX = 8.0
_TURN_STEP = math.pi / 48
_STEADYING_SEC = 0.05  # over which velocities are averaged: less lags less, more crosses surer
_LARGEST_SHIFT = 1.0  # of a box's longer side
_SURE_SHIFT = 0.35  # likewise: who moves farther in a frame may have turned meanwhile
_UNTOLD_SUPPORT = 0.5  # of a hand about which the networks say nothing


@dataclass(frozen=True, eq=False)
class Observed:
    """What was made of one side in one frame.

    `joints_px` (21, 2) image px; `is_present` after presence has decided; `is_doubtful` says that
    it is present, but this frame's evidence was bad. `kinds` are the probabilities of the hand
    that it should be, the other one, and none; None of networks that do not say it.
    """

    joints_px: Array
    is_present: bool
    is_doubtful: bool
    kinds: tuple[float, float, float] | None

    def __post_init__(self) -> None:
        """Check the joints' shape; what numbers they are decides `can_be_followed`."""
        shape = np.shape(self.joints_px)
        if shape != (JOINT_COUNT, 2):
            raise InputError(
                'bad_shape', f'Observed.joints_px has shape {shape}, wanted {(JOINT_COUNT, 2)}'
            )

    @property
    def can_be_followed(self) -> bool:
        """Return whether the hand is present and every joint is at a place."""
        near = np.abs(np.asarray(self.joints_px, dtype=np.float64)) <= FARTHEST_PX  # NaN is not
        return self.is_present and bool(near.all())

    @property
    def told_kinds(self) -> tuple[float, float, float] | None:
        """Return `kinds`, None too when one of them is no number."""
        if self.kinds is None or not all(map(math.isfinite, self.kinds)):
            return None
        return self.kinds


@dataclass(frozen=True, eq=False)
class Track:
    """A hand that is followed.

    `velocity_px_per_sec` (2,) is that of the box's middle, None after a single frame. `support`,
    0 to 1, is how sure the last frame was that there is a hand of either side. `evidence` is that
    for its label (`handedness`). `times_outbid` counts detections in a row that spoke against it.
    """

    began_ns: int
    stamp_ns: int
    joints_px: Array
    is_doubtful: bool
    support: float
    velocity_px_per_sec: Array | None = None
    evidence: float = 0.0
    times_outbid: int = 0

    @cached_property
    def box(self) -> Box:
        """Return the hand's box in the last frame."""
        x1, y1 = self.joints_px.min(axis=0).tolist()
        x2, y2 = self.joints_px.max(axis=0).tolist()
        return enlarged((x1, y1, x2, y2), HAND_BOX_SCALE, least_side=_LEAST_SIDE_PX)

    @cached_property
    def turn(self) -> float:
        """Return after what turn the hand is upright, in coarse steps: rad, -pi to pi.

        As whole pixels are to boxes, so that the same is soon read whatever was before.
        """
        return _TURN_STEP * round(turn_to_upright(self.joints_px) / _TURN_STEP)

    def predicted(self, stamp_ns: int) -> Box:
        """Return the hand's box at a later time, moved no farther than it is long."""
        return shifted(self.box, self._shift_px(stamp_ns))

    def _shift_px(self, stamp_ns: int) -> Array:
        if self.velocity_px_per_sec is None:
            return np.zeros(2)
        shift: Array = self.velocity_px_per_sec * ((stamp_ns - self.stamp_ns) / NS_PER_SEC)
        farthest = _LARGEST_SHIFT * longer_side(self.box)
        return shift * min(1.0, farthest / max(math.hypot(*shift), 1e-9))

    def is_unsure(self, stamp_ns: int) -> bool:
        """Return whether a prediction is a guess: after doubt, and of a hand that moves far."""
        moves = math.hypot(*self._shift_px(stamp_ns))
        return self.is_doubtful or moves > _SURE_SHIFT * longer_side(self.box)

    def followed_by(self, observed: Observed, stamp_ns: int, *, evidence: float = 0.0) -> Track:
        """Return the track after one more frame, which is later than the last.

        A doubtful frame moves it on as before: what was read there may be anything.
        """
        if observed.is_doubtful:
            return self._coasted(observed, stamp_ns, evidence)
        newest = begun(observed, stamp_ns)
        elapsed_sec = (stamp_ns - self.stamp_ns) / NS_PER_SEC
        velocity = (centre(newest.box) - centre(self.box)) / elapsed_sec
        if self.velocity_px_per_sec is not None:
            part = elapsed_sec / (elapsed_sec + _STEADYING_SEC)
            velocity = self.velocity_px_per_sec + part * (velocity - self.velocity_px_per_sec)
        return replace(
            newest,
            began_ns=self.began_ns,
            velocity_px_per_sec=velocity,
            evidence=evidence,
            times_outbid=self.times_outbid,
        )

    def _coasted(self, observed: Observed, stamp_ns: int, evidence: float) -> Track:
        return replace(
            self,
            stamp_ns=stamp_ns,
            joints_px=self.joints_px + self._shift_px(stamp_ns),
            is_doubtful=True,
            support=_support(observed),
            evidence=evidence,
        )


def begun(observed: Observed, stamp_ns: int) -> Track:
    """Return the track of a hand that was not followed before."""
    return Track(
        began_ns=stamp_ns,
        stamp_ns=stamp_ns,
        joints_px=np.array(observed.joints_px, dtype=np.float64),
        is_doubtful=observed.is_doubtful,
        support=_support(observed),
    )


def are_one_hand(one: Track, other: Track) -> bool:
    """Return whether two tracks lie on the same hand.

    Hands that cross have boxes alike, and joints elsewhere in them: those of a right and a left
    hand lie the other way round.
    """
    are_near = overlap(one.box, other.box) > _ONE_HAND_OVERLAP
    return are_near and are_joints_of_one_hand(one.joints_px, other.joints_px)


def are_joints_of_one_hand(one_px: Array, other_px: Array) -> bool:
    """Return whether two sets of joints (21, 2) lie on the same hand; never for NaN."""
    apart = float(np.linalg.norm(one_px - other_px, axis=-1).mean())
    size = min(float(np.ptp(joints, axis=0).max()) for joints in (one_px, other_px))
    return apart < ONE_HAND * size


def _support(observed: Observed) -> float:
    if observed.is_doubtful:
        return 0.0
    kinds = observed.told_kinds
    return _UNTOLD_SUPPORT if kinds is None else min(max(1.0 - kinds[2], 0.0), 1.0)
