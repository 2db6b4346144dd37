"""The stand-in's bones without its skin: enough to tell whether fingers are where they can be."""

from __future__ import annotations

from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.hand_model.joints import MANO_FIRST_JOINTS, MANO_PARENTS, TIP_VERTICES
from interwild_ros.hand_model.mano_file import HandModelFile
import numpy as np
import torch
from torch import Tensor
import torch.nn.functional as F

_FINGERS = 5
_TOUCHING_M = 0.0145  # centre lines of two fingers that touch
_PALM_SHARES = torch.tensor([0.35, 0.6, 0.8])  # of the way from the wrist to a knuckle
_PALMWARD = torch.tensor([0.0, -1.0, 0.0])


class Skeleton:
    """The joints of right hands."""

    def __init__(self, right: HandModelFile) -> None:
        ends = np.zeros((len(TIP_VERTICES), len(right.v_template)))
        ends[range(len(TIP_VERTICES)), TIP_VERTICES] = 1
        regressor = np.concatenate([right.j_regressor, ends])
        self._rest = torch.from_numpy(regressor @ right.v_template).float()
        by_shape = np.einsum('jv,vck->kjc', regressor, right.shapedirs)
        self._by_shape = torch.from_numpy(by_shape).float()
        last_joints = [first + 2 for first in MANO_FIRST_JOINTS]
        self._parents = [*MANO_PARENTS, *last_joints]
        self._order = [0]
        for finger, first in enumerate(MANO_FIRST_JOINTS):
            self._order += [first, first + 1, first + 2, len(MANO_PARENTS) + finger]
        thumb = MANO_FIRST_JOINTS[0]
        along = F.normalize(self._rest[thumb + 1] - self._rest[thumb], dim=0)
        away = F.normalize(torch.linalg.cross(along, _PALMWARD), dim=0)
        self._thumb_axes = torch.stack([away, along])

    def thumb_turns(self, angles_rad: Tensor) -> Tensor:
        """Return the matrices (N, 3, 3) of a thumb that leaves the palm and turns in, (N, 2)."""
        return matrix_from_axis_angle(angles_rad @ self._thumb_axes)

    def joints(self, rotations: Tensor, betas: Tensor | None = None) -> Tensor:
        """Return the 21 joints (N, 21, 3) m of fingers (N, 15, 3), the wrist as at rest.

        They are within two millimetres of those that are regressed from the posed mesh.

        :param betas: (N, 10) shapes; none is the mean shape.
        """
        rest = self._rest.expand(len(rotations), -1, -1)
        if betas is not None:
            rest = rest + torch.einsum('nk,kjc->njc', betas, self._by_shape)
        turns = matrix_from_axis_angle(rotations)
        turned = [torch.eye(3).expand(len(rotations), 3, 3)]
        places = [rest[:, 0]]
        for joint in range(1, len(self._parents)):
            parent = self._parents[joint]
            bone = rest[:, joint] - rest[:, parent]
            places.append(places[parent] + (turned[parent] @ bone[..., None])[..., 0])
            if joint < len(MANO_PARENTS):
                turned.append(turned[parent] @ turns[:, joint - 1])
        return torch.stack([places[joint] for joint in self._order], 1)


def entanglement_m(joints: Tensor) -> Tensor:
    """Return how deep fingers are within other fingers or the palm, (N,), of joints (N, 21, 3)."""
    fingers = joints[:, 1:].reshape(len(joints), _FINGERS, -1, 3)
    middles = (fingers[:, :, 1:] + fingers[:, :, :-1]) / 2
    beads = torch.cat([fingers[:, :, 1:], middles], 2)  # N, 5, 7, 3: the base joint is palm
    gaps = torch.cdist(beads.flatten(1, 2), beads.flatten(1, 2))
    finger = torch.arange(_FINGERS).repeat_interleave(beads.shape[2])
    others = finger[:, None] < finger
    within = (_TOUCHING_M - gaps).clamp(min=0) * others
    knuckles = joints[:, [5, 9, 13, 17]]
    wrist = joints[:, :1]
    palm = (wrist[:, :, None] + _PALM_SHARES[:, None] * (knuckles - wrist)[:, :, None]).flatten(
        1, 2
    )
    far = torch.cat([fingers[:, :, 2:], middles[:, :, 1:]], 2).flatten(1, 2)
    into_palm = (1.35 * _TOUCHING_M - torch.cdist(far, palm)).clamp(min=0)
    depth: Tensor = within.flatten(1).amax(1) + into_palm.flatten(1).amax(1)
    return depth


def pinch_gap_m(joints: Tensor) -> Tensor:
    """Return how far the nearest fingertip is from touching the thumb's, (N,)."""
    tips = joints[:, [4, 8, 12, 16, 20]]
    gaps = torch.linalg.vector_norm(tips[:, 1:] - tips[:, :1], dim=-1).amin(1)
    open_by: Tensor = (gaps - _TOUCHING_M).abs()
    return open_by
