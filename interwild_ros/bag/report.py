"""What a recording of the nodes says in figures: rate, latency, drops, how many hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from interwild_ros.bag.read import Bag, Received
from interwild_ros.records import Side, TwoHands
import numpy as np

_BAD_FRAMES = 'bad_frames.'


@dataclass(frozen=True)
class Percentiles:
    """Of a figure over all frames; None when there was none."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True)
class HandCounts:
    """In how many frames each hand was tracked."""

    right: int
    left: int
    both: int


@dataclass(frozen=True)
class RunReport:
    """The figures of one recording; the keys of report.json.

    `frames_in` pictures recorded; `frames_out` messages with hands; `dropped` pictures that no
    message answers; `rate_hz` messages a second; `input_rate_hz` pictures a second, by their
    stamps; `latency_ms` from the stamp of the image to the arrival of the message at the recorder;
    `reprojection_error_px` of tracked hands; `bad_frames` pictures that could not be used, by
    cause; `diagnostics` what the hands node last said of itself.
    """

    frames_in: int
    frames_out: int
    dropped: int
    rate_hz: float | None
    input_rate_hz: float | None
    latency_ms: Percentiles
    tracked: HandCounts
    reprojection_error_px: Percentiles
    model: str
    weights: str
    weights_meaningful: bool
    hand_model: str
    hand_model_is_stand_in: bool
    device: str
    bad_frames: dict[str, int]
    diagnostics: dict[str, str]


@dataclass(frozen=True)
class _Answer:
    """What the figures need of one message with hands."""

    stamp_ns: int
    received_ns: int
    sides: tuple[Side, ...]
    errors_px: tuple[float, ...]


def make_report(bag: Bag) -> RunReport:
    """Count and time everything in a bag."""
    pictures = [picture.stamp_ns for picture in bag.picture_stamps()]
    answers = [_answer(hands) for hands in bag.two_hands()]
    answered = {answer.stamp_ns for answer in answers}
    diagnostics = bag.diagnostics()
    card = bag.card()
    return RunReport(
        frames_in=len(pictures),
        frames_out=len(answers),
        dropped=sum(stamp not in answered for stamp in pictures),
        rate_hz=_rate_hz([answer.received_ns for answer in answers]),
        input_rate_hz=_rate_hz(pictures),
        latency_ms=_percentiles([(a.received_ns - a.stamp_ns) / 1e6 for a in answers]),
        tracked=_hand_counts(answers),
        reprojection_error_px=_percentiles([e for a in answers for e in a.errors_px]),
        model=card.variant,
        weights=card.weights,
        weights_meaningful=card.weights_meaningful,
        hand_model=card.hand_model,
        hand_model_is_stand_in=card.hand_model_is_stand_in,
        device=card.device,
        bad_frames=_bad_frames(diagnostics),
        diagnostics=diagnostics,
    )


def _answer(hands: Received[TwoHands]) -> _Answer:
    return _Answer(
        stamp_ns=hands.stamp_ns,
        received_ns=hands.received_ns,
        sides=tuple(hand.side for hand in hands.value.hands),
        errors_px=tuple(hand.reprojection_error_px for hand in hands.value.hands),
    )


def _hand_counts(answers: Sequence[_Answer]) -> HandCounts:
    return HandCounts(
        right=sum(Side.RIGHT in answer.sides for answer in answers),
        left=sum(Side.LEFT in answer.sides for answer in answers),
        both=sum(len(answer.sides) == 2 for answer in answers),
    )


def _rate_hz(times_ns: Sequence[int]) -> float | None:
    """Return events a second between the first and the last; None for fewer than two."""
    if len(times_ns) < 2 or times_ns[-1] <= times_ns[0]:
        return None
    return round((len(times_ns) - 1) * 1e9 / (times_ns[-1] - times_ns[0]), 3)


def _percentiles(values: Sequence[float]) -> Percentiles:
    if not values:
        return Percentiles(None, None, None)
    p50, p95, p99 = (round(float(p), 3) for p in np.percentile(values, (50, 95, 99)))
    return Percentiles(p50, p95, p99)


def _bad_frames(diagnostics: Mapping[str, str]) -> dict[str, int]:
    """Return how many frames could not be used, by cause: the keys are `bad_frames.<cause>`."""
    return {
        key.removeprefix(_BAD_FRAMES): int(value)
        for key, value in diagnostics.items()
        if key.startswith(_BAD_FRAMES)
    }
