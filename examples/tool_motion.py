"""Where a robot's tool belongs when it goes as a hand goes: the arithmetic of servo_pose.py."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import NamedTuple

from interwild_ros.records import Array
from interwild_ros.tracking.manifolds import ROTATIONS
import numpy as np

Numbers = tuple[float, ...]


class Pose(NamedTuple):
    """A place in metres, and the unit quaternion x y z w from its axes to those of the frame."""

    xyz_m: Array
    xyzw: Array


@dataclass(frozen=True)
class Settings:
    """The parameters of servo_pose.py, read once at its start: metres, radians, seconds."""

    side: str = 'right'
    engaged: bool = False  # engage by itself at the first hand, once
    frame_id: str = 'base_link'  # the robot's planning frame
    scale: float = 1.0  # metres of the tool for a metre of the hand
    robot_from_camera_xyzw: Numbers = (-0.5, 0.5, -0.5, 0.5)  # the camera looks along robot x
    start_x: float = math.nan  # where the tool stands when the clutch first engages;
    start_y: float = math.nan  # there is no default, for the arm would go there
    start_z: float = math.nan
    start_xyzw: Numbers = (0.0, 0.0, 0.0, 1.0)
    workspace_min: Numbers = (-1.0, -1.0, 0.0)
    workspace_max: Numbers = (1.0, 1.0, 1.0)
    max_step_m: float = 0.02  # in a message: at 30 Hz at most 0.6 m/s
    max_step_rad: float = 0.1
    timeout_sec: float = 0.2

    def __post_init__(self) -> None:
        """Refuse what no arm should follow.

        :raises ValueError: with the name, the value and what was wanted.
        """
        if self.side not in ('right', 'left'):
            raise ValueError(f'side is {self.side!r}, wanted right or left')
        for name in ('scale', 'max_step_m', 'max_step_rad', 'timeout_sec'):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f'{name} is {getattr(self, name)}, wanted above 0')
        for name in ('robot_from_camera_xyzw', 'start_xyzw'):
            value = np.array(getattr(self, name))
            if value.shape != (4,) or not abs(np.linalg.norm(value) - 1) < 1e-3:
                raise ValueError(f'{name} is {value}, wanted a unit quaternion x y z w')
        if not np.array_equal(self.inside(self.start.xyz_m), self.start.xyz_m):
            raise ValueError(
                f'start_x, start_y, start_z are {self.start.xyz_m}, wanted where the tool stands, '
                f'inside workspace_min {self.workspace_min} and workspace_max {self.workspace_max}'
            )

    @property
    def start(self) -> Pose:
        """Return where the tool stands when the clutch first engages."""
        xyz_m = np.array([self.start_x, self.start_y, self.start_z])
        return Pose(xyz_m, ROTATIONS.checked(np.array(self.start_xyzw)))

    def inside(self, xyz_m: Array) -> Array:
        """Return the nearest place in the workspace."""
        return np.clip(xyz_m, self.workspace_min, self.workspace_max)

    def robot_from_camera(self, vector: Array) -> Array:
        """Turn a vector in camera axes into the axes of the planning frame."""
        x, y, z, w = ROTATIONS.checked(np.array(self.robot_from_camera_xyzw))
        across = np.cross([x, y, z], vector)
        turned: Array = vector + 2 * (w * across + np.cross([x, y, z], across))
        return turned


def followed(hand: Pose, hand_then: Pose, tool_then: Pose, settings: Settings) -> Pose:
    """Return where the tool belongs, from hand and tool as they were when the clutch engaged."""
    moved_m = settings.robot_from_camera(hand.xyz_m - hand_then.xyz_m)
    turned_rad = settings.robot_from_camera(ROTATIONS.difference(hand.xyzw, hand_then.xyzw))
    return Pose(
        tool_then.xyz_m + settings.scale * moved_m, ROTATIONS.moved(tool_then.xyzw, turned_rad)
    )


def limited(target: Pose, last: Pose, settings: Settings) -> Pose:
    """Return what one step reaches of a target, and of the workspace, from the last one sent."""
    step_m = settings.inside(target.xyz_m) - last.xyz_m
    step_rad = ROTATIONS.difference(target.xyzw, last.xyzw)
    return Pose(
        last.xyz_m + _at_most(settings.max_step_m, step_m),
        ROTATIONS.moved(last.xyzw, _at_most(settings.max_step_rad, step_rad)),
    )


def _at_most(length: float, vector: Array) -> Array:
    return vector * min(1.0, length / max(float(np.linalg.norm(vector)), 1e-12))
