"""The demo clip: two stand-in hands before a soft background, with the truth about them.

Everything is drawn from a seed: nobody's hands, nobody's room. On disk it is a folder that holds
000000.jpg and on; `camera_info.yaml` as camera_calibration writes it; and `truth.npz` with these
arrays: N frames, axis 1 the right hand and then the left one, metres in the camera's optical
frame.

    offsets_ns             (N,)             time of each frame after the first
    joints_m               (N, 2, 21, 3)
    vertices_m             (N, 2, 778, 3)
    joints_image_px        (N, 2, 21, 2)
    wrist_quaternion_xyzw  (N, 2, 4)        hand axes into camera axes
    pose                   (N, 2, 48)       axis-angle, the mean pose not included
    betas                  (N, 2, 10)
    visible                (N, 2)           at least half of the joints are in the picture
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
import shutil
import tempfile
from typing import Any

import cv2
from interwild_ros.errors import AssetError
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.geometry.camera_file import calibration_of, write_calibration
from interwild_ros.imaging.demo_motion import demo_paths
from interwild_ros.imaging.demo_studio import ClipHand, Studio
from interwild_ros.records import Camera, Image, NS_PER_SEC
import numpy as np

CAMERA_FILE = 'camera_info.yaml'
TRUTH_FILE = 'truth.npz'

_FOV_DEG = 60.0
_JPEG_QUALITY = 95
_OF_EACH_HAND = (
    'joints_m',
    'vertices_m',
    'joints_image_px',
    'wrist_quaternion_xyzw',
    'pose',
    'betas',
    'visible',
)


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """One picture of the clip, RGB uint8, `offset_ns` after the first, with its truth."""

    image: Image
    offset_ns: int
    camera: Camera
    right: ClipHand
    left: ClipHand


def demo_clip(
    *,
    frames: int = 150,
    rate_hz: float = 30.0,
    size: tuple[int, int] = (640, 480),
    seed: int = 0,
) -> Iterator[ClipFrame]:
    """Yield the clip frame by frame.

    :param size: width and height, px.
    :param seed: decides the skin, the hands' shape, the room and the sway of the hands.
    """
    rng = np.random.default_rng(seed)
    camera = replace(camera_from_fov(*size, _FOV_DEG), nominal=False)
    studio = Studio(camera, rng)
    offsets_sec = np.arange(frames) / rate_hz
    paths = demo_paths(offsets_sec, rng)
    for number, offset_sec in enumerate(offsets_sec):
        hands = studio.pose(paths, number)
        yield ClipFrame(
            image=studio.picture(hands, paths, number),
            offset_ns=round(offset_sec * NS_PER_SEC),
            camera=camera,
            right=hands[0],
            left=hands[1],
        )


def write_demo_clip(
    folder: Path | str,
    *,
    frames: int = 150,
    rate_hz: float = 30.0,
    size: tuple[int, int] = (640, 480),
    seed: int = 0,
) -> None:
    """Write the demo clip into a new folder, which appears whole or not at all.

    The parameters are those of `demo_clip`.

    :raises AssetError: when the folder is there already, or cannot be written.
    """
    target = Path(folder)
    if target.exists():
        raise AssetError(f'{target} is there already: wanted the name of a new folder')
    clip = demo_clip(frames=frames, rate_hz=rate_hz, size=size, seed=seed)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f'.{target.name}-', dir=target.parent))
        try:
            scratch.chmod(0o755)  # a temporary folder is for its owner alone
            _write(scratch, clip)
            scratch.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise AssetError(f'cannot write the demo clip to {target}: {error}') from error


def _write(folder: Path, clip: Iterable[ClipFrame]) -> None:
    seen = []
    for number, frame in enumerate(clip):
        (folder / f'{number:06}.jpg').write_bytes(_jpeg(frame.image))
        seen.append(frame)
    if not seen:
        raise AssetError('the demo clip has no frames, wanted at least 1')
    calibration = calibration_of(seen[0].camera)
    write_calibration(folder / CAMERA_FILE, calibration, camera_name='demo_clip')
    np.savez_compressed(folder / TRUTH_FILE, **_truth(seen))


def _jpeg(image: Image) -> bytes:
    ok, data = cv2.imencode('.jpg', image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not ok:
        raise AssetError(f'OpenCV cannot encode a picture of {image.shape[1]} x {image.shape[0]}')
    return bytes(data)


def _truth(frames: list[ClipFrame]) -> dict[str, Any]:
    truth = {
        name: np.array([[getattr(hand, name) for hand in (f.right, f.left)] for f in frames])
        for name in _OF_EACH_HAND
    }
    singles = {name: a.astype(np.float32) if a.dtype == float else a for name, a in truth.items()}
    return {'offsets_ns': np.array([frame.offset_ns for frame in frames]), **singles}
