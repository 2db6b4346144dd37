"""Where in the picture a hand is seen decides how it is turned."""

from dataclasses import replace

import cv2
from interwild_ros.config import Settings
from interwild_ros.geometry.camera import camera_from_fov, undistort_px
from interwild_ros.geometry.crops import about_both
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.rule_weights import fill_by_rule
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.pipeline.reading import Reader
from interwild_ros.pipeline.view import look_at
from interwild_ros.records import Frame
from interwild_ros.tracking.matching import Sought
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
import torch

IMAGE = cv2.GaussianBlur(
    np.random.default_rng(3).integers(0, 256, (480, 640, 3), np.uint8), (0, 0), 4
)
CAMERA = camera_from_fov(640, 480, 60.0)
ASIDE = replace(CAMERA, cx=CAMERA.cx - 250, cy=CAMERA.cy + 100)  # sees the same from elsewhere
BENT = replace(CAMERA, distortion_model='equidistant', distortion=(-0.01, 0.002, 0.0, 0.0))
BOXES = ((100.0, 120.0, 220.0, 260.0), (380.0, 150.0, 500.0, 270.0))
SOUGHT = Sought(BOXES, detects=False, region=None)


def networks_of(*, kinds):
    if not kinds:
        return build_networks('compact', 'rule-made')[0]
    networks = InterWild(VARIANTS['compact']).eval()
    fill_by_rule(networks)
    return networks


@pytest.fixture(scope='module')
def telling():
    return networks_of(kinds=True)


def read(networks, camera):
    return read_image(networks, IMAGE, camera, SOUGHT)


def read_image(networks, image, camera, sought):
    view = look_at(Frame(image, camera, 0, 'c'), Settings(), networks.spaces, torch.device('cpu'))
    return Reader(networks, 'frame')(view, sought)


def shortest_turn(px, camera):
    """Return the rotation that turns the camera's axis onto what it sees at a pixel."""
    x, y = undistort_px(camera, np.array([px]))[0]
    ray = np.array([x, y, 1.0])
    axis = np.cross([0.0, 0.0, 1.0], ray)
    angle = np.arctan2(np.linalg.norm(axis), 1.0)
    return Rotation.from_rotvec(angle * axis / max(np.linalg.norm(axis), 1e-12))


def middle(box):
    return (np.array(box[:2]) + box[2:]) / 2


@pytest.mark.parametrize('camera', [ASIDE, BENT], ids=['aside', 'bent'])
def test_hands_are_turned_by_what_lies_between_two_lines_of_sight(telling, camera):
    before, after = read(telling, CAMERA), read(telling, camera)
    for box, one, other in zip(
        BOXES, (before.right, before.left), (after.right, after.left), strict=True
    ):
        turns = [shortest_turn(middle(box), seen_by) for seen_by in (CAMERA, camera)]
        found = Rotation.from_rotvec(other.pose[:3])
        wanted = turns[1] * turns[0].inv() * Rotation.from_rotvec(one.pose[:3])
        assert (found * wanted.inv()).magnitude() < 1e-5
        assert turns[1].inv().magnitude() > 0.03  # else there would be nothing to see
        np.testing.assert_allclose(other.depths_along, turns[1].apply([0, 0, 1]), atol=1e-6)
        np.testing.assert_array_equal(other.pose[3:], one.pose[3:])
        np.testing.assert_array_equal(other.joints_image_px, one.joints_image_px)


@pytest.mark.parametrize('camera', [ASIDE, BENT], ids=['aside', 'bent'])
def test_the_way_between_wrists_is_turned_with_the_square_around_both(telling, camera):
    before, after = read(telling, CAMERA), read(telling, camera)
    joints = np.stack([before.right.joints_image_px, before.left.joints_image_px])
    square = about_both(torch.from_numpy(joints)).numpy()
    turns = [shortest_turn(middle(square), seen_by) for seen_by in (CAMERA, camera)]
    wanted = (turns[1] * turns[0].inv()).apply(before.left_from_right_m)
    np.testing.assert_allclose(after.left_from_right_m, wanted, atol=1e-5)


def test_networks_of_the_originals_way_speak_of_the_cameras_axes():
    networks = networks_of(kinds=False)
    before, after = read(networks, CAMERA), read(networks, ASIDE)
    np.testing.assert_array_equal(after.right.pose, before.right.pose)
    np.testing.assert_array_equal(after.left_from_right_m, before.left_from_right_m)
    np.testing.assert_array_equal(after.left.depths_along, [0, 0, 1])
    turned = read_image(networks, IMAGE, CAMERA, replace(SOUGHT, turns=(0.5, -0.5)))
    np.testing.assert_array_equal(turned.left.pose, before.left.pose)  # they know no turned crops


def test_beyond_what_a_lens_shows_nothing_is_turned(telling):
    lens = replace(CAMERA, distortion_model='plumb_bob', distortion=(-2.5, 0.0, 0.0, 0.0, 0.0))
    assert not np.isfinite(undistort_px(lens, np.array([middle(BOXES[0])]))).all()
    pair = read(telling, lens)
    assert np.isfinite(pair.right.pose).all()
    np.testing.assert_allclose(pair.right.depths_along, [0, 0, 1], atol=1e-12)


def test_a_hand_in_a_turned_crop_is_turned_back(telling):
    """The same picture turned about the middle of a hand, and that hand's crop turned back."""
    turn = 0.8
    x, y = middle(BOXES[0])
    around = cv2.getRotationMatrix2D((x, y), -np.degrees(turn), 1.0)
    turned_image = cv2.warpAffine(IMAGE, around, (640, 480), flags=cv2.INTER_CUBIC)
    seen_by = replace(CAMERA, cx=x, cy=y)  # its axis meets the hand, about which all turns
    size = BOXES[0][2] - BOXES[0][0]
    square = (x - size / 2, y - size / 2, x + size / 2, y + size / 2)
    upright = Sought((square, BOXES[1]), detects=False, region=None)
    before = read_image(telling, IMAGE, seen_by, upright)
    after = read_image(telling, turned_image, seen_by, replace(upright, turns=(-turn, 0.0)))
    wanted = Rotation.from_rotvec([0, 0, turn]) * Rotation.from_rotvec(before.right.pose[:3])
    found = Rotation.from_rotvec(after.right.pose[:3])
    assert (found * wanted.inv()).magnitude() < 0.05
    joints_px = before.right.joints_image_px @ around[:, :2].T + around[:, 2]
    np.testing.assert_allclose(after.right.joints_image_px, joints_px, atol=2.0)  # resampled
    unturned = read_image(telling, turned_image, seen_by, upright).right
    assert np.abs(unturned.joints_image_px - joints_px).max() > 3.0
