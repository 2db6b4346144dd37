"""Hands for tests that need records but no pictures or networks: random shapes, honest types."""

from __future__ import annotations

from interwild_ros.geometry.wrist_frame import wrist_quaternion_xyzw
from interwild_ros.hand_model.joints import JOINT_NAMES, JOINT_PARENTS
from interwild_ros.pipeline.following import Followed
from interwild_ros.records import (
    DepthSource,
    Hand,
    HandBox,
    JOINT_COUNT,
    ModelCard,
    NoHand,
    Side,
    Topology,
    TwoHands,
    VERTEX_COUNT,
)
import numpy as np

TRIANGLE_COUNT = 1538


def some_hand(side: Side, *, seed: int = 0) -> Hand:
    """Return a cloud of points half a metre in front of the camera, called a hand."""
    random = np.random.default_rng((seed, side))
    middle_m = np.array([0.1 if side is Side.LEFT else -0.1, 0.0, 0.5])
    joints_m = middle_m + random.uniform(-0.1, 0.1, (JOINT_COUNT, 3))
    return Hand(
        box=HandBox(side=side, corners=(10.0, 20.0, 110.5, 140.25), score=0.75),
        joints_image_px=random.uniform(0, 480, (JOINT_COUNT, 2)),
        pose=random.normal(size=48),
        betas=random.normal(size=10),
        joints_m=joints_m,
        vertices_m=middle_m + random.uniform(-0.1, 0.1, (VERTEX_COUNT, 3)),
        wrist_quaternion_xyzw=wrist_quaternion_xyzw(joints_m, side),
        reprojection_error_px=1.5,
        depth_source=DepthSource.INTRINSICS,
        wrist_covariance_m2=np.diag([2.0**-16, 2.0**-15, 2.0**-11]),
        scale=1.25,
    )


def some_two_hands(
    *sides: Side, stamp_ns: int = 12_345_678_901, frame_id: str = 'cam', seed: int = 0
) -> TwoHands:
    """Return a result in which the hands of these sides are tracked, and no other."""
    right, left = (
        some_hand(side, seed=seed) if side in sides else NoHand(side, 0.125, 'low_score')
        for side in Side
    )
    both = isinstance(right, Hand) and isinstance(left, Hand)
    return TwoHands(
        stamp_ns=stamp_ns,
        frame_id=frame_id,
        right=right,
        left=left,
        interacting=both,
        left_from_right_m=np.array([0.2, 0.01, -0.02]) if both else None,
        disagreement_m=0.0625 if both else None,
    )


def some_followed(
    *sides: Side, stamp_ns: int = 12_345_678_901, frame_id: str = 'cam', seed: int = 0
) -> Followed:
    """Return what is published of a frame: the raw hands stand elsewhere than the steadied."""
    hands, raw = (
        some_two_hands(*sides, stamp_ns=stamp_ns, frame_id=frame_id, seed=seed + more)
        for more in (0, 1)
    )
    return Followed(hands, lambda: raw)


def some_topology() -> Topology:
    """Return triangles between random vertices and the real joints."""
    random = np.random.default_rng(0)
    right, left = random.integers(0, VERTEX_COUNT, (2, TRIANGLE_COUNT, 3), dtype=np.uint32)
    return Topology(
        hand_model='random points',
        is_stand_in=True,
        joint_names=tuple(JOINT_NAMES),
        joint_parents=tuple(JOINT_PARENTS),
        right_triangles=right,
        left_triangles=left,
    )


def some_card() -> ModelCard:
    """Return what a node with rule-made weights says of itself."""
    return ModelCard(
        variant='compact',
        weights='rule-made',
        weights_meaningful=False,
        hand_model='random points',
        hand_model_is_stand_in=True,
        device='cpu',
        warnings=('these hands mean nothing',),
    )
