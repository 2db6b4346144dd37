"""The networks cut into steps, some of which another engine runs, or another precision.

Of each network the trunk bears all the work, and may run in half precision. What comes before and
after it makes or reads coordinates and rotations, is small, and stays in float32. A step is a pure
function of tensors, so exporters and compilers take it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from interwild_ros.networks.detectnet import Candidates, Detections
from interwild_ros.networks.interwild import HandReadings, InterWild
from interwild_ros.networks.layers import in_full
from interwild_ros.networks.shnet import HandPose
from interwild_ros.records import JOINT_COUNT
from torch import nn, Tensor


class BodyMaps(nn.Module):
    """The detector's trunk and maps."""

    def __init__(self, networks: InterWild) -> None:
        super().__init__()
        self.backbone = networks.body_backbone
        self.box_net = networks.body_box_net

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Map pictures (B, 3, H, W) of `Spaces.body_size` to `BoxNet.centre_logits`."""
        return self.box_net.centre_logits(self.backbone.stages(pictures))


class HandStem(nn.Module):
    """The first convolution of SHNet's trunk.

    It reads colours, which in half precision would be off before anything is done with them.
    """

    def __init__(self, networks: InterWild) -> None:
        super().__init__()
        self.backbone = networks.hand_roi_net.backbone

    def forward(self, crops: Tensor) -> Tensor:
        """Map crops (N, 3, S, S) to what stage one works on (N, C, S/4, S/4)."""
        return self.backbone.stem(crops)


class HandFeatures(nn.Module):
    """The rest of SHNet's trunk, and its neck."""

    def __init__(self, networks: InterWild) -> None:
        super().__init__()
        self.roi_net = networks.hand_roi_net

    def forward(self, begun: Tensor) -> Tensor:
        """Map what `HandStem` gives to the features that the heads read."""
        return self.roi_net.after_stem(begun)


class HandHeads(nn.Module):
    """What SHNet reads from the features of crops: every head, in one step."""

    def __init__(self, networks: InterWild) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """Return the parts of `InterWild.read_as_right`, in their order."""
        return parts_of(self.networks.read_as_right(features))


def parts_of(readings: HandReadings) -> tuple[Tensor, ...]:
    """Return the tensors of readings in their order, without kinds that are not said."""
    joints, pose, kinds = readings
    return (joints, *pose) if kinds is None else (joints, *pose, kinds)


def readings_of(parts: Sequence[Tensor]) -> HandReadings:
    """Put together what `parts_of` returns."""
    joints, root, fingers, betas, wrist, *kinds = parts
    return HandReadings(joints, HandPose(root, fingers, betas, wrist), *kinds)


class PairDrawing(nn.Module):
    """TransNet up to its trunk: the joints of both hands, drawn and convolved."""

    def __init__(self, networks: InterWild) -> None:
        super().__init__()
        self.trans_net = networks.hand_trans_net

    def forward(self, joints: Tensor, input_from_crop: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the trunk reads (B, C, 64, 64), and the joints (B, 2, 21, 3) in pair cells.

        :param joints: (2, B, 21, 3) volume cells, right hands before left ones, un-mirrored.
        :param input_from_crop: (2, B, 2, 3) of the un-mirrored crops.
        """
        pair = self.trans_net.pair_joints(joints, input_from_crop)
        return self.trans_net.draw_and_convolve(pair), pair


class PairFeatures(nn.Module):
    """TransNet's trunk."""

    def __init__(self, networks: InterWild) -> None:
        super().__init__()
        self.backbone = networks.hand_trans_net.backbone

    def forward(self, drawn: Tensor) -> Tensor:
        """Map drawn joints (B, C, 64, 64) to features (B, C', 8, 8)."""
        return self.backbone.after_stem(drawn)


@dataclass(frozen=True)
class Steps:
    """What bears the work: the steps above by their names, and SHNet's trunk.

    Outputs may be written over by the next call: they are read before it. `hand_heads` gives what
    `InterWild.read_as_right` gives; None leaves that to the networks.
    """

    body_maps: Callable[[Tensor], tuple[Tensor, Tensor]]
    hand_features: Callable[[Tensor], Tensor]
    pair_drawing: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    pair_features: Callable[[Tensor], Tensor]
    hand_heads: Callable[[Tensor], HandReadings] | None = None


def take_over(own: InterWild, networks: InterWild, left_out: Collection[str] = ()) -> None:
    """Give networks that have nothing yet the parts of others, but for those that are left out."""
    own.variant = networks.variant
    own.spaces = networks.spaces
    for name, part in networks.named_children():
        setattr(own, name, None if name in left_out else part)
    own.hand_kind_net, own.body_roi_net = networks.hand_kind_net, networks.body_roi_net


class SteppedNetworks(InterWild):
    """The same networks, where something else runs the steps. For inference alone."""

    def __init__(
        self, networks: InterWild, steps: Steps, *, left_out: Collection[str] = ()
    ) -> None:
        """Take the networks over, which keep their heads.

        :param networks: their parts are shared, not copied.
        :param left_out: names of parts that the steps do without, and whose weights need not be
            kept.
        """
        nn.Module.__init__(self)
        take_over(self, networks, left_out)
        self.steps = steps

    def detect(self, body_pictures: Tensor) -> Detections:
        """Find both hands, see InterWild."""
        return self.body_box_net.boxes(*self.steps.body_maps(body_pictures))

    def propose(self, body_pictures: Tensor, count: int) -> Candidates:
        """Find places of hands, see InterWild."""
        return self.places(*self.steps.body_maps(body_pictures), count)

    def read_hands(self, hand_crops: Tensor) -> HandReadings:
        """Read the hands, see InterWild."""
        read = self.steps.hand_heads or self.read_as_right
        return self.unmirror_left(read(self.steps.hand_features(hand_crops)))

    def relate(self, joints: Tensor, input_from_crop: Tensor) -> Tensor:
        """Return left wrist minus right wrist, see InterWild."""
        drawn, pair = self.steps.pair_drawing(
            joints.reshape(2, -1, JOINT_COUNT, 3), input_from_crop.reshape(2, -1, 2, 3)
        )
        trans_net = self.hand_trans_net
        at_wrists = trans_net.at_wrists(self.steps.pair_features(drawn), pair)
        return in_full(trans_net.fc, at_wrists)
