"""How far off, in depth, are hands placed from noisy 2D joints, and from a depth picture?

usage: python bench/placement.py [--hands 200] [--noises 5] [--seed 0] [--pictures 200]

Random poses of the stand-in hand, whose truth is known, before a camera with f = 600 px and
640 x 480 px. The 2D joints have 3 px of noise in x and in y; size, pose and intrinsics are exact.
Each noise comes with its opposite, which leaves the mean what it is and makes it known sooner.
Columns, z bias / std in mm of the right wrist, all hands and noises pooled:

* weak: weak perspective, extents of the picture against extents in metres
* linear: the linear solve alone
* gn: Gauss-Newton as the pipeline does it; `says` is the std that its covariance claims
* together: one solve over both hands, left_from_right held exactly; it has 10 mm of noise an axis
* coupled: each hand by gn, then both drawn to that left_from_right by how sure each is; `says`
* depth: gn, then shifted onto one depth picture a hand; `says` likewise

The depth picture shows both hands before a wall, and is wrong as a stereo camera's is: noise of
0.08 px of disparity over a base line of 50 mm (sigma_z = z^2 * 0.08 px / (f * 50 mm), common to
windows of 5 px), at edges values from up to 3 px away, mixtures of near and far and gaps, blobs
without readings (about 6 % of the picture) and single ones (2 %), rounded to mm. It has no
error that a whole picture shares.

Then the networks that ship, on pictures of the held-out synthetic world in which both hands are
published: how far the left wrist is off, seen from the right one, by TransNet alone
(`transnet_mrrpe_mm`), by each hand's own place (`solve_mrrpe_mm`), and by both weighed against
each other as they are published (`fused_mrrpe_mm`). `--fit` says what noise the networks have on
pictures of the worlds that they were trained on: the figures in pipeline/wrists.py.

The last line is JSON. Each figure there pools all lenses; `targets_missed` counts those of every
row. `*_none` is the share of hands that were not placed; they are in no bias and no std.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
import json
import math

import cv2
from interwild_ros.config import Settings
from interwild_ros.eval.accuracy import judge
from interwild_ros.eval.annotated_camera import camera_of
from interwild_ros.eval.data_sets import open_data, SYNTHETIC
from interwild_ros.geometry.camera import project, undistort_px
from interwild_ros.geometry.coupling import couple, PlacementNoise
from interwild_ros.geometry.depth_placement import shift_to_depth
from interwild_ros.geometry.placement import place_joints, place_linearly, place_together
from interwild_ros.geometry.weak_perspective import fit_weak_perspective
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.imaging.render import rasterize
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.records import Array, Camera, Frame, Side, VERTEX_COUNT
from interwild_ros.train.annotations import Annotation
from interwild_ros.train.mano_targets import pose_fits
from interwild_ros.train.synthetic.annotated import SyntheticPictures
from interwild_ros.train.synthetic.domains import STUDIO, WILD
from interwild_ros.train.synthetic.draws import Draws
from interwild_ros.train.synthetic.orientations import draw_roots
from interwild_ros.train.synthetic.poses import draw_shapes, PoseMaker
import numpy as np
import torch

DISTANCES_M = (0.3, 0.5, 0.75, 1.0, 1.5, 2.0)
FOCAL_PX, WIDTH, HEIGHT = 600.0, 640, 480
LENSES = {
    'none': (),
    'plumb_bob': (0.12, -0.25, 0.0008, -0.0006, 0.08),
    'rational_polynomial': (0.5, -2.6, 0.0006, -0.0002, 1.5, 0.38, -2.4, 1.4),
    'equidistant': (-0.012, 0.02, -0.015, 0.004),
}
NOISE_PX = 3.0
LEFT_FROM_RIGHT_STD_M = 0.010
EXACT_SIZES = PlacementNoise(own=0.0, common=0.0)
FIT_SEED = 777_001  # of pictures that nothing was trained on
HAND_REACH_M = 0.11  # from a hand's middle: keeps hands in the picture
BASE_LINE_M, DISPARITY_STD_PX = 0.05, 0.08
NAME_WIDTH, CELL_WIDTH = 27, 29
METHODS = ('weak', 'linear', 'gn', 'together', 'coupled', 'depth')
TARGETS_MM = {  # largest bias and largest std
    ('gn', 0.5): (1, 7),
    ('gn', 1.5): (3, 60),
    ('depth', 0.5): (5, 8),
    ('depth', 1.5): (12, 20),
}


@dataclass(frozen=True)
class Hands:
    """N pairs of hands, in camera axes, metres, each relative to its own wrist.

    `vertices` (2, N, 778, 3), `joints` (2, N, 21, 3), `triangles` of the right and the left hand.
    """

    vertices: Array
    joints: Array
    triangles: tuple[Array, Array]


@dataclass(frozen=True)
class Scene:
    """One pair before a camera: hands relative to their wrists, and where the wrists are."""

    camera: Camera
    vertices: Array
    joints: Array
    triangles: tuple[Array, Array]
    wrists_m: Array

    @property
    def left_from_right_m(self) -> Array:
        """Return the left wrist minus the right one."""
        return self.wrists_m[Side.LEFT] - self.wrists_m[Side.RIGHT]


@dataclass(frozen=True)
class Errors:
    """Errors of the right wrist's z in m by method, NaN where there is no place; claimed stds."""

    z_m: dict[str, list[float]]
    says_m: dict[str, list[float]]

    @classmethod
    def none(cls) -> Errors:
        """Return no errors yet."""
        return cls({m: [] for m in METHODS}, {'gn': [], 'coupled': [], 'depth': []})

    def add(self, other: Errors) -> None:
        """Take in the errors of others."""
        for mine, others in ((self.z_m, other.z_m), (self.says_m, other.says_m)):
            for method, values in others.items():
                mine[method].extend(values)

    def figures_mm(self, method: str) -> dict[str, float]:
        """Return bias, std and what std was claimed, and the share of hands without a place."""
        errors = 1e3 * np.array(self.z_m[method])
        found = {
            'z_bias_mm': float(np.nanmean(errors)),
            'z_std_mm': float(np.nanstd(errors)),
            'none': float(np.isnan(errors).mean()),
        }
        if method in self.says_m:
            claimed = 1e3 * np.array(self.says_m[method])
            found['z_std_says_mm'] = float(np.sqrt(np.nanmean(claimed**2)))
        return found


def draw_hands(count: int, seed: int) -> Hands:
    models = [read_stand_in(side) for side in Side]
    draws = Draws(seed, range(count), 'bench/placement')
    maker = PoseMaker()
    roots = draw_roots(draws.part('root'), STUDIO.hands)
    betas = draw_shapes(draws.part('shape'))
    pair = HandPair(*models)
    vertices, joints = [], []
    for side in Side:
        fingers = maker.draw(draws.part(side.label), STUDIO.hands).rotations
        pose = torch.cat([torch.zeros(count, 3), maker.mano_fingers(fingers, side)], 1)
        with torch.inference_mode():
            mesh, skeleton = pair.one_side(side, pose, betas)
        wrist, turn = skeleton[:, :1], roots[:, side].transpose(1, 2)
        vertices.append(((mesh - wrist) @ turn).double().numpy())
        joints.append(((skeleton - wrist) @ turn).double().numpy())
    topology = pair.topology()
    triangles = tuple(
        t.astype(np.int64) for t in (topology.right_triangles, topology.left_triangles)
    )
    return Hands(np.stack(vertices), np.stack(joints), triangles)


def draw_scene(
    hands: Hands, index: int, camera: Camera, distance_m: float, rng: np.random.Generator
) -> Scene:
    """Put the right hand's middle at a distance in the picture and the left hand beside it."""
    half = np.array([WIDTH, HEIGHT]) / 2 / FOCAL_PX
    reach = np.maximum(half - HAND_REACH_M / distance_m, 0)
    middle = np.append(rng.uniform(-reach, reach), 1) * distance_m
    right = middle - hands.joints[Side.RIGHT, index].mean(0)
    aside = rng.choice([-1, 1]) * rng.uniform(0.10, 0.18)
    beside = np.array([aside, *rng.uniform(-0.05, 0.05, 2)])
    wrists = np.stack([right, right + beside])
    return Scene(camera, hands.vertices[:, index], hands.joints[:, index], hands.triangles, wrists)


def errors_of(scene: Scene, noises: int, rng: np.random.Generator) -> Errors:
    """Place one pair by all methods, under noises and their opposites."""
    found = Errors.none()
    px = project(scene.camera, (scene.joints + scene.wrists_m[:, None]).reshape(-1, 3))
    for number in range(noises):
        noise_px = rng.normal(0, NOISE_PX, px.shape)
        noise_m = rng.normal(0, LEFT_FROM_RIGHT_STD_M, 3)
        for sign in (1, -1):
            rays = undistort_px(scene.camera, px + sign * noise_px)
            _place(scene, rays, scene.left_from_right_m + sign * noise_m, found)
            if number == 0 and sign == 1:
                _place_by_depth(scene, rays, rng, found)
    return found


def _place(scene: Scene, rays: Array, left_from_right_m: Array, found: Errors) -> None:
    focal = (scene.camera.fx, scene.camera.fy)
    right, left = scene.joints
    own = rays[: len(right)]
    alone = place_joints(right, own, focal, noise_px=NOISE_PX)
    other = place_joints(left, rays[len(right) :], focal, noise_px=NOISE_PX)
    both = place_together(right, left, left_from_right_m, rays, focal)
    coupled = None
    if alone is not None and other is not None:
        said = np.eye(3) * LEFT_FROM_RIGHT_STD_M**2
        coupled = couple(alone, other, left_from_right_m, said, noise=EXACT_SIZES)
    linear = place_linearly(right, own)
    places = {
        'weak': _weak_perspective_z_m(right, own),
        'linear': math.nan if linear is None else linear[2],
        'gn': math.nan if alone is None else alone.metres[2],
        'together': math.nan if both is None else both.metres[2],
        'coupled': math.nan if coupled is None else coupled.right_m[2],
    }
    for method, z_m in places.items():
        found.z_m[method].append(z_m - scene.wrists_m[Side.RIGHT, 2])
    if alone is not None:
        found.says_m['gn'].append(math.sqrt(alone.covariance_m2[2, 2]))
    if coupled is not None:
        found.says_m['coupled'].append(math.sqrt(coupled.right_covariance_m2[2, 2]))


def _weak_perspective_z_m(joints: Array, rays: Array) -> float:
    pixels, points = (torch.from_numpy(a)[None] for a in (FOCAL_PX * rays, joints))
    px_per_m, _ = fit_weak_perspective(pixels, points)
    return FOCAL_PX / float(px_per_m.mean()) - joints[:, 2].mean()


def _place_by_depth(scene: Scene, rays: Array, rng: np.random.Generator, found: Errors) -> None:
    focal = (scene.camera.fx, scene.camera.fy)
    apart = [place_joints(*of, focal) for of in zip(scene.joints, np.split(rays, 2), strict=True)]
    right, left = (
        None if place is None else vertices + place.metres
        for place, vertices in zip(apart, scene.vertices, strict=True)
    )
    depth_m = as_a_stereo_camera(render_depth_m(scene, wall_m=rng.uniform(0.4, 1.5)), rng)
    shift = None
    if right is not None:
        triangles = scene.triangles[Side.RIGHT]
        shift = shift_to_depth(right, triangles, scene.camera, depth_m, other_vertices_m=left)
    if right is None or shift is None:
        found.z_m['depth'].append(math.nan)
        return
    # vertices and their wrist move alike
    wrist_m = right[0] - scene.vertices[Side.RIGHT, 0] + shift.shift_m
    found.z_m['depth'].append(wrist_m[2] - scene.wrists_m[Side.RIGHT, 2])
    found.says_m['depth'].append(shift.std_m)


def render_depth_m(scene: Scene, *, wall_m: float) -> Array:
    """Return what an ideal depth camera sees of both hands, a wall so far behind the farther."""
    points = (scene.vertices + scene.wrists_m[:, None]).reshape(-1, 3)
    triangles = np.concatenate([scene.triangles[0], scene.triangles[1] + VERTEX_COUNT])
    raster = rasterize(
        torch.from_numpy(project(scene.camera, points))[None],
        torch.from_numpy(points[:, 2])[None],
        torch.from_numpy(triangles),
        width=WIDTH,
        height=HEIGHT,
    )
    depth = raster.depth_map_m()[0].numpy()
    return np.minimum(depth, np.float32(points[:, 2].max() + wall_m))


def as_a_stereo_camera(depth_m: Array, rng: np.random.Generator) -> Array:
    """Return the depth picture (height, width) as a sensor would give it; NaN: no reading."""
    near = cv2.erode(depth_m, np.ones((7, 7)))
    far = cv2.dilate(depth_m, np.ones((7, 7)))
    edge = far - near > 0.03
    seen = np.where(edge, _bled(depth_m, near, far, rng), depth_m)
    white = rng.standard_normal(seen.shape, np.float32)
    common = 5 * cv2.blur(white, (5, 5))  # std 1 again
    seen = seen + seen**2 * DISPARITY_STD_PX / (FOCAL_PX * BASE_LINE_M) * common
    coarse = rng.standard_normal((HEIGHT // 12, WIDTH // 12), np.float32)
    blobs = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    gaps = (blobs > 1.3) | (rng.random(seen.shape, np.float32) < 0.02)
    return np.where(gaps, np.nan, np.round(seen, 3))


def _bled(depth_m: Array, near: Array, far: Array, rng: np.random.Generator) -> Array:
    """Return edges as windows that reach over them see them: shifted, mixed, or not at all."""
    rows, columns = np.indices(depth_m.shape, np.float32)
    fields = rng.uniform(-3, 3, (2, HEIGHT // 4, WIDTH // 4)).astype(np.float32)
    down, aside = (cv2.resize(field, (WIDTH, HEIGHT)) for field in fields)
    shifted = cv2.remap(depth_m, columns + aside, rows + down, cv2.INTER_NEAREST)
    fate = rng.random(depth_m.shape, np.float32)
    mixed = near + rng.random(depth_m.shape, np.float32) * (far - near)
    return np.where(fate < 0.2, np.nan, np.where(fate < 0.45, mixed, shifted))


def between_wrists(count: int, weights: str) -> dict[str, float]:
    pipeline = load_pipeline(Settings(weights=weights, device='cpu'))
    hand_models = HandPair(*(read_stand_in(side) for side in Side)).eval()
    pictures, _, truth_of = open_data(SYNTHETIC, synthetic_count=count)
    judged = (judge(pipeline, *pictures.annotated(i), truth_of, hand_models) for i in range(count))
    between = [picture.between for picture in judged if picture.between is not None]
    if not between:
        return {}
    names = ('transnet', 'solve', 'fused')
    errors = np.array([[getattr(b, f'{name}_mm') for name in names] for b in between])
    print(f'left wrist from the right one, {len(between)} pictures, mean (median) mm:')
    means, medians = errors.mean(0), np.median(errors, axis=0)
    for name, mean, median in zip(names, means, medians, strict=True):
        print(f'  {name:10}{mean:8.1f} ({median:.1f})')
    figures = {f'{n}_mrrpe_mm': round(float(m), 2) for n, m in zip(names, means, strict=True)}
    more = {
        f'{n}_mrrpe_median_mm': round(float(m), 2) for n, m in zip(names, medians, strict=True)
    }
    return figures | more | {'both_published': len(between)}


def fit_noise(count: int, weights: str) -> None:
    """Print robust standard deviations of what networks say, on pictures they were trained for."""
    apart = Settings(weights=weights, device='cpu', placement='apart')
    pipeline = load_pipeline(apart)
    sizes, said = [], {False: [], True: []}
    for domain in (STUDIO, replace(WILD, has_3d=True)):
        pictures = SyntheticPictures(domain, seed=FIT_SEED, length=count)
        for annotation, image in (pictures.annotated(i) for i in range(count)):
            frame = Frame(image, camera_of(annotation), stamp_ns=0, frame_id='')
            pair = pipeline.estimate(frame)
            placed = pipeline.place(frame, pair)
            if len(placed.hands) < len(Side) or not annotation.left_from_right_valid:
                continue
            true = true_wrists_m(annotation)
            found = [hand.wrist_m for hand in placed.hands]
            sizes.append([(f - t) @ t / (t @ t) for f, t in zip(found, true, strict=True)])
            said[pair.interacting].append(pair.left_from_right_m - (true[1] - true[0]))
    relative = np.array(sizes)
    common, own = relative.mean(1), np.diff(relative, axis=1)[:, 0] / math.sqrt(2)
    print(
        f'{len(relative)} pictures; relative error of distance, median {np.median(relative):.3f}'
    )
    print(f'  own {_robust_std(own):.3f}, common {_robust_std(common):.3f}')
    for interacting, errors in said.items():
        std = [round(float(_robust_std(axis)), 3) for axis in np.array(errors).T]
        print(f'  TransNet x y z, {"interacting" if interacting else "apart"}: {std} m')


def true_wrists_m(annotation: Annotation) -> list[Array]:
    hand_models = HandPair(*(read_stand_in(side) for side in Side)).eval()
    posed = pose_fits(annotation.fits, hand_models, annotation.image_size, is_mirrored=False)
    return [posed.joints_m[side, 0].double().numpy() for side in Side]


def _robust_std(values: Array) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def _camera(lens: str) -> Camera:
    centre = (WIDTH - 1) / 2, (HEIGHT - 1) / 2
    return Camera(WIDTH, HEIGHT, FOCAL_PX, FOCAL_PX, *centre, lens, LENSES[lens])


def _row(name: str, errors: Errors) -> str:
    cells = []
    for method in METHODS:
        f = errors.figures_mm(method)
        says = f' ({f["z_std_says_mm"]:.1f})' if 'z_std_says_mm' in f else ''
        none = f' {f["none"]:.0%} none' if f['none'] else ''
        cells.append(f'{f["z_bias_mm"]:.1f} / {f["z_std_mm"]:.1f}{says}{none}')
    return _line(name, cells)


def _line(name: str, cells: Iterable[str]) -> str:
    return f'{name:<{NAME_WIDTH}}' + ''.join(f'{cell:>{CELL_WIDTH}}' for cell in cells)


def _missed(where: str, distance: float, errors: Errors) -> list[str]:
    """Say which targets a row of the table does not reach."""
    missed = []
    for (method, at), limits in TARGETS_MM.items():
        if at != distance:
            continue
        figures = errors.figures_mm(method)
        for name, limit in zip(('z_bias_mm', 'z_std_mm'), limits, strict=True):
            if not abs(figures[name]) <= limit:
                missed.append(
                    f'{where}: {method}_{distance}m_{name} is {figures[name]:.1f}, '
                    f'wanted at most {limit}'
                )
    return missed


def main() -> None:
    args = _arguments()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if args.fit:
        fit_noise(args.pictures, args.weights)
        return
    hands = draw_hands(args.hands, args.seed)
    print(_line('z bias / std (says) in mm', METHODS))
    missed = []
    pooled = {distance: Errors.none() for distance in DISTANCES_M}
    for number, lens in enumerate(LENSES):
        for distance in DISTANCES_M:
            rng = np.random.default_rng((args.seed, number, int(1e3 * distance)))
            errors = Errors.none()
            for index in range(args.hands):
                scene = draw_scene(hands, index, _camera(lens), distance, rng)
                errors.add(errors_of(scene, args.noises, rng))
            print(_row(f'{lens} {distance} m', errors), flush=True)
            missed += _missed(lens, distance, errors)
            pooled[distance].add(errors)
    figures = {}
    for distance, errors in pooled.items():
        print(_row(f'all lenses {distance} m', errors))
        missed += _missed('all lenses', distance, errors)
        for method in METHODS:
            for figure, value in errors.figures_mm(method).items():
                figures[f'{method}_{distance}m_{figure}'] = round(value, 3)
    for line in missed:
        print(f'missed: {line}')
    figures |= between_wrists(args.pictures, args.weights)
    counts = {'hands': args.hands, 'noises': 2 * args.noises, 'targets_missed': len(missed)}
    print(json.dumps({'name': 'placement', **figures, **counts}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--hands', type=int, default=200, help='poses')
    parser.add_argument('--noises', type=int, default=5, help='noises a pose, and opposites')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--pictures', type=int, default=200, help='for the networks; 0: none')
    parser.add_argument('--weights', default='', help='default: those that ship')
    parser.add_argument('--fit', action='store_true', help='only measure the noise of networks')
    return parser.parse_args()


if __name__ == '__main__':
    main()
