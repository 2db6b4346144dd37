"""The nouns that move through the pipeline: frozen, small, and checked once, at birth.

Arrays are NumPy, on the CPU. Unless a name says otherwise lengths are metres in the camera's
optical frame (REP 103: x right, y down, z forward), pixels are those of the image as received with
integer coordinates at pixel centres, and joints come in the order of `hand_model.joints`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import enum
import math
from typing import Any

from interwild_ros.errors import InputError
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]  # x1 y1 x2 y2

NS_PER_SEC = 1_000_000_000
JOINT_COUNT = 21
VERTEX_COUNT = 778
OPTICAL_AXIS: Array = np.array([0.0, 0.0, 1.0])
OPTICAL_AXIS.flags.writeable = False  # readings share it
DISTORTION_COUNTS = {
    'none': (0,),
    'plumb_bob': (4, 5),
    'rational_polynomial': (8, 12, 14),
    'equidistant': (4,),
}


class Side(enum.IntEnum):
    """The person's own hand. The values are the networks' order: right first."""

    RIGHT = 0
    LEFT = 1

    @property
    def label(self) -> str:
        """Return 'right' or 'left'."""
        return self.name.lower()

    @property
    def other(self) -> Side:
        """Return the other hand's side."""
        return Side(1 - self)


class DepthSource(enum.IntEnum):
    """What a hand's distance from the camera rests on. The values are those of Hand.msg."""

    NONE = 0
    INTRINSICS = 1
    NOMINAL = 2
    DEPTH_IMAGE = 3


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with lens distortion, in pixels of the image as received.

    `distortion` holds OpenCV's coefficients for `distortion_model` (a key of DISTORTION_COUNTS).
    `nominal` says that the intrinsics were made up from a stated field of view.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion_model: str = 'none'
    distortion: tuple[float, ...] = ()
    nominal: bool = False

    def __post_init__(self) -> None:
        """Refuse sizes, focal lengths and coefficients that no camera has."""
        if self.width <= 0 or self.height <= 0:
            raise InputError(
                'bad_camera', f'camera size is {self.width} x {self.height} px, wanted positive'
            )
        for name in ('fx', 'fy'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(
                    'bad_camera', f'focal length {name} is {value}, wanted finite and above 0 px'
                )
        for name in ('cx', 'cy'):
            if not math.isfinite(getattr(self, name)):
                raise InputError(
                    'bad_camera', f'principal point {name} is {getattr(self, name)}, wanted finite'
                )
        counts = DISTORTION_COUNTS.get(self.distortion_model)
        if counts is None:
            raise InputError(
                'bad_camera',
                f'distortion model is {self.distortion_model!r}, wanted one of '
                f'{", ".join(DISTORTION_COUNTS)}',
            )
        if len(self.distortion) not in counts:
            raise InputError(
                'bad_camera',
                f'{self.distortion_model} has {len(self.distortion)} distortion coefficients, '
                f'wanted {" or ".join(map(str, counts))}',
            )
        if not all(map(math.isfinite, self.distortion)):
            raise InputError(
                'bad_camera', f'distortion is {self.distortion}, wanted finite numbers'
            )


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture with everything that placing hands in it needs.

    `image` is uint8 RGB, (height, width, 3). `stamp_ns` is the header's stamp in nanoseconds.
    `depth_m` (height, width), where a depth camera says it: the depth of what each pixel shows,
    NaN where there is no reading.
    """

    image: Image
    camera: Camera
    stamp_ns: int
    frame_id: str
    depth_m: Array | None = None

    def __post_init__(self) -> None:
        """Check the picture's layout and that the camera describes this picture."""
        if self.image.dtype != np.uint8 or self.image.ndim != 3 or self.image.shape[2] != 3:
            raise InputError(
                'bad_image',
                f'image is {self.image.dtype} {self.image.shape}, wanted uint8 (height, width, 3)',
            )
        height, width = self.image.shape[:2]
        if not (height and width):
            raise InputError('zero_size', f'image is {width} x {height} px, wanted positive')
        if (width, height) != (self.camera.width, self.camera.height):
            raise InputError(
                'camera_size',
                f'image is {width} x {height} px, its camera '
                f'{self.camera.width} x {self.camera.height} px',
            )
        if self.depth_m is not None and self.depth_m.shape != (height, width):
            raise InputError(
                'depth_size',
                f'depth has shape {self.depth_m.shape}, its picture {(height, width)}',
            )


@dataclass(frozen=True)
class Candidate:
    """Where the detector proposes a hand of either side.

    `box` is (x1, y1, x2, y2) in image px; `score` ranks it, 0 to 1; `right_share`, 0 to 1, is how
    much it looks like a right hand to the detector.
    """

    box: Box
    score: float
    right_share: float


@dataclass(frozen=True)
class HandBox:
    """Where a hand was seen.

    `corners` is (x1, y1, x2, y2) in image px and may leave the image. `score` is how likely the
    hand is there, 0 to 1, of networks that say it; of others the peak of the detector's softmax
    map at the box centre: a ranking, not a probability.
    """

    side: Side
    corners: Box
    score: float


@dataclass(frozen=True, eq=False, kw_only=True)
class HandReading:
    """What SHNet reads in the crop of one hand.

    `joints_image_px` (21, 2) image px; `joint_depths_m` (21,) relative to the wrist, along the
    unit vector `depths_along` (3,) of the camera's axes; `pose` (48,) axis-angle radians, root
    then 15 joints, the model's mean pose not included; `betas` (10,). `is_hand` is False where
    nothing was sought or proposed, or the other hand is what was read. `kinds` are the
    probabilities of the hand that it should be, the other one, and none; None of networks that do
    not say it.
    """

    box: HandBox
    joints_image_px: Array
    joint_depths_m: Array
    pose: Array
    betas: Array
    is_hand: bool = True
    kinds: tuple[float, float, float] | None = None
    depths_along: Array = field(default_factory=lambda: OPTICAL_AXIS)

    def __post_init__(self) -> None:
        """Check every array's shape."""
        _check_shapes(
            self,
            joints_image_px=(JOINT_COUNT, 2),
            joint_depths_m=(JOINT_COUNT,),
            depths_along=(3,),
            pose=(48,),
            betas=(10,),
        )

    @property
    def side(self) -> Side:
        """Return which hand this is."""
        return self.box.side


@dataclass(frozen=True, eq=False, kw_only=True)
class HandEstimate(HandReading):
    """A reading and the mesh that its pose and shape make, before the hand has a place.

    `joints_m` (21, 3) and `vertices_m` (778, 3) relative to the wrist, camera axes. `scale` is
    what the hand model's mesh was multiplied by.
    """

    joints_m: Array
    vertices_m: Array
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Check every array's shape."""
        super().__post_init__()
        _check_shapes(self, joints_m=(JOINT_COUNT, 3), vertices_m=(VERTEX_COUNT, 3))


@dataclass(frozen=True, eq=False)
class PairReading:
    """Both hands as the networks see them.

    `left_from_right_m` (3,) is the left wrist minus the right wrist, from TransNet. `interacting`
    says that the two boxes overlap (the original's test). `detected` is what the detector
    proposed, None where it did not run.
    """

    right: HandReading
    left: HandReading
    left_from_right_m: Array
    interacting: bool
    detected: tuple[Candidate, ...] | None = None


@dataclass(frozen=True, eq=False)
class PairEstimate(PairReading):
    """Both hands as the networks see them, with their meshes."""

    right: HandEstimate
    left: HandEstimate


@dataclass(frozen=True, eq=False)
class Hand:
    """A hand that was found and placed.

    `joints_m` (21, 3) and `vertices_m` (778, 3) in the camera's optical frame;
    `wrist_quaternion_xyzw` turns the hand's frame (geometry.wrist_frame) into camera axes;
    `reprojection_error_px` is the root mean square over the joints; `wrist_covariance_m2` (3, 3),
    None where it is not known; `scale` multiplies the mesh of the hand model.
    """

    box: HandBox
    joints_image_px: Array
    pose: Array
    betas: Array
    joints_m: Array
    vertices_m: Array
    wrist_quaternion_xyzw: Array
    reprojection_error_px: float
    depth_source: DepthSource
    wrist_covariance_m2: Array | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Check every array's shape, and that nothing is NaN or infinite."""
        _check_shapes(
            self,
            joints_image_px=(JOINT_COUNT, 2),
            pose=(48,),
            betas=(10,),
            joints_m=(JOINT_COUNT, 3),
            vertices_m=(VERTEX_COUNT, 3),
            wrist_quaternion_xyzw=(4,),
        )
        for name in ('joints_m', 'vertices_m', 'joints_image_px', 'wrist_quaternion_xyzw'):
            if not np.isfinite(getattr(self, name)).all():
                raise InputError('not_finite', f'{name} of a placed hand holds NaN or infinity')

    @property
    def side(self) -> Side:
        """Return which hand this is."""
        return self.box.side

    @property
    def wrist_m(self) -> Array:
        """Return the wrist joint (3,)."""
        wrist: Array = self.joints_m[0]
        return wrist

    @property
    def wrist_std_m(self) -> float | None:
        """Return how unsure the wrist is along the ray from the camera, None where not known."""
        if self.wrist_covariance_m2 is None:
            return None
        ray = self.wrist_m / np.linalg.norm(self.wrist_m)
        return float(np.sqrt(ray @ self.wrist_covariance_m2 @ ray))


@dataclass(frozen=True)
class NoHand:
    """A hand that is not there, as a value. `reason` is a short snake_case word for figures."""

    side: Side
    score: float
    reason: str


@dataclass(frozen=True, eq=False)
class TwoHands:
    """What the pipeline says of one frame.

    `left_from_right_m` (3,) is the left wrist minus the right wrist as TransNet sees it, and
    `disagreement_m` how far it is from the wrists placed apart; None unless both hands are there.
    `was_detected` says that the detector looked; `region` is where, or what was followed.
    """

    stamp_ns: int
    frame_id: str
    right: Hand | NoHand
    left: Hand | NoHand
    interacting: bool
    left_from_right_m: Array | None
    disagreement_m: float | None = None
    was_detected: bool = True
    region: Box | None = None

    def __post_init__(self) -> None:
        """Check that each hand stands on its own side."""
        for side, hand in ((Side.RIGHT, self.right), (Side.LEFT, self.left)):
            if hand.side is not side:
                raise InputError(
                    'wrong_side', f'the {side.label} hand is a {hand.side.label} hand'
                )

    @property
    def hands(self) -> tuple[Hand, ...]:
        """Return the hands that are there, right before left."""
        return tuple(h for h in (self.right, self.left) if isinstance(h, Hand))


@dataclass(frozen=True, eq=False)
class Topology:
    """What a consumer needs once to draw the meshes and name the joints.

    `right_triangles` and `left_triangles` are (1538, 3) vertex indices, outward by the right-hand
    rule. `joint_parents` gives -1 for the wrist. `hand_model` names the model; `is_stand_in` says
    that it is ours and not MANO.
    """

    hand_model: str
    is_stand_in: bool
    joint_names: tuple[str, ...]
    joint_parents: tuple[int, ...]
    right_triangles: NDArray[np.uint32]
    left_triangles: NDArray[np.uint32]


@dataclass(frozen=True)
class ModelCard:
    """What is running: shown in logs, diagnostics, the topology message and reports.

    `weights` names the file, or the rule; `weights_meaningful` is False for rule-made weights.
    `engine` runs the networks, in the precision that it names. `warnings` are sentences for a
    person.
    """

    variant: str
    weights: str
    weights_meaningful: bool
    hand_model: str
    hand_model_is_stand_in: bool
    device: str
    warnings: tuple[str, ...] = ()
    engine: str = ''


def _check_shapes(record: object, **shapes: tuple[int, ...]) -> None:
    for name, shape in shapes.items():
        found = getattr(record, name).shape
        if found != shape:
            raise InputError(
                'bad_shape', f'{type(record).__name__}.{name} has shape {found}, wanted {shape}'
            )
