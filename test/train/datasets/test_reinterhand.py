from interwild_ros.errors import AssetError
from interwild_ros.records import Side
from interwild_ros.testing.tiny_datasets import edited_json
from interwild_ros.testing.tiny_reinterhand import (
    TRAIN_CAPTURE,
    write_ego_reinterhand,
    write_reinterhand,
)
from interwild_ros.train.annotations import joints_of
from interwild_ros.train.datasets.reinterhand import read_reinterhand, TEST_CAPTURES
import numpy as np
import pytest


@pytest.fixture
def root(tmp_path):
    return tmp_path / 'ReInterHand'


@pytest.fixture
def capture(root):
    return root / 'data' / TRAIN_CAPTURE


@pytest.fixture
def written(root):
    return write_reinterhand(root)


def keypoints(capture, side='right'):
    return capture / 'orig_fits' / side / 'Keypoints'


def assert_truth(annotation, truth):
    seen_m = truth.camera.see(truth.hands.joints_m).reshape(2, 21, 3)
    relative_m = (seen_m - seen_m[:, :1]).reshape(42, 3)
    np.testing.assert_allclose(annotation.joints_cam_m, relative_m, atol=1e-6)
    np.testing.assert_allclose(annotation.joint_depths_m, relative_m[:, 2], atol=1e-6)
    pixels = truth.camera.pixels(truth.hands.joints_m)
    np.testing.assert_allclose(annotation.joints_px, pixels, atol=1e-3)
    np.testing.assert_allclose(
        annotation.left_from_right_m, seen_m[1, 0] - seen_m[0, 0], atol=1e-6
    )
    assert annotation.joint_valid.all()
    assert annotation.joint_valid_2d.all()
    assert annotation.left_from_right_valid
    assert annotation.hand_type == 'interacting'


def test_what_the_studio_saw_comes_back_in_metres_and_our_order(root, written):
    annotations = read_reinterhand(root)
    assert [a.image for a in annotations] == [w.path for w in written]
    for annotation, truth in zip(annotations, written, strict=True):
        assert_truth(annotation, truth)
        assert annotation.image_size == truth.camera.image_size
        assert annotation.person_box == (0, 0, 128, 96)
        assert annotation.person_scale == 1.0


def test_what_the_headset_saw_comes_back_through_its_fisheye(root):
    written = write_ego_reinterhand(root)
    annotations = read_reinterhand(root, cam_mode='Ego')
    shown = [written[0], written[2]]  # the second shows too little of the hands
    assert [a.image for a in annotations] == [w.path for w in shown]
    for annotation, truth in zip(annotations, shown, strict=True):
        assert_truth(annotation, truth)
        camera = annotation.fits[Side.LEFT].camera
        np.testing.assert_array_equal(camera.fisheye, truth.camera.fisheye.ravel())


def test_a_fit_and_its_camera_bring_the_mesh_to_where_it_was_seen(root, written):
    for annotation, truth in zip(read_reinterhand(root), written, strict=True):
        for side in Side:
            fit = annotation.fits[side]
            np.testing.assert_allclose(fit.pose, truth.hands.pose[side], atol=1e-6)
            np.testing.assert_allclose(fit.trans, truth.hands.trans[side], atol=1e-6)
            vertices_m = truth.hands.vertices_m[side]
            seen_m = vertices_m @ fit.camera.rotation.T + fit.camera.translation_m
            np.testing.assert_allclose(seen_m, truth.camera.see(vertices_m), atol=1e-9)


def test_a_hand_box_goes_by_joints_in_the_picture_and_never_by_the_forearm(root, written, capture):
    for annotation in read_reinterhand(root):
        for side in Side:
            pixels = annotation.joints_px[joints_of(side)]
            size = np.ptp(pixels, axis=0)
            wanted = [*(pixels.min(axis=0) - size / 10), *(pixels.max(axis=0) + size / 10)]
            np.testing.assert_allclose(annotation.hand_boxes[side], wanted, atol=1e-6)


def test_a_hand_half_out_of_the_picture_has_the_box_of_its_other_half(root, written, capture):
    with edited_json(capture / 'Mugsy_cameras' / 'cam_params.json') as cameras:
        for camera in cameras.values():
            camera['princpt'][0] -= 50
    annotation = read_reinterhand(root)[0]
    pixels = annotation.joints_px[joints_of(Side.RIGHT)]
    inside = pixels[pixels[:, 0] >= 0]
    assert 0 < len(inside) < 21
    size = np.ptp(inside, axis=0)
    box = annotation.hand_boxes[Side.RIGHT]
    np.testing.assert_allclose(box[0], inside[:, 0].min() - size[0] / 10, atol=1e-6)
    np.testing.assert_allclose(box[2], inside[:, 0].max() + size[0] / 10, atol=1e-6)
    assert annotation.joint_valid.all()


def test_a_hand_out_of_the_picture_has_no_box(root, written, capture):
    with edited_json(capture / 'Mugsy_cameras' / 'cam_params.json') as cameras:
        for camera in cameras.values():
            camera['princpt'][0] -= 1000
    assert read_reinterhand(root)[0].hand_boxes == (None, None)


def test_a_joint_at_no_depth_can_still_be_projected(root, written, capture):
    with edited_json(capture / 'Mugsy_cameras' / 'cam_params.json') as cameras:
        for camera in cameras.values():
            camera['R'], camera['t'] = np.eye(3).tolist(), [0, 0, 0]
    for file in keypoints(capture).iterdir():
        with edited_json(file) as joints:
            joints[:] = [[x, y, z - joints[0][2]] for x, y, z in joints]
    annotation = read_reinterhand(root)[0]
    assert np.isfinite(annotation.joints_px).all()


def test_frames_are_those_that_have_pictures(root, written):
    written[1].path.unlink()
    remaining = [w.path for w in written if w is not written[1]]
    assert [a.image for a in read_reinterhand(root)] == remaining


def test_three_captures_are_for_testing_and_all_others_for_training(root):
    write_reinterhand(root, (*TEST_CAPTURES, TRAIN_CAPTURE), moments=1, cameras=1)
    train, test = read_reinterhand(root, 'train'), read_reinterhand(root, 'test')
    assert [a.image.parents[4].name for a in train] == [TRAIN_CAPTURE]
    assert [a.image.parents[4].name for a in test] == list(TEST_CAPTURES)


def test_every_capture_keeps_its_own_cameras_and_hands(root):
    written = write_reinterhand(root, (TRAIN_CAPTURE, f'{TRAIN_CAPTURE}2'))
    for annotation, truth in zip(read_reinterhand(root), written, strict=True):
        assert annotation.image == truth.path
        assert_truth(annotation, truth)


def test_a_test_needs_all_of_its_captures(root):
    write_reinterhand(root, TEST_CAPTURES[:2], moments=1, cameras=1)
    with pytest.raises(AssetError, match=r'QZX685.*: found nothing, wanted a folder with a test'):
        read_reinterhand(root, 'test')


def test_captures_may_lie_at_the_root(root, written):
    assert len(read_reinterhand(root / 'data')) == 4


def test_a_folder_without_captures_is_refused(tmp_path):
    with pytest.raises(AssetError, match='no capture to train on; found nothing'):
        read_reinterhand(tmp_path)


def test_a_capture_without_pictures_is_refused(root, written, capture):
    for truth in written:
        truth.path.unlink()
    with pytest.raises(AssetError, match=r'images: no pictures <camera>/<six digits>\.png'):
        read_reinterhand(root)


@pytest.mark.parametrize(
    'file',
    [
        'orig_fits/left/Keypoints/keypoint-001230.json',
        'mano_fits/params/1200_left.json',
    ],
)
def test_missing_truth_of_a_frame_is_named(root, written, capture, file):
    (capture / file).unlink()
    name = file.rsplit('/', 1)[1]
    with pytest.raises(AssetError, match=f'1 of 2 files are missing: {name}'):
        read_reinterhand(root)


@pytest.mark.parametrize(
    'file',
    [
        'orig_fits/left/Keypoints/keypoint-001230.json',
        'mano_fits/params/1200_left.json',
        'Mugsy_cameras/cam_params.json',
    ],
)
def test_a_file_cut_short_is_named(root, written, capture, file):
    content = (capture / file).read_bytes()
    (capture / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(AssetError, match=f'{file}: not whole JSON'):
        read_reinterhand(root)


def test_frame_numbers_may_be_written_with_zeros_in_front(root, written, capture):
    for file in (capture / 'mano_fits' / 'params').iterdir():
        file.rename(file.with_name(f'00{file.name}'))
    assert read_reinterhand(root)[0].fits[Side.RIGHT] is not None


def extras_last(joints):
    return [joint for i, joint in enumerate(joints) if i not in (1, 18)] + [joints[1], joints[18]]


@pytest.mark.parametrize('reorder', [extras_last, lambda joints: joints[::-1]])
def test_joints_in_another_order_are_noticed(root, written, capture, reorder):
    for file in keypoints(capture).iterdir():
        with edited_json(file) as joints:
            joints[:] = reorder(joints)
    with pytest.raises(AssetError, match=r'no hands: .* Wanted joints in mm, as wrist, thumb0'):
        read_reinterhand(root)


def test_joints_in_metres_are_noticed(root, written, capture):
    for file in keypoints(capture).iterdir():
        with edited_json(file) as joints:
            joints[:] = [[x / 1000 for x in joint] for joint in joints]
    with pytest.raises(AssetError, match=r'bones of the fingers are 0\.0 to 0\.0 mm'):
        read_reinterhand(root)


def test_a_camera_with_pictures_but_without_parameters_is_named(root, written, capture):
    with edited_json(capture / 'Mugsy_cameras' / 'cam_params.json') as cameras:
        del cameras['400001']
    with pytest.raises(AssetError, match=r"cam_params\.json: cameras .* not in it: \['400001'\]"):
        read_reinterhand(root)


@pytest.mark.parametrize(
    ('file', 'text', 'complaint'),
    [
        ('frame_list.txt', 'segment0\n', "holds the line b'segment0', wanted a segment and"),
        ('Ego_cameras/envmap_per_frame/truncation_ratio.json', '{}', '1200: None, wanted 1'),
    ],
)
def test_lists_of_frames_that_say_nothing_are_refused(root, capture, file, text, complaint):
    write_ego_reinterhand(root)
    (capture / file).write_text(text)
    with pytest.raises(AssetError, match=complaint):
        read_reinterhand(root, cam_mode='Ego')


def test_the_cache_is_void_when_a_picture_has_come_or_gone(root, written, tmp_path):
    cache = tmp_path / 'cache'
    first = read_reinterhand(root, cache_dir=cache)
    again = read_reinterhand(root, cache_dir=cache)
    assert [repr(a) for a in first] == [repr(a) for a in again]
    written[0].path.unlink()
    assert len(read_reinterhand(root, cache_dir=cache)) == 3


def test_the_cache_is_void_when_a_fit_has_changed(root, written, capture, tmp_path):
    cache = tmp_path / 'cache'
    read_reinterhand(root, cache_dir=cache)
    with edited_json(capture / 'mano_fits' / 'params' / '1200_right.json') as fit:
        fit['trans'] = [7, 8, 9]
    fit = read_reinterhand(root, cache_dir=cache)[0].fits[Side.RIGHT]
    assert fit.trans.tolist() == [7, 8, 9]
