"""From a view to what the networks read of both hands: the networks, in their order."""

from __future__ import annotations

from interwild_ros.networks.interwild import InterWild
from interwild_ros.pipeline.finding import Finder
from interwild_ros.pipeline.readout import pair_reading
from interwild_ros.pipeline.view import View
from interwild_ros.records import PairReading
from interwild_ros.tracking.matching import Sought, WHOLE
import torch


class Reader:
    """Runs the networks, on their device, over views."""

    def __init__(self, networks: InterWild, crop_source: str) -> None:
        """Keep the parts.

        :param crop_source: see `View.hand_crops`.
        """
        self._networks = networks
        self._find = Finder(networks, crop_source)

    def __call__(self, view: View, sought: Sought = WHOLE) -> PairReading:
        """Find, read and relate both hands."""
        with torch.inference_mode():
            return pair_reading(view, self._find(view, sought), self._networks.spaces)
