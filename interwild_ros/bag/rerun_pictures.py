"""Pictures and the camera that took them, as entities of rerun: camera/image and camera."""

from __future__ import annotations

from interwild_ros.bag.ahead import ahead
from interwild_ros.bag.export_input import ExportInput
from interwild_ros.bag.export_pictures import (
    CameraReader,
    EncodedPicture,
    PictureMaker,
    ShownPicture,
)
from interwild_ros.bag.export_tally import ExportTally, Say
from interwild_ros.bag.frames import UNREADABLE
from interwild_ros.bag.rerun_recording import Recording
from interwild_ros.errors import InputError
from interwild_ros.records import Camera, Image
import numpy as np
import rerun as rr

_PICTURE_AT_M = 1.0  # where the 3D view shows the picture: behind hands at arm's length
_AHEAD = 4


def write_pictures(
    recording: Recording,
    source: ExportInput,
    tally: ExportTally,
    *,
    quality: int | None,
    say: Say,
) -> None:
    """Write every picture, and the camera whenever it is another one.

    :param quality: of the JPEG files that raw pictures become, 1 to 100; None keeps their pixels.
    """
    lens = _Lens(recording, tally)
    if source.pictures is not None:
        maker = PictureMaker(source.pictures, source.settings, quality=quality)
        with ahead(maker.pictures(), size=_AHEAD) as pictures:
            for done, shown in enumerate(pictures, 1):
                _write_picture(recording, lens, shown, tally)
                say('pictures', done, len(source.pictures.plan))
    if source.infos is not None:
        for at_ns, camera in CameraReader(source.infos, source.settings).cameras():
            first_ns = int(source.stamps_ns[0])  # which holds for what is older too
            lens.write(camera, at_ns if lens.is_known else min(at_ns, first_ns))


def _write_picture(
    recording: Recording, lens: _Lens, shown: ShownPicture, tally: ExportTally
) -> None:
    if shown.camera_problem is not None:
        tally.warn(f'a CameraInfo is not used: {shown.camera_problem}')
    if shown.picture is None:
        tally.skip(shown.problem or InputError(UNREADABLE, 'there is no picture'))
        return
    tally.pictures += 1
    recording.at(shown.stamp_ns)
    _write_image(recording, shown.picture)
    if shown.camera is not None:
        lens.write(shown.camera, shown.stamp_ns)


def _write_image(recording: Recording, picture: EncodedPicture | Image) -> None:
    if isinstance(picture, EncodedPicture):
        file = rr.EncodedImage(contents=picture.data, media_type=picture.media_type)
        recording.log('camera/image', file, size_bytes=len(picture.data))
    else:
        pixels = rr.Image(picture, rr.ColorModel.RGB)
        recording.log('camera/image', pixels, size_bytes=picture.nbytes)


class _Lens:
    """Writes the camera whenever it is another one."""

    def __init__(self, recording: Recording, tally: ExportTally) -> None:
        self._recording, self._tally = recording, tally
        self._camera: Camera | None = None

    @property
    def is_known(self) -> bool:
        """Return whether a camera was written."""
        return self._camera is not None

    def write(self, camera: Camera, stamp_ns: int) -> None:
        """Write a camera that holds from a time on."""
        if camera == self._camera:
            return
        self._camera = camera
        self._recording.at(stamp_ns)
        self._recording.log('camera', _pinhole(camera))
        if any(camera.distortion):
            self._tally.warn(
                f'the distortion of the lens ({camera.distortion_model}) is not in the file: '
                'meshes are projected without it, joints in px are those of the picture'
            )


def _pinhole(camera: Camera) -> rr.Pinhole:
    return rr.Pinhole(
        image_from_camera=np.array(
            [[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]]
        ),
        resolution=[camera.width, camera.height],
        camera_xyz=rr.ViewCoordinates.RDF,
        image_plane_distance=_PICTURE_AT_M,
    )
