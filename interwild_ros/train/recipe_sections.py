"""The sections of a recipe, each a record of settings that checks itself."""

from __future__ import annotations

from dataclasses import dataclass

from interwild_ros.config import Checked, setting
from interwild_ros.errors import SettingError

_WEIGHT = {'low': 0.0, 'high': 1e6}


@dataclass(frozen=True)
class Optimisation(Checked):
    """How weights are changed, and for how long."""

    steps: int = setting(0, 'budget: batches of every process', low=0)
    seconds: float = setting(0.0, 'budget: time spent on training', unit='s', low=0.0)
    epochs: int = setting(0, 'budget: passes over the data sets', low=0)
    batch_size: int = setting(64, 'samples a step and process', low=1)
    optimizer: str = setting(
        'adamw',
        'which; muon learns from fewer samples, and a step of it takes longer',
        choices=('adam', 'adamw', 'muon'),
    )
    learning_rate: float = setting(1e-3, 'highest', low=0.0, high=10.0)
    weight_decay: float = setting(0.0, 'of AdamW and Muon', low=0.0, high=10.0)
    schedule: str = setting(
        'cosine', 'how the learning rate falls over the budget', choices=('cosine', 'step')
    )
    warm_up_steps: int = setting(0, 'steps over which the learning rate rises', low=0)
    drops: tuple[float, ...] = setting(
        (),
        'schedule step: divides by 10 from these points on, in units of the budget',
        has_numbers=True,
    )
    last_share: float = setting(0.005, 'schedule cosine: of the highest rate', low=0.0, high=1.0)
    clip_norm: float = setting(0.0, 'largest norm of the gradient; 0 never clips', low=0.0)
    average_decay: float = setting(
        0.0,
        'of the running average of the weights, which is what is kept; 0 has none',
        low=0.0,
        high=0.99999,
    )
    precision: str = setting(
        'float32',
        'of the networks, by autocast; float16 needs a GPU',
        choices=('float32', 'bfloat16', 'float16'),
    )
    batch_norm_momentum: float = setting(
        0.1, 'weight of the newest batch in running statistics', low=0.0001, high=1.0
    )

    def __post_init__(self) -> None:
        """Check every value, and that there is one budget."""
        super().__post_init__()
        given = [name for name in ('steps', 'seconds', 'epochs') if getattr(self, name)]
        if len(given) != 1:
            raise SettingError(
                f'a budget is given in {", ".join(given) or "nothing"}, '
                'wanted one of steps, seconds, epochs'
            )

    @property
    def budget(self) -> float:
        """Return the budget in the unit that it is given in."""
        return self.steps or self.seconds or self.epochs


@dataclass(frozen=True)
class ShnetWeights(Checked):
    """Weights of SHNet's losses on its own stream; each is of a mean."""

    joints_xy: float = setting(1.0, '2.5D joints, a volume cell', **_WEIGHT)
    joints_z: float = setting(0.5, '2.5D joints, a volume cell', **_WEIGHT)
    marginals: float = setting(0.5, 'cross-entropy of the volume along each axis', **_WEIGHT)
    rotations: float = setting(2.0, 'rotation matrices', **_WEIGHT)
    joints_m: float = setting(25.0, 'posed joints, a metre', **_WEIGHT)
    vertices_m: float = setting(25.0, 'mesh, a metre', **_WEIGHT)
    projected: float = setting(0.2, 'posed joints in the crop, a volume cell', **_WEIGHT)
    shape: float = setting(0.02, 'shape coefficients', **_WEIGHT)
    kind: float = setting(1.5, 'cross-entropy of right, left and no hand', **_WEIGHT)


@dataclass(frozen=True)
class DetectnetWeights(Checked):
    """Weights of DetectNet's losses on its own stream."""

    centre_map: float = setting(1.0, 'cross-entropy of the centre map', **_WEIGHT)
    absent_map: float = setting(0.2, 'a flat centre map where there is no hand', **_WEIGHT)
    centre: float = setting(2.0, 'centre, in sides of the box', **_WEIGHT)
    size: float = setting(2.0, 'size, in sides of the box', **_WEIGHT)
    roi_boxes: float = setting(
        2.0, 'boxes of hands in places, in sides of the box, and which hands they are', **_WEIGHT
    )


@dataclass(frozen=True)
class TransnetWeights(Checked):
    """Weight of TransNet's loss on its own stream."""

    left_from_right_m: float = setting(10.0, 'relative translation, a metre', **_WEIGHT)


@dataclass(frozen=True)
class JointWeights(Checked):
    """The original's losses have their weights in train/losses.py: nothing to set."""


@dataclass(frozen=True)
class SyntheticData(Checked):
    """Samples drawn on the fly."""

    domain: str = setting(
        'both',
        'studio: few cameras and plain backgrounds; wild: varied',
        choices=('studio', 'wild', 'both'),
    )
    held_out_samples: int = setting(512, 'samples of validation, never trained on', low=1)


@dataclass(frozen=True)
class PictureData(SyntheticData):
    """Pictures drawn on the fly; drawing costs as much as learning, so each may come again."""

    turns: int = setting(1, 'how often each comes, altered after the first', low=1, high=64)


@dataclass(frozen=True)
class CropData(PictureData):
    """Crops for SHNet, and how many of them show what they should not."""

    mirrored: float = setting(
        0.35, 'share of crops with a hand of the wrong side', low=0.0, high=1.0
    )
    strays: float = setting(0.12, 'share of crops beside the hands', low=0.0, high=1.0)
    loose: float = setting(
        0.3, 'share of crops about boxes that are far from exact', low=0.0, high=1.0
    )
    neighbours: float = setting(
        0.3,
        'share of crops about the box of the other hand, or of both, where another one is near',
        low=0.0,
        high=1.0,
    )
    turned: float = setting(
        0.6,
        'share of crops turned until the fingers point up, as hands seen before are read',
        low=0.0,
        high=1.0,
    )


@dataclass(frozen=True)
class BodyData(PictureData):
    """Pictures for the detector, and what its trunk begins with."""

    trunk: str = setting(
        'drawn',
        'initial weights: drawn, or those of the trunk that task shnet has trained before',
        choices=('drawn', 'shnet'),
    )
    kept_stages: int = setting(
        0, 'first stages of the trunk, with its stem, that stay as they are', low=0, high=4
    )


@dataclass(frozen=True)
class PairData(SyntheticData):
    """Pairs of joints, and how wrong they are: bench/residuals.py measures it.

    All names but `read`, with which they count for nothing, are those of
    train.synthetic.residuals.Residuals.
    """

    read: int = setting(
        0,
        'pairs of drawn hands that the trained SHNet reads before the first step; they alone are '
        'learned from, altered each time; 0 reads none, and pairs are drawn on the fly',
        low=0,
        high=1_000_000,
    )
    joint: float = setting(0.022, 'of each joint, in sizes of the hand', low=0.0, high=1.0)
    hand: float = setting(0.008, 'of all joints of a hand alike, in its sizes', low=0.0, high=1.0)
    depth_m: float = setting(0.006, 'of the depth of each joint', unit='m', low=0.0, high=1.0)
    flattened: float = setting(0.06, 'of the logarithm of all depths', low=0.0, high=1.0)


@dataclass(frozen=True)
class AnnotatedData(Checked):
    """Data sets in their published layouts, by folder; an empty one is left out."""

    interhand26m: str = setting('', 'folder of InterHand2.6M')
    reinterhand: str = setting('', 'folder of ReInterHand')
    mscoco: str = setting('', 'folder of MSCOCO')
    mano_dir: str = setting(
        '', 'folder with MANO_RIGHT and MANO_LEFT; see the setting of the node'
    )
    synthetic_pictures: int = setting(
        0, 'drawn pictures an epoch, of the studio as truth in 3D and of the wild as weak', low=0
    )
    held_out_samples: int = setting(512, 'samples of validation, never trained on', low=1)
    cache_dir: str = setting('', 'folder for parsed annotations; empty parses them every time')
    resnet50: str = setting('', 'file with ImageNet weights of ResNet-50 (V2); empty has none')
    resnet18: str = setting('', 'file with ImageNet weights of ResNet-18 (V1); empty has none')


@dataclass(frozen=True)
class Running(Checked):
    """What may differ between two runs that come out alike."""

    device: str = setting('auto', 'auto, cpu, cuda or cuda:N')
    workers: int = setting(1, 'processes that make samples; 0 makes them between steps', low=0)
    ahead: int = setting(4, 'batches that each worker has ready', low=1, high=1000)
    threads: int = setting(0, 'CPU threads of the networks; 0 leaves the choice to PyTorch', low=0)
    log_every_sec: float = setting(10.0, 'time between lines of the log', unit='s', low=0.0)
    checkpoint_every_sec: float = setting(300.0, 'time between checkpoints', unit='s', low=0.0)
    validate_every_sec: float = setting(300.0, 'time between validations', unit='s', low=0.0)
