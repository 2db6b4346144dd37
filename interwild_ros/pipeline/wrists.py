"""Where both wrists stand: each by its hand's size, both by TransNet, and by a depth picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from interwild_ros.config import Settings
from interwild_ros.geometry.camera import undistort_px
from interwild_ros.geometry.coupling import couple, PlacementNoise, with_size_error
from interwild_ros.geometry.depth_placement import shift_to_depth
from interwild_ros.geometry.placement import (
    MAX_DEPTH_M,
    MIN_DEPTH_M,
    place_joints,
    place_together,
    Translation,
)
from interwild_ros.pipeline.joint_quality import joint_quality
from interwild_ros.records import (
    Array,
    Camera,
    DepthSource,
    Frame,
    HandEstimate,
    Side,
    Topology,
)
import numpy as np

# Standard deviations of what networks say, by bench/placement.py --fit: a hand's size, and
# TransNet's x, y, z for hands apart and for hands that interact (z of both together). They are of
# the weights before those that ship, whose own are a little smaller (--pictures 250: 0.094 and
# 0.094; 0.023, 0.017, 0.078 and 0.018, 0.021, 0.08): with these, places are no better, and hands
# that cross far away are once taken for each other (bench/steady.py).
NOISE = PlacementNoise(own=0.11, common=0.10)
RELATION_STD_M = ((0.032, 0.022, 0.1), (0.022, 0.022, 0.1))


@dataclass(frozen=True, eq=False)
class Wrist:
    """Where a wrist stands in the camera's frame (3,), how surely (3, 3), and by what."""

    metres: Array
    covariance_m2: Array
    depth_source: DepthSource


@dataclass(frozen=True, eq=False)
class Wrists:
    """Both wrists, None where there is no place; see TwoHands for the disagreement.

    `by_size_m` is the depth z of each wrist before a depth picture, and `alone_m` (3,) where the
    hand's own size puts it, before TransNet; by side, right first.
    """

    right: Wrist | None
    left: Wrist | None
    disagreement_m: float | None = None
    by_size_m: tuple[float | None, float | None] = (None, None)
    alone_m: tuple[Array | None, Array | None] = (None, None)

    def of(self, side: Side) -> Wrist | None:
        """Return the wrist of a side."""
        return self.right if side is Side.RIGHT else self.left


@dataclass(frozen=True, eq=False)
class _Rays:
    """What the camera shows of one hand: rays (21, 2) without distortion, their quality (21,)."""

    rays: Array
    quality: Array


def place_wrists(
    frame: Frame,
    found: Sequence[HandEstimate],
    left_from_right_m: Array,
    settings: Settings,
    topology: Topology,
    *,
    weight: float,
) -> Wrists:
    """Place the wrists of the hands that were found, each by its joints, then both.

    :param weight: 0 for hands apart to 1 for hands that interact, of which `left_from_right_m` is
        surer.
    """
    camera = frame.camera
    seen = _seen(camera, found)
    alone = _alone(camera, found, seen)
    source = DepthSource.NOMINAL if camera.nominal else DepthSource.INTRINSICS
    wrists = {side: _wrist(place, source) for side, place in alone.items()}
    disagreement_m = None
    is_a_word = (np.abs(left_from_right_m) <= MAX_DEPTH_M).all()  # which NaN is not
    if len(alone) == len(Side) and is_a_word:
        coupled = couple(
            alone[Side.RIGHT],
            alone[Side.LEFT],
            left_from_right_m,
            relation_covariance_m2(weight),
            noise=NOISE,
            weight=float(settings.placement != 'apart'),
        )
        disagreement_m = coupled.disagreement_m
        if settings.placement == 'together':
            wrists |= _held_together(camera, found, seen, left_from_right_m, source)
        elif _are_places(coupled.right_m, coupled.left_m):
            wrists[Side.RIGHT] = Wrist(coupled.right_m, coupled.right_covariance_m2, source)
            wrists[Side.LEFT] = Wrist(coupled.left_m, coupled.left_covariance_m2, source)
    by_size = wrists
    if frame.depth_m is not None:
        wrists = _on_depth(frame, frame.depth_m, found, by_size, topology)
    return Wrists(
        wrists.get(Side.RIGHT),
        wrists.get(Side.LEFT),
        disagreement_m,
        (_depth_m(by_size.get(Side.RIGHT)), _depth_m(by_size.get(Side.LEFT))),
        (_metres(alone.get(Side.RIGHT)), _metres(alone.get(Side.LEFT))),
    )


def _are_places(*wrists_m: Array) -> bool:
    """Return whether all wrists (3,) are where a camera shows hands; NaN is not."""
    return all(w[2] > MIN_DEPTH_M and (np.abs(w) <= MAX_DEPTH_M).all() for w in wrists_m)


def _metres(place: Translation | None) -> Array | None:
    return None if place is None else place.metres


def _depth_m(wrist: Wrist | None) -> float | None:
    return None if wrist is None else float(wrist.metres[2])


def relation_covariance_m2(weight: float) -> Array:
    """Return the covariance (3, 3) of TransNet's word, for hands apart (0) to interacting (1)."""
    apart, interacting = RELATION_STD_M
    std: Array = np.array(apart) + weight * (np.array(interacting) - apart)
    return np.diag(std**2)


def _wrist(place: Translation, source: DepthSource) -> Wrist:
    size_std = float(np.hypot(NOISE.own, NOISE.common))
    covariance = with_size_error(place.metres, place.covariance_m2, size_std)
    return Wrist(place.metres, covariance, source)


def _seen(camera: Camera, found: Sequence[HandEstimate]) -> dict[Side, _Rays]:
    if not found:
        return {}
    pixels = [estimate.joints_image_px for estimate in found]
    rays = undistort_px(camera, np.concatenate(pixels)).reshape(len(found), -1, 2)
    quality = joint_quality([e.joints_image_px for e in found], (camera.width, camera.height))
    return {
        estimate.side: _Rays(*parts) for estimate, *parts in zip(found, rays, quality, strict=True)
    }


def _alone(
    camera: Camera, found: Sequence[HandEstimate], seen: dict[Side, _Rays]
) -> dict[Side, Translation]:
    """Return the place of each hand by itself, of those that have one."""
    focal = (camera.fx, camera.fy)
    placed = {
        e.side: place_joints(e.joints_m, seen[e.side].rays, focal, weights=seen[e.side].quality)
        for e in found
    }
    return {side: place for side, place in placed.items() if place is not None}


def _held_together(
    camera: Camera,
    found: Sequence[HandEstimate],
    seen: dict[Side, _Rays],
    left_from_right_m: Array,
    source: DepthSource,
) -> dict[Side, Wrist]:
    """Return both wrists with the left one held at its place from the right one."""
    both = [seen[side] for side in Side]
    right, left = sorted(found, key=lambda estimate: estimate.side)
    place = place_together(
        right.joints_m,
        left.joints_m,
        left_from_right_m,
        np.concatenate([rays.rays for rays in both]),
        (camera.fx, camera.fy),
        weights=np.concatenate([rays.quality for rays in both]),
    )
    if place is None or not _are_places(place.metres, place.metres + left_from_right_m):
        return {}
    moved = replace(place, metres=place.metres + left_from_right_m)
    return {Side.RIGHT: _wrist(place, source), Side.LEFT: _wrist(moved, source)}


def _on_depth(
    frame: Frame,
    depth_m: Array,
    found: Sequence[HandEstimate],
    wrists: dict[Side, Wrist],
    topology: Topology,
) -> dict[Side, Wrist]:
    """Return the wrists where the depth picture shows them, as they are where it does not."""
    placed = {e.side: e.vertices_m + wrists[e.side].metres for e in found if e.side in wrists}
    triangles = {Side.RIGHT: topology.right_triangles, Side.LEFT: topology.left_triangles}
    moved = dict(wrists)
    for side, vertices_m in placed.items():
        shift = shift_to_depth(
            vertices_m,
            triangles[side],
            frame.camera,
            depth_m,
            other_vertices_m=placed.get(side.other),
        )
        if shift is not None:
            moved[side] = _moved(wrists[side], shift.shift_m, shift.std_m)
    return moved


def _moved(wrist: Wrist, shift_m: Array, std_z_m: float) -> Wrist:
    """Return a wrist moved along its ray, on which it is now this sure."""
    metres = wrist.metres + shift_m
    ray = metres / metres[2]
    across = np.eye(3) - np.outer(ray, [0.0, 0.0, 1.0])  # what is left when the depth is known
    covariance = across @ wrist.covariance_m2 @ across.T + std_z_m**2 * np.outer(ray, ray)
    return replace(
        wrist, metres=metres, covariance_m2=covariance, depth_source=DepthSource.DEPTH_IMAGE
    )
