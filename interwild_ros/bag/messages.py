"""From messages to records: what comes in from a camera, and the way back of what we publish.

Messages are taken by their field names, so that those read from a bag and those of rclpy both do.
"""

from __future__ import annotations

from dataclasses import replace
import math
from typing import Any

from interwild_ros.config import Settings
from interwild_ros.geometry.camera import camera_from_fov, camera_from_info
from interwild_ros.imaging.decode import decode_compressed, decode_image
from interwild_ros.imaging.depth import metres_of_depth
from interwild_ros.records import (
    Array,
    Box,
    Camera,
    DepthSource,
    Frame,
    Hand,
    HandBox,
    Image,
    JOINT_COUNT,
    ModelCard,
    NoHand,
    NS_PER_SEC,
    Side,
    Topology,
    TwoHands,
    VERTEX_COUNT,
)
import numpy as np

NOT_TRACKED = 'not_tracked'


def stamp_ns(stamp: Any) -> int:
    """Return a builtin_interfaces/Time in nanoseconds."""
    return int(stamp.sec) * NS_PER_SEC + int(stamp.nanosec)


def two_hands_of(message: Any) -> TwoHands:
    """Return what an interwild_ros/TwoHands says.

    :raises InputError: when a tracked hand holds NaN or the sides are swapped.
    """
    right, left = _hand_of(message.right), _hand_of(message.left)
    between = message.left_from_right
    both = isinstance(right, Hand) and isinstance(left, Hand)
    return TwoHands(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=str(message.header.frame_id),
        right=right,
        left=left,
        interacting=bool(message.interacting),
        left_from_right_m=np.array([between.x, between.y, between.z]) if both else None,
        disagreement_m=_number(message, 'disagreement') if both else None,
        was_detected=bool(getattr(message, 'detected', True)),
        region=_region(message),
    )


def topology_of(message: Any) -> Topology:
    """Return the meshes and joint names of an interwild_ros/HandTopology."""
    return Topology(
        hand_model=str(message.hand_model),
        is_stand_in=bool(message.hand_model_is_stand_in),
        joint_names=tuple(map(str, message.joint_names)),
        joint_parents=tuple(map(int, message.joint_parents)),
        right_triangles=np.array(message.right_triangles, dtype=np.uint32).reshape(-1, 3),
        left_triangles=np.array(message.left_triangles, dtype=np.uint32).reshape(-1, 3),
    )


def card_of(message: Any, *, device: str) -> ModelCard:
    """Return what ran, from an interwild_ros/HandTopology.

    :param device: where it ran, which that message does not say.
    """
    return ModelCard(
        variant=str(message.variant),
        weights=str(message.weights),
        weights_meaningful=bool(message.weights_meaningful),
        hand_model=str(message.hand_model),
        hand_model_is_stand_in=bool(message.hand_model_is_stand_in),
        device=device,
    )


def camera_of(message: Any, *, image_size: tuple[int, int], rectified: bool = False) -> Camera:
    """Return the camera that a sensor_msgs/CameraInfo describes.

    :param image_size: width and height of the picture as received, px.
    :raises InputError: for numbers that no camera has, or the size of another picture.
    """
    # D, K and P in ROS 2; rosbags spells d, k, p the same, lower case
    roi = message.roi
    return camera_from_info(
        width=int(message.width),
        height=int(message.height),
        K=_floats(message.k),
        D=_floats(message.d),
        P=_floats(message.p),
        distortion_model=str(message.distortion_model),
        image_size=image_size,
        roi=(int(roi.x_offset), int(roi.y_offset), int(roi.width), int(roi.height)),
        binning=(int(message.binning_x), int(message.binning_y)),
        rectified=rectified,
    )


def camera_or_nominal(message: Any, settings: Settings, *, image_size: tuple[int, int]) -> Camera:
    """Return the camera of a sensor_msgs/CameraInfo, a nominal one without it.

    :param message: None, or one of an uncalibrated camera, which leaves D, K, R and P zeroed out
        (sensor_msgs/CameraInfo), say nothing.
    :raises InputError: for numbers that no camera has, or the size of another picture.
    """
    if message is None or not np.any(message.k):
        return camera_from_fov(*image_size, settings.nominal_fov_deg)
    return camera_of(message, image_size=image_size, rectified=settings.image_is_rectified)


def with_depth(frame: Frame, message: Any, settings: Settings) -> Frame:
    """Return a frame, whose picture was turned back if it is mirrored, with its depth picture.

    :param message: a sensor_msgs/Image.
    :raises InputError: when it is no depth picture, is damaged, or is of another size.
    """
    depth_m = depth_of(message)
    if settings.mirrored_image:
        depth_m = np.ascontiguousarray(depth_m[:, ::-1])
    return replace(frame, depth_m=depth_m)


def picture_of(message: Any) -> Image:
    """Return the RGB picture of a sensor_msgs/Image or CompressedImage.

    :raises InputError: when it cannot be decoded.
    """
    if hasattr(message, 'format'):
        return decode_compressed(str(message.format), message.data)
    return decode_image(*_pixels_of(message))


def depth_of(message: Any) -> Array:
    """Return depth in metres (height, width), NaN without a reading, of a sensor_msgs/Image.

    :raises InputError: when it is no depth picture or is damaged.
    """
    return metres_of_depth(*_pixels_of(message))


def _pixels_of(message: Any) -> tuple[str, int, int, int, bool, Any]:
    """Return encoding, width, height, step, byte order and bytes of a sensor_msgs/Image."""
    return (
        str(message.encoding),
        int(message.width),
        int(message.height),
        int(message.step),
        bool(message.is_bigendian),
        message.data,
    )


def _hand_of(message: Any) -> Hand | NoHand:
    side = Side(int(message.side))
    if not message.tracked:
        return NoHand(side=side, score=float(message.score), reason=_reason(message))
    turn = message.wrist.orientation
    x1, y1, x2, y2 = _floats(message.box)
    return Hand(
        box=HandBox(side=side, corners=(x1, y1, x2, y2), score=float(message.score)),
        joints_image_px=_array(message.joints_image, JOINT_COUNT, 2),
        pose=_array(message.pose, 48),
        betas=_array(message.betas, 10),
        joints_m=_array(message.joints, JOINT_COUNT, 3),
        vertices_m=_array(message.vertices, VERTEX_COUNT, 3),
        wrist_quaternion_xyzw=np.array([turn.x, turn.y, turn.z, turn.w]),
        reprojection_error_px=float(message.reprojection_error),
        depth_source=DepthSource(int(message.depth_source)),
        wrist_covariance_m2=_covariance(message),
        scale=float(getattr(message, 'hand_scale', 1.0)),
    )


def _reason(message: Any) -> str:
    """Return why a hand is absent; messages of earlier versions do not say it."""
    return str(getattr(message, 'reason', '')) or NOT_TRACKED


def _covariance(message: Any) -> Array | None:
    if not hasattr(message, 'wrist_covariance'):
        return None
    covariance = _array(message.wrist_covariance, 3, 3)
    return covariance if np.isfinite(covariance).all() else None


def _region(message: Any) -> Box | None:
    x1, y1, x2, y2 = _floats(getattr(message, 'region', [math.nan] * 4))
    return None if math.isnan(x1) else (x1, y1, x2, y2)


def _number(message: Any, name: str) -> float | None:
    value = float(getattr(message, name, math.nan))
    return None if math.isnan(value) else value


def _array(values: Any, *shape: int) -> Array:
    return np.asarray(values, dtype=np.float64).reshape(shape)


def _floats(values: Any) -> list[float]:
    return [float(value) for value in values]
