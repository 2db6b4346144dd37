import pickle

from interwild_ros.errors import AssetError
from interwild_ros.records import Side
from interwild_ros.testing.tiny_datasets import edited_json, write_interhand26m
from interwild_ros.train.annotations import joints_of
from interwild_ros.train.datasets.interhand26m import read_interhand26m
import numpy as np
import pytest

# Places in the files' order, in which the wrist of a hand comes last.
RIGHT_WRIST, LEFT_WRIST, RIGHT_THUMB_TIP = 20, 41, 0
PARTS = ('data', 'camera', 'joint_3d', 'MANO_NeuralAnnot')


@pytest.fixture
def root(tmp_path):
    return tmp_path / 'InterHand26M'


@pytest.fixture
def written(root):
    return write_interhand26m(root)


def file_of(root, part, split='train'):
    return root / 'annotations' / split / f'InterHand2.6M_{split}_{part}.json'


def edit(root, part):
    return edited_json(file_of(root, part))


def by_id(annotations):
    return {int(a.name.rsplit(' ', 1)[1]): a for a in annotations}


def relative_to_wrists(joints_m):
    hands = joints_m.reshape(2, 21, 3)
    return (hands - hands[:, :1]).reshape(42, 3)


def test_every_annotation_comes_back_with_its_picture(root, written):
    annotations = read_interhand26m(root)
    assert len(annotations) == len(written) == 6
    assert [a.image for a in annotations] == [w.path for w in written]
    assert all(a.image.is_file() for a in annotations)
    assert {a.image_size for a in annotations} == {(128, 96)}
    wanted = ['right'] * 2 + ['left'] * 2 + ['interacting'] * 2
    assert [a.hand_type for a in annotations] == wanted


def test_joints_come_back_in_metres_and_in_our_order(root, written):
    for annotation, truth in zip(read_interhand26m(root), written, strict=True):
        there = truth.joint_valid > 0
        seen_m = relative_to_wrists(truth.camera.see(truth.hands.joints_m))
        np.testing.assert_array_equal(annotation.joint_valid, truth.joint_valid)
        np.testing.assert_array_equal(annotation.joint_valid_2d, truth.joint_valid)
        np.testing.assert_allclose(annotation.joints_cam_m[there], seen_m[there], atol=1e-6)
        np.testing.assert_allclose(annotation.joint_depths_m[there], seen_m[there, 2], atol=1e-6)
        pixels = truth.camera.pixels(truth.hands.joints_m)
        np.testing.assert_allclose(annotation.joints_px[there], pixels[there], atol=1e-3)


def test_the_left_wrist_from_the_right_counts_where_both_are_valid(root, written):
    for annotation, truth in zip(read_interhand26m(root), written, strict=True):
        right, left = truth.camera.see(truth.hands.joints_m)[[0, 21]]
        assert annotation.left_from_right_valid == all(truth.has_hand)
        if all(truth.has_hand):
            np.testing.assert_allclose(annotation.left_from_right_m, left - right, atol=1e-6)


def test_the_input_is_laid_over_the_whole_picture_as_it_is(root, written):
    for annotation in read_interhand26m(root):
        assert annotation.person_box == (0, 0, 128, 96)
        assert all(isinstance(number, float) for number in annotation.person_box)
        assert annotation.person_scale == 1.0
        assert annotation.has_3d


def test_a_fit_and_its_camera_bring_the_mesh_to_where_it_was_seen(root, written):
    for annotation, truth in zip(read_interhand26m(root), written, strict=True):
        for side in Side:
            fit = annotation.fits[side]
            assert (fit is not None) == truth.has_hand[side]
            if fit is not None:
                np.testing.assert_allclose(fit.pose, truth.hands.pose[side], atol=1e-6)
                np.testing.assert_allclose(fit.shape, truth.hands.shape[side], atol=1e-6)
                np.testing.assert_allclose(fit.trans, truth.hands.trans[side], atol=1e-6)
                vertices_m = truth.hands.vertices_m[side]
                seen_m = vertices_m @ fit.camera.rotation.T + fit.camera.translation_m
                np.testing.assert_allclose(seen_m, truth.camera.see(vertices_m), atol=1e-9)
                np.testing.assert_array_equal(fit.camera.focal, truth.camera.focal)
                np.testing.assert_array_equal(fit.camera.principal, truth.camera.principal)


def test_a_hand_box_is_a_fifth_larger_than_the_joints_need(root, written):
    for annotation, truth in zip(read_interhand26m(root), written, strict=True):
        for side in Side:
            if not truth.has_hand[side]:
                assert annotation.hand_boxes[side] is None
                continue
            pixels = annotation.joints_px[joints_of(side)]
            size = np.ptp(pixels, axis=0)
            low, high = pixels.min(axis=0) - size / 10, pixels.max(axis=0) + size / 10
            wanted = [*low, *(high - 1)]  # cutting a box to the picture takes its last pixel
            np.testing.assert_allclose(annotation.hand_boxes[side], wanted, atol=1e-3)


def test_a_hand_box_is_cut_to_the_picture(root, written):
    with edit(root, 'camera') as cameras:
        for point in cameras['0']['princpt'].values():
            point[0] -= 45  # most of the right hand leaves the picture on its left
    for annotation in read_interhand26m(root):
        right = annotation.hand_boxes[Side.RIGHT]
        if right is not None:
            assert right[0] == 0
            assert right[2] < 64


def test_without_its_wrist_in_the_3d_file_a_hand_has_no_valid_joint(root, written):
    with edit(root, 'joint_3d') as joints:
        for frame in joints['0'].values():
            frame['joint_valid'][RIGHT_WRIST] = [0]
    annotations = by_id(read_interhand26m(root))
    assert set(annotations) == {1002, 1003, 1004, 1005}  # those of the right hand alone are gone
    for annotation in annotations.values():
        assert not annotation.joint_valid[joints_of(Side.RIGHT)].any()
        assert annotation.joint_valid[joints_of(Side.LEFT)].all()
        assert not annotation.left_from_right_valid


def test_without_its_wrist_in_the_2d_file_a_hand_has_neither_box_nor_truth(root, written):
    with edit(root, 'data') as data:
        for annotation in data['annotations']:
            annotation['joint_valid'][LEFT_WRIST] = 0
    annotations = by_id(read_interhand26m(root))
    assert set(annotations) == {1000, 1001, 1004, 1005}
    for annotation in annotations.values():
        assert annotation.hand_boxes[Side.LEFT] is None
        assert annotation.fits[Side.LEFT] is None
        assert not annotation.joint_valid[joints_of(Side.LEFT)].any()
        assert not annotation.joint_valid_2d[joints_of(Side.LEFT)].any()
        assert annotation.joint_valid[joints_of(Side.RIGHT)].all()


def test_a_hand_of_which_one_joint_is_valid_has_no_box_and_no_truth(root, written):
    with edit(root, 'data') as data:
        for annotation in data['annotations']:
            annotation['joint_valid'][:RIGHT_WRIST] = [0] * RIGHT_WRIST
    annotations = by_id(read_interhand26m(root))
    assert set(annotations) == {1002, 1003, 1004, 1005}
    for annotation in annotations.values():
        assert annotation.hand_boxes[Side.RIGHT] is None
        assert annotation.fits[Side.RIGHT] is None
        assert not annotation.joint_valid[joints_of(Side.RIGHT)].any()


@pytest.mark.parametrize('part', ['data', 'joint_3d'])
def test_an_annotation_without_a_valid_joint_in_either_file_is_left_out(root, written, part):
    with edit(root, part) as content:
        places = {'data': content.get('annotations'), 'joint_3d': content.get('0')}[part]
        entry = places[0] if part == 'data' else places['10112']
        entry['joint_valid'] = [0] * 42
    gone = {1000} if part == 'data' else {1000, 1001}
    assert set(by_id(read_interhand26m(root))) == {w.annotation_id for w in written} - gone


def test_an_unknown_joint_stands_one_millimetre_before_the_camera(root, written):
    with edit(root, 'joint_3d') as joints:
        joints['0']['10112']['joint_valid'][RIGHT_THUMB_TIP] = [0]
    annotation, truth = read_interhand26m(root)[0], written[0]
    assert annotation.joint_valid[:5].tolist() == [1, 1, 1, 1, 0]
    corner = truth.camera.focal + truth.camera.principal
    np.testing.assert_allclose(annotation.joints_px[4], corner)
    assert annotation.joint_valid_2d[4] == 1  # the 2D file has a word of its own


def test_a_frame_without_fits_has_none(root, written):
    with edit(root, 'MANO_NeuralAnnot') as fits:
        del fits['0']['10112']
        fits['0']['10124'] = {'right': None, 'left': fits['0']['10124']['left']}
    annotations = read_interhand26m(root)
    assert annotations[0].fits == (None, None)
    assert annotations[4].fits[Side.RIGHT] is None
    assert annotations[4].fits[Side.LEFT] is not None
    assert annotations[4].joint_valid.all()


def test_the_test_split_is_read_in_the_order_of_its_list(root):
    write_interhand26m(root, 'test')
    ids = root / 'annotations' / 'aid_human_annot_test.txt'
    ids.write_text('1003\n1000\n')
    assert list(by_id(read_interhand26m(root, 'test'))) == [1003, 1000]


def test_the_test_split_without_its_list_is_refused(root):
    write_interhand26m(root, 'test')
    ids = root / 'annotations' / 'aid_human_annot_test.txt'
    elsewhere = ids.rename(root / 'mine.txt')
    with pytest.raises(AssetError, match=r'wanted aid_human_annot_test\.txt'):
        read_interhand26m(root, 'test')
    assert len(read_interhand26m(root, 'test', annotation_ids=elsewhere)) == 6


def test_a_list_may_pick_from_any_split(root, written, tmp_path):
    ids = tmp_path / 'ids.txt'
    ids.write_text('1004\n')
    assert list(by_id(read_interhand26m(root, annotation_ids=ids))) == [1004]


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [('1000\n77\n', '1 not there: 77'), ('', 'is empty'), ('1000\nx7\n', "holds b'x7'")],
)
def test_a_list_that_does_not_fit_is_refused(root, written, tmp_path, text, complaint):
    ids = tmp_path / 'ids.txt'
    ids.write_text(text)
    with pytest.raises(AssetError, match=complaint):
        read_interhand26m(root, annotation_ids=ids)


def test_a_root_that_is_not_there_is_named(tmp_path):
    with pytest.raises(AssetError, match=r'nowhere.images.train: found nothing, wanted a folder'):
        read_interhand26m(tmp_path / 'nowhere')


@pytest.mark.parametrize('part', PARTS)
def test_a_missing_file_is_named(root, written, part):
    file_of(root, part).unlink()
    with pytest.raises(AssetError, match=f'InterHand2.6M_train_{part}.json: no such file'):
        read_interhand26m(root)


@pytest.mark.parametrize('part', PARTS)
def test_a_file_cut_short_is_named(root, written, part):
    file = file_of(root, part)
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(AssetError, match=f'InterHand2.6M_train_{part}.json: not whole JSON'):
        read_interhand26m(root)


@pytest.mark.parametrize('part', PARTS)
def test_a_file_that_holds_a_list_is_refused(root, written, part):
    file_of(root, part).write_text('[1, 2]')
    with pytest.raises(AssetError, match='holds a list, wanted an object'):
        read_interhand26m(root)


def remove_image(data):
    del data['images'][2]


def rename_validity(data):
    data['annotations'][3]['valid'] = data['annotations'][3].pop('joint_valid')


def shorten_validity(data):
    data['annotations'][3]['joint_valid'].pop()


def invent_hand_type(data):
    data['annotations'][1]['hand_type'] = 'both'


def invent_frame(data):
    data['images'][1]['frame_idx'] = 5


def invent_camera(data):
    data['images'][1]['camera'] = '7'


def write_no_image(data):
    data['images'] = []


def number_a_name(data):
    data['images'][0]['file_name'] = 17


def lose_annotations(data):
    data['people'] = data.pop('annotations')


@pytest.mark.parametrize(
    ('spoil', 'complaint'),
    [
        (remove_image, r'data\.json: images that annotations are of: 1 not there: 2'),
        (rename_validity, r"entry 3: no 'joint_valid', found keys id, image_id"),
        (shorten_validity, r"entry 3: 'joint_valid' is a list of 41.*wanted 42 finite numbers"),
        (invent_hand_type, r'a hand_type is none of right, left, interacting: .*: both'),
        (invent_frame, r"joint_3d\.json: nothing under capture '0', '5'"),
        (invent_camera, r"camera\.json: no campos camrot focal princpt of camera '7'"),
        (write_no_image, r"'images' is a list of 0"),
        (number_a_name, r"'file_name' is 17, wanted text"),
        (lose_annotations, r"no 'annotations', found keys images, people"),
    ],
)
def test_what_does_not_fit_in_the_2d_file_is_named(root, written, spoil, complaint):
    with edit(root, 'data') as data:
        spoil(data)
    with pytest.raises(AssetError, match=complaint):
        read_interhand26m(root)


def test_truth_that_is_not_a_number_is_named_with_its_moment(root, written):
    with edit(root, 'joint_3d') as joints:
        joints['0']['10118']['world_coord'][7][1] = float('nan')
    with pytest.raises(AssetError, match=r"capture 0 frame 10118: 'world_coord' is .*126 finite"):
        read_interhand26m(root)


def test_a_fit_of_another_size_is_named_with_its_moment(root, written):
    with edit(root, 'MANO_NeuralAnnot') as fits:
        fits['0']['10118']['left']['pose'].pop()
    with pytest.raises(AssetError, match=r"left: capture 0 frame 10118: 'pose' is .*wanted 48"):
        read_interhand26m(root)


def test_a_split_of_which_nothing_can_be_used_is_refused(root, written):
    with edit(root, 'data') as data:
        for annotation in data['annotations']:
            annotation['joint_valid'] = [0] * 42
    with pytest.raises(AssetError, match='none of 6 annotations has a hand with a box'):
        read_interhand26m(root)


def test_from_the_cache_comes_what_was_read(root, written, tmp_path):
    plain, first, again = (
        read_interhand26m(root, cache_dir=cache)
        for cache in (None, tmp_path / 'cache', tmp_path / 'cache')
    )
    for parsed, stored, cached in zip(plain, first, again, strict=True):
        assert repr(parsed) == repr(stored) == repr(cached)


def test_the_cache_is_void_when_a_file_has_changed(root, written, tmp_path):
    assert len(read_interhand26m(root, cache_dir=tmp_path)) == 6
    with edit(root, 'data') as data:
        data['annotations'].pop()
    assert len(read_interhand26m(root, cache_dir=tmp_path)) == 5
    assert len(list(tmp_path.glob('*.npz'))) == 1


def test_indices_work_as_in_a_list(root, written):
    annotations = read_interhand26m(root)
    assert annotations[-1].name == annotations[5].name
    with pytest.raises(IndexError):
        annotations[6]


def test_workers_can_be_sent_the_annotations(root, written):
    annotations = read_interhand26m(root)
    copy = pickle.loads(pickle.dumps(annotations))
    assert repr(copy[3]) == repr(annotations[3])
