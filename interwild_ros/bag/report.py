"""What a recording of the nodes says in figures: rate, latency, drops, how many hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from interwild_ros.bag.accuracy import Accuracy, measure_accuracy
from interwild_ros.bag.figures import Percentiles, percentiles, rate_hz
from interwild_ros.bag.read import Bag, Received
from interwild_ros.bag.steadiness import measure_steadiness, Steadiness
from interwild_ros.records import Side, TwoHands

_BAD_FRAMES = 'bad_frames.'


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
    cause; `diagnostics` what the hands node last said of itself; `steadiness` jitter, presence and
    how sure the hands are, None without a frame; `accuracy` against the truth of
    the demo clip, None without one, or where rule-made weights make it meaningless.
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
    steadiness: Steadiness | None
    accuracy: Accuracy | None


@dataclass(frozen=True)
class _Answer:
    """What the figures need of one message with hands."""

    stamp_ns: int
    received_ns: int
    sides: tuple[Side, ...]
    errors_px: tuple[float, ...]


def make_report(bag: Bag, *, clip: Path | None = None) -> RunReport:
    """Count and time everything in a bag.

    :param clip: folder of the demo clip, when that was recorded.
    """
    pictures = [picture.stamp_ns for picture in bag.picture_stamps()]
    hands = list(bag.two_hands())
    answers = [_answer(received) for received in hands]
    answered = {answer.stamp_ns for answer in answers}
    diagnostics = bag.diagnostics()
    card = bag.card()
    return RunReport(
        frames_in=len(pictures),
        frames_out=len(answers),
        dropped=sum(stamp not in answered for stamp in pictures),
        rate_hz=rate_hz([answer.received_ns for answer in answers]),
        input_rate_hz=rate_hz(pictures),
        latency_ms=percentiles([(a.received_ns - a.stamp_ns) / 1e6 for a in answers]),
        tracked=_hand_counts(answers),
        reprojection_error_px=percentiles([e for a in answers for e in a.errors_px]),
        model=card.variant,
        weights=card.weights,
        weights_meaningful=card.weights_meaningful,
        hand_model=card.hand_model,
        hand_model_is_stand_in=card.hand_model_is_stand_in,
        device=card.device,
        bad_frames=_bad_frames(diagnostics),
        diagnostics=diagnostics,
        steadiness=measure_steadiness(hands, bag.raw_two_hands()),
        accuracy=measure_accuracy(bag, clip) if clip and card.weights_meaningful else None,
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


def _bad_frames(diagnostics: Mapping[str, str]) -> dict[str, int]:
    """Return how many frames could not be used, by cause: the keys are `bad_frames.<cause>`."""
    return {
        key.removeprefix(_BAD_FRAMES): int(value)
        for key, value in diagnostics.items()
        if key.startswith(_BAD_FRAMES)
    }
