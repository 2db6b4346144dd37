"""Where both wrists stand from frame to frame: TransNet's noise is kept out of their distances.

In a single frame TransNet may move wrists along their rays, because the size of hands, and so
their distance, is not known. But the size of an owner's hand is wrong by a constant. So how much
farther away TransNet wants a wrist is averaged over seconds, and holds while the other hand is
away; else each frame's noise would shake hands that are placed steadily by their own joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import math

from interwild_ros.config import Settings
from interwild_ros.pipeline.wrists import place_wrists, Wrist, Wrists
from interwild_ros.records import Array, DepthSource, Frame, HandEstimate, Side, Topology
from interwild_ros.tracking.shape import ShapeSettings, SteadyShape
import numpy as np

_PULL = ShapeSettings(time_constant_sec=2.0, freeze_after_frames=0)


class SteadyWrists:
    """Places the wrists of followed hands. Frames come in the order of their stamps."""

    def __init__(self, settings: Settings, topology: Topology) -> None:
        """Begin without having seen a pull."""
        self._topology = topology
        self._pulls = [SteadyShape(_PULL) for _ in Side]  # logarithms, (1,)
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Go on with other settings."""
        self._settings = settings
        self._apart = settings.changed({'placement': 'apart'})
        self._newest: dict[Side, float] = {}

    def reset(self) -> None:
        """Forget all pulls."""
        self._newest = {}
        for pull in self._pulls:
            pull.reset()

    def exchange(self) -> None:
        """Follow hands whose labels were exchanged."""
        self._pulls.reverse()

    def __call__(
        self,
        frame: Frame,
        hands: Sequence[HandEstimate],
        left_from_right_m: Array,
        *,
        weight: float,
    ) -> Wrists:
        """Place the wrists of hands as `place_wrists`, drawn towards TransNet's word over time.

        A palm whose length is known, and a depth picture, need no TransNet.
        """
        self._newest = {}
        settings = self._apart if self._settings.palm_length_m else self._settings
        wrists = place_wrists(
            frame, hands, left_from_right_m, settings, self._topology, weight=weight
        )
        if settings.placement != 'auto':
            return wrists
        alone = self._by_size(frame, hands)
        if len(hands) == len(Side):
            self._newest = _pulls(wrists, alone)
        return Wrists(
            self._pulled(Side.RIGHT, wrists.right, alone.right),
            self._pulled(Side.LEFT, wrists.left, alone.left),
            wrists.disagreement_m,
            alone.by_size_m,
        )

    def learn(self, stamp_ns: int) -> None:
        """Take in the pull of the last frame, in which both hands were good."""
        for side, pull in self._newest.items():
            self._pulls[side](np.array([math.log(pull)]), stamp_ns)

    def _by_size(self, frame: Frame, hands: Sequence[HandEstimate]) -> Wrists:
        shown = replace(frame, depth_m=None)
        nothing = np.zeros(3)
        return place_wrists(shown, hands, nothing, self._apart, self._topology, weight=0.0)

    def _pulled(self, side: Side, wrist: Wrist | None, alone: Wrist | None) -> Wrist | None:
        if wrist is None or alone is None or wrist.depth_source is DepthSource.DEPTH_IMAGE:
            return wrist
        known = self._pulls[side].current
        pull = 1.0 if known is None else math.exp(known[0])
        return replace(wrist, metres=pull * alone.metres)


def _pulls(wrists: Wrists, alone: Wrists) -> dict[Side, float]:
    """Return how much farther away TransNet puts each wrist than its hand's size does."""
    pulled = {side: wrists.by_size_m[side] for side in Side}
    own = {side: alone.by_size_m[side] for side in Side}
    return {
        side: z / own_z
        for side in Side
        if (z := pulled[side]) is not None and (own_z := own[side]) is not None
    }
