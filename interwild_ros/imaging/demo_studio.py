"""Where the demo clip is made: the room, two stand-in hands, and the truth about them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
from interwild_ros.geometry.camera import project
from interwild_ros.geometry.wrist_frame import wrist_quaternion_xyzw
from interwild_ros.hand_model.articulation import Articulation
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import BETA_COUNT, read_stand_in
from interwild_ros.hand_model.render_hand import RenderHand
from interwild_ros.imaging.demo_motion import HandPath
from interwild_ros.imaging.demo_room import demo_room, Grain
from interwild_ros.imaging.hand_scene import HandScene
from interwild_ros.imaging.shading import Light
from interwild_ros.imaging.skin import dressed, skin_colours, SkinTone, Sleeve
from interwild_ros.records import Array, Camera, Image, Side
import numpy as np
import torch
from torch import Tensor

# The palm faces the camera and the fingers point up: columns are the model's x, y and z.
_CAM_FROM_MODEL = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class ClipHand:
    """The truth about one hand in one frame, in the camera's optical frame.

    `joints_m` (21, 3), `vertices_m` (778, 3) and `joints_image_px` (21, 2) as in records.Hand;
    `pose` (48,) and `betas` (10,) make them with hand_model.mano. `visible` says that at least
    half of the joints are inside the picture, be they behind the other hand or not.
    """

    side: Side
    joints_m: Array
    vertices_m: Array
    joints_image_px: Array
    wrist_quaternion_xyzw: Array
    pose: Array
    betas: Array
    visible: bool


class Studio:
    """The room, the two hands and what moves them."""

    def __init__(self, camera: Camera, rng: np.random.Generator) -> None:
        models = tuple(read_stand_in(side) for side in Side)
        self._camera = camera
        self._pair = HandPair(*models)
        self._articulations = [Articulation(model) for model in models]
        self._betas = rng.normal(0, 0.6, BETA_COUNT)
        hands = [RenderHand(side) for side in Side]
        self._scene = HandScene(hands, camera)
        tone = _some_tone(rng)
        sleeve = Sleeve(colour=_some_cloth(rng), start=float(rng.uniform(0.25, 0.45)))
        look = [dressed(hand, skin_colours(hand, tone, rng), sleeve) for hand in hands]
        self._colours, self._thicknesses_m = zip(*look, strict=True)
        self._room = demo_room(camera.width, camera.height, tone.back, sleeve.colour, rng)
        self._grain = Grain(self._room.shape, rng)

    def pose(self, paths: tuple[HandPath, HandPath], number: int) -> tuple[ClipHand, ClipHand]:
        """Return the truth of one frame."""
        poses = np.stack([self._model_pose(side, paths[side], number) for side in Side])
        with torch.no_grad():
            shapes = torch.tensor(np.stack([self._betas] * 2), dtype=torch.float32)
            vertices, joints = self._pair(torch.tensor(poses, dtype=torch.float32), shapes)
        right, left = (
            self._placed(
                side,
                vertices[side].numpy().astype(np.float64),
                joints[side].numpy().astype(np.float64),
                poses[side],
                _for_side(paths[side].wrists_m[number], side),
            )
            for side in Side
        )
        return right, left

    def picture(
        self, hands: tuple[ClipHand, ClipHand], paths: tuple[HandPath, HandPath], number: int
    ) -> Image:
        """Draw one frame."""
        turns = [_forearm_turn(side, hands[side], paths[side], number) for side in Side]
        with torch.no_grad():
            drawn = self._scene(
                [_tensor(hand.vertices_m)[None] for hand in hands],
                self._colours,
                Light(),
                forearm_turns=[_tensor(turn)[None] for turn in turns],
                thicknesses_m=self._thicknesses_m,
            )[0].numpy()
        picture = self._room * (1 - drawn[..., 3:]) + drawn[..., :3]
        return self._grain.developed(picture, number)

    def _model_pose(self, side: Side, path: HandPath, number: int) -> Array:
        now = slice(number, number + 1)
        poses = self._articulations[side].pose(path.bends_rad[now], path.spreads_rad[now])
        pose: Array = poses[0]
        pose[:3] = cv2.Rodrigues(_cam_from_model(side, path.angles_rad[number]))[0].ravel()
        return pose

    def _placed(
        self, side: Side, vertices: Array, joints: Array, pose: Array, wrist_m: Array
    ) -> ClipHand:
        shift = wrist_m - joints[0]
        joints_px = project(self._camera, joints + shift)
        size = (self._camera.width, self._camera.height)
        inside = ((joints_px > -0.5) & (joints_px < np.array(size) - 0.5)).all(1)
        return ClipHand(
            side=side,
            joints_m=joints + shift,
            vertices_m=vertices + shift,
            joints_image_px=joints_px,
            wrist_quaternion_xyzw=wrist_quaternion_xyzw(joints, side),
            pose=pose,
            betas=self._betas.copy(),
            visible=bool(inside.mean() >= 0.5),
        )


def _cam_from_model(side: Side, angles_rad: Array) -> Array:
    """Return the rotation (3, 3) of a hand that faces the camera, then turns in, nods, leans."""
    turn_in, nod, lean = angles_rad
    facing = _rotation([0, -turn_in, 0]) @ _CAM_FROM_MODEL
    right = _rotation([0, 0, lean]) @ _rotation([nod, 0, 0]) @ facing
    mirror = np.diag(_MIRROR)
    return np.asarray(right if side is Side.RIGHT else mirror @ right @ mirror)


def _forearm_turn(side: Side, hand: ClipHand, path: HandPath, number: int) -> Array:
    """Return how the forearm bends at the wrist, axis-angle in camera axes."""
    nod, sideways = path.forearm_rad[number]
    in_model = np.array([0.0, sideways, nod])
    if side is Side.LEFT:
        in_model = -in_model * _MIRROR  # an axis mirrors the other way round
    return np.asarray(cv2.Rodrigues(hand.pose[:3])[0] @ in_model)


def _for_side(point: Array, side: Side) -> Array:
    return np.asarray(point if side is Side.RIGHT else point * _MIRROR)


def _rotation(axis_angle: list[float]) -> Array:
    return np.asarray(cv2.Rodrigues(np.array(axis_angle, dtype=np.float64))[0])


def _tensor(values: Array) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _some_tone(rng: np.random.Generator) -> SkinTone:
    tones = (
        SkinTone(),
        SkinTone(back=(0.88, 0.68, 0.57), palm=(0.95, 0.75, 0.67), nail=(0.96, 0.80, 0.76)),
        SkinTone(back=(0.62, 0.42, 0.31), palm=(0.80, 0.60, 0.50), nail=(0.82, 0.63, 0.57)),
        SkinTone(back=(0.40, 0.27, 0.20), palm=(0.66, 0.49, 0.41), nail=(0.70, 0.53, 0.48)),
    )
    return tones[int(rng.integers(len(tones)))]


def _some_cloth(rng: np.random.Generator) -> tuple[float, float, float]:
    cloths = ((0.22, 0.30, 0.42), (0.30, 0.36, 0.30), (0.45, 0.26, 0.26), (0.34, 0.34, 0.37))
    return cloths[int(rng.integers(len(cloths)))]
