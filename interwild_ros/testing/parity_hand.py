"""Write look-alikes of MANO's files: the same keys, shapes and types, an invented hand.

The networks' golden numbers were made with exactly these files, so their bytes must not change.
Kept on purpose: the tip vertices, the open loop at the wrist, and the sign defect in the left
file's shape directions (equal to the right's in x, not negated).
"""

from __future__ import annotations

from pathlib import Path
import pickle
from typing import Any

from interwild_ros.hand_model.joints import MANO_FIRST_JOINTS, MANO_PARENTS, TIP_VERTICES
from interwild_ros.records import Array, Side, VERTEX_COUNT
from interwild_ros.testing.hand_sheet import (
    hand_sheet,
    JOINTS_M,
    segment_distance,
    Sheet,
    TIPS_M,
    WRIST_VERTEX_COUNT,
)
import numpy as np
import scipy.sparse

_SEED = 20230324
_KNUCKLES = (1, 4, 7, 10)
_MIRROR = np.array([-1.0, 1.0, 1.0])


def write_parity_mano(directory: Path | str) -> None:
    """Write MANO_RIGHT.pkl and MANO_LEFT.pkl look-alikes into a folder, made when absent."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    right = parity_right()
    for side, model in ((Side.RIGHT, right), (Side.LEFT, _mirrored(right))):
        with (folder / f'MANO_{side.name}.pkl').open('wb') as file:
            pickle.dump(model, file, protocol=2)


def parity_right() -> dict[str, Any]:
    """Return the dictionary of the right hand's file."""
    rng = np.random.default_rng(_SEED)
    vertices, triangles = _with_tips_in_place(*_glued(hand_sheet(rng)))
    regressor = _regressor(vertices)
    parents = [4294967295 if parent < 0 else parent for parent in MANO_PARENTS]
    # drawn in the order in which the golden files drew
    shapedirs = _shapedirs(rng, vertices)
    posedirs = _posedirs(rng, vertices)
    mean = rng.standard_normal((15, 3)) * 0.08
    mean[:, 2] += 0.22  # some flexion
    components, _ = np.linalg.qr(rng.standard_normal((45, 45)))
    return {
        'v_template': vertices,
        'f': triangles.astype(np.uint32),
        'weights': _skinning(vertices),
        'J_regressor': scipy.sparse.csc_matrix(regressor),
        'J': regressor @ vertices,
        'kintree_table': np.array([parents, list(range(16))], dtype=np.uint32),
        'shapedirs': shapedirs,
        'posedirs': posedirs,
        'hands_components': components,
        'hands_mean': mean.reshape(45),
        'hands_coeffs': rng.standard_normal((1554, 45)),
        'bs_style': 'lbs',
        'bs_type': 'lrotmin',
    }


def _mirrored(right: dict[str, Any]) -> dict[str, Any]:
    """Reflect x: an axis-angle (a, b, c) becomes (a, -b, -c). Shape directions keep the defect."""
    turned = np.tile([1.0, -1.0, -1.0], 15)
    signs = np.outer(_MIRROR, _MIRROR).reshape(9)
    posedirs = right['posedirs'].reshape(VERTEX_COUNT, 3, 15, 9)
    posedirs = posedirs * _MIRROR[None, :, None, None] * signs
    left = dict(right)
    left['v_template'] = right['v_template'] * _MIRROR
    left['J'] = right['J'] * _MIRROR
    left['f'] = np.ascontiguousarray(right['f'][:, ::-1])
    left['shapedirs'] = right['shapedirs'].copy()
    left['posedirs'] = posedirs.reshape(VERTEX_COUNT, 3, 135)
    left['hands_mean'] = right['hands_mean'] * turned
    left['hands_components'] = right['hands_components'] * turned
    return left


def _glued(sheet: Sheet) -> tuple[Array, Array]:
    """Return the closed mesh of two sheets that share the free outline."""
    count = len(sheet.points)
    shared = sheet.outline_count - WRIST_VERTEX_COUNT
    height = _half_thickness(sheet)
    own = np.arange(shared, count)
    top = np.stack([sheet.points[:, 0], height, sheet.points[:, 1]], 1)
    bottom = np.stack([sheet.points[own, 0], -height[own], sheet.points[own, 1]], 1)
    below = np.arange(count)
    below[own] = count + np.arange(len(own))
    triangles = np.concatenate([sheet.triangles[:, ::-1], below[sheet.triangles]])
    return np.concatenate([top, bottom]), triangles


def _half_thickness(sheet: Sheet) -> Array:
    """Return a round edge that runs into a flat palm."""
    shared = sheet.outline_count - WRIST_VERTEX_COUNT
    wrist = slice(shared, sheet.outline_count)
    distance = sheet.edge_distances.copy()
    distance[wrist] = np.clip(0.026 + 0.003 - np.abs(sheet.points[wrist, 1]), 0, None) * 0.8
    height = np.sqrt(np.clip(1 - (1 - np.clip(distance / 0.0125, 0, 1)) ** 2, 0, 1)) * 0.0115
    height[:shared] = 0
    return height


def _with_tips_in_place(vertices: Array, triangles: Array) -> tuple[Array, Array]:
    """Renumber so that the fingertips have MANO's vertex numbers."""
    old_from_new = np.arange(VERTEX_COUNT)
    for first, tip in zip(MANO_FIRST_JOINTS, TIP_VERTICES, strict=True):
        old = np.argmin(np.linalg.norm(vertices - TIPS_M[first], axis=1))
        position = np.flatnonzero(old_from_new == old)[0]
        old_from_new[[tip, position]] = old_from_new[[position, tip]]
    return vertices[old_from_new], np.argsort(old_from_new)[triangles]


def _skinning(vertices: Array) -> Array:
    """Return weights that fall with the distance from each bone; the wrist's bone is a fan."""
    distance = np.zeros((VERTEX_COUNT, 16))
    fan = [segment_distance(vertices, JOINTS_M[0], JOINTS_M[joint]) for joint in _KNUCKLES]
    distance[:, 0] = np.min(fan, axis=0) * 0.55
    for joint in range(1, 16):
        first = 1 + 3 * ((joint - 1) // 3)
        end = TIPS_M[first] if joint == first + 2 else JOINTS_M[joint + 1]
        distance[:, joint] = segment_distance(vertices, JOINTS_M[joint], end)
    weights = np.exp(-distance / 0.0035)
    weights[weights < 1e-3 * weights.max(1, keepdims=True)] = 0
    weights /= weights.sum(1, keepdims=True)
    return weights


def _regressor(vertices: Array) -> Array:
    regressor = np.zeros((16, VERTEX_COUNT))
    for joint in range(16):
        distance = np.linalg.norm(vertices - JOINTS_M[joint], axis=1)
        near = np.argsort(distance)[:28]
        regressor[joint, near] = np.exp(-((distance[near] / 0.012) ** 2)) + 1e-3
    regressor /= regressor.sum(1, keepdims=True)
    return regressor


def _shapedirs(rng: np.random.Generator, vertices: Array) -> Array:
    """Return smooth random directions; the first one is mostly the hand's size."""
    centred = vertices - vertices.mean(0)
    x, y, z = (centred / 0.09).T
    terms = [np.ones(VERTEX_COUNT), x, y * 3, z, x**2, x * z, z**2, y * x * 3]
    factors = rng.standard_normal((8, 3, 10)) * 0.0012
    directions: Array = np.einsum('vb,bcs->vcs', np.stack(terms, 1), factors)
    directions[:, :, 0] += centred * 0.035
    directions -= directions.mean(0)
    return directions


def _posedirs(rng: np.random.Generator, vertices: Array) -> Array:
    directions = np.zeros((VERTEX_COUNT, 3, 15, 9))
    for joint in range(1, 16):
        near = np.exp(-((np.linalg.norm(vertices - JOINTS_M[joint], axis=1) / 0.02) ** 2))
        drawn = rng.standard_normal((1, 3, 9))
        directions[:, :, joint - 1] = near[:, None, None] * drawn * 0.0018
    flat: Array = directions.reshape(VERTEX_COUNT, 3, 135)
    return np.asarray(flat + rng.standard_normal((VERTEX_COUNT, 3, 135)) * 2e-5)
