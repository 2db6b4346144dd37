"""From a frame to two placed hands: the one module that knows the order of the steps."""

from __future__ import annotations

import copy

from interwild_ros.config import Settings
from interwild_ros.geometry.rotations import convention_named
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models
from interwild_ros.hand_model.pair_posing import PairPosing
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.networks.interwild import InterWild
from interwild_ros.pipeline.device import choose_device
from interwild_ros.pipeline.engine import choose_engine, torch_threads
from interwild_ros.pipeline.placing import place_pair
from interwild_ros.pipeline.posing import posed_pair
from interwild_ros.pipeline.reading import Reader
from interwild_ros.pipeline.view import look_at
from interwild_ros.records import (
    Array,
    Frame,
    ModelCard,
    PairEstimate,
    PairReading,
    Topology,
    TwoHands,
)
from interwild_ros.tracking.matching import Sought, WHOLE
import torch

MEANINGLESS = 'the weights are made by a rule, not trained: these hands mean nothing'
STAND_IN = 'MANO is absent: the stand-in hand model is used, which is no measured human hand'


class Pipeline:
    """The networks, the hand models and the settings, ready for frames.

    Not thread-safe: one thread runs frames. `with_settings` shares the networks.
    """

    def __init__(
        self,
        networks: InterWild,
        hand_models: HandPair,
        settings: Settings,
        card: ModelCard,
        *,
        threads: int | None = None,
    ) -> None:
        """Keep the parts, which are already on the device that `card` names.

        :param threads: see Engine.
        """
        self.settings = settings
        self.card = card
        self._networks = networks
        self._hand_models = hand_models
        self._device = torch.device(card.device)
        self._threads = threads
        self._read = Reader(networks, settings.crop_source)
        self._pose = PairPosing(hand_models)
        self._topology = hand_models.topology()

    @property
    def networks(self) -> InterWild:
        """Return the networks, as their engine runs them."""
        return self._networks

    @property
    def topology(self) -> Topology:
        """Return the triangles and joints of every mesh that this pipeline makes."""
        return self._topology

    def __call__(self, frame: Frame) -> TwoHands:
        """Find, read and place both hands.

        :raises InputError: when the frame cannot be used.
        """
        return self.place(frame, self.estimate(frame))

    def with_settings(self, settings: Settings) -> Pipeline:
        """Return a pipeline of other settings on the same networks and hand models."""
        other = copy.copy(self)
        other.settings = settings
        other._read = Reader(self._networks, settings.crop_source)
        return other

    @property
    def says_kinds(self) -> bool:
        """Return whether the networks tell hands from what is none, and right from left."""
        return self._networks.hand_kind_net is not None

    def pose(self, poses: Array, betas: Array) -> tuple[Array, Array]:
        """Return joints (2, 21, 3) and vertices (2, 778, 3) relative to the wrist, camera axes.

        :param poses: (2, 48) axis-angle rad, root first, without the mean pose, right hand first.
        :param betas: (2, 10).
        """
        return self._pose(poses, betas)

    def estimate(self, frame: Frame, sought: Sought = WHOLE) -> PairEstimate:
        """Run the networks and the hand models: `read`, then `posed`."""
        return self.posed(self.read(frame, sought))

    def read(self, frame: Frame, sought: Sought = WHOLE) -> PairReading:
        """Run the networks.

        :param sought: where to look; where nothing is known yet if not given.
        :raises InputError: when the region of interest has no pixel in the frame.
        """
        spaces = self._networks.spaces
        with torch.inference_mode(), torch_threads(self._threads):
            view = look_at(frame, self.settings, spaces, self._device, sought.region)
            return self._read(view, sought)

    def posed(self, pair: PairReading) -> PairEstimate:
        """Return both hands with the meshes of their own poses and shapes."""
        return posed_pair(pair, self._pose)

    def place(self, frame: Frame, pair: PairEstimate) -> TwoHands:
        """Give both hands their place in the camera's space."""
        return place_pair(frame, pair, self.settings, self.topology)


def load_pipeline(settings: Settings) -> Pipeline:
    """Find the assets, check them, and put everything on the device.

    :raises AssetError: for a file that is missing, damaged, forbidden or of the wrong kind.
    :raises DeviceError: when a required GPU is absent.
    :raises SettingError: for an engine that is not installed.
    """
    device, warnings = choose_device(settings.device, require_gpu=settings.require_gpu)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    networks, weights = build_networks(
        settings.variant, settings.weights, axis_angle=convention_named(settings.axis_angle)
    )
    engine = choose_engine(networks, device, settings.engine, settings.precision)
    warnings += engine.warnings
    right, left = find_hand_models(settings.mano_dir)
    if not weights.meaningful:
        warnings += (MEANINGLESS,)
    if right.is_stand_in:
        warnings += (STAND_IN,)
    card = ModelCard(
        variant=networks.variant.name,
        weights=weights.name,
        weights_meaningful=weights.meaningful,
        hand_model=right.name,
        hand_model_is_stand_in=right.is_stand_in,
        device=str(device),
        warnings=warnings,
        engine=engine.name,
    )
    hand_models = HandPair(right, left).eval().to(device)
    return Pipeline(engine.networks, hand_models, settings, card, threads=engine.threads)
