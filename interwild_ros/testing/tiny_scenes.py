"""Pairs of stand-in hands before a few cameras: the truth that tiny data sets are written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.records import Array, JOINT_COUNT, Side
import numpy as np
import torch

HAND_TYPES = ('right', 'left', 'interacting')
_DISTANCE_M = 0.9
_APART_M = 0.1


@dataclass(frozen=True, eq=False)
class TinyHands:
    """Both hands at one moment: `pose` (2, 48), `shape` (2, 10), `trans` (2, 3), right first.

    `joints_m` (42, 3) and `vertices_m` (2, 778, 3) follow from them, in the world.
    """

    pose: Array
    shape: Array
    trans: Array
    joints_m: Array
    vertices_m: Array

    def fit(self, side: Side) -> dict[str, list[float]]:
        """Return the parameters of one hand as files have them."""
        rows = {'pose': self.pose, 'shape': self.shape, 'trans': self.trans}
        return {key: values[side].tolist() for key, values in rows.items()}


@dataclass(frozen=True, eq=False)
class TinyCamera:
    """A camera `name`, with rotation (3, 3) and translation (3,) m from the world to it.

    `fisheye` holds 4 coefficients of OpenCV's fisheye, None for a pinhole.
    """

    name: str
    rotation: Array
    translation_m: Array
    focal: Array
    principal: Array
    image_size: tuple[int, int]
    fisheye: Array | None = None

    def see(self, world_m: Array) -> Array:
        """Return points (N, 3) in the camera's frame."""
        return np.asarray(world_m @ self.rotation.T + self.translation_m)

    def pixels(self, world_m: Array) -> Array:
        """Return where points (N, 3) are seen, px (N, 2)."""
        seen = self.see(world_m)
        if self.fisheye is None:
            return np.asarray(seen[:, :2] / seen[:, 2:] * self.focal + self.principal)
        K, still = np.eye(3), np.zeros(3)
        K[[0, 1], [0, 1]], K[:2, 2] = self.focal, self.principal
        return cv2.fisheye.projectPoints(seen[:, None], still, still, K, self.fisheye)[0][:, 0]


@dataclass(frozen=True, eq=False)
class TinyPicture:
    """What was written of one picture; lengths in m, joints in our order, right hand first.

    `has_hand` (2,) says which hands are annotated. `camera` is where `hands` were seen from.
    """

    path: Path
    annotation_id: int
    hands: TinyHands
    camera: TinyCamera
    has_hand: tuple[bool, bool]

    @property
    def joint_valid(self) -> Array:
        """Return the validity (42,) of the joints: all those of the hands that are there."""
        return np.repeat(np.array(self.has_hand, dtype=np.float64), JOINT_COUNT)


@cache  # tests write the same hands again and again
def some_hands(
    count: int, *, seed: int = 0, centre_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> tuple[TinyHands, ...]:
    """Pose the stand-in hands at random, side by side about a point of the world."""
    random = np.random.default_rng(seed)
    pose = random.normal(0, 0.15, (2, count, 48))
    shape = random.normal(0, 0.3, (2, count, 10))
    aside = np.array([-_APART_M, _APART_M])[:, None, None] * [1.0, 0.0, 0.0]
    trans = centre_m + aside + random.normal(0, 0.02, (2, count, 3))
    vertices = _posed(pose, shape) + trans[:, :, None]
    joints = np.einsum('jv,snvc->snjc', _regressor(), vertices)
    return tuple(
        TinyHands(
            pose=pose[:, moment],
            shape=shape[:, moment],
            trans=trans[:, moment],
            joints_m=joints[:, moment].reshape(2 * JOINT_COUNT, 3),
            vertices_m=vertices[:, moment],
        )
        for moment in range(count)
    )


def some_cameras(count: int, *, image_size: tuple[int, int] = (128, 96)) -> list[TinyCamera]:
    """Put cameras on an arc around the origin, looking at it."""
    width, height = image_size
    return [
        TinyCamera(
            name=f'4000{number:02d}',
            rotation=cv2.Rodrigues(np.array([0.1, 0.25 * number, 0.05]))[0],
            translation_m=np.array([0.01 * number, -0.02, _DISTANCE_M]),
            focal=np.array([width * 1.0, width * 1.01]),
            principal=np.array([width / 2 + number, height / 2]),
            image_size=image_size,
        )
        for number in range(count)
    ]


def still_camera(
    *, focal: Sequence[float], principal: Sequence[float], image_size: tuple[int, int]
) -> TinyCamera:
    """Return a camera at the origin of the world, looking along z: its frame is the world's."""
    return TinyCamera(
        name='still',
        rotation=np.eye(3),
        translation_m=np.zeros(3),
        focal=np.array(focal),
        principal=np.array(principal),
        image_size=image_size,
    )


def hand_types(count: int) -> list[tuple[str, tuple[bool, bool]]]:
    """Return right, left, interacting in turn, and which hands that means."""
    types = [HAND_TYPES[number % len(HAND_TYPES)] for number in range(count)]
    return [(name, (name != 'left', name != 'right')) for name in types]


def write_picture(path: Path, image_size: tuple[int, int], *, seed: int) -> None:
    """Write a picture of random colours with a camera's noise, some 0.2 bytes a pixel as JPEG."""
    random = np.random.default_rng(seed)
    smooth = cv2.resize(
        random.uniform(40, 215, (6, 8, 3)), image_size, interpolation=cv2.INTER_CUBIC
    )
    picture = np.clip(smooth + random.normal(0, 3, smooth.shape), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())


def _posed(pose: Array, shape: Array) -> Array:
    """Return vertices (2, N, 778, 3) m of poses (2, N, 48)."""
    flat = [torch.as_tensor(rows.reshape(-1, rows.shape[-1])).float() for rows in (pose, shape)]
    with torch.inference_mode():
        vertices, _ = _hand_pair()(*flat)
    found: Array = vertices.double().numpy().reshape(*pose.shape[:2], -1, 3)
    return found


def _regressor() -> Array:
    found: Array = _hand_pair().joint_regressor.double().numpy()
    return found


@cache
def _hand_pair() -> HandPair:
    return HandPair(read_stand_in(Side.RIGHT), read_stand_in(Side.LEFT))
