"""From a frame to two placed hands: the one module that knows the order of the steps."""

from __future__ import annotations

from interwild_ros.config import Settings
from interwild_ros.geometry import crops
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.geometry.rotations import AxisAngle
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.networks.folding import folded
from interwild_ros.networks.interwild import InterWild
from interwild_ros.pipeline.device import choose_device
from interwild_ros.pipeline.placing import place_pair
from interwild_ros.pipeline.posing import pose_hands
from interwild_ros.pipeline.readout import pair_estimate, Seen
from interwild_ros.pipeline.view import look_at
from interwild_ros.records import Frame, ModelCard, PairEstimate, Topology, TwoHands
import numpy as np
import torch
import torch.nn.functional as F

MEANINGLESS = 'the weights are made by a rule, not trained: these hands mean nothing'
STAND_IN = 'MANO is absent: the stand-in hand model is used, which is no measured human hand'


class Pipeline:
    """The networks, the hand models and the settings, ready for frames.

    Not thread-safe: one thread runs frames. `with_settings` shares the networks.
    """

    def __init__(
        self, networks: InterWild, hand_models: HandPair, settings: Settings, card: ModelCard
    ) -> None:
        """Keep the parts, which are already on the device that `card` names."""
        self.settings = settings
        self.card = card
        self._networks = networks
        self._hand_models = hand_models
        self._device = torch.device(card.device)

    @property
    def topology(self) -> Topology:
        """Return the triangles and joints of every mesh that this pipeline makes."""
        return self._hand_models.topology()

    def __call__(self, frame: Frame) -> TwoHands:
        """Find, read and place both hands.

        :raises InputError: when the frame cannot be used.
        """
        return self.place(frame, self.estimate(frame))

    def with_settings(self, settings: Settings) -> Pipeline:
        """Return a pipeline of other settings on the same networks."""
        return Pipeline(self._networks, self._hand_models, settings, self.card)

    def warm_up(self) -> None:
        """Run one black frame, so that the first real one is as fast as the others."""
        camera = camera_from_fov(640, 480, self.settings.nominal_fov_deg)
        self(Frame(np.zeros((480, 640, 3), np.uint8), camera, stamp_ns=0, frame_id=''))

    def estimate(self, frame: Frame) -> PairEstimate:
        """Run the networks and the hand models; everything that does not need the camera.

        :raises InputError: when the region of interest has no pixel in the frame.
        """
        networks = self._networks
        with torch.inference_mode():
            view = look_at(frame, self.settings, networks.spaces, self._device)
            picture = view.network_input()
            detections = networks.detect(F.avg_pool2d(picture, 2))
            crop_boxes = networks.crop_boxes(detections)[0]
            _, input_from_crop = crops.crop_maps(crop_boxes, networks.spaces)
            hand_crops = view.hand_crops(picture, input_from_crop, self.settings.crop_source)
            readings = networks.read_hands(hand_crops)
            left_from_right = networks.relate(readings.joints, input_from_crop)
            posed = pose_hands(networks, self._hand_models, readings)
            boxes = networks.spaces.input_from_body(
                networks.hand_boxes(detections)[0].reshape(2, 2, 2)
            )
            return pair_estimate(
                Seen(
                    boxes_px=view.image_points(boxes),
                    scores=detections.score[0],
                    joints_px=view.image_points(
                        networks.input_joints(readings.joints, input_from_crop)
                    ),
                    joint_depths_m=networks.spaces.depth_m_from_volume(readings.joints[..., 2]),
                    readings=readings,
                    posed=posed,
                    left_from_right_m=left_from_right[0],
                )
            )

    def place(self, frame: Frame, pair: PairEstimate) -> TwoHands:
        """Give both hands their place in the camera's space."""
        return place_pair(frame, pair, self.settings)


def load_pipeline(settings: Settings) -> Pipeline:
    """Find the assets, check them, and put everything on the device.

    :raises AssetError: for a file that is missing, damaged, forbidden or of the wrong kind.
    :raises DeviceError: when a required GPU is absent.
    """
    device, warnings = choose_device(settings.device, require_gpu=settings.require_gpu)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    conventions: dict[str, AxisAngle] = {'legacy': 'legacy', 'canonical': 'canonical'}
    networks, weights = build_networks(
        settings.variant, settings.weights, axis_angle=conventions.get(settings.axis_angle)
    )
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
    )
    hand_models = HandPair(right, left).eval().to(device)
    return Pipeline(folded(networks).to(device), hand_models, settings, card)
