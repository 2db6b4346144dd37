"""The worlds that synthetic pictures come from: what there is in each, as plain numbers.

As in the paper, one domain is a studio with truth in 3D and one is the wild with what people can
annotate in photographs. A third is held out: its cameras, rooms and ways to move are its own, and
nothing is ever trained on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

Range = tuple[float, float]
_EVEN_GESTURES = (1.5, 1.5, 1.2, 0.8, 1.2, 1.0, 1.0, 0.6, 0.5, 1.8)


@dataclass(frozen=True)
class Hands:
    """Which hands there are and what they do.

    `single`, `apart`, `interacting`: how often a picture shows one hand, two hands without and
    with each other. `gestures` and `holdings`: how often those of gestures.GESTURES and
    orientations.HOLDINGS come. `alike`: how often both hands do the same. `moving`: fingers are on
    their way from one gesture to another.
    """

    single: float = 0.30
    apart: float = 0.25
    interacting: float = 0.45
    gestures: tuple[float, ...] = _EVEN_GESTURES
    holdings: tuple[float, ...] = (0.34, 0.34, 0.08, 0.06, 0.10, 0.08)
    alike: float = 0.3
    moving: bool = False


@dataclass(frozen=True)
class Cameras:
    """From where hands are seen.

    `sizes`: width and height px, each as often as its weight. `fov_deg`: along the longer side.
    `distance_m`: least and most. `turned_deg`: how far, as a rule, cameras are turned about the
    person's x, y and z. `fixed`: a few cameras that never change, 0 for any.
    """

    sizes: tuple[tuple[int, int], ...] = ((640, 480), (640, 360), (480, 640), (512, 512))
    weights: tuple[float, ...] = (0.5, 0.15, 0.2, 0.15)
    fov_deg: Range = (38.0, 92.0)
    distance_m: Range = (0.25, 1.5)
    turned_deg: tuple[float, float, float] = (14.0, 24.0, 10.0)
    fixed: int = 0


@dataclass(frozen=True)
class Looks:
    """What people and rooms look like.

    Shares of pictures, unless said otherwise: `sleeves` and `gloves` on arms; `held` objects in
    hands; `occluders` before them; `strangers`: arms and faces of others; `rooms`: weights of
    backgrounds.BACKGROUNDS.
    """

    sleeves: float = 0.5
    gloves: float = 0.02
    held: float = 0.2
    occluders: float = 0.08
    strangers: float = 0.2
    rooms: tuple[float, ...] = (0.06, 0.12, 0.12, 0.30, 0.40, 0.0)


@dataclass(frozen=True)
class Light:
    """How bright: the lamp, the room around, and how far their colours are from white."""

    lamp: Range = (0.3, 0.95)
    room: Range = (0.22, 0.7)
    colour: float = 0.10
    fixed: bool = False


@dataclass(frozen=True)
class Sensor:
    """What a camera does to pictures. Shares of pictures, and the most of each effect.

    `coarse`: as much coarser than the picture could be; `grain`: of 0 to 1; `jpeg`: least quality.
    """

    cast: float = 0.14
    blur_share: float = 0.3
    motion_share: float = 0.2
    coarse_share: float = 0.4
    coarse: float = 3.5
    grain: float = 0.04
    jpeg_share: float = 0.6
    jpeg: int = 25


@dataclass(frozen=True)
class Domain:
    """One world. `has_3d`: whether truth in 3D and between the hands is known."""

    name: str
    has_3d: bool
    hands: Hands = field(default_factory=Hands)
    cameras: Cameras = field(default_factory=Cameras)
    looks: Looks = field(default_factory=Looks)
    light: Light = field(default_factory=Light)
    sensor: Sensor = field(default_factory=Sensor)

    def of_pairs(self) -> Domain:
        """Return the same world with two hands in every picture."""
        return replace(self, hands=replace(self.hands, single=0.0))


STUDIO = Domain(
    'studio',
    has_3d=True,
    cameras=Cameras(
        sizes=((512, 512), (334, 512)),
        weights=(0.5, 0.5),
        fov_deg=(28.0, 50.0),
        distance_m=(0.6, 1.1),
        fixed=8,
    ),
    looks=Looks(
        sleeves=0.25, gloves=0.0, held=0.0, occluders=0.0, strangers=0.0, rooms=(1, 0, 0, 0, 0, 0)
    ),
    light=Light(fixed=True, colour=0.0),
    sensor=Sensor(
        cast=0.02, blur_share=0.1, motion_share=0.05, coarse_share=0.1, grain=0.015, jpeg=70
    ),
)
WILD = Domain('wild', has_3d=False)
HELD_OUT = Domain(
    'held_out',
    has_3d=True,
    hands=Hands(
        single=0.40,
        apart=0.27,
        interacting=0.33,
        gestures=(1.0, 2.0, 1.0, 1.0, 1.0, 1.4, 1.0, 0.6, 0.6, 1.2),
        holdings=(0.45, 0.2, 0.1, 0.03, 0.1, 0.12),
        alike=0.4,
        moving=True,
    ),
    cameras=Cameras(
        sizes=((640, 480),),
        weights=(1.0,),
        fov_deg=(54.0, 70.0),
        distance_m=(0.35, 1.0),
        turned_deg=(8.0, 8.0, 3.0),
    ),
    looks=Looks(
        sleeves=0.6, gloves=0.0, held=0.06, occluders=0.0, strangers=0.15, rooms=(0, 0, 0, 0, 0, 1)
    ),
    light=Light(lamp=(0.4, 0.8), room=(0.3, 0.6), colour=0.06),
    sensor=Sensor(cast=0.06, coarse_share=0.2, coarse=2.0, grain=0.03, jpeg=50),
)
DOMAINS = {domain.name: domain for domain in (STUDIO, WILD, HELD_OUT)}
