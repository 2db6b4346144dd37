"""Which pictures a capture of ReInterHand has, through which cameras."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
import re

from interwild_ros.errors import AssetError
from interwild_ros.records import Side
from interwild_ros.train.datasets.entries import Entries
from interwild_ros.train.datasets.files import read_bytes, read_object, wanted_folder

LEAST_RATIO = 0.2  # of truncation_ratio.json: frames below show too little of the hands
_PICTURE = re.compile(r'(\d{6,})\.png')


def picture_name(frame: int) -> str:
    """Return the name of a frame's picture."""
    return f'{frame:06d}.png'


@dataclass(frozen=True, eq=False)
class CaptureViews:
    """A capture's pictures: of each, its frame and its camera.

    `cameras` are the JSON entries of C cameras, `folders` (C,) where their pictures are;
    `camera_of` and `frames` have an entry for each picture. `is_fisheye` says that the cameras
    have lens coefficients D.
    """

    cameras: Entries
    folders: Sequence[Path]
    camera_of: Sequence[int]
    frames: Sequence[int]
    is_fisheye: bool


class Capture(ABC):
    """One recording of two hands."""

    def __init__(self, folder: Path, envmap: str) -> None:
        """Keep where it is.

        :param envmap: the folder of the lighting.
        """
        self.folder = folder
        self.envmap = envmap

    @abstractmethod
    def views(self) -> CaptureViews:
        """Return the pictures and cameras.

        :raises AssetError: when a file is missing or wrong, or there are no pictures.
        """

    @abstractmethod
    def view_sources(self) -> Iterator[Path]:
        """Yield the files and folders that `views` reads."""

    def keypoints(self, side: Side) -> Path:
        """Return the folder with the 3D joints of one hand."""
        return self.folder / 'orig_fits' / side.label / 'Keypoints'

    @property
    def fits(self) -> Path:
        """Return the folder with the hand model's parameters."""
        return self.folder / 'mano_fits' / 'params'

    def sources(self) -> Iterator[Path]:
        """Yield every file and folder that the annotations depend on."""
        yield from self.view_sources()
        for folder in (*map(self.keypoints, Side), self.fits):
            yield from _with_files(folder)


class MugsyCapture(Capture):
    """A capture through the studio's cameras: the frames are those with pictures."""

    @property
    def _parameters(self) -> Path:
        return self.folder / 'Mugsy_cameras' / 'cam_params.json'

    @property
    def _pictures(self) -> Path:
        return self.folder / 'Mugsy_cameras' / self.envmap / 'images'

    def view_sources(self) -> Iterator[Path]:
        """Yield the cameras' parameters and the folders of their pictures."""
        yield from (self._parameters, self._pictures)
        if self._pictures.is_dir():
            yield from sorted(self._pictures.iterdir())

    def views(self) -> CaptureViews:
        """Return the pictures that are there."""
        pictures = wanted_folder(self._pictures, 'a folder of pictures for each camera')
        frames = {folder: _frames_in(folder) for folder in sorted(pictures.iterdir())}
        folders = [folder for folder, numbers in frames.items() if numbers]
        if not folders:
            raise AssetError(f'{pictures}: no pictures <camera>/<six digits>.png')
        content = read_object(self._parameters)
        names = [folder.name for folder in folders]
        absent = [name for name in names if name not in content]
        if absent:
            raise AssetError(f'{self._parameters}: cameras with pictures are not in it: {absent}')
        return CaptureViews(
            cameras=Entries([content[name] for name in names], str(self._parameters), names),
            folders=folders,
            camera_of=[row for row, folder in enumerate(folders) for _ in frames[folder]],
            frames=[frame for folder in folders for frame in frames[folder]],
            is_fisheye=False,
        )


class EgoCapture(Capture):
    """A capture through a headset's cameras, which move: every frame has parameters of its own."""

    @property
    def _cameras(self) -> Path:
        return self.folder / 'Ego_cameras' / self.envmap

    @property
    def _ratios(self) -> Path:
        return self._cameras / 'truncation_ratio.json'

    @property
    def _frame_list(self) -> Path:
        return self.folder / 'frame_list.txt'

    def view_sources(self) -> Iterator[Path]:
        """Yield the lists of frames and the parameters of their cameras."""
        yield from (self._frame_list, self._ratios)
        yield from _with_files(self._cameras / 'cam_params')

    def views(self) -> CaptureViews:
        """Return the listed frames that show enough of the hands."""
        listed = _listed_frames(self._frame_list)
        ratios = read_object(self._ratios)
        shares = [_of_frame(ratios, frame) for frame in listed]
        names = [f'frame {frame}' for frame in listed]
        shown = Entries(shares, str(self._ratios), names).as_numbers() >= LEAST_RATIO
        frames = [frame for frame, is_shown in zip(listed, shown, strict=True) if is_shown]
        if not frames:
            raise AssetError(f'{self._ratios}: none of {len(listed)} frames reaches {LEAST_RATIO}')
        parameters = self._cameras / 'cam_params'
        names = [f'{frame:06d}.json' for frame in frames]
        entries = [read_object(parameters / name) for name in names]
        return CaptureViews(
            cameras=Entries(entries, str(parameters), names),
            folders=[self._cameras / 'images'] * len(frames),
            camera_of=range(len(frames)),
            frames=frames,
            is_fisheye=True,
        )


def _with_files(folder: Path) -> Iterator[Path]:
    yield folder
    if folder.is_dir():
        yield from sorted(folder.iterdir())


def _frames_in(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    matches = (_PICTURE.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in matches if match)


def _listed_frames(path: Path) -> list[int]:
    """Return the second word of each line: segment, then frame."""
    lines = [line.split() for line in read_bytes(path).splitlines() if line.strip()]
    wrong = [line for line in lines if len(line) < 2 or not line[1].isdigit()]
    if wrong or not lines:
        found = b' '.join(wrong[0]) if wrong else b''
        raise AssetError(f'{path}: holds the line {found!r}, wanted a segment and a frame')
    return [int(line[1]) for line in lines]


def _of_frame(ratios: dict[str, object], frame: int) -> object:
    return ratios.get(f'{frame:06d}', ratios.get(str(frame)))
