"""One hand from frame to frame: its owner's shape, whether it is there, and how it moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

from interwild_ros.config import Settings
from interwild_ros.geometry.camera import undistort_px
from interwild_ros.pipeline.placing import least_score, LIKELY, reprojection_error_px
from interwild_ros.pipeline.wrists import Wrist
from interwild_ros.records import Array, Camera, Frame, HandEstimate, HandReading, NS_PER_SEC
from interwild_ros.tracking.hampel import HampelGate, HampelSettings
from interwild_ros.tracking.manifolds import turn_rad
from interwild_ros.tracking.presence import (
    bone_lengths_m,
    bone_spread,
    Evidence,
    Presence,
    PresenceSettings,
    Range,
    Verdict,
)
from interwild_ros.tracking.shape import ShapeSettings, SteadyShape
from interwild_ros.tracking.steady import HandParameters, SteadyHand, SteadySettings
import numpy as np

_MOST_HELD = 1  # frames in a row for which a bad one is answered with the pose before
_LONGEST_HELD_SEC = 0.15  # after which even the pose of the frame before is too old
_FAST_M_PER_SEC = 1.5  # what a wrist moves by no more between two frames is no outlier
_FAST_RAD_PER_SEC = 15.0  # likewise of its rotation
_LEAST_FLIP_RAD = 1.2  # a smaller turn is none either: a back taken for a palm is one of pi
_MOST_FLIPS = 3  # refused in a row, after which the next is taken anyway


@dataclass(frozen=True, eq=False)
class Decided:
    """What one frame comes to: whether the hand is there, and its parameters before filtering.

    A hand may be there in a bad frame, whose parameters are not to be used: `reason` is 'good',
    why the frame is bad, or why there is no hand.
    """

    verdict: Verdict
    reason: str
    parameters: HandParameters | None

    @property
    def is_followed(self) -> bool:
        """Return whether to look for it in the next frame where it is now."""
        return self.verdict.may_be

    @property
    def is_good(self) -> bool:
        """Return whether this frame shows a hand, be it one that is yet to appear."""
        return self.reason in ('good', 'gathering')

    @property
    def is_doubtful(self) -> bool:
        """Return whether the hand may be there, but this frame does not show it."""
        return self.verdict.may_be and not self.is_good


class FollowedHand:
    """The memory of one hand. Frames come in the order of their stamps."""

    def __init__(self, settings: Settings, limits: PresenceSettings) -> None:
        """Begin without a hand."""
        self._presence = Presence(limits)
        self._shape = SteadyShape()
        self._passed: HandParameters | None = None  # the last that was no outlier, not filtered
        self._last: HandParameters | None = None  # the last that was published
        self.use(settings, limits)

    def use(self, settings: Settings, limits: PresenceSettings) -> None:
        """Go on with other settings; motion begins anew."""
        self._settings = settings
        self._presence.use(limits)
        self._shape.use(ShapeSettings(freeze_after_frames=settings.freeze_shape_after))
        self._steady = SteadyHand(SteadySettings.of(settings))
        self._gate = HampelGate(HampelSettings(floor=settings.outlier_floor_m))
        self.lose()

    def reset(self) -> None:
        """Forget everything: another person may come."""
        self.vanish()
        self._shape.reset()

    def lose(self) -> None:
        """Forget the motion."""
        self._steady.lose()
        self._gate.reset()
        self._held = self._flips = 0
        self._passed = None
        self._last = None

    def vanish(self) -> None:
        """Forget that the hand was there; its owner's shape is kept."""
        self.lose()
        self._presence.reset()

    def shape(self, estimate: HandReading) -> Array:
        """Return the betas (10,) of the hand's owner, by the frames before this one."""
        known = self._shape.current
        return estimate.betas if known is None else known

    def turned_rad(self, estimate: HandReading) -> float:
        """Return how far an estimate is turned from the hand as it was; infinite without one."""
        if self._last is None:
            return math.inf
        return turn_rad(estimate.pose[:3], self._last.root_rad)

    def learn_shape(self, betas: Array, stamp_ns: int) -> None:
        """Take in what a good frame says of the owner's shape."""
        self._shape(betas, stamp_ns)

    def decide(self, estimate: HandEstimate, wrist: Wrist | None, frame: Frame) -> Decided:
        """Weigh whether the hand is there, and whether this frame is to be believed.

        :param estimate: of the owner's shape and size.
        """
        evidence = None if wrist is None else _evidence(estimate, wrist, frame.camera)
        verdict = self._presence(evidence)
        if not verdict.present:
            self.lose()
        if wrist is None or not verdict.present:
            reason = verdict.reason if estimate.is_hand else 'not_found'
            return Decided(verdict, reason, None)
        parameters = HandParameters(
            stamp_ns=frame.stamp_ns,
            wrist_cam_m=wrist.metres,
            root_rad=estimate.pose[:3],
            fingers_rad=estimate.pose[3:].reshape(15, 3),
            betas=estimate.betas,
        )
        return Decided(verdict, self._reason(verdict, estimate, parameters), parameters)

    def _reason(self, verdict: Verdict, estimate: HandEstimate, parameters: HandParameters) -> str:
        """Return 'good', or why the frame of a hand that is there is not to be used."""
        if not self._settings.filtered:
            return verdict.reason
        if verdict.reason == 'good':
            return 'outlier' if self._is_outlier(parameters) else 'good'
        is_mislabelled = verdict.reason == 'score' and _is_of_a_hand(estimate)
        if is_mislabelled and self._goes_on(parameters):
            self._passed = parameters
            return 'good'
        return verdict.reason

    def _is_outlier(self, parameters: HandParameters) -> bool:
        """Return whether the hand is too far from where it was, or turned over.

        After some refusals in a row it is believed.
        """
        is_far = self._gate(parameters.wrist_cam_m, reach=self._reach_m(parameters)) is None
        self._flips = self._flips + 1 if self._is_turned_over(parameters) else 0
        is_outlier = is_far or 0 < self._flips <= _MOST_FLIPS
        if not is_outlier:
            self._passed = parameters
        return is_outlier

    def _goes_on(self, parameters: HandParameters) -> bool:
        """Return whether this is surely the hand of the frame before."""
        if self._passed is None or self._is_turned_over(parameters):
            return False
        moved_m = math.dist(parameters.wrist_cam_m, self._passed.wrist_cam_m)
        return moved_m <= max(self._reach_m(parameters), 2 * self._settings.outlier_floor_m)

    def _is_turned_over(self, parameters: HandParameters) -> bool:
        if self._passed is None:
            return False
        turned_rad = turn_rad(parameters.root_rad, self._passed.root_rad)
        reach_rad = _FAST_RAD_PER_SEC * self._elapsed_sec(parameters)
        return turned_rad > max(_LEAST_FLIP_RAD, reach_rad)

    def _reach_m(self, parameters: HandParameters) -> float:
        return _FAST_M_PER_SEC * self._elapsed_sec(parameters)

    def _elapsed_sec(self, parameters: HandParameters) -> float:
        """Return the time since the last frame that was believed."""
        if self._passed is None:
            return 0.0
        return (parameters.stamp_ns - self._passed.stamp_ns) / NS_PER_SEC

    def steadied(self, decided: Decided) -> HandParameters | None:
        """Return the parameters to publish, None where there are none that are new enough.

        A bad frame is answered with the pose of the frame before, once.
        """
        if decided.parameters is None:
            return None
        if decided.is_doubtful:
            return self._held_for(decided.parameters.stamp_ns)
        self._held = 0
        filtered = self._settings.filtered
        self._last = self._steady(decided.parameters) if filtered else decided.parameters
        return self._last

    def _held_for(self, stamp_ns: int) -> HandParameters | None:
        self._held += 1
        last = self._last
        if last is None or not self._settings.filtered or self._held > _MOST_HELD:
            return None
        is_old = stamp_ns - last.stamp_ns > _LONGEST_HELD_SEC * NS_PER_SEC
        return None if is_old else replace(last, stamp_ns=stamp_ns)


def presence_limits(settings: Settings, *, says_kinds: bool) -> PresenceSettings:
    """Return the limits of presence, with those of the score that suit the networks."""
    usual = PresenceSettings()
    least = least_score(settings, says_kinds=says_kinds)
    to_stay = least / 2 if says_kinds else least
    return PresenceSettings(
        appear=replace(usual.appear, score=Range(least, 1.0)),
        stay=replace(usual.stay, score=Range(to_stay, 1.0)),
    )


def steadied_estimate(
    estimate: HandEstimate, parameters: HandParameters, joints_m: Array, vertices_m: Array
) -> HandEstimate:
    """Return an estimate with its parameters steadied and the mesh that follows from them.

    :param joints_m: (21, 3) of the hand model, relative to the wrist; `vertices_m` likewise.
    """
    return replace(
        estimate,
        pose=np.concatenate([parameters.root_rad, parameters.fingers_rad.ravel()]),
        betas=parameters.betas,
        joints_m=estimate.scale * joints_m,
        vertices_m=estimate.scale * vertices_m,
    )


def _evidence(estimate: HandEstimate, wrist: Wrist, camera: Camera) -> Evidence | None:
    x1, y1, x2, y2 = estimate.box.corners
    side_px = max(abs(x2 - x1), abs(y2 - y1))
    seen_m = _joints_by_depth(estimate, wrist, camera)
    placed_m = estimate.joints_m + wrist.metres
    error_px = reprojection_error_px(camera, placed_m, estimate.joints_image_px)
    if not (side_px > 0 and math.isfinite(error_px) and np.isfinite(seen_m).all()):
        return None
    spread = bone_spread(bone_lengths_m(seen_m), bone_lengths_m(estimate.joints_m))
    return Evidence(estimate.box.score, error_px / side_px, side_px, spread)


def _is_of_a_hand(estimate: HandEstimate) -> bool:
    """Return whether networks are sure of a hand, be it the other one.

    One that goes on as it was is no other hand, which would be turned over: its label is wrong.
    """
    return estimate.kinds is not None and 1 - estimate.kinds[2] >= LIKELY


def _joints_by_depth(estimate: HandEstimate, wrist: Wrist, camera: Camera) -> Array:
    """Return the 2.5D joints (21, 3) as the wrist's depth lays them out, in metres.

    The mesh and the 2.5D joints come from two heads of a network: where there is no hand they
    hardly agree.
    """
    along = estimate.depths_along
    depths = along @ wrist.metres + np.asarray(estimate.joint_depths_m, np.float64)
    rays = np.ones((len(depths), 3))
    rays[:, :2] = undistort_px(camera, estimate.joints_image_px)
    return rays * (depths / (rays @ along))[:, None]
