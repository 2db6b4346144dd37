"""How large the operator's hand is, from frames in which its true distance is known.

By its picture alone a hand is as far off as it is believed large: a relative error of its size is
the same relative error of its distance (DEMANDS.md, metric placement, F5). Where a depth picture
or a person says how far the hand is, its size follows. It is told as one length of the palm, the
same for both hands of a person.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from interwild_ros.config import Checked, setting
from interwild_ros.errors import InputError, SettingError
from interwild_ros.hand_model.joints import JOINT_NAMES
from interwild_ros.records import Array, NS_PER_SEC, Side
import numpy as np

LEAST_PALM_M = 0.05  # a small child's is longer
MOST_PALM_M = 0.14  # no grown-up's is so long
_WRIST, _MIDDLE = JOINT_NAMES.index('wrist'), JOINT_NAMES.index('middle1')
_STD_OF_MAD = 1.4826


@dataclass(frozen=True)
class HandSizeSettings(Checked):
    """Which frames a measurement rests on."""

    frames: int = setting(30, 'last frames with depth that are used', low=1, high=10_000)
    least_frames: int = setting(10, 'frames with depth that it takes', low=1, high=10_000)
    max_age_sec: float = setting(
        5.0, 'age over which a frame is not used', unit='s', low=0.0, high=3600.0
    )

    def __post_init__(self) -> None:
        """Check each number, and that no more frames are wanted than are kept."""
        super().__post_init__()
        if self.least_frames > self.frames:
            raise SettingError(
                f'least_frames is {self.least_frames}, wanted at most frames, {self.frames}'
            )


@dataclass(frozen=True)
class Measured:
    """The length of a palm as `palm_length_m` has it, from the `frames` used.

    `std_m` is how far off a single frame is. It is not divided by the number of frames: frames
    that follow each other are off in the same way.
    """

    palm_length_m: float
    std_m: float
    frames: int


@dataclass(frozen=True)
class NotMeasured:
    """A size that cannot be told, as a value; `reason` is in words for a person."""

    reason: str


class HandSize:
    """Collects frames with a known distance, and measures the palm on them."""

    def __init__(self, settings: HandSizeSettings | None = None) -> None:
        """Begin without a frame."""
        self._settings = settings or HandSizeSettings()
        self._palms_m: dict[int, dict[Side, float]] = {}  # by stamp, oldest first

    def observe(
        self,
        stamp_ns: int,
        side: Side,
        palm_m: float,
        distance_m: float,
        measured_distance_m: float,
    ) -> None:
        """Take in one hand of a good frame; again for the same stamp and side it takes its place.

        Both distances are to the same point of the hand and along the optical axis (z); their
        ratio is that along the ray too. When time goes back all begins anew.

        :param palm_m: the hand model's palm in this frame, as `palm_length_m` gives it.
        :param distance_m: where that size and the picture put the hand.
        :param measured_distance_m: where a depth picture, or a person, says that it is.
        :raises InputError: `bad_size` or `bad_distance` for what is not finite and above 0; then
            nothing changes.
        """
        _check('bad_size', palm_m=palm_m)
        _check('bad_distance', distance_m=distance_m, measured_distance_m=measured_distance_m)
        true_palm_m = palm_m * (measured_distance_m / distance_m)
        _check('bad_distance', true_palm_m=true_palm_m)
        if self._palms_m and stamp_ns < next(reversed(self._palms_m)):
            self.reset()
        self._palms_m.setdefault(stamp_ns, {})[side] = true_palm_m
        if len(self._palms_m) > self._settings.frames:
            del self._palms_m[next(iter(self._palms_m))]

    def measure(self, now_ns: int) -> Measured | NotMeasured:
        """Return the palm's length by the frames of the last seconds, or why there is none."""
        settings = self._settings
        frames = [
            palms_m
            for stamp_ns, palms_m in self._palms_m.items()
            if 0 <= (now_ns - stamp_ns) / NS_PER_SEC <= settings.max_age_sec
        ]
        if len(frames) < settings.least_frames:
            return NotMeasured(
                f'{_counted(len(frames))} with depth in the last {settings.max_age_sec:g} s, '
                f'wanted {settings.least_frames}'
            )
        measured = _measured(frames)
        if not LEAST_PALM_M <= measured.palm_length_m <= MOST_PALM_M:
            return NotMeasured(
                f'the palm measures {measured.palm_length_m:.3f} m, '
                f'wanted {LEAST_PALM_M:g} to {MOST_PALM_M:g} m: is the distance right?'
            )
        return measured

    def reset(self) -> None:
        """Forget all frames."""
        self._palms_m.clear()


def palm_length_m(joints_m: Array) -> float:
    """Return the distance from the wrist to the middle knuckle of joints (21, 3)."""
    joints = np.asarray(joints_m, np.float64)
    return float(np.linalg.norm(joints[_MIDDLE] - joints[_WRIST]))


def _measured(frames: list[dict[Side, float]]) -> Measured:
    """Return the median over both hands of all frames, and the scatter about it."""
    palms_m = np.array([palm_m for palms_m in frames for palm_m in palms_m.values()])
    middle_m = float(np.median(palms_m))
    spread_m = float(np.median(np.abs(palms_m - middle_m)))
    return Measured(middle_m, _STD_OF_MAD * spread_m, len(frames))


def _counted(frames: int) -> str:
    return '1 frame' if frames == 1 else f'{frames or "no"} frames'


def _check(cause: str, **lengths_m: float) -> None:
    for name, value in lengths_m.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(cause, f'{name} is {value}, wanted finite and above 0 m')
