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
        if len(hands) == len(Side):
            self._newest = _pulls(wrists)
        return replace(
            wrists,
            right=self._pulled(Side.RIGHT, wrists),
            left=self._pulled(Side.LEFT, wrists),
            by_size_m=(_depth_m(wrists, Side.RIGHT), _depth_m(wrists, Side.LEFT)),
        )

    def learn(self, stamp_ns: int) -> None:
        """Take in the pull of the last frame, in which both hands were good."""
        for side, pull in self._newest.items():
            self._pulls[side](np.array([math.log(pull)]), stamp_ns)

    def _pulled(self, side: Side, wrists: Wrists) -> Wrist | None:
        wrist, alone_m = wrists.of(side), wrists.alone_m[side]
        if wrist is None or alone_m is None or wrist.depth_source is DepthSource.DEPTH_IMAGE:
            return wrist
        known = self._pulls[side].current
        pull = 1.0 if known is None else math.exp(known[0])
        return replace(wrist, metres=pull * alone_m)


def _depth_m(wrists: Wrists, side: Side) -> float | None:
    """Return how far away a hand's own size puts its wrist."""
    alone_m = wrists.alone_m[side]
    return None if alone_m is None else float(alone_m[2])


def _pulls(wrists: Wrists) -> dict[Side, float]:
    """Return how much farther away TransNet puts each wrist than its hand's size does."""
    return {
        side: z / own_z
        for side in Side
        if (z := wrists.by_size_m[side]) is not None
        and (own_z := _depth_m(wrists, side)) is not None
    }
