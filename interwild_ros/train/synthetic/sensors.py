"""What a camera and a file do to a picture: casts, blur, coarse pixels, grain, JPEG."""

from __future__ import annotations

import cv2
from interwild_ros.records import Array, Image
from interwild_ros.train.synthetic.domains import Sensor
import numpy as np

Rng = np.random.Generator
_MOTION_LENGTH = 0.1  # of a hand, at most
_BLUR = 0.02  # likewise, standard deviation
_GRAIN = np.random.default_rng(11).standard_normal((256, 256, 3)).astype(np.float32)


def developed(picture: Array, sensor: Sensor, rng: Rng, *, hand_px: float) -> Image:
    """Return a picture (H, W, 3) of 0 to 1 as a camera gives it, uint8.

    :param hand_px: how large hands are; nothing is blurred beyond recognition.
    """
    picture = _cast(picture, sensor, rng)
    if rng.random() < sensor.motion_share:
        picture = _moved(
            picture, rng.uniform(0.01, _MOTION_LENGTH) * hand_px, rng.uniform(0, np.pi)
        )
    if rng.random() < sensor.blur_share:
        picture = cv2.GaussianBlur(picture, (0, 0), max(0.3, rng.uniform(0, _BLUR) * hand_px))
    if rng.random() < sensor.coarse_share:
        picture = _coarse(picture, 1 + (sensor.coarse - 1) * rng.random() * min(1.0, hand_px / 64))
    picture = picture + np.float32(rng.uniform(0, sensor.grain)) * _grain(picture.shape, rng)
    image = _toned(np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8), sensor, rng)
    if rng.random() < sensor.jpeg_share:
        return _through_jpeg(image, int(rng.integers(sensor.jpeg, 96)))
    return image


def _cast(picture: Array, sensor: Sensor, rng: Rng) -> Array:
    """Change exposure, white balance and saturation."""
    gain = np.exp(rng.normal(0, sensor.cast, 3) * 0.6 + rng.normal(0, sensor.cast * 1.4))
    grey = max(0.0, rng.uniform(-0.6, 0.6)) if sensor.cast > 0.1 else 0.0
    mixing = np.diag(gain) * (1 - grey) + gain[None] * grey / 3
    return np.asarray(cv2.transform(picture, mixing.astype(np.float32)))


def _toned(image: Image, sensor: Sensor, rng: Rng) -> Image:
    """Change contrast: darker or brighter between black and white."""
    gamma = np.exp(rng.normal(0, sensor.cast))
    curve = 255 * np.linspace(0, 1, 256) ** gamma
    toned: Image = np.asarray(cv2.LUT(image, (curve + 0.5).astype(np.uint8)), np.uint8)
    return toned


def _moved(picture: Array, length_px: float, angle_rad: float) -> Array:
    """Blur along a line, as if the camera had moved."""
    side = 2 * int(np.ceil(length_px / 2)) + 1
    kernel = np.zeros((side, side), np.float32)
    middle = side // 2
    reach = np.array([np.cos(angle_rad), np.sin(angle_rad)]) * length_px / 2
    start, end = (np.round(middle + sign * reach).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA)
    return np.asarray(
        cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    )


def _coarse(picture: Array, factor: float) -> Array:
    """Return the picture as if it had been enlarged from one with fewer pixels."""
    height, width = picture.shape[:2]
    small = (max(8, round(width / factor)), max(8, round(height / factor)))
    fewer = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(fewer, (width, height), interpolation=cv2.INTER_LINEAR))


def _grain(shape: tuple[int, ...], rng: Rng) -> Array:
    """Return a cutting of the grain pattern, repeated where the picture is larger."""
    y, x = rng.integers(0, 256, 2)
    rows, columns = (y + np.arange(shape[0])) % 256, (x + np.arange(shape[1])) % 256
    return np.asarray(_GRAIN[rows][:, columns])


def _through_jpeg(image: Image, quality: int) -> Image:
    # OpenCV takes blue first, and JPEG keeps less of some colours than of others
    _, data = cv2.imencode('.jpg', image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    found: Image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(found[..., ::-1])
