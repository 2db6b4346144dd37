"""From annotations to samples: the original's numbers, and what must agree with what."""

from dataclasses import replace
import math
from pathlib import Path

from interwild_ros.errors import InputError
from interwild_ros.geometry import regions
from interwild_ros.geometry.spaces import apply_affine, invert_affine, OFFICIAL_SPACES
from interwild_ros.networks.variants import COMPACT_SPACES
from interwild_ros.records import Side
from interwild_ros.testing.some_annotations import IMAGE_SIZE, some_annotation
from interwild_ros.train.augmentation import Augmentation, UNCHANGED
from interwild_ros.train.coding import code_boxes, code_joints
from interwild_ros.train.datasets.boxes import around_joints
from interwild_ros.train.datasets.joint_orders import PAIR_FROM_INTERHAND
from interwild_ros.train.patches import input_from_turned_box, lay_over_input
from interwild_ros.train.samples import by_hand
from interwild_ros.train.transforms import (
    coded_boxes,
    make_sample,
    mirrored_joints,
    pair_joints,
    PairJoints,
    turned_joints,
)
import numpy as np
import pytest
import torch

GOLDEN = np.load(Path(__file__).parents[1] / 'data/transform_units.npz')
SPACES = OFFICIAL_SPACES
# what the golden transforms were made with
GOLDEN_TURN_RAD = math.radians(12)
GOLDEN_WIDTH = 640
BLACK = np.zeros((IMAGE_SIZE[1], IMAGE_SIZE[0], 3), np.uint8)
AUGMENTATIONS = [
    UNCHANGED,
    Augmentation(scale=1.2, rotation_rad=0.4),
    Augmentation(is_mirrored=True),
    Augmentation(scale=0.9, rotation_rad=-0.6, is_mirrored=True),
]


def exact(values):
    return torch.as_tensor(np.asarray(values), dtype=torch.float64)


def golden_map():
    return input_from_turned_box(
        exact([320, 240]), (480 * 1.1, 640 * 1.1), GOLDEN_TURN_RAD, SPACES
    )


def test_the_affine_maps_are_the_originals():
    x, y, width, height, *_ = GOLDEN['gen_trans/args'].tolist()
    cases = GOLDEN['gen_trans/scale_rot_inv']
    for (scale, degrees, is_inverse), wanted in zip(cases, GOLDEN['gen_trans/mat'], strict=True):
        size = (width * scale, height * scale)
        found = input_from_turned_box(exact([x, y]), size, math.radians(degrees), SPACES)
        found = invert_affine(found) if is_inverse else found
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    np.testing.assert_allclose(golden_map(), GOLDEN['data/img2bb'], atol=1e-4)


def test_person_boxes_are_the_originals():
    boxes, wanted = GOLDEN['process_bbox_coco/box'], GOLDEN['process_bbox_coco/bbox']
    for box, want in zip(boxes.tolist(), wanted, strict=True):
        np.testing.assert_allclose(regions.view_box(box, (640, 480)), want, rtol=1e-6)


def test_hand_boxes_around_joints_are_the_originals():
    found = around_joints(GOLDEN['get_bbox/joint'], GOLDEN['get_bbox/valid'] > 0)
    np.testing.assert_allclose(found, GOLDEN['get_bbox/bbox'], rtol=1e-5)


@pytest.mark.parametrize('is_mirrored', [False, True])
def test_joint_targets_are_the_originals(is_mirrored):
    def one(key):
        return GOLDEN[f'transform_db_data/flip{int(is_mirrored)}/{key}']

    joints = exact(one('joint_img_in'))[PAIR_FROM_INTERHAND]
    found = PairJoints(
        px=joints[:, :2],
        depths_m=joints[:, 2],
        joints_m=exact(one('joint_cam_in'))[PAIR_FROM_INTERHAND],
        valid=exact(one('valid_in'))[PAIR_FROM_INTERHAND, 0],
        left_from_right_m=exact(one('rel_in')),
    )
    if is_mirrored:
        found = mirrored_joints(found, GOLDEN_WIDTH)
    found = turned_joints(found, -GOLDEN_TURN_RAD)
    coded = code_joints(found.px, found.depths_m, found.valid, golden_map(), SPACES)
    np.testing.assert_allclose(coded.cells, one('joint_img'), atol=1e-4)
    np.testing.assert_array_equal(coded.seen, one('joint_trunc'))
    np.testing.assert_array_equal(found.valid[:, None], one('joint_valid'))
    np.testing.assert_allclose(found.joints_m, one('joint_cam'), atol=1e-6)
    np.testing.assert_allclose(found.left_from_right_m, one('rel_trans'), atol=1e-6)


@pytest.mark.parametrize('is_mirrored', [False, True])
def test_hand_box_targets_are_the_originals(hand_models, is_mirrored):
    name = f'process_hand_bbox/flip{int(is_mirrored)}'
    box = tuple(map(float, GOLDEN[f'{name}/bbox_in']))
    annotation = replace(some_annotation(hand_models, Side.RIGHT), hand_boxes=(box, None))
    augmentation = Augmentation(is_mirrored=is_mirrored)
    found = coded_boxes(annotation, augmentation, golden_map(), SPACES)
    side = Side.LEFT if is_mirrored else Side.RIGHT
    assert found.valid.tolist() == [side is Side.RIGHT, side is Side.LEFT]
    np.testing.assert_allclose(found.cells[side].reshape(2, 2), GOLDEN[f'{name}/bbox'], atol=1e-4)


def test_mirroring_twice_changes_nothing(hand_models):
    joints = pair_joints(some_annotation(hand_models, *Side), UNCHANGED)
    again = mirrored_joints(mirrored_joints(joints, 640), 640)
    for found, wanted in zip(again, joints, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-9, rtol=0)


def test_turning_back_undoes_turning(hand_models):
    joints = pair_joints(some_annotation(hand_models, *Side), UNCHANGED)
    again = turned_joints(turned_joints(joints, 0.7), -0.7)
    for found, wanted in zip(again, joints, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-12, rtol=0)


def test_a_box_that_turns_clockwise_shows_its_content_turned_the_other_way():
    centre = exact([100, 80])
    to_input = input_from_turned_box(centre, (96, 128), math.radians(90), SPACES)
    right_of_centre, centre_in_input = apply_affine(
        to_input, torch.stack([centre + exact([10, 0]), centre])
    )
    torch.testing.assert_close(centre_in_input, exact([192, 256]))
    torch.testing.assert_close(right_of_centre - centre_in_input, exact([0, -40]))


@pytest.mark.parametrize('augmentation', AUGMENTATIONS)
def test_the_picture_and_the_joints_move_together(hand_models, augmentation):
    """A dot painted on a joint is seen where the joint's target says."""
    annotation = some_annotation(hand_models, *Side)
    tip = annotation.joints_px[8]
    y, x = np.mgrid[: IMAGE_SIZE[1], : IMAGE_SIZE[0]]
    dot = 250 * np.exp(-((x - tip[0]) ** 2 + (y - tip[1]) ** 2) / (2 * 4.0**2))
    picture = np.repeat(dot[..., None], 3, axis=2).astype(np.uint8)
    sample = make_sample(annotation, picture, augmentation, hand_models)
    joint = 8 + 21 if augmentation.is_mirrored else 8
    weights = sample.picture.sum(0)
    grid = torch.meshgrid(torch.arange(512.0), torch.arange(384.0), indexing='ij')
    seen = torch.stack([(axis * weights).sum() / weights.sum() for axis in reversed(grid)])
    torch.testing.assert_close(seen, sample.targets.joints[joint, :2] * 8, atol=0.1, rtol=0)
    back = apply_affine(sample.image_from_input, seen[None])[0]
    column = 639 - tip[0] if augmentation.is_mirrored else tip[0]
    np.testing.assert_allclose(back, (column, tip[1]), atol=0.2)


@pytest.mark.parametrize('augmentation', AUGMENTATIONS)
@pytest.mark.parametrize('spaces', [OFFICIAL_SPACES, COMPACT_SPACES], ids=['official', 'compact'])
def test_annotated_joints_and_the_fits_they_come_from_stay_the_same(
    hand_models, augmentation, spaces
):
    """Two ways to the same targets: through the 2D annotation, and through the hand model."""
    annotation = some_annotation(hand_models, *Side)
    targets = make_sample(annotation, BLACK, augmentation, hand_models, spaces).targets
    torch.testing.assert_close(targets.joints, targets.fit_joints, atol=1e-3, rtol=0)
    regressed = hand_models.joint_regressor @ by_hand(targets.vertices_m)
    torch.testing.assert_close(targets.joints_m, regressed.flatten(0, 1), atol=1e-5, rtol=0)
    vertices, joints = hand_models(targets.pose.reshape(2, 48), targets.betas.reshape(2, 10))
    wanted = (vertices - joints[:, :1]).flatten(0, 1)
    torch.testing.assert_close(targets.vertices_m, wanted, atol=1e-5, rtol=0)


def test_the_relative_translation_is_that_of_the_mirrored_and_turned_wrists(hand_models):
    annotation = some_annotation(hand_models, *Side)
    augmentation = Augmentation(rotation_rad=math.radians(90), is_mirrored=True)
    found = make_sample(annotation, BLACK, augmentation, hand_models).targets.left_from_right_m
    x, y, z = annotation.left_from_right_m
    # mirrored, the hands trade places: (x, -y, -z); turned by -90 deg: (x, y) -> (y, -x)
    np.testing.assert_allclose(found, (-y, -x, -z), atol=1e-6)


def test_scale_and_colour_do_what_they_say(hand_models):
    annotation = some_annotation(hand_models, *Side)
    grey = np.full_like(BLACK, 100)
    plain = make_sample(annotation, grey, UNCHANGED, hand_models)
    changed = Augmentation(scale=1.25, color=(1.2, 1.0, 3.0))
    wider = make_sample(annotation, grey, changed, hand_models)
    np.testing.assert_allclose(
        wider.picture[:, 256, 192], np.array([120, 100, 255]) / 255, atol=1e-6
    )
    torch.testing.assert_close(wider.targets.box_sizes * 1.25, plain.targets.box_sizes)
    assert float(plain.picture[:, 0, 0].max()) == 0  # letterboxed in black


@pytest.mark.parametrize('is_mirrored', [False, True])
def test_what_is_absent_does_not_count(hand_models, is_mirrored):
    annotation = some_annotation(hand_models, Side.RIGHT)
    sample = make_sample(annotation, BLACK, Augmentation(is_mirrored=is_mirrored), hand_models)
    present = [0.0, 1.0] if is_mirrored else [1.0, 0.0]
    valid = sample.validity
    assert valid.boxes.tolist() == present
    for mask in (valid.joints, valid.fit_joints_seen, valid.vertices, valid.pose, valid.betas):
        assert mask.reshape(2, -1).amax(1).tolist() == present
        assert mask.reshape(2, -1).amin(1).tolist() == present
    assert valid.left_from_right.tolist() == [0.0]
    assert float(valid.has_3d) == 1
    assert all(bool(torch.isfinite(target).all()) for target in sample.targets)


def test_joints_outside_of_the_input_or_of_the_depth_range_are_valid_but_not_seen():
    to_input = lay_over_whole_picture()
    px = exact([[320, 240], [-400, 240], [320, 240], [math.nan, math.nan]])
    coded = code_joints(px, exact([0, 0, 0.2, 0]), torch.ones(4), to_input, SPACES)
    assert coded.seen[:, 0].tolist() == [1, 0, 0, 0]
    assert torch.isfinite(coded.cells).all()


def lay_over_whole_picture():
    return input_from_turned_box(exact([319.5, 239.5]), (640.0, 640 / 0.75), 0.0, SPACES)


def test_a_hand_behind_the_camera_is_not_seen_and_no_number_breaks(hand_models):
    annotation = some_annotation(hand_models, Side.RIGHT)
    behind = replace(annotation.fits[0], trans=np.array([0.0, 0.0, -0.5]))
    annotation = replace(annotation, fits=(behind, None))
    sample = make_sample(annotation, BLACK, UNCHANGED, hand_models)
    assert float(sample.validity.fit_joints_seen.sum()) == 0
    assert all(bool(torch.isfinite(target).all()) for target in sample.targets)


def test_batches_are_coded_as_their_samples_are(hand_models):
    annotations = [some_annotation(hand_models, *Side, seed=seed) for seed in range(3)]
    maps = torch.stack([lay_over_input(a, UNCHANGED, SPACES) for a in annotations])
    px = torch.stack([exact(a.joints_px) for a in annotations])
    depths = torch.stack([exact(a.joint_depths_m) for a in annotations])
    together = code_joints(px, depths, torch.ones(3, 42), maps, SPACES)
    boxes = torch.stack([exact(a.hand_boxes) for a in annotations])
    boxes_together = code_boxes(boxes, maps[:, None], SPACES)
    for i in range(3):
        alone = code_joints(px[i], depths[i], torch.ones(42), maps[i], SPACES)
        torch.testing.assert_close(together.cells[i], alone.cells)
        torch.testing.assert_close(together.seen[i], alone.seen)
        torch.testing.assert_close(boxes_together[i, 1], code_boxes(boxes[i, 1], maps[i], SPACES))


def test_a_picture_of_another_size_is_refused_with_both_sizes(hand_models):
    annotation = some_annotation(hand_models, *Side)
    with pytest.raises(InputError, match=r'320 x 240.*640 x 480') as caught:
        make_sample(annotation, BLACK[:240, :320], UNCHANGED, hand_models)
    assert caught.value.cause == 'image_size'
