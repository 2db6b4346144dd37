"""How steady and how present recorded hands are: raw beside filtered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from interwild_ros.bag.figures import Percentiles, percentiles
from interwild_ros.bag.read import Received
from interwild_ros.records import Array, Hand, JOINT_COUNT, NoHand, TwoHands
from interwild_ros.tracking.steadiness import jitter_mm_per_frame2
import numpy as np


@dataclass(frozen=True)
class Jitter:
    """Mean second difference of the joints over frames that follow each other, mm/frame^2.

    None where no three frames in a row hold the hand. Motion adds to both figures alike; what is
    left of the ratio is the filter's.
    """

    raw_mm: float | None
    filtered_mm: float | None


@dataclass(frozen=True)
class SidePresence:
    """Of one hand: the share of frames in which it is tracked, how often it appeared and vanished.

    `absent` counts the other frames by reason.
    """

    tracked_share: float
    appearances: int
    losses: int
    absent: dict[str, int]


@dataclass(frozen=True)
class Presence:
    """Of both hands, and the share of frames in which the detector looked."""

    right: SidePresence
    left: SidePresence
    detected_share: float


@dataclass(frozen=True)
class Steadiness:
    """`wrist_std_mm` is what the hands say of themselves, along the ray from the camera.

    `disagreement_mm`: how far TransNet is from the wrists placed apart.
    """

    jitter: Jitter
    presence: Presence
    wrist_std_mm: Percentiles
    disagreement_mm: Percentiles


def measure_steadiness(
    hands: Sequence[Received[TwoHands]], raw: Iterable[Received[TwoHands]]
) -> Steadiness | None:
    """Return the figures of a recording, None where it has no frame.

    :param hands: what was published, in order; `raw` the same frames without filters.
    """
    frames = [received.value for received in hands]
    if not frames:
        return None
    every = [hand for frame in frames for hand in frame.hands]
    apart = [f.disagreement_m for f in frames if f.disagreement_m is not None]
    stds = [std for hand in every if (std := hand.wrist_std_m) is not None]
    return Steadiness(
        jitter=Jitter(_jitter(received.value for received in raw), _jitter(frames)),
        presence=Presence(
            right=_presence([frame.right for frame in frames]),
            left=_presence([frame.left for frame in frames]),
            detected_share=round(sum(f.was_detected for f in frames) / len(frames), 4),
        ),
        wrist_std_mm=percentiles([1e3 * std for std in stds]),
        disagreement_mm=percentiles([1e3 * distance for distance in apart]),
    )


def _jitter(frames: Iterable[TwoHands]) -> float | None:
    joints = [[_joints(hand) for hand in (frame.right, frame.left)] for frame in frames]
    if len(joints) < 3:
        return None
    found = jitter_mm_per_frame2(np.array(joints))
    return None if found is None else round(found, 3)


def _joints(hand: Hand | NoHand) -> Array:
    return hand.joints_m if isinstance(hand, Hand) else np.full((JOINT_COUNT, 3), np.nan)


def _presence(hands: Sequence[Hand | NoHand]) -> SidePresence:
    there = [isinstance(hand, Hand) for hand in hands]
    absent: dict[str, int] = {}
    for hand in hands:
        if isinstance(hand, NoHand):
            absent[hand.reason] = absent.get(hand.reason, 0) + 1
    return SidePresence(
        tracked_share=round(sum(there) / len(there), 4),
        appearances=sum(not before and now for before, now in pairwise([False, *there])),
        losses=sum(before and not now for before, now in pairwise(there)),
        absent=absent,
    )
