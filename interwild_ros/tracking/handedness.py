"""Whether followed hands carry the right labels, by the evidence of seconds and not of a frame.

The evidence for a hand's label is a leaky sum, over time, of how much more its crop shows the hand
that it should be than the other one. It is counted by time, so that 60 frames of one second weigh
no more than 10 of them do.
"""

from __future__ import annotations

from collections.abc import Sequence
import math

_LEAST_PROBABILITY = 1e-4
_MOST_A_FRAME = 2.0  # log of odds: more than 7 to 1 of one frame is not believed
_GAIN_PER_SEC = 7.0  # frames that differ enough to be counted as evidence of their own
_LONGEST_SEC = 0.1  # that one frame stands for


def own_side_evidence(kinds: Sequence[float]) -> float:
    """Return the log of how much more a crop shows its own hand than the other, no hand aside.

    :param kinds: probabilities of the hand that it should be, the other one, and none.
    """
    own, other, none = (min(max(p, _LEAST_PROBABILITY), 1.0) for p in kinds)
    return (1 - none) * math.log(own / other)


def evidence_after(
    before: float,
    kinds: Sequence[float] | None,
    elapsed_sec: float,
    *,
    memory_sec: float,
    most: float,
) -> float:
    """Return the evidence for a hand's label after one more frame.

    At most 14 a second are gained or lost. However long a label was right, it has no more than
    `most` to its credit, so that a hand that takes the other one's track is noticed in a second.

    :param kinds: as for `own_side_evidence`; None says nothing, and the evidence only fades.
    :param elapsed_sec: since the frame before.
    :param memory_sec: time in which evidence fades to 1 / e.
    """
    kept = before * math.exp(-elapsed_sec / memory_sec)
    if kinds is None:
        return kept
    believed = min(max(own_side_evidence(kinds), -_MOST_A_FRAME), _MOST_A_FRAME)
    return min(kept + _GAIN_PER_SEC * min(elapsed_sec, _LONGEST_SEC) * believed, most)
