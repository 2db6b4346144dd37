from interwild_ros.errors import AssetError
from interwild_ros.records import Side
from interwild_ros.testing.tiny_datasets import edited_json, write_mscoco
from interwild_ros.train.annotations import joints_of
from interwild_ros.train.datasets.mscoco import read_mscoco
import numpy as np
import pytest


@pytest.fixture
def root(tmp_path):
    return tmp_path / 'MSCOCO'


@pytest.fixture
def written(root):
    return write_mscoco(root)


def people_file(root, split='train'):
    return root / 'annotations' / f'coco_wholebody_{split}_v1.0.json'


def fits_file(root):
    return root / 'annotations' / 'MSCOCO_train_MANO_NeuralAnnot.json'


def ids(annotations):
    return [int(a.name.rsplit(' ', 1)[1]) for a in annotations]


def test_keypoints_come_back_right_hand_first(root, written):
    annotations = read_mscoco(root)
    assert [a.image for a in annotations] == [w.path for w in written]
    assert [a.hand_type for a in annotations] == ['right', 'left', 'interacting']
    for annotation, truth in zip(annotations, written, strict=True):
        there = truth.joint_valid > 0
        pixels = truth.camera.pixels(truth.hands.joints_m)
        np.testing.assert_array_equal(annotation.joint_valid, truth.joint_valid)
        np.testing.assert_array_equal(annotation.joint_valid_2d, truth.joint_valid)
        np.testing.assert_allclose(annotation.joints_px[there], pixels[there], atol=1e-3)


def test_nothing_is_said_of_depth_or_of_one_hand_from_the_other(root, written):
    for annotation in read_mscoco(root):
        assert not annotation.has_3d
        assert not annotation.left_from_right_valid
        assert not annotation.joints_cam_m.any()
        assert not annotation.joint_depths_m.any()


def test_hand_boxes_come_back_as_corners(root, written):
    for annotation, truth in zip(read_mscoco(root), written, strict=True):
        for side in Side:
            if not truth.has_hand[side]:
                assert annotation.hand_boxes[side] is None
                continue
            pixels = truth.camera.pixels(truth.hands.joints_m)[joints_of(side)]
            wanted = [*pixels.min(axis=0), *pixels.max(axis=0)]
            np.testing.assert_allclose(annotation.hand_boxes[side], wanted, atol=1e-3)


def test_a_fit_stands_in_the_frame_of_its_own_camera(root, written):
    for annotation, truth in zip(read_mscoco(root), written, strict=True):
        for side in Side:
            fit = annotation.fits[side]
            assert (fit is not None) == truth.has_hand[side]
            if fit is not None:
                np.testing.assert_allclose(fit.pose, truth.hands.pose[side], atol=1e-6)
                np.testing.assert_allclose(fit.trans, truth.hands.trans[side], atol=1e-6)
                assert fit.camera.rotation is None
                assert fit.camera.translation_m is None
                np.testing.assert_array_equal(fit.camera.focal, truth.camera.focal)
                np.testing.assert_array_equal(fit.camera.principal, truth.camera.principal)


def test_a_person_has_a_quarter_of_room_around(root, written):
    with edited_json(people_file(root)) as content:
        content['annotations'][1]['bbox'] = [3, 4, 50, 60]
    first, second, _ = read_mscoco(root)
    assert first.person_box == (2.5, 1.25, 120.0, 90.5)
    assert first.person_scale == 1.25
    assert second.person_box == (3, 4, 50, 60)
    assert all(isinstance(number, int) for number in second.person_box)  # rounded as such


@pytest.mark.parametrize(
    'change',
    [
        {'iscrowd': 1},
        {'num_keypoints': 0},
        {'righthand_valid': False, 'lefthand_valid': False},
        {'bbox': [10.0, 10.0, 0.0, 30.0]},
        {'bbox': [300.0, 10.0, 20.0, 30.0]},
    ],
)
def test_people_who_cannot_be_used_are_left_out(root, written, change):
    with edited_json(people_file(root)) as content:
        content['annotations'][1].update(change)
    assert ids(read_mscoco(root)) == [200, 202]


def test_a_hand_without_a_box_keeps_its_keypoints(root, written):
    with edited_json(people_file(root)) as content:
        content['annotations'][2]['righthand_box'] = [0.0, 0.0, 0.0, 0.0]
        content['annotations'][2]['lefthand_valid'] = False
    both = read_mscoco(root)[2]
    assert both.hand_boxes == (None, None)
    assert both.joint_valid.all()
    assert both.hand_type == 'right'


def test_a_keypoint_without_a_score_is_not_valid(root, written):
    with edited_json(people_file(root)) as content:
        content['annotations'][0]['righthand_kpts'][3 * 7 + 2] = 0
    valid = read_mscoco(root)[0].joint_valid
    assert np.flatnonzero(valid[joints_of(Side.RIGHT)] == 0).tolist() == [7]


def test_a_person_whom_nobody_fitted_has_no_fits(root, written):
    with edited_json(fits_file(root)) as fits:
        del fits['200']
        fits['202']['right'] = None
    one, _, both = read_mscoco(root)
    assert one.fits == (None, None)
    assert both.fits[Side.RIGHT] is None
    assert both.fits[Side.LEFT] is not None


def test_the_validation_split_has_no_fits(root):
    write_mscoco(root, 'val')
    assert all(a.fits == (None, None) for a in read_mscoco(root, 'val'))


def test_pictures_may_lie_beside_the_annotations(root, written):
    (root / 'images' / 'train2017').rename(root / 'train2017')
    assert read_mscoco(root)[0].image == root / 'train2017' / '000000000000.jpg'


def test_missing_pictures_are_named(root, written):
    (root / 'images').rename(root / 'pictures')
    with pytest.raises(AssetError, match=r'images.train2017: found nothing, wanted a folder'):
        read_mscoco(root)


@pytest.mark.parametrize('file', [people_file, fits_file])
def test_a_missing_file_is_named(root, written, file):
    file(root).unlink()
    with pytest.raises(AssetError, match=f'{file(root).name}: no such file'):
        read_mscoco(root)


@pytest.mark.parametrize('file', [people_file, fits_file])
def test_a_file_cut_short_is_named(root, written, file):
    file(root).write_bytes(file(root).read_bytes()[:-2])
    with pytest.raises(AssetError, match=f'{file(root).name}: not whole JSON'):
        read_mscoco(root)


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'image_id': 99}, r'images that annotations are of: 1 not there: 99'),
        ({'lefthand_kpts': [1, 2, 3]}, r"entry 1: 'lefthand_kpts' is .* wanted 63 finite"),
        ({'bbox': None}, r"entry 1: 'bbox' is None, wanted 4 finite numbers"),
        ({'righthand_valid': 'yes'}, r"entry 1: 'righthand_valid' is 'yes', wanted 1 finite"),
    ],
)
def test_what_does_not_fit_is_named(root, written, change, complaint):
    with edited_json(people_file(root)) as content:
        content['annotations'][1].update(change)
    with pytest.raises(AssetError, match=complaint):
        read_mscoco(root)


def test_plain_coco_without_hands_is_refused(root, written):
    with edited_json(people_file(root)) as content:
        for person in content['annotations']:
            del person['lefthand_valid']
    with pytest.raises(AssetError, match=r"entry 0: no 'lefthand_valid', found keys id"):
        read_mscoco(root)


def test_a_fit_without_its_camera_is_named(root, written):
    with edited_json(fits_file(root)) as fits:
        del fits['202']['left']['cam_param']
    with pytest.raises(AssetError, match=r"left: annotation 202: no 'cam_param', found keys"):
        read_mscoco(root)


def test_nobody_left_is_said(root, written):
    with edited_json(people_file(root)) as content:
        for person in content['annotations']:
            person['iscrowd'] = 1
    with pytest.raises(AssetError, match='nobody with a valid hand'):
        read_mscoco(root)


def test_from_the_cache_comes_what_was_read(root, written, tmp_path):
    plain, first, again = (
        read_mscoco(root, cache_dir=cache) for cache in (None, tmp_path / 'c', tmp_path / 'c')
    )
    for parsed, stored, cached in zip(plain, first, again, strict=True):
        assert repr(parsed) == repr(stored) == repr(cached)
