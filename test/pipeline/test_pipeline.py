from dataclasses import replace

import cv2
from interwild_ros.config import Settings
from interwild_ros.errors import InputError
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.pipeline.pipeline import load_pipeline, MEANINGLESS, STAND_IN
from interwild_ros.records import Frame, Side, TwoHands
from interwild_ros.testing.parity_hand import write_parity_mano
import numpy as np
import pytest


def test_a_frame_gives_two_hands_with_its_stamp_and_frame(pipeline, noise_frame):
    two_hands = pipeline(noise_frame)
    assert isinstance(two_hands, TwoHands)
    assert (two_hands.stamp_ns, two_hands.frame_id) == (12_345, 'camera')
    assert two_hands.right.side is Side.RIGHT


def test_the_same_frame_gives_the_same_hands(pipeline, noise_frame):
    first, second = pipeline.estimate(noise_frame), pipeline.estimate(noise_frame)
    np.testing.assert_array_equal(first.right.vertices_m, second.right.vertices_m)
    np.testing.assert_array_equal(first.left_from_right_m, second.left_from_right_m)


def test_estimates_are_relative_to_the_wrist(pipeline, noise_frame):
    pair = pipeline.estimate(noise_frame)
    for hand in (pair.right, pair.left):
        np.testing.assert_allclose(hand.joints_m[0], 0, atol=1e-6)
        assert 0.05 < np.abs(hand.vertices_m).max() < 0.4


def test_crops_from_the_frame_and_from_the_input_agree_in_a_picture_of_the_inputs_size(pipeline):
    """With the whole frame as input, both cut the same pixels."""
    width, height = pipeline.networks.spaces.input_size
    image = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    image = cv2.GaussianBlur(image, (0, 0), 3)  # two bilinear samplings of noise would differ
    frame = Frame(image, camera_from_fov(width, height, 60.0), stamp_ns=0, frame_id='c')
    settings = pipeline.settings.changed({'region_scale': 1.0})
    pairs = [
        pipeline.with_settings(settings.changed({'crop_source': source})).estimate(frame)
        for source in ('frame', 'network')
    ]
    found, wanted = (pair.right.joints_image_px for pair in pairs)
    assert np.abs(found - wanted).max() < 2


@pytest.mark.parametrize('size', [(640, 480), (1920, 1080), (480, 640), (33, 17), (7680, 4320)])
def test_frames_of_any_size_and_aspect_are_worked_on(pipeline, size):
    width, height = size
    frame = Frame(
        np.zeros((height, width, 3), np.uint8), camera_from_fov(width, height, 60.0), 0, 'c'
    )
    pair = pipeline.estimate(frame)
    assert np.isfinite(pair.right.joints_image_px).all()


def test_a_region_is_worked_on_as_if_it_were_the_picture(pipeline, noise_frame):
    part = {'region_x': 100, 'region_y': 50, 'region_width': 400, 'region_height': 300}
    whole = pipeline.settings.changed({'region_scale': 0.9})  # inside, so that no edge is seen
    cut = np.ascontiguousarray(noise_frame.image[50:350, 100:500])
    alone = pipeline.with_settings(whole).estimate(
        Frame(cut, camera_from_fov(400, 300, 60.0), stamp_ns=0, frame_id='c')
    )
    inside = pipeline.with_settings(whole.changed(part)).estimate(noise_frame)
    shift = np.subtract(inside.right.box.corners, alone.right.box.corners)
    np.testing.assert_allclose(shift, (100, 50, 100, 50), atol=2)


def test_a_region_outside_the_frame_is_an_input_error(pipeline, noise_frame):
    settings = pipeline.settings.changed({'region_x': 700, 'region_width': 10})
    with pytest.raises(InputError, match='700'):
        pipeline.with_settings(settings)(noise_frame)


def test_the_card_says_what_these_hands_are_worth(pipeline):
    assert pipeline.card.variant == 'compact'
    assert not pipeline.card.weights_meaningful
    assert pipeline.card.hand_model_is_stand_in
    assert {MEANINGLESS, STAND_IN} <= set(pipeline.card.warnings)


@pytest.fixture(scope='module')
def parity_settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp('mano')
    write_parity_mano(folder)
    return Settings(
        variant='official',
        mano_dir=str(folder),
        crop_source='network',
        region_scale=1.25,
        device='cpu',
    )


def test_the_photograph_gives_the_originals_numbers_from_the_pixels_on(shared, parity_settings):
    golden = np.load(shared / 'parity/golden_demo.npz')
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imread(str(shared / 'photos/hands_eating.jpg'), flags)[..., ::-1]
    frame = Frame(
        np.ascontiguousarray(image), camera_from_fov(384, 512, 60.0), stamp_ns=0, frame_id='c'
    )
    pair = load_pipeline(parity_settings).estimate(frame)
    for hand, letter in ((pair.right, 'r'), (pair.left, 'l')):
        for found, key, limit in (
            (hand.vertices_m, f'out/{letter}mano_mesh_cam', 3e-5),
            (hand.joints_m, f'out/{letter}mano_joint_cam', 3e-5),
            (hand.betas, f'out/{letter}mano_shape', 1e-4),
            (hand.pose[:3], f'out/{letter}mano_root_pose', 3e-4),
            (hand.pose[3:], f'out/{letter}mano_hand_pose', 3e-4),
        ):
            np.testing.assert_allclose(found, golden[key][0], atol=limit, err_msg=key)
        px = golden[f'demo/{letter}joint_px']
        np.testing.assert_allclose(hand.joints_image_px, px, atol=0.1)
        corners = golden[f'demo/{letter}hand_bbox_px'].ravel()
        np.testing.assert_allclose(hand.box.corners, corners, atol=2e-3)
    np.testing.assert_allclose(pair.left_from_right_m, golden['out/rel_trans'][0], atol=1e-4)
    assert pair.interacting == (golden['demo/iou'][0] > 0)


def test_settings_change_without_loading_the_networks_again(pipeline):
    other = pipeline.with_settings(replace(pipeline.settings, min_score=1.0))
    assert other.card is pipeline.card
    assert other.topology is pipeline.topology
