"""What makes the first real frame as fast as the others.

Networks choose and load their kernels when they first run, and what numba compiled is loaded, or
after an installation compiled, when it is first called.
"""

from __future__ import annotations

from dataclasses import replace

from interwild_ros.geometry.camera import project
from interwild_ros.imaging.overlay import draw_overlay
from interwild_ros.pipeline.following import Follower
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.records import (
    Array,
    Camera,
    Frame,
    HandBox,
    HandReading,
    NS_PER_SEC,
    PairReading,
    Side,
)
from interwild_ros.tracking.matching import Sought
import numpy as np

_LENSES = (
    ('none', ()),
    ('plumb_bob', (0.01, 0.0, 0.0, 0.0, 0.0)),
    ('equidistant', (0.01, 0.0, 0.0, 0.0)),
)
_FRAMES = 4  # so many that hands appear, and are filtered


def warm_up(pipeline: Pipeline) -> None:
    """Look at a black frame, and follow two hands that nobody saw through every kind of lens."""
    for model, coefficients in _LENSES:
        camera = Camera(640, 480, 500.0, 500.0, 319.5, 239.5, model, coefficients)
        frame = Frame(np.zeros((480, 640, 3), np.uint8), camera, 0, '')
        if not coefficients:
            pipeline(frame)
        _follow(pipeline, frame)


def _follow(pipeline: Pipeline, frame: Frame) -> None:
    pair = _pair(pipeline, frame.camera)

    def said(stamp_ns: int, sought: Sought) -> PairReading:
        return pair

    follower = Follower(pipeline, said)
    for number in range(_FRAMES):
        followed = follower(replace(frame, stamp_ns=number * NS_PER_SEC // 30))
        followed.place_raw()
    draw_overlay(frame.image, followed.hands, pipeline.topology, frame.camera)


def _pair(pipeline: Pipeline, camera: Camera) -> PairReading:
    """Return two hands of the mean shape, half a metre from the camera, side by side."""
    joints_m, _ = pipeline.pose(np.zeros((2, 48)), np.zeros((2, 10)))
    wrists_m = np.array([[-0.1, 0.0, 0.5], [0.1, 0.0, 0.5]])
    right, left = (
        _reading(pipeline, camera, side, joints_m[side] + wrists_m[side]) for side in Side
    )
    left_from_right_m = (wrists_m[Side.LEFT] - wrists_m[Side.RIGHT]).astype(np.float32)
    return PairReading(right, left, left_from_right_m, interacting=False)


def _reading(pipeline: Pipeline, camera: Camera, side: Side, joints_m: Array) -> HandReading:
    px = project(camera, joints_m)
    (x1, y1), (x2, y2) = px.min(axis=0), px.max(axis=0)
    return HandReading(
        box=HandBox(side, (x1, y1, x2, y2), 1.0),
        joints_image_px=px.astype(np.float32),
        joint_depths_m=(joints_m[:, 2] - joints_m[0, 2]).astype(np.float32),
        pose=np.zeros(48, np.float32),
        betas=np.zeros(10, np.float32),
        kinds=(1.0, 0.0, 0.0) if pipeline.says_kinds else None,
    )
