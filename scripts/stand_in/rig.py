"""What moves the stand-in hand: skinning, joints, shape directions and the mean pose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from stand_in.remesh import Indices, neighbour_matrix
from stand_in.sculpture import Hand, JOINTS_M, MM, TIPS_M

Array = NDArray[np.float64]

FINGERS = (1, 4, 10, 7)  # first joints of index, middle, ring, little finger
THUMB = 13
_BONE_RADII_MM = np.array([15, 10, 9, 8, 10, 9, 8, 9, 7.5, 7, 10, 8.5, 8, 15, 11.5, 10])


def skinning(vertices: Array, triangles: Indices) -> Array:
    """Return weights (778, 16): the nearest bone's, blurred along the skin.

    Blurring along the skin, not through space, keeps a finger free of its neighbour's motion.
    """
    weights = np.eye(16)[_bone_distances(vertices).argmin(1)]
    blur = neighbour_matrix(len(vertices), triangles)
    for _ in range(5):
        weights = 0.45 * weights + 0.55 * (blur @ weights)
    weights[weights < 0.01] = 0
    # the border moves with the wrist alone: the forearm hangs on it
    at_wrist = np.clip((vertices[:, :1] - 70 * MM) / (14 * MM), 0, 1)
    weights = at_wrist * np.eye(16)[0] + (1 - at_wrist) * weights
    return np.asarray(weights / weights.sum(1, keepdims=True))


def joint_regressor(vertices: Array, weights: Array) -> Array:
    """Return (16, 778) that gives the joints from few vertices around them, exactly at rest."""
    regressor = np.zeros((16, len(vertices)))
    for joint in range(16):
        distance = np.linalg.norm(vertices - JOINTS_M[joint], axis=1)
        parent = 0 if joint % 3 == 1 or joint == 0 else joint - 1
        foreign = 1 - weights[:, joint] - (weights[:, parent] if joint else 0)
        near = np.argsort(distance + 0.05 * foreign.clip(0))[:24]
        start = np.exp(-((distance[near] / 0.012) ** 2)) + 1e-2
        start /= start.sum()
        system = np.concatenate([vertices[near].T, np.ones((1, len(near)))])
        lacking = np.append(JOINTS_M[joint], 1) - system @ start
        regressor[joint, near] = start + system.T @ np.linalg.solve(system @ system.T, lacking)
    return regressor


def shape_directions(vertices: Array, weights: Array, hand: Hand) -> Array:
    """Return (778, 3, 10): what one unit of each coefficient moves."""
    x, _, z = vertices.T
    zero = np.zeros_like(x)
    centred = vertices - vertices.mean(0)
    beyond_knuckles = np.clip(4 * MM - x, 0, None)
    thumb = weights[:, THUMB:].sum(1)
    along_thumb = TIPS_M[THUMB] - JOINTS_M[THUMB]
    share = ((vertices - JOINTS_M[THUMB]) @ along_thumb / (along_thumb @ along_thumb)).clip(0)
    outward = hand.normals(vertices)
    finger = 1 - weights[:, [0, THUMB, THUMB + 1, THUMB + 2]].sum(1)
    near_wrist = np.clip((x - 60 * MM) / (32 * MM), 0, 1)
    directions = [
        0.05 * centred,  # size
        np.stack([-0.06 * beyond_knuckles, zero, zero], 1),  # finger length
        np.stack([zero, zero, 0.05 * z], 1),  # width
        0.6 * MM * outward,  # thickness
        0.07 * (thumb * share)[:, None] * along_thumb,  # thumb length
        np.stack([0.03 * np.clip(x - 4 * MM, 0, None), zero, zero], 1),  # palm length
        0.4 * MM * finger[:, None] * outward,  # finger thickness
        np.stack([zero, zero, 0.06 * z * near_wrist], 1),  # wrist width
        np.stack([zero, zero, 0.02 * z * (beyond_knuckles / (40 * MM))], 1),  # spread
        1.0 * MM * (weights[:, THUMB] * np.clip(-outward[:, 1], 0, 1))[:, None] * outward,
    ]
    stacked = np.stack(directions, 2)
    return np.asarray(stacked - stacked.mean(0) * np.array([1] + [0] * 9))


def mean_pose() -> Array:
    """Return the pose (45,) rad of a hand at ease: fingers a little bent."""
    pose = np.zeros((16, 3))
    for first, bend in zip(FINGERS, (0.20, 0.26, 0.32, 0.36), strict=True):
        for joint, share in ((first, 1.0), (first + 1, 1.3), (first + 2, 0.7)):
            pose[joint] = bend * share * flexion_axis(joint)
    for joint, bend in ((THUMB, 0.10), (THUMB + 1, 0.15), (THUMB + 2, 0.20)):
        pose[joint] = bend * flexion_axis(joint)
    return pose[1:].reshape(45)


def flexion_axis(joint: int) -> Array:
    """Return the axis about which a positive angle bends a joint towards the palm."""
    end = TIPS_M[joint - 2] if joint % 3 == 0 else JOINTS_M[joint + 1]
    along = end - JOINTS_M[joint]
    palmward = np.array([0.0, -1.0, 0.0]) if joint < THUMB else np.array([-0.1, -0.62, -0.72])
    axis = np.cross(along, palmward)
    return np.asarray(axis / np.linalg.norm(axis))


def _bone_distances(vertices: Array) -> Array:
    distances = np.zeros((len(vertices), 16))
    fan = [_segment_distance(vertices, JOINTS_M[0], JOINTS_M[k]) for k in FINGERS]
    distances[:, 0] = np.min(fan, axis=0)
    for joint in range(1, 16):
        end = TIPS_M[joint - 2] if joint % 3 == 0 else JOINTS_M[joint + 1]
        distances[:, joint] = _segment_distance(vertices, JOINTS_M[joint], end)
    return distances - MM * _BONE_RADII_MM


def _segment_distance(points: Array, start: Array, end: Array) -> Array:
    along, offset = end - start, points - start
    t = np.clip((offset @ along) / (along @ along), 0, 1)
    return np.asarray(np.linalg.norm(offset - t[:, None] * along, axis=1))
