"""What the networks see of a frame: a view of a region, and one crop a hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from interwild_ros.config import Settings
from interwild_ros.geometry import crops, mirror, regions
from interwild_ros.geometry.spaces import apply_affine, compose_affine, invert_scaling, Spaces
from interwild_ros.records import Array, Box, Camera, Frame, Image
import torch
from torch import Tensor
import torch.nn.functional as F

_USUAL_HAND_SHARE = 0.2  # of the input's width
# Integers are the middles of pixels: that of a picture of half the size is between two of its own.
_INPUT_FROM_HALF = torch.tensor([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5]], dtype=torch.float64)


@dataclass(frozen=True, eq=False)
class View:
    """A frame on the networks' device and where their input lies in it.

    `picture` (3, H, W) RGB, bytes or 0..1; `image_from_input` (2, 3) float64 on the CPU; `camera`
    that of the image.
    """

    picture: Tensor
    image_from_input: Tensor
    spaces: Spaces
    camera: Camera

    def input_points(self, points: Array) -> Tensor:
        """Map image px (..., 2) to input px, on the CPU."""
        input_from_image = invert_scaling(self.image_from_input)
        return apply_affine(input_from_image, torch.from_numpy(points))

    def middle_box(self) -> Box:
        """Return a box of a hand's usual size in the middle, image px: where nothing is known."""
        width, height = self.spaces.input_size
        half = _USUAL_HAND_SHARE * width / 2
        corners = [[width / 2 - half, height / 2 - half], [width / 2 + half, height / 2 + half]]
        x1, y1, x2, y2 = self.image_points(torch.tensor([corners])).flatten().tolist()
        return x1, y1, x2, y2

    @cached_property
    def network_input(self) -> Tensor:
        """Return the networks' picture (1, 3, H, W), `Spaces.input_size`, letterboxed in black."""
        return crops.resample(self.picture, self.image_from_input, self.spaces.input_size)

    @cached_property
    def detector_input(self) -> Tensor:
        """Return the same for the detector, of `Spaces.body_size`."""
        if self.spaces.halved:
            return F.avg_pool2d(self.network_input, 2)
        image_from_half = compose_affine(self.image_from_input, _INPUT_FROM_HALF)
        return crops.resample(self.picture, image_from_half, self.spaces.body_size)

    def hand_crops(self, input_from_crop: Tensor, source: str) -> Tensor:
        """Return the crops (2, 3, 256, 256) as SHNet wants them: right, then mirrored left.

        :param input_from_crop: (2, 2, 3), right hand first, on the CPU.
        :param source: 'frame' cuts them from the full resolution; 'network' from the input, as
            the original does.
        """
        size = (self.spaces.crop_px, self.spaces.crop_px)
        if source == 'network':
            found = crops.sample(self.network_input.expand(2, -1, -1, -1), input_from_crop, size)
            right, left = found.chunk(2)
        else:
            image_from_crop = compose_affine(
                self.image_from_input.to(input_from_crop)[None], input_from_crop
            )
            right, left = (
                crops.resample(self.picture, one_hand, size) for one_hand in image_from_crop
            )
        return torch.cat([right, mirror.mirror_picture(left)])

    def image_points(self, points: Tensor) -> Tensor:
        """Map input px (B, K, 2) to image px, in float64 on the CPU."""
        return apply_affine(self.image_from_input[None], points.cpu().double())


class InputView(View):
    """A view of which there is only the networks' own picture, which `picture` is then."""

    @cached_property
    def network_input(self) -> Tensor:
        """Return the picture as it is."""
        return self.picture[None]

    @cached_property
    def detector_input(self) -> Tensor:
        """Return the picture at half its size."""
        return F.avg_pool2d(self.network_input, 2)


def look_at(
    frame: Frame,
    settings: Settings,
    spaces: Spaces,
    device: torch.device,
    region: Box | None = None,
) -> View:
    """Upload a frame and lay the networks' input over a region, the one of interest if not given.

    :raises InputError: when the region of interest has no pixel in the frame.
    """
    image_size = (frame.camera.width, frame.camera.height)
    seen: regions.Region = _region(settings, image_size)
    if region is not None:
        seen = _corner_and_size(region)
    elif not spaces.whole_px:
        x, y, width, height = seen
        seen = float(x), float(y), float(width), float(height)
    box = regions.view_box(
        seen,
        image_size,
        input_size=spaces.input_size,
        scale=settings.region_scale,
    )
    input_from_image = torch.from_numpy(regions.input_from_image(box, spaces.input_size))
    pixels = _uploaded(frame.image, device).permute(2, 0, 1)
    return View(pixels, invert_scaling(input_from_image), spaces, frame.camera)


def _uploaded(image: Image, device: torch.device) -> Tensor:
    """Return a picture on a device; to a GPU it goes while this thread goes on."""
    pixels = torch.from_numpy(image)
    if device.type == 'cuda':
        return pixels.pin_memory().to(device, non_blocking=True)
    return pixels.to(device)


def _corner_and_size(box: Box) -> Box:
    return box[0], box[1], box[2] - box[0], box[3] - box[1]


def _region(settings: Settings, image_size: tuple[int, int]) -> tuple[int, int, int, int]:
    x, y = settings.region_x, settings.region_y
    return (
        x,
        y,
        settings.region_width or image_size[0] - x,
        settings.region_height or image_size[1] - y,
    )
