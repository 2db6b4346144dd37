"""Make the stand-in hand that ships with the package.

Writes stand_in_right.npz and stand_in_left.npz (MANO's layout) and stand_in_skin.npz (what
pictures need beyond it) into interwild_ros/hand_model/assets. Nothing measured goes in: the shape
is drawn in stand_in/sculpture.py, and the same drawing gives the same hand.

Usage: python scripts/make_stand_in_hand.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from interwild_ros.hand_model.joints import MANO_FIRST_JOINTS, TIP_VERTICES
from interwild_ros.hand_model.render_hand import RenderMesh, ring_order
from interwild_ros.hand_model.surface import border_loop
from interwild_ros.testing import hand_sheet
from interwild_ros.testing.parity_hand import parity_right
import numpy as np
from numpy.typing import NDArray
from stand_in import rig, skin
from stand_in.remesh import spread
from stand_in.sculpture import Hand, JOINTS_M, TIPS_M, WRIST_X_M
import torch

Array = NDArray[Any]

ASSETS = Path(__file__).parents[1] / 'interwild_ros' / 'hand_model' / 'assets'


def main() -> None:
    """Make the three files."""
    hand = Hand()
    right = right_hand(hand)
    save('stand_in_right.npz', right)
    save('stand_in_left.npz', mirrored(right))
    save('stand_in_skin.npz', skin_of(right, hand))


def right_hand(hand: Hand) -> dict[str, Array]:
    """Return the arrays of the right hand in MANO's layout."""
    vertices, triangles = mesh(hand)
    weights = rig.skinning(vertices, triangles)
    return {
        'v_template': vertices,
        'f': triangles.astype(np.uint32),
        'weights': weights,
        'J_regressor': rig.joint_regressor(vertices, weights),
        'shapedirs': rig.shape_directions(vertices, weights, hand),
        'posedirs': np.zeros((len(vertices), 3, 135)),
        'hands_mean': rig.mean_pose(),
    }


def mesh(hand: Hand) -> tuple[Array, Array]:
    """Return 778 vertices on the skin and their triangles, the tips on MANO's tip numbers."""
    sheets = parity_right()
    triangles = sheets['f'].astype(np.int64)
    moves = JOINTS_M - hand_sheet.JOINTS_M
    for first, tip in TIPS_M.items():
        moves[first + 2] = tip - hand_sheet.TIPS_M[first]
    vertices = sheets['v_template'] + sheets['weights'] @ moves
    loop = border_loop(triangles)
    vertices[loop] = _evenly_cut(hand, vertices[loop])
    vertices[list(TIP_VERTICES)] = [TIPS_M[first] for first in MANO_FIRST_JOINTS]
    on_plane = np.isin(np.arange(len(vertices)), loop)

    def project(points: Array) -> Array:
        return hand.project(points, on_plane=on_plane)

    return spread(
        project(vertices),
        triangles,
        project=project,
        normals=hand.normals,
        fixed=np.concatenate([loop, TIP_VERTICES]),
        rounds=60,
    )


def mirrored(right: dict[str, Array]) -> dict[str, Array]:
    """Return the left hand: x reflected, triangles turned round."""
    mirror = np.array([-1.0, 1.0, 1.0])
    return right | {
        'v_template': right['v_template'] * mirror,
        'f': right['f'][:, ::-1],
        'shapedirs': right['shapedirs'] * mirror[:, None],
        'hands_mean': right['hands_mean'] * np.tile([1.0, -1.0, -1.0], 15),
    }


def skin_of(right: dict[str, Array], hand: Hand) -> dict[str, Array]:
    """Return the forearm, the relief and the tints of the fine mesh."""
    loop = ring_order(right['f'])
    rings = skin.forearm_rings(hand, right['v_template'][loop])
    fine = RenderMesh(right['v_template'], right['weights'], right['f'], rings)
    smooth = fine.smooth(torch.tensor(right['v_template'])[None])
    normals = fine.normals(smooth)[0].numpy()
    points = smooth[0].numpy()
    relief = skin.relief_m(hand, points, normals)
    points = points + relief[:, None] * normals
    tints = skin.tints(points, hand.normals(points))
    bytes_of = {name: np.round(255 * tint).astype(np.uint8) for name, tint in tints.items()}
    return {'forearm_m': rings, 'relief_m': relief.astype(np.float16), **bytes_of}


def save(name: str, arrays: dict[str, Array]) -> None:
    """Write arrays, floats as float32 in steps of 1e-7.

    The steps, and no negative zeros, hide the last bits, which other processors see differently.
    """
    stored = {
        key: (np.round(array, 7) + 0.0).astype(np.float32) if array.dtype == np.float64 else array
        for key, array in arrays.items()
    }
    np.savez_compressed(ASSETS / name, **stored)


def _evenly_cut(hand: Hand, loop: Array) -> Array:
    """Return the wrist's border spaced evenly, each point near where it was."""
    even = skin.wrist_cut(hand, WRIST_X_M, len(loop))
    order = np.argsort(np.arctan2(loop[:, 1], loop[:, 2]) % (2 * np.pi))
    shifts = [np.linalg.norm(np.roll(even, k, 0) - loop[order], axis=1).sum() for k in range(16)]
    placed = np.empty_like(loop)
    placed[order] = np.roll(even, int(np.argmin(shifts)), 0)
    return placed


if __name__ == '__main__':
    main()
