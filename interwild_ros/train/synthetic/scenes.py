"""Scenes: two hands, one person's, before a camera, with everything that is true of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from interwild_ros.geometry.rotations import axis_angle_from_matrix
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.records import Side
from interwild_ros.train.synthetic.cameras import draw_cameras, SceneCameras
from interwild_ros.train.synthetic.domains import Domain
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.orientations import draw_forearms, draw_roots
from interwild_ros.train.synthetic.placing import moves_together, shift_before_camera
from interwild_ros.train.synthetic.poses import draw_shapes, PoseMaker
import torch
from torch import Tensor

_SINGLE, _, _INTERACTING = range(3)


class Scenes(NamedTuple):
    """B scenes, right hands first. A hand that is not `present` has its numbers all the same.

    * `pose` (B, 2, 48) axis-angle rad, the mean not included; `betas` (B, 10) of both hands
    * `vertices_m` (B, 2, 778, 3), `joints_m` (B, 2, 21, 3): the camera's frame
    * `trans_m` (B, 2, 3): what hand_model.mano's points lack to be in the camera's frame
    * `forearm_turns` (B, 2, 3): how forearms bend at the wrist, rad, camera axes; `forearms`
      (B, 2, 3): where they lead from there, unit
    * `present` (B, 2); `interacting` (B,); `gestures` (B, 2) of gestures.GESTURES
    """

    pose: Tensor
    betas: Tensor
    vertices_m: Tensor
    joints_m: Tensor
    trans_m: Tensor
    forearm_turns: Tensor
    forearms: Tensor
    present: Tensor
    interacting: Tensor
    gestures: Tensor
    cameras: SceneCameras

    @property
    def left_from_right_m(self) -> Tensor:
        """Return the left wrist minus the right one, (B, 3)."""
        return self.joints_m[:, Side.LEFT, 0] - self.joints_m[:, Side.RIGHT, 0]

    @property
    def joints_px(self) -> Tensor:
        """Return the joints (B, 2, 21, 2) in px of the picture."""
        return self.cameras.project(self.joints_m)


class SceneMaker:
    """Makes the scenes of a domain, each by its number."""

    def __init__(self, domain: Domain, *, seed: int) -> None:
        self.domain = domain
        self.hand_models = HandPair(*(read_stand_in(side) for side in Side)).eval()
        # in single precision the last bits would depend on the batch
        self._precise = HandPair(*(read_stand_in(side) for side in Side)).eval().double()
        self._seed = seed
        self._poses = PoseMaker()

    def draws(self, indices: Sequence[int], part: str) -> Draws:
        """Begin a stream of numbers for these scenes."""
        return Draws(self._seed, indices, f'{self.domain.name}/{part}')

    def make(self, indices: Sequence[int]) -> Scenes:
        """Make these scenes."""
        hands = self.domain.hands
        draws = self.draws(indices, 'hands')
        kind = draws.choice((hands.single, hands.apart, hands.interacting))
        cameras = draw_cameras(draws.part('camera'), self.domain.cameras)
        roots = cameras.cam_from_person[:, None] @ draw_roots(draws.part('root'), hands)
        fingers, gestures = self._draw_fingers(draws.part('fingers'))
        pose = torch.cat([axis_angle_from_matrix(roots), fingers], 2)
        betas = draw_shapes(draws.part('shape'))
        vertices, joints, model_wrists = self._posed(pose, betas)
        turns, forearms = draw_forearms(draws.part('wrist'), roots)
        present = _present(draws, kind)
        moves = moves_together(
            draws.part('place'), joints, forearms, kind == _INTERACTING, cameras
        )
        moves = moves + shift_before_camera(
            draws.part('distance'), joints + moves, present, cameras, self.domain.cameras
        )
        return Scenes(
            pose=pose,
            betas=betas,
            vertices_m=vertices + moves,
            joints_m=joints + moves,
            trans_m=(moves - model_wrists)[:, :, 0],
            forearm_turns=turns,
            forearms=forearms,
            present=present,
            interacting=kind == _INTERACTING,
            gestures=gestures,
            cameras=cameras,
        )

    def _draw_fingers(self, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return finger poses (B, 2, 45) without the mean, and gestures (B, 2)."""
        hands = self.domain.hands
        right, left = (self._poses.draw(draws.part(side.label), hands) for side in Side)
        alike = draws.chance(hands.alike)
        rotations = torch.where(alike[:, None, None], right.rotations, left.rotations)
        gestures = torch.where(alike, right.gestures, left.gestures)
        fingers = [
            self._poses.mano_fingers(right.rotations, Side.RIGHT),
            self._poses.mano_fingers(rotations, Side.LEFT),
        ]
        return torch.stack(fingers, 1), torch.stack([right.gestures, gestures], 1)

    def _posed(self, pose: Tensor, betas: Tensor) -> tuple[Tensor, ...]:
        """Return vertices and joints (B, 2, N, 3) relative to the own wrist, and the wrists."""
        rows = pose.transpose(0, 1).flatten(0, 1)
        with torch.no_grad():
            vertices, joints = self._precise(rows.double(), betas.repeat(2, 1).double())
        wrists = joints[:, :1]
        hands = (vertices - wrists, joints - wrists, wrists)
        return tuple(torch.stack(points.float().chunk(2), 1) for points in hands)


def _present(draws: Draws, kind: Tensor) -> Tensor:
    is_left = draws.chance(0.5)
    both = kind != _SINGLE
    return torch.stack([both | ~is_left, both | is_left], 1)
