"""From a view to both hands' estimates: the networks, in their order."""

from __future__ import annotations

from interwild_ros.hand_model.mano import HandPair
from interwild_ros.networks.interwild import InterWild
from interwild_ros.pipeline.finding import Finder
from interwild_ros.pipeline.posing import pose_hands
from interwild_ros.pipeline.readout import pair_estimate
from interwild_ros.pipeline.view import View
from interwild_ros.records import PairEstimate
from interwild_ros.tracking.matching import Sought, WHOLE
import torch


class Estimator:
    """Runs networks and hand models, on one device, over views."""

    def __init__(self, networks: InterWild, hand_models: HandPair, crop_source: str) -> None:
        """Keep the parts.

        :param crop_source: see `View.hand_crops`.
        """
        self._networks = networks
        self._hand_models = hand_models
        self._find = Finder(networks, crop_source)

    def __call__(self, view: View, sought: Sought = WHOLE) -> PairEstimate:
        """Find, read, relate and pose both hands."""
        networks = self._networks
        with torch.inference_mode():
            found = self._find(view, sought)
            readings = found.readings
            left_from_right = networks.relate(readings.joints, found.input_from_crop)
            posed = pose_hands(networks, self._hand_models, readings)
            return pair_estimate(view, found, posed, left_from_right[0], networks.spaces)
