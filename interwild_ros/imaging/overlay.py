"""Draw what was found over the picture: meshes, skeletons, boxes, labels and notes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
from interwild_ros.geometry.camera import project
from interwild_ros.hand_model.joints import FINGERS
from interwild_ros.hand_model.surface import Normals
from interwild_ros.imaging.captions import caption, Rgb, text_scale, write_notes
from interwild_ros.imaging.mesh_painting import paint_meshes
from interwild_ros.imaging.shading import Light, shade
from interwild_ros.records import (
    Array,
    Box,
    Camera,
    Hand,
    Image,
    Side,
    Topology,
    TwoHands,
    VERTEX_COUNT,
)
import numpy as np
import torch

SIDE_COLOURS: dict[Side, Rgb] = {Side.RIGHT: (255, 150, 70), Side.LEFT: (70, 170, 255)}
# in the order of hand_model.joints.FINGERS
FINGER_COLOURS: tuple[Rgb, ...] = (
    (255, 92, 92),
    (255, 196, 64),
    (112, 224, 96),
    (72, 200, 255),
    (200, 128, 255),
)
_WRIST_COLOUR: Rgb = (245, 245, 245)
_OUTLINE: Rgb = (24, 24, 24)
_ABSENT_COLOUR: Rgb = (170, 170, 170)
_DETECTED_COLOUR: Rgb = (250, 220, 90)
_FOLLOWED_COLOUR: Rgb = (120, 230, 140)
# Colours are 0 to 255 here, and so is the highlight.
_LIGHT = Light(strength=0.75, ambient=0.5, highlight=40.0, shininess=24.0)
_OPACITY = 0.62
_FARTHEST_PX = 30_000  # OpenCV draws with 16 bits before the point


def draw_overlay(
    image: Image,
    two_hands: TwoHands,
    topology: Topology,
    camera: Camera,
    notes: Sequence[str] = (),
) -> Image:
    """Return a copy of the picture with the hands drawn over it.

    Meshes are where the hands were placed; skeletons are where the networks saw the joints. The
    distance between the two is the reprojection error. Corners show the region that is followed,
    or where the detector looked; lines below say of each hand whether it is there.

    :param image: (height, width, 3) uint8 RGB, as `camera` took it.
    :param notes: lines written into the upper left corner.
    """
    picture = image.copy()
    hands = two_hands.hands
    if hands:
        _draw_meshes(picture, hands, topology, camera)
    for hand in hands:
        _draw_skeleton(picture, hand.joints_image_px)
    for hand in hands:
        _draw_box(picture, hand)
    if two_hands.region is not None:
        _draw_region(picture, two_hands.region, was_detected=two_hands.was_detected)
    _write_presence(picture, two_hands)
    write_notes(picture, notes)
    return picture


def _draw_meshes(
    picture: Image, hands: Sequence[Hand], topology: Topology, camera: Camera
) -> None:
    """Draw half-transparent meshes into the picture, the nearer hand before the other."""
    sides = tuple(hand.side for hand in hands)
    vertices = np.concatenate([hand.vertices_m for hand in hands])
    normals_of = _normals_of(topology, sides)
    points = torch.from_numpy(vertices.astype(np.float32))
    base = torch.tensor([SIDE_COLOURS[side] for side in sides]).float()
    base = base.repeat_interleave(VERTEX_COUNT, 0)
    paint_meshes(
        picture,
        project(camera, vertices),
        vertices[:, 2],
        shade(base, normals_of(points[None])[0], points, _LIGHT).numpy(),
        normals_of.triangles.numpy(),
        opacity=_OPACITY,
    )


@lru_cache(maxsize=8)
def _normals_of(topology: Topology, sides: tuple[Side, ...]) -> Normals:
    """Return the triangles of the hands that are there, as one mesh."""
    of_side = {Side.RIGHT: topology.right_triangles, Side.LEFT: topology.left_triangles}
    parts = [of_side[side].astype(np.int64) + VERTEX_COUNT * i for i, side in enumerate(sides)]
    return Normals(np.concatenate(parts), VERTEX_COUNT * len(sides))


def _draw_skeleton(picture: Image, joints_px: Array) -> None:
    """Draw each finger as a line from the wrist to its tip, and every joint as a dot."""
    width = max(1, round(picture.shape[1] / 320))
    points = _drawable(joints_px)
    chains = [[0, *range(4 * i + 1, 4 * i + 5)] for i in range(len(FINGERS))]
    for chain in chains:
        cv2.polylines(picture, [points[chain]], False, _OUTLINE, width + 2, cv2.LINE_AA)
    for chain, colour in zip(chains, FINGER_COLOURS, strict=True):
        cv2.polylines(picture, [points[chain]], False, colour, width, cv2.LINE_AA)
        for joint in chain[1:]:
            _dot(picture, points[joint], width + 1, colour)
    _dot(picture, points[0], width + 2, _WRIST_COLOUR)


def _dot(picture: Image, at: Array, radius: int, colour: Rgb) -> None:
    centre = (int(at[0]), int(at[1]))
    cv2.circle(picture, centre, radius + 1, _OUTLINE, -1, cv2.LINE_AA)
    cv2.circle(picture, centre, radius, colour, -1, cv2.LINE_AA)


def _draw_box(picture: Image, hand: Hand) -> None:
    colour = SIDE_COLOURS[hand.side]
    corners = _drawable(np.array(hand.box.corners).reshape(2, 2))
    width = max(1, round(picture.shape[1] / 640))
    cv2.rectangle(picture, corners[0].tolist(), corners[1].tolist(), colour, width, cv2.LINE_AA)
    distance_m = float(np.linalg.norm(hand.wrist_m))
    text = f'{hand.side.label}  {hand.box.score:.3f}  {distance_m:.2f} m'
    upper_left = corners.min(0)  # a box may be inside out: its size has no sign constraint
    caption(picture, text, above=upper_left, colour=colour, scale=text_scale(picture))


def _draw_region(picture: Image, region: Box, *, was_detected: bool) -> None:
    """Draw the corners of a region, kept inside the picture."""
    height, width = picture.shape[:2]
    colour = _DETECTED_COLOUR if was_detected else _FOLLOWED_COLOUR
    limit = np.array([width - 1, height - 1])
    (x1, y1), (x2, y2) = np.clip(_drawable(np.array(region).reshape(2, 2)), 0, limit).tolist()
    arm = max(6, min(x2 - x1, y2 - y1) // 8)
    line = max(1, round(width / 400))
    for x, along in ((x1, arm), (x2, -arm)):
        for y, down in ((y1, arm), (y2, -arm)):
            cv2.line(picture, (x, y), (x + along, y), colour, line, cv2.LINE_AA)
            cv2.line(picture, (x, y), (x, y + down), colour, line, cv2.LINE_AA)


def _write_presence(picture: Image, two_hands: TwoHands) -> None:
    """Write at the lower edge whether each hand is there, the left one on the left."""
    height, width = picture.shape[:2]
    scale = text_scale(picture)
    for hand, x in ((two_hands.left, 0), (two_hands.right, width)):
        if isinstance(hand, Hand):
            text, colour = f'{hand.side.label}: {_how_sure(hand)}', SIDE_COLOURS[hand.side]
        else:
            text, colour = f'{hand.side.label}: {hand.reason.replace("_", " ")}', _ABSENT_COLOUR
        caption(picture, text, above=np.array([x, height]), colour=colour, scale=scale)


def _how_sure(hand: Hand) -> str:
    """Return how far away the wrist is, and how surely."""
    distance_m = float(np.linalg.norm(hand.wrist_m))
    if hand.wrist_std_m is None:
        return f'{distance_m:.2f} m'
    return f'{distance_m:.2f} m, std {hand.wrist_std_m:.2f} m'


def _drawable(points_px: Array) -> Array:
    rounded = np.round(np.nan_to_num(points_px))
    return np.asarray(np.clip(rounded, -_FARTHEST_PX, _FARTHEST_PX).astype(np.int32))
