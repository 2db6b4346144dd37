"""Parse the captures of ReInterHand into arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import re

from interwild_ros.errors import AssetError
from interwild_ros.hand_model.joints import FINGERS
from interwild_ros.records import Array, Side
from interwild_ros.train.annotations import StudyCamera
from interwild_ros.train.datasets.cameras import M_PER_MM, picked, read_cameras
from interwild_ros.train.datasets.entries import Entries
from interwild_ros.train.datasets.files import read_json, shortened, wanted_folder
from interwild_ros.train.datasets.fits import fit_rows
from interwild_ros.train.datasets.joint_orders import REINTERHAND_NAMES
from interwild_ros.train.datasets.pictures import picture_size
from interwild_ros.train.datasets.reinterhand_views import Capture, CaptureViews, picture_name
from interwild_ros.train.datasets.texts import pack_texts
import numpy as np

_SHORTEST_MM, _LONGEST_MM = 5, 80  # of a finger's bones
# (5, 3): where each finger's three bones begin; they end at the next joint.
_BONES = np.array(
    [[REINTERHAND_NAMES.index(f'{finger}{joint}') for joint in (1, 2, 3)] for finger in FINGERS]
)


@dataclass(frozen=True, eq=False)
class ReInterHandColumns:
    """N pictures of F moments through C cameras; lengths in m, hands right first.

    `camera_of`, `frame_of` (N,) are rows of what follows: `frame_numbers` (F,), `joints_world_m`
    (F, 2, 24, 3) as listed in the files, `fits` (F, 2, 61); the cameras (C, ...), of which
    `fisheye` is empty where there is none; `folder_of` (C,), where their pictures are.
    """

    camera_of: Array
    frame_of: Array
    frame_numbers: Array
    joints_world_m: Array
    fits: Array
    focal: Array
    principal: Array
    rotation: Array
    translation_m: Array
    fisheye: Array
    image_sizes: Array
    folder_of: Array
    folders: Array
    folder_ends: Array

    def camera(self, row: int) -> StudyCamera:
        """Return the camera of a picture."""
        fisheye = self.fisheye if self.fisheye.size else None
        cameras = StudyCamera(
            self.focal, self.principal, self.rotation, self.translation_m, fisheye
        )
        return picked(cameras, int(self.camera_of[row]))


def parse_reinterhand(captures: Sequence[Capture], root: Path) -> ReInterHandColumns:
    """Read what the captures hold.

    :param root: what folders of pictures are relative to.
    :raises AssetError: when a file is missing, cut short or has other content.
    """
    parts = [_parsed(capture, root) for capture in captures]
    cameras = np.cumsum([0, *(len(part.image_sizes) for part in parts)])
    frames = np.cumsum([0, *(len(part.frame_numbers) for part in parts)])
    folders = list(dict.fromkeys(folder for part in parts for folder in part.folders))
    folder_texts, folder_ends = pack_texts(folders)
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ('frame_numbers', 'joints_world_m', 'fits', 'image_sizes')
    }
    lenses = {
        name: np.concatenate([getattr(part.cameras, name) for part in parts])
        for name in ('focal', 'principal', 'rotation', 'translation_m')
    }
    return ReInterHandColumns(
        camera_of=_shifted([part.camera_of for part in parts], cameras),
        frame_of=_shifted([part.frame_of for part in parts], frames),
        **joined,
        **lenses,
        fisheye=np.concatenate([_fisheye_of(part.cameras) for part in parts]),
        folder_of=np.array([folders.index(name) for part in parts for name in part.folders]),
        folders=folder_texts,
        folder_ends=folder_ends,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """What one capture adds to the columns; `folders` are those of the cameras."""

    camera_of: Array
    frame_of: Array
    frame_numbers: Array
    joints_world_m: Array
    fits: Array
    cameras: StudyCamera
    image_sizes: Array
    folders: list[str]


def _parsed(capture: Capture, root: Path) -> _Part:
    views = capture.views()
    frame_numbers, frame_of = np.unique(views.frames, return_inverse=True)
    frames = frame_numbers.tolist()
    joints = [_keypoints(capture.keypoints(side), frames) for side in Side]
    fits = [_fits(capture.fits, side, frames) for side in Side]
    return _Part(
        camera_of=np.array(views.camera_of, dtype=np.int32),
        frame_of=frame_of.astype(np.int32),
        frame_numbers=frame_numbers,
        joints_world_m=np.stack(joints, axis=1).astype(np.float32),
        fits=np.stack(fits, axis=1),
        cameras=read_cameras(views.cameras, fisheye=views.is_fisheye),
        image_sizes=_image_sizes(views),
        folders=[folder.relative_to(root).as_posix() for folder in views.folders],
    )


def _keypoints(folder: Path, frames: Sequence[int]) -> Array:
    """Return the joints (F, 24, 3) m in the world of one hand."""
    entries = _frame_files(folder, [f'keypoint-{frame:06d}.json' for frame in frames])
    joints_m = entries.as_numbers(len(REINTERHAND_NAMES), 3) * M_PER_MM
    _check_bones(joints_m, folder)
    return joints_m


def _fits(folder: Path, side: Side, frames: Sequence[int]) -> Array:
    return fit_rows(_frame_files(folder, [f'{frame}_{side.label}.json' for frame in frames]))


def _frame_files(folder: Path, names: Sequence[str]) -> Entries:
    """Read a JSON file for each frame; a number may be written with zeros in front or without.

    :raises AssetError: naming those that are not there.
    """
    wanted_folder(folder, f'{names[0]} and so on')
    there = {_plain(path.name): path for path in folder.iterdir()}
    absent = [name for name in names if _plain(name) not in there]
    if absent:
        raise AssetError(
            f'{folder}: {len(absent)} of {len(names)} files are missing: {shortened(absent)}'
        )
    paths = [there[_plain(name)] for name in names]
    return Entries([read_json(path) for path in paths], str(folder), [p.name for p in paths])


def _plain(name: str) -> str:
    return re.sub(r'0*(\d+)', r'\1', name)


def _check_bones(joints_m: Array, folder: Path) -> None:
    """Refuse joints (F, 24, 3) of another unit or order than what makes a hand of them.

    A finger's bones are some centimetres long, and its first is longer than its last.
    """
    bones_m = joints_m[:, _BONES + 1] - joints_m[:, _BONES]
    lengths_mm = np.median(np.linalg.norm(bones_m, axis=-1), axis=0) / M_PER_MM
    shortest, longest = lengths_mm.min(), lengths_mm.max()
    is_hand = np.all(lengths_mm[:, 0] > lengths_mm[:, 2])
    if not is_hand or shortest < _SHORTEST_MM or longest > _LONGEST_MM:
        raise AssetError(
            f'{folder}: these are no hands: bones of the fingers are {shortest:.1f} to '
            f'{longest:.1f} mm, wanted {_SHORTEST_MM} to {_LONGEST_MM}, the first of a finger '
            f'longer than its last. Wanted joints in mm, as {", ".join(REINTERHAND_NAMES)}'
        )


def _image_sizes(views: CaptureViews) -> Array:
    """Return width and height (C, 2) px: the first picture's, for all of a folder."""
    first: dict[Path, tuple[int, int]] = {}
    for camera, frame in zip(views.camera_of, views.frames, strict=True):
        folder = views.folders[camera]
        if folder not in first:
            first[folder] = picture_size(folder / picture_name(frame))
    return np.array([first[folder] for folder in views.folders], dtype=np.int32)


def _shifted(rows: Sequence[Array], starts: Array) -> Array:
    return np.concatenate([row + start for row, start in zip(rows, starts[:-1], strict=True)])


def _fisheye_of(cameras: StudyCamera) -> Array:
    return np.zeros((0, 4)) if cameras.fisheye is None else cameras.fisheye
